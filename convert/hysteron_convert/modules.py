# SPDX-License-Identifier: Apache-2.0
"""What each module of PyTorch and snnTorch means: a linear map, or a neuron.

A module that is of a class of PyTorch itself is read by its parameters, every other one by what it computes
(:mod:`hysteron_convert.measured`). Neurons are read by their parameters and by the functions in effect, and compared
with what they do afterwards (:mod:`hysteron_convert.proof`).
"""

from dataclasses import replace
from typing import Any

import numpy as np

from hysteron_base.errors import HysteronError, require
from hysteron_spec import Reset

from .libraries import library
from .linear import Diagonal, Floats, Linear, Matrix, Reshape, Shape, broadcasts, floats_of, text_of
from .measured import measure
from .model import Timing, reset_of
from .nodes import Neuron
from .parts import NEURONS, PARAMETRIZED, kind_of
from .windows import Convolution, Pool, Windows, numbers, paddings

#: Modules that do nothing when a trained network is used.
IDLE = ("Identity", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout", "FeatureAlphaDropout")
_NONLINEAR = "only neurons may be nonlinear; replace it with a Leaky"
_COMPILED = "give the module itself, as it was before it was compiled"
_REMEDIES = {
    "MaxPool1d": "a maximum is not linear; train with AvgPool1d or with strides",
    "MaxPool2d": "a maximum is not linear; train with AvgPool2d or with strides",
    "AdaptiveMaxPool1d": "a maximum is not linear; train with AdaptiveAvgPool1d or with strides",
    "AdaptiveMaxPool2d": "a maximum is not linear; train with AdaptiveAvgPool2d or with strides",
    "Alpha": "its two synaptic currents last; train with Leaky",
}
#: What is around a network, or was made of one, and cannot be looked into.
_AROUND = {
    **dict.fromkeys(("OptimizedModule", "RecursiveScriptModule", "TopLevelTracedModule", "ScriptModule"), _COMPILED),
    **dict.fromkeys(("DataParallel", "DistributedDataParallel"), "give its 'module'"),
}
_NOTHING_ELSE = "the hardware has linear maps and leaky integrate-and-fire neurons only"
#: Other frameworks of spiking networks in Python, and what to do with their modules.
_FOREIGN = {
    name: "write it as a NIR file with its own exporter and import that" + firing
    for firing, names in (
        ("", ("norse", "nengo")),
        (
            ", with firing 'at-or-above', as its neurons fire at the threshold, too",
            ("sinabs", "spikingjelly", "rockpool"),
        ),
    )
    for name in names
} | {"lava": "make a FloatNetwork of its exported weights (docs/my-network.md has the lines)"}
#: What a state function of snnTorch takes off, by its name.
_STATE_FUNCTIONS = {"_base_sub": Reset.SUBTRACT, "_base_zero": Reset.ZERO, "_base_int": Reset.NONE}
#: The same by snnTorch's number.
_BY_VALUE = {0: Reset.SUBTRACT, 1: Reset.ZERO, 2: Reset.NONE}


def check_modules(module: Any) -> None:
    """Refuse what cannot be read whatever it computes: other frameworks, other number formats, missing parameters.

    Raises
    ------
    HysteronError
        Naming the module.
    """
    torch = library("torch")
    for key, part in module.named_modules():
        name = key or type(part).__name__
        origin = type(part).__module__
        package = next((cls.__module__.split(".")[0] for cls in type(part).__mro__ if _foreign(cls)), None)
        require(
            package is None,
            f"module {name!r} is a {type(part).__name__} of {package}, which is not read: "
            + _FOREIGN.get(package or "", ""),
        )
        require(
            ".quantized" not in origin,
            f"module {name!r} is a {type(part).__name__} of {origin}, which computes in PyTorch's own integers: give "
            "the network as it was before it was converted",
        )
        kind = kind_of(part)
        require(kind not in _AROUND, f"module {name!r} is a {kind}, which is not read: {_AROUND.get(kind)}")
        for what, values in (*part._parameters.items(), *part._buffers.items()):
            if values is None:
                continue
            require(
                not torch.nn.parameter.is_lazy(values) and values.device.type != "meta",
                f"{what} of module {name!r} has no values yet; run the module once, or load its weights",
            )
            require(
                not values.is_complex(),
                f"{what} of module {name!r} must be real numbers, not complex ones; the imaginary parts would be lost",
            )
            require(
                not values.is_floating_point() or values.dtype in (torch.float32, torch.float64),
                f"{what} of module {name!r} is {str(values.dtype).removeprefix('torch.')}, whose rounding in every "
                "step is not read; give module.float(), and compare its accuracy before",
            )


def _foreign(cls: type) -> bool:
    return cls.__module__.split(".")[0] in _FOREIGN


def is_own(part: Any, kind: str) -> bool:
    """Whether a module does what PyTorch's class of that name does with its parameters: no other class, no hook."""
    cls = type(part)
    if cls.__module__ == PARAMETRIZED:
        cls = cls.__bases__[0]  # whose weight is worked out where it is asked for
    changed = "forward" in vars(part) or part._forward_hooks or part._forward_pre_hooks
    return cls is getattr(library("torch").nn, kind, None) and not changed


def _floats(key: str, what: str, value: Any) -> Floats:
    array = floats_of(f"{what} of module {key!r}", value)
    require(bool(np.isfinite(array).all()), f"{what} of module {key!r} is not a number; the training may have diverged")
    return array


def linear(key: str, part: Any, given: Shape, limit: int, remarks: list[str]) -> Linear | None:
    """The linear map of a module without neurons; None if it hands its input on.

    Parameters
    ----------
    key, part
        The module, in double precision and not training.
    given
        Shape of one sample of its input.
    limit
        Inputs and outputs up to which a matrix is made.
    remarks
        To which is added what a reader should know.
    """
    if isinstance(part, Reshape):
        return part
    kind = kind_of(part)
    own = is_own(part, kind)
    if own and kind in IDLE:
        return None
    require(
        not any(cls.__module__.split(".")[0] == "snntorch" for cls in type(part).__mro__),
        f"module {key!r} is a {kind}, which cannot be mapped: " + _REMEDIES.get(kind, _NOTHING_ELSE),
    )
    if own and (node := _read(key, part, kind, given)) is not None:
        return node
    require(
        # However far they are linear: a range that probes do not leave is none that a network does not leave.
        not any(cls.__module__ == "torch.nn.modules.activation" for cls in type(part).__mro__),
        f"module {key!r} is a {kind}, which cannot be mapped: {_NONLINEAR}",
    )
    require(kind not in _REMEDIES, f"module {key!r} is a {kind}, which cannot be mapped: {_REMEDIES.get(kind)}")
    if kind.startswith("BatchNorm"):
        _normalisation(key, part, given)  # refuses what depends on the batch, and says why
    if not own and kind not in ("Module", "Parametrized"):
        remarks.append(
            f"module {key!r} ({type(part).__name__}) does not compute what a {kind} does, or has hooks; it was read by "
            "what it computes"
        )
    return measure(key, part, given, limit, _NOTHING_ELSE)


def _read(key: str, part: Any, kind: str, given: Shape) -> Linear | None:
    """The linear map of a module of PyTorch itself; None if it must be measured."""
    if kind == "Linear":
        # torch would apply it to the last dimension only.
        require(
            len(given) == 1,
            f"module {key!r} is a Linear on an input of shape {text_of(given)}; put an nn.Flatten before it",
        )
        return _dense(key, part)
    if kind in ("Conv1d", "Conv2d"):
        return _convolution(key, part) if part.padding_mode == "zeros" else None
    if kind == "AvgPool2d":
        return _pool(key, part, given)
    if kind == "Flatten":
        require(
            int(part.start_dim) != 0,
            f"module {key!r} has start_dim=0, which joins the samples of a batch; use start_dim=1",
        )
        # A batch dimension comes first there, and is not counted here.
        start, end = (i - 1 if i > 0 else i for i in (int(part.start_dim), int(part.end_dim)))
        return Reshape(key, start, end)
    if kind in ("BatchNorm1d", "BatchNorm2d"):
        return _normalisation(key, part, given)
    return None


def _dense(key: str, part: Any) -> Matrix:
    bias = 0.0 if part.bias is None else _floats(key, "bias", part.bias)
    return Matrix(key, _floats(key, "weight", part.weight), bias)


def _convolution(key: str, part: Any) -> Convolution:
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


def _pool(key: str, part: Any, given: Shape) -> Pool | None:
    kernel = numbers(key, "kernel_size", part.kernel_size, 2)
    stride = kernel if part.stride is None else numbers(key, "stride", part.stride, 2)
    windows = Windows(key, kernel, stride, paddings(key, part.padding, 2), dilation=(1, 1))
    counts = windows.counts(given)
    rest = [(n + sum(pad) - k) % s for n, k, s, pad in zip(given[1:], kernel, stride, windows.pads, strict=True)]
    if part.ceil_mode and any(rest):
        return None  # its last window is cut off
    divisor: Floats | float = float(part.divisor_override or np.prod(kernel))
    if part.divisor_override is None and not part.count_include_pad:
        divisor = Pool(windows).apply(np.ones((1, 1, *given[1:])))[0, 0]
    assert np.ndim(divisor) == 0 or np.shape(divisor) == counts
    return Pool(windows, divisor)


def _normalisation(key: str, part: Any, given: Shape) -> Diagonal:
    """The scale and shift of each channel, which the first axis is, whatever follows."""
    require(
        len(given) > 0 and given[0] == int(part.num_features),
        f"module {key!r} normalises {part.num_features} channels, its input has {text_of(given)}; the first must be "
        "the channels",
    )
    require(
        part.running_mean is not None,
        f"module {key!r} has no running statistics, so it depends on the batch; use track_running_stats=True",
    )
    mean, var = _floats(key, "running_mean", part.running_mean), _floats(key, "running_var", part.running_var)
    require(
        bool((var + part.eps > 0).all()),
        f"running_var of module {key!r} must be positive, not {var.min():g}; the training may have diverged",
    )
    scale = 1 / np.sqrt(var + part.eps)
    shift = -mean * scale
    if part.affine:
        weight, bias = _floats(key, "weight", part.weight), _floats(key, "bias", part.bias)
        scale, shift = weight * scale, weight * shift + bias
    each = (-1, *(1 for _ in given[1:]))
    return Diagonal(key, scale.reshape(each), shift.reshape(each))


def neuron(key: str, part: Any, given: Shape, remarks: list[str]) -> tuple[Neuron, Timing]:
    """The neuron of a module, and when its reset acts.

    Parameters
    ----------
    key, part
        One of :data:`~hysteron_convert.parts.NEURONS`.
    given
        Shape of one sample of its input.
    remarks
        To which is added what a reader should know.
    """
    kind = kind_of(part)
    assert kind in NEURONS
    require(not part.inhibition, f"module {key!r} has inhibition=True: neurons do not see each other; train without it")
    require(not part.state_quant, f"module {key!r} quantises its state in a way of its own; remove state_quant")
    reset, late = _reset_in_effect(key, part, remarks)
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
    timing = Timing.SAME_STEP_GUARDED
    if late:
        timing = Timing.NEXT_STEP if kind == "Leaky" else Timing.NEXT_STEP_BLANKING
    if reset is not Reset.NONE:
        remarks.extend(_timing_remarks(key, reset, timing, bool((beta == 1).all())))
    zero = np.zeros(())

    def each(values: Floats) -> Floats:
        while values.ndim > len(given) and values.shape[0] == 1:
            values = values[0]  # an axis of samples
        require(
            broadcasts(values.shape, given),
            f"module {key!r} has parameters of shape {text_of(values.shape)}, its input has {text_of(given)}; "
            "they must be equal",
        )
        return np.broadcast_to(values, given) if values.size > 1 else values.reshape(())

    made = Neuron(key, kind, each(beta), each(gain), zero, each(threshold), reset, zero)
    return replace(made, at_threshold=_fires_at(key, part)), timing


def _reset_in_effect(key: str, part: Any, remarks: list[str]) -> tuple[Reset, bool]:
    """What resets a neuron, and whether it acts in the step after the spike.

    snnTorch chooses the function of a step when a neuron is made, and what a reset without delay takes off where it
    acts: ``reset_mechanism``, set or loaded later, changes the second alone.
    """
    stated = reset_of(part.reset_mechanism)
    try:
        at_once = _BY_VALUE[int(part.reset_mechanism_val)]
    except (KeyError, TypeError, ValueError, AttributeError):
        at_once = stated
    function = getattr(getattr(part, "state_function", None), "__name__", "")
    built = _STATE_FUNCTIONS.get(function, stated)
    late = bool(getattr(part, "reset_delay", True))
    if late or at_once is Reset.NONE:
        late, reset = True, built
    elif at_once is Reset.ZERO or built is at_once:
        reset = at_once  # zero leaves nothing that the function of the next step could reset
    else:
        raise HysteronError(
            f"module {key!r} was made with reset_mechanism {built.name.lower()!r} and has {at_once.name.lower()!r} "
            "since, so snnTorch does both; make it anew with the one that is meant"
        )
    if reset is not stated:
        remarks.append(
            f"module {key!r}: reset_mechanism is {stated.name.lower()!r} but the function in effect resets by "
            f"{reset.name.lower()!r}, which is read; snnTorch chooses it when the neuron is made"
        )
    return reset, late


def _fires_at(key: str, part: Any) -> bool:
    """Whether a neuron fires at its threshold, too; refuse one whose spikes are no step there."""
    torch = library("torch")
    places = [-64.0, -1.0, -0.25, -(2.0**-20), 0.0, 2.0**-20, 0.25, 1.0, 64.0]
    try:
        with torch.no_grad():
            spikes = part.spike_grad(torch.tensor([places], dtype=torch.float64)).reshape(-1).tolist()
    except MemoryError:
        raise
    except Exception as error:
        reason = (str(error).splitlines() or [""])[0][:200] or type(error).__name__
        raise HysteronError(f"spike_grad of module {key!r} cannot be run ({reason})") from None
    below, at, above = spikes[:4], spikes[4], spikes[5:]
    shown = ", ".join(f"{place:g} → {spike:g}" for place, spike in zip(places, spikes, strict=False))
    require(
        below == [0] * 4 and above == [1] * 4 and at in (0, 1),
        f"spike_grad of module {key!r} is no step: {shown}; the hardware's spikes are 0 below the threshold "
        "and 1 above it",
    )
    return bool(at)


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


def recurrence(key: str, part: Any, given: Shape, limit: int, remarks: list[str]) -> Linear:
    """The map from a neuron's spikes to its own next input."""
    if not part.all_to_all:
        return Diagonal(key, np.broadcast_to(_floats(key, "V", part.recurrent.V), given))
    node = linear(f"{key}.recurrent", part.recurrent, given, limit, remarks)
    return Diagonal(key, np.ones(())) if node is None else node
