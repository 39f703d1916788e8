# SPDX-License-Identifier: Apache-2.0
"""The linear part of a network: chains of matrices, convolutions and pools become one matrix and one bias.

What flows along an edge of a graph without firing is a linear function of the spikes of some neurons (or of the
input) plus a constant: a :class:`Signal`. Every linear node maps signals to signals; where a neuron is reached,
the signal *is* the matrix and the bias of its layer. Everything is float64, and exact as long as the products and
sums are (integers, for example).
"""

import math
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from hysteron_base.errors import HysteronError, require

Floats = NDArray[np.float64]
Shape = tuple[int, ...]

#: Inputs and neurons of a layer up to which matrices are made: what the largest core holds.
LIMIT = 8192


def size_of(shape: Shape) -> int:
    """Elements of an array of ``shape``."""
    return math.prod(int(n) for n in shape)


def text_of(shape: Shape) -> str:
    """For people: ``2×8×8``."""
    return "×".join(str(n) for n in shape) or "1"


def floats_of(what: str, value: Any) -> Floats:
    """Numbers of a file or a module as float64, without losing any part of them.

    Parameters
    ----------
    what
        What they are, for the message: ``weight of node 'fc'``.
    value
        An array, a tensor of PyTorch, a number, or lists of them.

    Raises
    ------
    HysteronError
        If they are complex, text, nothing, or not a number.
    """
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        # NumPy has no bfloat16, and no quantised tensors.
        value = value.dequantize() if value.is_quantized else value
        value = (value.double() if value.is_floating_point() else value).numpy()
    try:
        array = np.asarray(value)
    except ValueError:
        raise HysteronError(f"{what} must be an array of numbers; its rows have different lengths") from None
    require(
        array.dtype.kind != "c",
        f"{what} must be real numbers, not complex ones ({array.dtype}); the imaginary parts would be lost",
    )
    require(array.dtype.kind in "biuf", f"{what} must be numbers, not {_short(value)}")
    array = array.astype(np.float64)
    require(not np.isnan(array).any(), f"{what} is not a number; the training may have diverged")
    return array


def whole_of(what: str, value: Any) -> int:
    """A whole number of a file or a module.

    Raises
    ------
    HysteronError
        If it is none, or is no number.
    """
    array = np.asarray(value) if not isinstance(value, (list, tuple, dict, str, bytes)) else np.asarray(None)
    require(
        array.size == 1 and array.dtype.kind in "iu",
        f"{what} must be a whole number, not {_short(value)}",
    )
    return int(array.reshape(-1)[0])


