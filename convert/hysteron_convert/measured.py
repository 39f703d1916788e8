# SPDX-License-Identifier: Apache-2.0
"""Modules of PyTorch read by what they compute: a linear map is measured on unit vectors, and anything else refused.

A class that derives from ``Linear`` may binarise its weights, a hook may scale them, a layer of Brevitas rounds them:
what such a module holds is not what it does. It is run on zeros and on every unit vector, which tells the matrix and
the bias in effect, and on random inputs, which tell whether that is all it does.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from hysteron_base.errors import HysteronError, require

from .libraries import library
from .linear import Floats, Linear, Shape, check_size, size_of, text_of

#: Unit vectors that are run together.
_ROWS = 512
#: Length of a "unit" vector: beside a long one the rounding of the bias is nothing.
_UNIT = 2.0**20
#: How far an answer may be off, as a share of the largest one: sums in another order, in double precision.
_SLACK = 1e-9


@dataclass(frozen=True, eq=False)
class Measured:
    """A linear map as it was measured.

    Attributes
    ----------
    given, made
        Shapes of its input and output.
    weight
        ``(n_in, n_out)``: what each element of the input contributes.
    bias
        ``(n_out,)``.
    """

    name: str
    given: Shape
    made: Shape
    weight: Floats
    bias: Floats

    def shape(self, given: Shape) -> Shape:
        """See :class:`Linear`."""
        require(
            given == self.given,
            f"node {self.name!r} was measured on an input of {text_of(self.given)}, not {text_of(given)}",
        )
        return self.made

    def apply(self, values: Floats) -> Floats:
        """See :class:`Linear`."""
        return (values.reshape(len(values), -1) @ self.weight).reshape(len(values), *self.made)

    @property
    def offset(self) -> Floats | float:
        """See :class:`Linear`."""
        return self.bias.reshape(self.made)


def measure(key: str, part: Any, given: Shape, limit: int, remedy: str) -> Measured:
    """The linear map that a module computes.

    Parameters
    ----------
    key, part
        The module, in double precision and not training.
    given
        Shape of one sample of its input.
    limit
        Inputs and outputs up to which a matrix is made.
    remedy
        What the refusal ends with.

    Raises
    ------
    HysteronError
        If it cannot be run on such an input, or does something else than a linear map of each sample.
    """
    what = f"module {key!r} is a {type(part).__name__}, which cannot be mapped:"
    n = size_of(given)
    check_size(key, n, 1, limit)
    bias = _run(what, part, np.zeros((1, *given)))
    made = bias.shape[1:]
    check_size(key, n, size_of(made), limit)
    bias = bias.reshape(-1)
    weight = np.zeros((n, size_of(made)))
    for first in range(0, n, _ROWS):
        units = np.zeros((min(_ROWS, n - first), n))
        units[np.arange(len(units)), np.arange(first, first + len(units))] = _UNIT
        answers = _run(what, part, units.reshape(-1, *given)).reshape(len(units), -1)
        weight[first : first + len(units)] = (answers - bias) / _UNIT
    node = Measured(key, given, made, weight, bias)
    _check(what, part, node, remedy)
    return node


def _check(what: str, part: Any, node: Measured, remedy: str) -> None:
    """Refuse a module that does something else than what was measured."""
    rng = np.random.default_rng(0)
    for gain in (1.0, 1 / 64, 64.0, _UNIT):
        inputs = np.concatenate([rng.random((8, *node.given)) < 0.3, rng.normal(size=(8, *node.given)) * gain])
        answers = _run(what, part, inputs)
        require(
            np.array_equal(_run(what, part, inputs), answers, equal_nan=True),
            f"{what} it answers differently when it is given the same input again; {remedy}",
        )
        alone = _run(what, part, inputs[:1])
        require(
            difference(answers[:1], alone) <= _SLACK,
            f"{what} it answers a sample by what else is in the batch; {remedy}",
        )
        require(
            difference(answers, apply_to(node, inputs)) <= _SLACK,
            f"{what} what it computes is not linear; {remedy}",
        )


def apply_to(node: Linear, inputs: Floats) -> Floats:
    """What a linear node makes of ``(samples, *shape)``, the bias included."""
    made = node.apply(inputs)
    return made + np.asarray(node.offset)


def difference(one: Floats, other: Floats) -> float:
    """The largest difference, as a share of the largest value; infinite if shapes differ or a value is no number."""
    if one.shape != other.shape or not (np.isfinite(one).all() and np.isfinite(other).all()):
        return float("inf")
    if not one.size:
        return 0.0
    return float(np.abs(one - other).max() / max(1.0, float(np.abs(other).max())))


def _run(what: str, part: Any, inputs: Floats) -> Floats:
    torch = library("torch")
    try:
        with torch.no_grad():
            out = part(torch.tensor(inputs, dtype=torch.float64))
    except MemoryError:
        raise
    except Exception as error:
        reason = (str(error).splitlines() or [""])[0][:200] or type(error).__name__
        raise HysteronError(
            f"{what} it cannot be run on an input of shape {text_of(inputs.shape[1:])} in double precision ({reason})"
        ) from None
    values = getattr(out, "value", out)  # layers of Brevitas may return a value with its scale
    require(
        isinstance(values, torch.Tensor) and values.ndim > 0 and len(values) == len(inputs),
        f"{what} it does not answer with one tensor that has a row for each sample",
    )
    result: Floats = values.detach().to("cpu", torch.float64).numpy().copy()
    return result
