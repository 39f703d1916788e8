# SPDX-License-Identifier: Apache-2.0
"""Modules of PyTorch: of what kind they are, which lie in one another, and how they are borrowed for a run."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from hysteron_base.errors import require

from .libraries import library

#: Modules in modules that are followed.
_DEEPEST = 100
#: Containers, whose children are looked at; every other module of torch and snnTorch is taken as a whole.
_CONTAINERS = ("Module", "Sequential", "ModuleList", "ModuleDict")
#: Where PyTorch keeps the classes that it makes for modules with a parametrisation.
PARAMETRIZED = "torch.nn.utils.parametrize"
#: Neurons that can be read.
NEURONS = ("Leaky", "RLeaky", "Synaptic", "RSynaptic", "Lapicque")


def kind_of(part: Any) -> str:
    """Name of the class of torch or snnTorch that ``part`` is or derives from."""
    for cls in type(part).__mro__:
        if cls.__module__.split(".")[0] in ("torch", "snntorch") and cls.__module__ != PARAMETRIZED:
            return cls.__name__
    return type(part).__name__


def leaves(module: Any, prefix: str = "", around: tuple[int, ...] = ()) -> Iterator[tuple[str, Any]]:
    """The modules of torch and snnTorch in ``module`` by their dotted names, without what is inside of them.

    ``around`` has the identities of the modules that it lies in.
    """
    require(id(module) not in around, f"module {prefix.rstrip('.')!r} contains itself; a module must not")
    require(len(around) < _DEEPEST, f"modules lie in each other more than {_DEEPEST} deep; write them side by side")
    if kind_of(module) in _CONTAINERS:
        for key, part in module.named_children():
            yield from leaves(part, f"{prefix}{key}.", (*around, id(module)))
    else:
        yield prefix.rstrip(".") or kind_of(module), module


@contextmanager
def borrowed(module: Any) -> Iterator[None]:
    """The module in double precision on the processor, not training, with all neurons at rest; restored afterwards."""
    torch = library("torch")
    parts = list(module.modules())
    saved = [(part, dict(vars(part)), dict(part._parameters), dict(part._buffers)) for part in parts]
    try:
        with torch.random.fork_rng(devices=[]):
            for part in parts:
                part.training = False
                for values in (part._parameters, part._buffers):
                    for name, value in values.items():
                        if value is not None:
                            # What is no fraction (a count, a switch) is copied, too: a call may change it.
                            form = torch.float64 if value.is_floating_point() else value.dtype
                            values[name] = value.detach().to("cpu", form, copy=True)
                for name in ("mem", "syn", "spk"):
                    if kind_of(part) in NEURONS and name in part._buffers:
                        part._buffers[name] = torch.zeros(0, dtype=torch.float64)
                if kind_of(part) in NEURONS:
                    vars(part)["spike_grad"] = _in_double(part.spike_grad)
            yield
    finally:
        for part, attributes, parameters, buffers in saved:
            vars(part).clear()
            vars(part).update(attributes)
            for values, before in ((part._parameters, parameters), (part._buffers, buffers)):
                values.clear()
                values.update(before)


def _in_double(step: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Surrogates of snnTorch step to single precision, whatever they are given."""
    return lambda potential: step(potential).to(potential.dtype)
