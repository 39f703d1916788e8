# SPDX-License-Identifier: Apache-2.0
"""What a tensor is, while a module is watched: a note that it carries (:mod:`hysteron_convert.recording`)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from .graph import INPUT

#: What an input with an axis of steps is called.
ALL_STEPS = "all steps of the input at once"
#: Functions of torch that hand their tensor on.
SAME = {"detach", "detach_", "clone", "contiguous", "data", "requires_grad_", "alias", "positive"}
#: Those that only change its type or place.
CASTS = {"float", "double", "half", "bfloat16", "to", "type", "type_as", "cpu", "cuda"}
#: Those that only change its shape.
RESHAPES = {"view", "view_as", "reshape", "reshape_as", "flatten", "unflatten", "squeeze", "unsqueeze"}
#: Those that are linear and are measured, as are the modules that do the same.
LINEAR = {"avg_pool1d", "adaptive_avg_pool1d", "adaptive_avg_pool2d", "pad", "interpolate"}
#: What Python may ask of a tensor without looking at its numbers.
QUESTIONS = {
    "size", "shape", "dim", "ndim", "ndimension", "numel", "nelement", "dtype", "device", "layout", "stride",
    "requires_grad", "grad_fn", "grad", "names", "itemsize", "nbytes", "element_size", "storage_offset", "get_device",
    "__len__", "__hash__", "__repr__", "__format__", "__get__",
}  # fmt: skip
#: What to do about several signals that meet.
NO_CHAIN = "the hardware runs layers in a chain, without skip connections: leave it out"
_NONLINEAR = "only neurons may be nonlinear; replace it with a neuron"
_REMEDIES = {
    "max_pool1d": "a maximum is not linear; use avg_pool1d or strides",
    "max_pool2d": "a maximum is not linear; use avg_pool2d or strides",
    "relu": _NONLINEAR,
    "sigmoid": _NONLINEAR,
    "tanh": _NONLINEAR,
    "add": NO_CHAIN,
    "sub": NO_CHAIN,
    "cat": NO_CHAIN,
    "mul": "put the factor into the weights of a module",
    "div": "put the factor into the weights of a module",
    "linear": "call the module itself, not a function with its weights",
    "conv2d": "call the module itself, not a function with its weights",
    "bernoulli": "make spikes of pixels outside of it, with a coding",
    "permute": "give the input in the order in which it is used",
    "transpose": "give the input in the order in which it is used",
}


@dataclass(frozen=True)
class Trail:
    """What ``source`` (the input, or the spikes of a neuron module) is after linear ``parts``.

    ``step`` counts the calls of the source; None is an input that stays the same in all steps.
    """

    source: str
    step: int | None
    parts: tuple[tuple[str, Any], ...] = ()

    def then(self, name: str, part: Any) -> "Trail":
        """The trail with one part more."""
        return Trail(self.source, self.step, (*self.parts, (name, part)))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parts."""
        return tuple(name for name, _ in self.parts)

    @property
    def origin(self) -> str:
        """The source, for people."""
        return self.source if self.source == INPUT else f"the spikes of {self.source!r}"

    def __str__(self) -> str:
        return f"what {self.parts[-1][0]!r} puts out" if self.parts else self.origin


@dataclass(frozen=True)
class Steps:
    """The whole input, with an axis of steps; ``order`` says which axis of the input each of its axes is."""

    order: tuple[int, ...]

    def moved(self, name: str, arguments: tuple[Any, ...]) -> "Steps | None":
        """What a function that moves axes makes of it; None if it is another function."""
        order = list(self.order)
        if name == "permute":
            places = arguments[0] if len(arguments) == 1 else arguments
            return Steps(tuple(order[int(place)] for place in places))
        if name in ("transpose", "swapaxes", "swapdims"):
            one, other = (int(place) for place in arguments)
            order[one], order[other] = order[other], order[one]
            return Steps(tuple(order))
        return None

    def __str__(self) -> str:
        return ALL_STEPS


@dataclass(frozen=True)
class State:
    """A potential or synaptic current of neuron module ``source`` after its call number ``step``."""

    source: str
    step: int

    def __str__(self) -> str:
        return f"the potential of {self.source!r}"


@dataclass(frozen=True)
class Mixed:
    """What ``function`` made of other things; ``answers`` says whether spikes are among them."""

    function: str
    of: str
    answers: bool = True

    @property
    def remedy(self) -> str:
        """What to do instead."""
        name = self.function.removeprefix("__r").strip("_")
        if self.of == INPUT and name in ("add", "sub", "mul", "div", "truediv"):
            return "leave it out, and give mean and std with the input"
        return _REMEDIES.get(name, "only modules may compute between neurons")

    def __str__(self) -> str:
        return f"{self.function} to {self.of}"


def state_remedy(step: int, note: Any) -> str:
    """What is wrong with the state that a neuron module is given, and what to do."""
    if step and note is None:
        return (
            ": forward starts it anew, so nothing is remembered from step to step; put the loop over the steps into "
            "forward, behind what starts it, or use init_hidden=True"
        )
    return "; hand on the state as the module returned it, and start from zero"


def axis_of(name: str, args: Any, kwargs: Any) -> int | None:
    """The axis of its first argument that a function takes apart by number."""
    if name == "unbind":
        return int(args[1] if len(args) > 1 else kwargs.get("dim", 0))
    if name != "__getitem__":
        return None
    index = args[1] if isinstance(args[1], tuple) else (args[1],)
    numbers = [place for place, entry in enumerate(index) if _is_number(entry)]
    plain = all(_is_number(entry) or entry == slice(None) for entry in index[: numbers[0] + 1]) if numbers else False
    rest = all(entry == slice(None) or entry is Ellipsis for entry in index[numbers[0] + 1 :]) if numbers else False
    return numbers[0] if plain and rest else None


def _is_number(entry: Any) -> bool:
    return isinstance(entry, (int, np.integer)) and not isinstance(entry, bool)


def index_of(index: Any) -> int:
    """The number in an index of which :func:`axis_of` knows the axis."""
    return next(int(entry) for entry in (index if isinstance(index, tuple) else (index,)) if _is_number(entry))


def tensors(value: Any, torch: Any) -> Iterator[Any]:
    """The tensors in lists, tuples and dictionaries."""
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, (list, tuple)):
        for entry in value:
            yield from tensors(entry, torch)
    elif isinstance(value, dict):
        yield from tensors(list(value.values()), torch)


def note_down(tensor: Any, note: Any) -> Any:
    """Attach a note to a tensor; it lives as long as that."""
    tensor._hysteron_note = note
    return tensor


def noted(tensor: Any) -> Any:
    """Its note, or None."""
    return getattr(tensor, "_hysteron_note", None)