def _short(value: Any) -> str:
    """A value for a message, in one line."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else f"{text[:57]}..."


def layout(given: Shape, target: Shape, what: str, whose: str) -> Shape:
    """The shape in which parameters of shape ``given`` broadcast to a signal of shape ``target``.

    They may be one number, one for each element, or one for each channel (a list as long as the signal's first axis).
    A list as long as the last axis, too, could mean either, and no reader would notice the difference.

    Parameters
    ----------
    given, target
        Shapes of the parameters and of what they act on.
    what, whose
        For the message: ``node 'n' has parameters`` and ``its input has``.
    """
    n = size_of(given)
    if n == 1:
        return ()
    while len(given) > len(target) and given[0] == 1:
        given = given[1:]  # an axis of samples that an exporter left
    if given == target:
        return given
    if len(given) == 1 and n == size_of(target):
        return target
    if len(given) == len(target) and all(m in (1, k) for m, k in zip(given, target, strict=True)):
        return given
    text = f"{what} of shape {text_of(given)}, {whose} {text_of(target)}; "
    if len(given) == 1 and len(target) > 1 and n in target:
        channels = "×".join([str(target[0]), *("1" for _ in target[1:])])
        require(
            n == target[0] and n not in target[1:],
            text + f"they could be one for each channel or one for each place along another axis: give them a shape "
            f"that says it, as {channels} for channels",
        )
        return (n, *(1 for _ in target[1:]))
    raise HysteronError(text + "they must be equal")


class Linear(Protocol):
    """A linear node: everything that does not fire."""

    @property
    def name(self) -> str:
        """The name of the node, for messages."""
        ...

    def shape(self, given: Shape) -> Shape:
        """Shape that comes out of shape ``given``; raises :class:`HysteronError` if it does not suit the node."""
        ...

    def apply(self, values: Floats) -> Floats:
        """The linear part on ``(rows, *given)``, without the bias; returns ``(rows, *shape(given))``."""
        ...

    @property
    def offset(self) -> Floats | float:
        """The bias, of any shape that broadcasts to what comes out."""
        ...


@dataclass(frozen=True, eq=False)
class Matrix:
    """A dense matrix: ``y = weight @ x + bias``, ``weight`` (n_out, n_in)."""

    name: str
    weight: Floats
    bias: Floats | float = 0.0

    def shape(self, given: Shape) -> Shape:
        """See :class:`Linear`; whatever has ``n_in`` elements is taken in C order."""
        n_out, n_in = self.weight.shape
        require(
            size_of(given) == n_in,
            f"node {self.name!r} takes {n_in} inputs, not {text_of(given)}; "
            "check the shapes (a Flatten may be missing before it)",
        )
        return (n_out,)

    def apply(self, values: Floats) -> Floats:
        """See :class:`Linear`."""
        return values.reshape(len(values), -1) @ self.weight.T

    @property
    def offset(self) -> Floats | float:
        """See :class:`Linear`."""
        return self.bias


@dataclass(frozen=True, eq=False)
class Diagonal:
    """An elementwise product and sum: ``y = scale * x + shift``."""

    name: str
    scale: Floats
    shift: Floats | float = 0.0

    def shape(self, given: Shape) -> Shape:
        """See :class:`Linear`; there is one factor, one for each element, or one for each channel."""
        self._layout(given)
        return given

    def _layout(self, given: Shape) -> Shape:
        return layout(self.scale.shape, given, f"node {self.name!r} has factors", "its input has")

    def apply(self, values: Floats) -> Floats:
        """See :class:`Linear`."""
        return values * self.scale.reshape(self._layout(values.shape[1:]))

    @property
    def offset(self) -> Floats | float:
        """See :class:`Linear`."""
        return self.shift


@dataclass(frozen=True, eq=False)
class Reshape:
    """Dimensions ``start`` to ``end`` made one, or the shape ``to`` given, in C order: no element moves."""

    name: str
    start: int = 0
    end: int = -1
    to: Shape | None = None

    def shape(self, given: Shape) -> Shape:
        """See :class:`Linear`."""
        if self.to is not None:
            require(
                size_of(self.to) == size_of(given),
                f"node {self.name!r} makes {text_of(self.to)} of {text_of(given)}; both must have as many elements",
            )
            return self.to
        rank = len(given)
        start, end = (i + rank if i < 0 else i for i in (self.start, self.end))
        # Exporters that count a batch dimension write 1 for a vector's only dimension.
        start, end = min(start, rank - 1), min(end, rank - 1)
        require(
            0 <= start <= end,
            f"node {self.name!r} flattens dimensions {self.start} to {self.end} of {text_of(given)}; "
            "the first must not lie after the last",
        )
        return (*given[:start], size_of(given[start : end + 1]), *given[end + 1 :])

    def apply(self, values: Floats) -> Floats:
        """See :class:`Linear`."""
        return values.reshape(len(values), *self.shape(values.shape[1:]))

    @property
    def offset(self) -> Floats | float:
        """See :class:`Linear`."""
        return 0.0


def broadcasts(shape: Shape, target: Shape) -> bool:
    """Whether an array of ``shape`` broadcasts to ``target`` without enlarging it."""
    try:
        return np.broadcast_shapes(shape, target) == target
    except ValueError:
        return False


@dataclass(frozen=True, eq=False)
class Signal:
    """A linear function of what some sources emit.

    Attributes
    ----------
    shape
        The signal's shape.
    terms
        For each source ``(n_source, n)``: the contribution of each of its elements, or None for the source itself.
    constant
        ``(n,)``: what is there without any source.
    """

    shape: Shape
    terms: dict[str, Floats | None]
    constant: Floats

    @classmethod
    def of(cls, source: str, shape: Shape) -> "Signal":
        """What ``source`` emits, unchanged."""
        return cls(shape, {source: None}, np.zeros(size_of(shape)))

    def matrix(self, source: str) -> Floats:
        """``(n_source, n)`` contribution of ``source``."""
        values = self.terms[source]
        return np.eye(size_of(self.shape)) if values is None else values

    def through(self, node: Linear, limit: int = LIMIT) -> "Signal":
        """The signal that comes out of a linear node.

        Raises
        ------
        HysteronError
            If the shape does not suit the node, or the matrix would have more than ``limit**2`` elements.
        """
        shape = node.shape(self.shape)
        n = size_of(shape)
        terms: dict[str, Floats | None] = {}
        for source, values in self.terms.items():
            rows = size_of(self.shape) if values is None else len(values)
            check_size(node.name, rows, n, limit)
            if values is None and isinstance(node, Matrix):
                terms[source] = node.weight.T  # a product with the identity would only cost time
            elif values is None and isinstance(node, Reshape):
                terms[source] = None
            else:
                start = self.matrix(source).reshape(rows, *self.shape)
                terms[source] = node.apply(start).reshape(rows, n)
        offset = np.asarray(node.offset)
        offset = offset.reshape(layout(offset.shape, shape, f"node {node.name!r} has a bias", "it puts out"))
        constant = node.apply(self.constant.reshape(1, *self.shape)).reshape(shape) + offset
        return Signal(shape, terms, constant.reshape(-1))

    def plus(self, other: "Signal", name: str) -> "Signal":
        """The sum of two signals that meet at node ``name``."""
        require(
            size_of(self.shape) == size_of(other.shape),
            f"node {name!r} is fed signals of shapes {text_of(self.shape)} and {text_of(other.shape)}; "
            "what is added must be of one shape",
        )
        terms = dict(self.terms)
        for source, values in other.terms.items():
            terms[source] = self.matrix(source) + other.matrix(source) if source in terms else values
        return Signal(self.shape, terms, self.constant + other.constant)


def check_size(name: str, rows: int, columns: int, limit: int) -> None:
    """Refuse a matrix of more than ``limit**2`` elements."""
    require(
        rows * columns <= limit * limit,
        f"node {name!r} unrolls to a dense matrix of {rows} × {columns} weights, more than {limit} × {limit}; "
        "use a smaller network or raise the limit",
    )
