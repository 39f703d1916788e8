# SPDX-License-Identifier: Apache-2.0
"""Linear nodes that lay a kernel over space: convolutions and pools."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from hysteron_base.errors import require

from .linear import Floats, Shape, size_of, text_of

#: Numbers of a padded input that are in memory together.
_PADDED = 1 << 25


@dataclass(frozen=True, eq=False)
class Windows:
    """Where a kernel is laid over an input of one or two spatial dimensions.

    Attributes
    ----------
    kernel, stride, dilation
        One number for each dimension.
    padding
        Zeros ``(before, after)`` each dimension, or None for as many as keep the size (torch's ``"same"``: the odd
        one comes after).
    """

    name: str
    kernel: Shape
    stride: Shape
    padding: tuple[tuple[int, int], ...] | None
    dilation: Shape

    def __post_init__(self) -> None:
        for what in ("kernel", "stride", "dilation"):
            values = getattr(self, what)
            require(min(values) > 0, f"node {self.name!r} has {what} {text_of(values)}; it must be positive")
        require(
            self.padding is None or min(min(pair) for pair in self.padding) >= 0,
            f"node {self.name!r} has padding {self.padding}; it must not be negative",
        )
        require(
            self.padding is not None or set(self.stride) == {1},
            f"node {self.name!r} has padding 'same' and stride {text_of(self.stride)}; give the padding in numbers",
        )

    @property
    def pads(self) -> tuple[tuple[int, int], ...]:
        """Zeros before and after each dimension."""
        if self.padding is not None:
            return self.padding
        spans = [d * (k - 1) for d, k in zip(self.dilation, self.kernel, strict=True)]
        return tuple((span // 2, span - span // 2) for span in spans)

    def counts(self, given: Shape) -> Shape:
        """Positions of the kernel in each dimension of ``(channels, *spatial)``."""
        rank = len(self.kernel)
        require(
            len(given) == rank + 1,
            f"node {self.name!r} takes (channels, {', '.join(['height', 'width'][-rank:])}), not {text_of(given)}; "
            "give the shape of the input",
        )
        result = []
        for n, k, s, d, (before, after) in zip(
            given[1:], self.kernel, self.stride, self.dilation, self.pads, strict=True
        ):
            count = (n + before + after - d * (k - 1) - 1) // s + 1
            require(
                count > 0, f"node {self.name!r} has a kernel of {text_of(self.kernel)}, larger than {text_of(given)}"
            )
            result.append(count)
        return tuple(result)

    def chunks(self, rows: int, given: Shape) -> Iterator[slice]:
        """Rows of an input that are padded together: the padding of a small input may be wide."""
        wide = given[0] * size_of(tuple(n + sum(pair) for n, pair in zip(given[1:], self.pads, strict=True)))
        require(
            wide <= _PADDED,
            f"node {self.name!r} pads {text_of(given)} to {wide} numbers, more than {_PADDED}; use less padding",
        )
        step = max(1, _PADDED // wide)
        return (slice(first, first + step) for first in range(0, rows, step))

    def cut(self, values: Floats, counts: Shape) -> list[tuple[Shape, Floats]]:
        """For each place of the kernel what lies under it: ``(place, (rows, channels, *counts))``."""
        padded = np.pad(values, ((0, 0), (0, 0), *self.pads))
        parts = []
        for place in np.ndindex(*self.kernel):
            window = tuple(
                slice(p * d, p * d + (c - 1) * s + 1, s)
                for p, d, c, s in zip(place, self.dilation, counts, self.stride, strict=True)
            )
            parts.append((place, padded[(slice(None), slice(None), *window)]))
        return parts


@dataclass(frozen=True, eq=False)
class Convolution:
    """A convolution (as everywhere in the field, a cross-correlation) in one or two dimensions.

    Attributes
    ----------
    weight
        ``(channels out, channels in / groups, *kernel)``.
    bias
        ``(channels out,)``.
    """

    windows: Windows
    weight: Floats
    bias: Floats
    groups: int = 1

    @property
    def name(self) -> str:
        """See :class:`Linear`."""
        return self.windows.name

    def shape(self, given: Shape) -> Shape:
        """See :class:`Linear`."""
        counts = self.windows.counts(given)
        channels = self.weight.shape[1] * self.groups
        require(
            given[0] == channels and self.weight.shape[0] % self.groups == 0,
            f"node {self.name!r} has weights for {channels} channels in {self.groups} groups, "
            f"its input has {given[0]}; check weight, groups and the input's shape",
        )
        return (self.weight.shape[0], *counts)

    def apply(self, values: Floats) -> Floats:
        """See :class:`Linear`."""
        out = self.shape(values.shape[1:])
        rows, groups = len(values), self.groups
        result = np.zeros((rows, groups, out[0] // groups, size_of(out[1:])))
        for some in self.windows.chunks(rows, values.shape[1:]):
            for place, part in self.windows.cut(values[some], out[1:]):
                # Indexed from the last dimension on, whatever the kernel's rank.
                kernel = self.weight.transpose(*range(2, self.weight.ndim), 0, 1)[place].reshape(
                    1, groups, out[0] // groups, -1
                )
                result[some] += kernel @ part.reshape(len(part), groups, values.shape[1] // groups, -1)
        return result.reshape(rows, *out)

    @property
    def offset(self) -> Floats | float:
        """See :class:`Linear`."""
        return self.bias.reshape(-1, *(1 for _ in self.windows.kernel))


@dataclass(frozen=True, eq=False)
class Pool:
    """The sum over a window of each channel, divided by ``divisor`` (1: sum pooling)."""

    windows: Windows
    divisor: Floats | float = 1.0

    @property
    def name(self) -> str:
        """See :class:`Linear`."""
        return self.windows.name

    def shape(self, given: Shape) -> Shape:
        """See :class:`Linear`."""
        return (given[0], *self.windows.counts(given))

    def apply(self, values: Floats) -> Floats:
        """See :class:`Linear`."""
        result = np.zeros((len(values), *self.shape(values.shape[1:])))
        for some in self.windows.chunks(len(values), values.shape[1:]):
            for _, part in self.windows.cut(values[some], result.shape[2:]):
                result[some] += part
        return result / self.divisor

    @property
    def offset(self) -> Floats | float:
        """See :class:`Linear`."""
        return 0.0


def numbers(name: str, what: str, value: Any, rank: int) -> Shape:
    """A stride, kernel or the like as ``rank`` integers; one number serves for all dimensions."""
    array = np.atleast_1d(np.asarray(value))
    require(
        array.dtype.kind in "iu" and array.size in (1, rank),
        f"node {name!r} has {what} {value!r}; it must be {rank} integers",
    )
    return tuple(int(n) for n in np.broadcast_to(array.reshape(-1), (rank,)))


def paddings(name: str, value: Any, rank: int) -> tuple[tuple[int, int], ...] | None:
    """Zeros before and after each dimension; None: as many as keep the size."""
    if isinstance(value, str):
        require(
            value in ("same", "valid"), f"node {name!r} has padding {value!r}; it must be same, valid or {rank} numbers"
        )
        return None if value == "same" else ((0, 0),) * rank
    return tuple((n, n) for n in numbers(name, "padding", value, rank))
