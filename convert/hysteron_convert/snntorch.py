"""snnTorch modules in, without a detour through NIR: beta, threshold and reset come from the module itself."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from hysteron_base.errors import HysteronError, require
from hysteron_spec import Readout, Reset

from .graph import INPUT, finish, make_layer
from .libraries import library
from .linear import LIMIT, Diagonal, Floats, Linear, Matrix, Reshape, Shape, Signal, broadcasts, text_of
from .model import FloatLayer, FloatNetwork, Timing, reset_of
from .nodes import Neuron
from .windows import Convolution, Pool, Windows, numbers, paddings

#: Modules that do nothing when a trained network is used.
_IDLE = ("Identity", "Dropout", "Dropout1d", "Dropout2d", "AlphaDropout", "FeatureAlphaDropout")
_NEURONS = ("Leaky", "RLeaky", "Synaptic", "RSynaptic", "Lapicque")
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
) -> FloatNetwork:
    """A ``torch.nn.Sequential`` of linear and snnTorch modules as a float network.

    A network that is a class with a ``forward`` of its own goes through ``snntorch.export_nir.export_to_nir`` and
    :func:`~hysteron_convert.nir.from_nir`.

    Parameters
    ----------
    module
        ``nn.Sequential``, possibly nested, of Linear, Conv1d/2d, AvgPool2d, Flatten, BatchNorm1d/2d (as trained),
        Dropout (which does nothing here), and Leaky, RLeaky, Lapicque, Synaptic and RSynaptic with alpha 0.
    input_shape
        Of one sample in one step, without batch; needed if the first module does not tell it.
    readout
        What the network answers with; None: potentials of a last layer that never resets, else spike counts.
    name
        For people.
    limit
        Inputs and neurons up to which a layer's matrix is made.

    Raises
    ------
    HysteronError
        If a module cannot be mapped, naming it and the reason.
    """
    library("snntorch")
    parts = list(_modules(module, ""))
    require(bool(parts), "the module is empty; give an nn.Sequential with at least one neuron")
    signal = Signal.of(INPUT, _input_shape(parts[0], input_shape))
    source = INPUT
    layers: list[FloatLayer] = []
    remarks: list[str] = []
    for key, part in parts:
        kind = _kind(part)
        if kind in _IDLE:
            continue
        if kind not in _NEURONS:
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
    return finish(tuple(layers), readout, name, tuple(remarks))


def _kind(part: Any) -> str:
    """Name of the class of torch or snnTorch that ``part`` is or derives from."""
    for cls in type(part).__mro__:
        if cls.__module__.split(".")[0] in ("torch", "snntorch"):
            return cls.__name__
    return type(part).__name__


def _modules(module: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    """The modules in order, by their dotted names."""
    kind = _kind(module)
    if kind == "Sequential":
        require(
            type(module).forward is library("torch").nn.Sequential.forward,
            f"module {prefix.rstrip('.') or 'Sequential'!r} is a Sequential with a forward of its own, which cannot be "
            "read; use a plain nn.Sequential",
        )
        for key, part in module.named_children():
            yield from _modules(part, f"{prefix}{key}.")
        return
    key = prefix.rstrip(".") or kind
    require(
        kind != "Module",
        f"module {key!r} is a {type(module).__name__} with a forward of its own, which cannot be read; "
        "use an nn.Sequential, or export it with snntorch.export_nir.export_to_nir and import that",
    )
    yield key, module


def _input_shape(first: tuple[str, Any], given: tuple[int, ...] | None) -> Shape:
    if given is not None:
        return tuple(int(n) for n in given)
    key, part = first
    require(
        _kind(part) == "Linear",
        f"the first module {key!r} ({_kind(part)}) does not tell the shape of the input; give input_shape",
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
    kind = _kind(part.recurrent)
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
