# SPDX-License-Identifier: Apache-2.0
"""The linear part of a network: chains of matrices, convolutions and pools become one matrix and one bias.

What flows along an edge of a graph without firing is a linear function of the spikes of some neurons (or of the
input) plus a constant: a :class:`Signal`. Every linear node maps signals to signals; where a neuron is reached,
the signal *is* the matrix and the bias of its layer. Everything is float64, and exact as long as the products and
sums are (integers, for example).
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hysteron_base.errors import require

Floats = NDArray[np.float64]
Shape = tuple[int, ...]

#: Inputs and neurons of a layer up to which matrices are made: what the largest core holds.
LIMIT = 8192


def size_of(shape: Shape) -> int:
    """Elements of an array of ``shape``."""
    return int(np.prod(shape, dtype=np.int64))


def text_of(shape: Shape) -> str:
    """For people: ``2×8×8``."""
    return "×".join(str(n) for n in shape) or "1"


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
        """See :class:`Linear`; the factors must broadcast to the input."""
        for values in (self.scale, np.asarray(self.shift)):
            require(
                broadcasts(values.shape, given),
                f"node {self.name!r} has factors of shape {text_of(values.shape)}, its input has {text_of(given)}; "
                "they must be equal",
            )
        return given

    def apply(self, values: Floats) -> Floats:
        """See :class:`Linear`."""
        return values * self.scale

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
        constant = node.apply(self.constant.reshape(1, *self.shape))
        require(
            broadcasts(np.shape(node.offset), shape),
            f"node {node.name!r} has a bias of shape {text_of(np.shape(node.offset))}, it puts out {text_of(shape)}; "
            "they must be equal",
        )
        constant = constant.reshape(shape) + node.offset
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
