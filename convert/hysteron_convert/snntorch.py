# SPDX-License-Identifier: Apache-2.0
"""snnTorch modules in, without a detour through NIR: beta, threshold and reset come from the module itself.

A plain ``nn.Sequential`` is read as it is listed; a class with a ``forward`` of its own is run and watched
(:mod:`hysteron_convert.recording`). Either reading is compared with the module, spike by spike
(:mod:`hysteron_convert.proof`).
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from hysteron_base.errors import require
from hysteron_spec import Readout

from .graph import INPUT, finish, make_layer
from .libraries import library
from .linear import LIMIT, Diagonal, Linear, Shape, Signal, floats_of, size_of, whole_of
from .model import FloatLayer, FloatNetwork
from .modules import IDLE, check_modules, linear, neuron, recurrence
from .parts import NEURONS, borrowed, kind_of, leaves
from .proof import compare_layers, compare_parts
from .recording import Recording, record

#: How inputs are multiplied until every layer has fired while it was compared.
_GAINS = (1.0, 8.0, 64.0)


def from_snntorch(
    module: Any,
    *,
    input_shape: tuple[int, ...] | None = None,
    readout: Readout | None = None,
    name: str = "network",
    limit: int = LIMIT,
    samples: int = 8,
) -> FloatNetwork:
    """A network of snnTorch as a float network: an ``nn.Sequential``, or a class as in snnTorch's tutorials.

    The module is run on random inputs, in double precision and not training, and is left as it was. What it does must
    be what the reading does: every spike exactly, every potential within 1e-9.

    Parameters
    ----------
    module
        Linear, Conv1d/2d, AvgPool2d, Flatten, BatchNorm1d/2d (as trained), Dropout (which does nothing here), and
        Leaky, RLeaky, Lapicque, Synaptic and RSynaptic with alpha 0. A beta or threshold that is one number holds for
        all neurons. They may be in a ``nn.Sequential``, possibly nested, or be called by a ``forward`` of one's own:
        with a loop over the steps that shows one input for all of them or takes a step's input from its first or second
        axis; or for one step in each call, with ``init_hidden=True``. Between the modules ``forward`` may change
        shapes (``view``, ``flatten``); nothing else is computed there.
    input_shape
        Shape of one sample in one step, without batch; needed if the first module does not tell it.
    readout
        What the network answers with; None: potentials of a last layer that never resets, else spike counts.
    name
        For people.
    limit
        Inputs and neurons up to which a layer's matrix is made.
    samples
        Random samples in a batch that the module is compared on; the batch size that ``forward`` has written into it,
        if it has.

    Raises
    ------
    HysteronError
        If a module cannot be mapped, if ``forward`` computes something that is no module between two of them, or if
        the module does something else than the reading, naming the module and the reason.
    """
    library("snntorch")
    require(
        isinstance(module, library("torch").nn.Module),
        f"a module of PyTorch is needed, not {type(module).__name__!r}; give an instance, as Net()",
    )
    require(samples > 0, f"samples must be at least 1, not {samples}")
    check_modules(module)
    found = list(leaves(module))
    require(bool(found), "the module is empty; give a network with at least one neuron")
    call: Callable[[Any], Any] | None = None
    recording = None
    if _is_plain(module):
        parts = list(_modules(module, ""))
        shape = _input_shape(parts, input_shape)
        if not all(part.init_hidden and not part.output for _, part in parts if kind_of(part) in NEURONS):
            _check_hooks(module)
            call = _one_after_the_other(parts)
    else:
        shape = _input_shape(found, input_shape)
        recording = record(module, None, shape, samples)
        parts = _chain(recording)
    with borrowed(module):
        layers, nodes, remarks = _layers(parts, shape, limit)
    network = finish(layers, readout, name, ())
    for gain in _GAINS:
        if recording is None or gain != 1:
            recording = record(module, call, shape, samples, gain)
        compare_parts(nodes, recording)
        silent = compare_layers(network.layers, recording)
        if not silent:
            break
    assert recording is not None
    remarks += recording.remarks
    remarks += [f"module {key!r} never fired on random inputs, so its reset could not be compared" for key in silent]
    return replace(network, remarks=tuple(remarks), shown=recording.shown)


def _is_plain(module: Any) -> bool:
    """Whether the listing of the modules says in which order they are called: no container has a forward of its own."""
    sequential = library("torch").nn.Sequential
    own = (part for part in module.modules() if kind_of(part) in ("Module", "Sequential", "ModuleList", "ModuleDict"))
    return all(kind_of(part) == "Sequential" and type(part).forward is sequential.forward for part in own)


def _check_hooks(module: Any) -> None:
    """Refuse hooks of a Sequential that is not called itself: whether they act depends on who runs its modules."""
    for key, part in module.named_modules():
        require(
            kind_of(part) != "Sequential" or not (part._forward_hooks or part._forward_pre_hooks),
            f"module {(key or 'Sequential')!r} has hooks, which act only if it is called as a whole; use "
            "init_hidden=True, or put them on its modules",
        )


def _one_after_the_other(parts: list[tuple[str, Any]]) -> Callable[[Any], Any]:
    """One step of a Sequential whose neurons return their state too, as it is trained in a loop over its modules."""

    def call(values: Any) -> Any:
        for _, part in parts:
            values = part(values)
            values = values[0] if isinstance(values, tuple) else values
        return values

    return call


def _chain(recording: Recording) -> list[tuple[str, Any]]:
    """The modules on the way from the input through all neurons, in order."""
    follower: dict[str, str] = {}
    for key, calls in recording.calls.items():
        source = calls.trails[0].source
        require(
            source not in follower,
            f"modules {follower.get(source)!r} and {key!r} both listen to {calls.trails[0].origin}; the hardware runs "
            "layers in a chain: join the two into one",
        )
        follower[source] = key
    parts: list[tuple[str, Any]] = []
    at = INPUT
    while at in follower:
        at = follower[at]
        parts += [*recording.calls[at].trails[0].parts, (at, recording.calls[at].part)]
    on_the_way = {key for key, _ in parts}
    for key, part in recording.used.items():
        require(
            key in on_the_way or not list(part.parameters()),
            f"module {key!r} ({kind_of(part)}) leads to no neuron; end with a neuron: a Leaky with "
            "reset_mechanism='none' integrates what a Linear emits",
        )
    return parts


def _layers(
    parts: list[tuple[str, Any]], shape: Shape, limit: int
) -> tuple[tuple[FloatLayer, ...], list[tuple[str, Any, Linear | None]], list[str]]:
    """The layers of a chain of modules, what each module without neurons was read as, and remarks."""
    n = size_of(shape)
    require(n <= limit, f"the module has {n} inputs, more than {limit} (limit); use a smaller network")
    signal = Signal.of(INPUT, shape)
    source = INPUT
    layers: list[FloatLayer] = []
    remarks: list[str] = []
    nodes: list[tuple[str, Any, Linear | None]] = []
    for key, part in parts:
        kind = kind_of(part)
        if kind not in NEURONS:
            node = linear(key, part, signal.shape, limit, remarks)
            signal = signal if node is None else signal.through(node, limit)
            nodes.append((key, part, node))
            continue
        made, timing = neuron(key, part, signal.shape, remarks)
        if kind in ("RLeaky", "RSynaptic"):
            own = Signal.of(key, signal.shape)
            own = own.through(recurrence(key, part, signal.shape, limit, remarks), limit)
            signal = signal.plus(own, key)
        layers.append(make_layer(made, signal, key, limit, timing))
        source, signal = key, Signal.of(key, signal.shape)
        factor = floats_of(f"graded_spikes_factor of module {key!r}", getattr(part, "graded_spikes_factor", 1.0))
        if (factor != 1).any():
            require(
                kind == "Leaky" and bool((factor > 0).all()),
                f"module {key!r} has graded spikes of {factor.min():g}; only a positive factor of a Leaky can be "
                "folded: fold it into the weights that follow",
            )
            signal = signal.through(Diagonal(key, np.broadcast_to(factor, signal.shape)), limit)
            remarks.append(f"module {key!r}: its graded_spikes_factor is folded into the weights that follow")
    require(bool(layers), "the module has no neuron; add at least one snn.Leaky")
    _check_tail(source, signal)
    return tuple(layers), nodes, remarks


def _modules(module: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    """The modules of a Sequential in order, by their dotted names; one that is listed twice is called twice."""
    if kind_of(module) == "Sequential":
        for key, part in module._modules.items():
            yield from _modules(part, f"{prefix}{key}.")
    else:
        yield prefix.rstrip(".") or kind_of(module), module


def _input_shape(parts: list[tuple[str, Any]], given: tuple[int, ...] | None) -> Shape:
    """Shape of one sample in one step; a Linear, behind modules that leave a vector as it is, tells it."""
    if given is not None:
        shape = tuple(whole_of("input_shape", n) for n in given)
        require(
            bool(shape) and min(shape) > 0,
            f"input_shape must be positive numbers, the shape of one sample in one step, not {shape}",
        )
        return shape
    key, part = next((pair for pair in parts if kind_of(pair[1]) not in ("Flatten", *IDLE)), parts[0])
    require(
        kind_of(part) == "Linear",
        f"the first module {key!r} ({kind_of(part)}) does not tell the shape of the input; give input_shape",
    )
    return (int(part.in_features),)


def _check_tail(source: str, signal: Signal) -> None:
    """Refuse what follows the last neuron unless it is one positive factor."""
    values = signal.terms[source]
    if values is None:
        return
    factor = values[0, 0] if values.shape[0] == values.shape[1] else 0.0
    require(
        factor > 0 and np.array_equal(values, factor * np.eye(len(values))) and not signal.constant.any(),
        f"linear modules follow the last neuron {source!r}; end with a neuron: a Leaky with reset_mechanism='none' "
        "integrates what a Linear emits",
    )
