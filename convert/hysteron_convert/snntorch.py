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

from hysteron_base.errors import HysteronError, require
from hysteron_spec import Readout, Reset

from .graph import INPUT, finish, make_layer
from .libraries import library
from .linear import LIMIT, Diagonal, Floats, Linear, Matrix, Reshape, Shape, Signal, broadcasts, text_of
from .model import FloatLayer, FloatNetwork, Timing, reset_of
from .nodes import Neuron
from .proof import compare_layers
from .recording import NEURONS, Recording, kind_of, leaves, record
from .windows import Convolution, Pool, Windows, numbers, paddings

#: Modules that do nothing when a trained network is used.
_IDLE = ("Identity", "Dropout", "Dropout1d", "Dropout2d", "AlphaDropout", "FeatureAlphaDropout")
#: How inputs are multiplied until every layer has fired while it was compared.
_GAINS = (1.0, 8.0, 64.0)
_REMEDIES = {
    "MaxPool1d": "a maximum is not linear; train with AvgPool2d or with strides",
    "MaxPool2d": "a maximum is not linear; train with AvgPool2d or with strides",
    "ReLU": "only neurons may be nonlinear; replace it with a Leaky",
    "Alpha": "its two synaptic currents last; train with Leaky",
}


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
    found = list(leaves(module))
    require(bool(found), "the module is empty; give a network with at least one neuron")
    call: Callable[[Any], Any] | None = None
    recording = None
    if _is_plain(module):
        parts = list(_modules(module, ""))
        shape = _input_shape(parts, input_shape)
        if not all(part.init_hidden and not part.output for _, part in parts if kind_of(part) in NEURONS):
            call = _one_after_the_other(parts)
    else:
        shape = _input_shape(found, input_shape)
        recording = record(module, None, shape, samples)
        parts = _chain(recording)
    layers, remarks = _layers(parts, shape, limit)
    network = finish(layers, readout, name, ())
    for gain in _GAINS:
        if recording is None or gain != 1:
            recording = record(module, call, shape, samples, gain)
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


def _layers(parts: list[tuple[str, Any]], shape: Shape, limit: int) -> tuple[tuple[FloatLayer, ...], list[str]]:
    """The layers of a chain of modules, and remarks on them."""
    signal = Signal.of(INPUT, shape)
    source = INPUT
    layers: list[FloatLayer] = []
    remarks: list[str] = []
    for key, part in parts:
        kind = kind_of(part)
        if kind in _IDLE:
            continue
        if isinstance(part, Reshape):
            signal = signal.through(part, limit)
            continue
        if kind not in NEURONS:
            signal = signal.through(_linear(key, part, kind, signal.shape), limit)
            continue
        neuron, timing = _neuron(key, part, kind, remarks)
        require(
            broadcasts(neuron.shape, signal.shape),
            f"module {key!r} has parameters of shape {text_of(neuron.shape)}, its input has {text_of(signal.shape)}; "
            "they must be equal",
        )
        if kind in ("RLeaky", "RSynaptic"):
            own = Signal.of(key, signal.shape).through(_recurrence(key, part, signal.shape), limit)
            signal = signal.plus(own, key)
        layers.append(make_layer(neuron, signal, key, limit, timing))
        source, signal = key, Signal.of(key, signal.shape)
        factor = _floats(key, "graded_spikes_factor", getattr(part, "graded_spikes_factor", 1.0))
        if (factor != 1).any():
            require(
                kind == "Leaky" and bool((factor > 0).all()),
                f"module {key!r} has graded spikes of {factor.min():g}; only a positive factor of a Leaky can be "
                "folded: fold it into the weights that follow",
            )
            signal = signal.through(Diagonal(key, factor), limit)
            remarks.append(f"module {key!r}: its graded_spikes_factor is folded into the weights that follow")
    require(bool(layers), "the module has no neuron; add at least one snn.Leaky")
    _check_tail(source, signal)
    return tuple(layers), remarks


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
        return tuple(int(n) for n in given)
    key, part = next((pair for pair in parts if kind_of(pair[1]) not in ("Flatten", *_IDLE)), parts[0])
    require(
        kind_of(part) == "Linear",
        f"the first module {key!r} ({kind_of(part)}) does not tell the shape of the input; give input_shape",
    )
    return (int(part.in_features),)


def _floats(key: str, what: str, value: Any) -> Floats:
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    array = np.asarray(value, np.float64)
    require(bool(np.isfinite(array).all()), f"{what} of module {key!r} is not a number; the training may have diverged")
    return array


def _linear(key: str, part: Any, kind: str, given: Shape) -> Linear:
    """The linear map of a module without neurons."""
    if kind == "Linear":
        # torch would apply it to the last dimension only.
        require(
            len(given) == 1,
            f"module {key!r} is a Linear on an input of shape {text_of(given)}; put an nn.Flatten before it",
        )
        return _dense(key, part)
    if kind in ("Conv1d", "Conv2d"):
        return _convolution(key, part)
    if kind == "AvgPool2d":
        return _pool(key, part, given)
    if kind == "Flatten":
        # A batch dimension comes first there, and is not counted here.
        start, end = (i - 1 if i > 0 else i for i in (int(part.start_dim), int(part.end_dim)))
        return Reshape(key, start, end)
    if kind in ("BatchNorm1d", "BatchNorm2d"):
        return _normalisation(key, part, kind)
    raise HysteronError(
        f"module {key!r} is a {kind}, which cannot be mapped: "
        + _REMEDIES.get(kind, "the hardware has linear maps and leaky integrate-and-fire neurons only")
    )


def _dense(key: str, part: Any) -> Matrix:
    bias = 0.0 if part.bias is None else _floats(key, "bias", part.bias)
    return Matrix(key, _floats(key, "weight", part.weight), bias)


def _convolution(key: str, part: Any) -> Convolution:
    require(
        part.padding_mode == "zeros",
        f"module {key!r} pads with {part.padding_mode!r}; only padding_mode='zeros' is a map of its own input",
    )
    weight = _floats(key, "weight", part.weight)
    rank = weight.ndim - 2
    windows = Windows(
        key,
        weight.shape[2:],
        numbers(key, "stride", part.stride, rank),
        paddings(key, part.padding, rank),
        numbers(key, "dilation", part.dilation, rank),
    )
    bias = np.zeros(len(weight)) if part.bias is None else _floats(key, "bias", part.bias)
    return Convolution(windows, weight, bias, int(part.groups))


def _pool(key: str, part: Any, given: Shape) -> Pool:
    kernel = numbers(key, "kernel_size", part.kernel_size, 2)
    stride = kernel if part.stride is None else numbers(key, "stride", part.stride, 2)
    windows = Windows(key, kernel, stride, paddings(key, part.padding, 2), dilation=(1, 1))
    counts = windows.counts(given)
    rest = [(n + sum(pad) - k) % s for n, k, s, pad in zip(given[1:], kernel, stride, windows.pads, strict=True)]
    require(
        not part.ceil_mode or not any(rest),
        f"module {key!r} has ceil_mode=True and its last window is cut off; use ceil_mode=False",
    )
    divisor: Floats | float = float(part.divisor_override or np.prod(kernel))
    if part.divisor_override is None and not part.count_include_pad:
        divisor = Pool(windows).apply(np.ones((1, 1, *given[1:])))[0, 0]
    assert np.ndim(divisor) == 0 or np.shape(divisor) == counts
    return Pool(windows, divisor)


def _normalisation(key: str, part: Any, kind: str) -> Diagonal:
    require(
        part.running_mean is not None,
        f"module {key!r} has no running statistics, so it depends on the batch; use track_running_stats=True",
    )
    mean, var = _floats(key, "running_mean", part.running_mean), _floats(key, "running_var", part.running_var)
    scale = 1 / np.sqrt(var + part.eps)
    shift = -mean * scale
    if part.affine:
        weight, bias = _floats(key, "weight", part.weight), _floats(key, "bias", part.bias)
        scale, shift = weight * scale, weight * shift + bias
    tail = (1, 1) if kind == "BatchNorm2d" else ()
    return Diagonal(key, scale.reshape(-1, *tail), shift.reshape(-1, *tail))


def _neuron(key: str, part: Any, kind: str, remarks: list[str]) -> tuple[Neuron, Timing]:
    """The neuron of a module, and when its reset acts."""
    require(not part.inhibition, f"module {key!r} has inhibition=True: neurons do not see each other; train without it")
    require(not part.state_quant, f"module {key!r} quantises its state in a way of its own; remove state_quant")
    reset = reset_of(part.reset_mechanism)
    threshold = _floats(key, "threshold", part.threshold)
    gain = np.ones(())
    if kind == "Lapicque":
        r, c, step = (_floats(key, what, getattr(part, what)) for what in ("R", "C", "time_step"))
        beta, gain = 1 - step / (r * c), step / c
        require(
            bool((beta >= 0).all()),
            f"module {key!r} has R·C = {(r * c).min():g}, shorter than time_step = {step.max():g}, so its leak would "
            "be negative; raise R·C",
        )
    else:
        beta = np.clip(_floats(key, "beta", part.beta), 0, 1)  # snnTorch clips it at every step
    if kind in ("Synaptic", "RSynaptic"):
        alpha = np.clip(_floats(key, "alpha", part.alpha), 0, 1)
        require(
            not alpha.any(),
            f"module {key!r} has alpha = {alpha.max():g}; the hardware's synaptic current lasts one step (alpha 0): "
            "train with Leaky",
        )
    late = bool(getattr(part, "reset_delay", True))
    timing = Timing.SAME_STEP_GUARDED
    if late:
        timing = Timing.NEXT_STEP if kind == "Leaky" else Timing.NEXT_STEP_BLANKING
    if reset is not Reset.NONE:
        remarks.extend(_timing_remarks(key, reset, timing, bool((beta == 1).all())))
    zero = np.zeros(())
    return Neuron(key, kind, beta, gain, zero, threshold, reset, zero), timing


def _timing_remarks(key: str, reset: Reset, timing: Timing, keeps: bool) -> list[str]:
    """What the hardware's reset in the same step changes."""
    if timing is Timing.SAME_STEP_GUARDED:
        if reset is Reset.ZERO:
            return []
        return [
            f"module {key!r}: after a spike that leaves a potential above θ, snnTorch fires again above 2 θ, "
            "the hardware above θ"
        ]
    if reset is Reset.SUBTRACT:
        if keeps:
            return [f"module {key!r}: reset_delay=True; with beta 1 the hardware's reset in the same step is the same"]
        return [
            f"module {key!r}: reset_delay=True, θ is subtracted after the next leak; the hardware subtracts it before, "
            "so only beta·θ is left of it: train with reset_delay=False to remove the difference"
        ]
    if timing is Timing.NEXT_STEP:
        return [
            f"module {key!r}: reset_delay=True; with reset to zero the hardware's reset in the same step gives the "
            "same spikes"
        ]
    return [
        f"module {key!r}: its late reset to zero discards the input of the step after a spike; the hardware does not: "
        "train with reset_delay=False to remove the difference"
    ]


def _recurrence(key: str, part: Any, shape: Shape) -> Linear:
    """The map from a neuron's spikes to its own next input."""
    if not part.all_to_all:
        return Diagonal(key, np.broadcast_to(_floats(key, "V", part.recurrent.V), shape))
    kind = kind_of(part.recurrent)
    return _dense(key, part.recurrent) if kind == "Linear" else _convolution(key, part.recurrent)


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
