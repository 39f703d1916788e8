# SPDX-License-Identifier: Apache-2.0
"""What each node of a NIR graph means in discrete time: a linear map, or a neuron.

The continuous equations of Pedersen et al., "Neuromorphic intermediate representation: a unified instruction set for
interoperable brain-inspired computing" (Nature Communications, 2024), are stepped forward with the user's ``dt``:

    LIF, LI   τ v' = (v_leak - v) + r I   →   v ← (1 - s) v + (r s) I + s v_leak
    IF, I     v' = r I                    →   v ← v + (r dt) I

The share ``s`` that a step takes is ``dt/τ`` by Euler's rule, and ``1 - exp(-dt/τ)`` in the exact solution for an input
that stays for the step.

A neuron with ``v_reset ≠ 0`` is described by ``u = v - v_reset``, which the reset takes to 0.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from hysteron_base.errors import require
from hysteron_spec import Reset

from .linear import Diagonal, Floats, Linear, Matrix, Reshape, Shape, floats_of, layout, text_of, whole_of
from .metadata import KEY, LayerFacts, layer_facts
from .windows import Convolution, Pool, Windows, numbers, paddings

#: Step that snnTorch's exporter assumes, in seconds; it decides r/τ where both are infinite (beta = 1).
SNNTORCH_DT = 1e-4
#: How far float32 leaves ``r dt/τ`` from 1 and ``dt/τ`` beyond 1.
_SLACK = 1e-6
#: Share of a potential that a step takes, or leaves, below which dt and τ are more likely in different units than meant
#: so; the smallest leak of hardware is 2^-8.
_FAINT = 1e-4

_REFUSED = {
    "Delay": "the hardware has no axonal delays; remove it and train without",
}


@dataclass(frozen=True, eq=False)
class Neuron:
    """A neuron node in discrete time: ``u ← beta u + gain I + drift``, a spike above ``threshold``.

    With ``at_threshold`` there is a spike at the threshold, too.

    The arrays broadcast to the shape of the node's input; those of a neuron node that states a shape have it.
    An infinite threshold is a neuron that only integrates.
    """

    name: str
    kind: str
    beta: Floats
    gain: Floats
    drift: Floats
    threshold: Floats
    reset: Reset
    start: Floats
    remarks: tuple[str, ...] = ()
    facts: LayerFacts | None = None
    at_threshold: bool = False

    @property
    def shape(self) -> Shape:
        """Shape that the parameters state; empty if they are single numbers."""
        return np.broadcast_shapes(self.beta.shape, self.gain.shape, self.drift.shape, self.threshold.shape)

    def layout(self, given: Shape) -> Shape:
        """Shape in which the parameters broadcast to an input of shape ``given``."""
        return layout(self.shape, given, f"node {self.name!r} has parameters", "its input has")


def translate(name: str, node: Any, dt: float, reset: Reset, exact: bool = False) -> Linear | Neuron | None:
    """What node ``name`` does in a step of ``dt`` seconds; None if it hands its input on.

    ``exact`` takes the equation's solution instead of Euler's rule; a node of Hysteron's own is stepped by that.

    Raises
    ------
    HysteronError
        If the hardware has nothing like it, naming the node and the value.
    """
    kind = type(node).__name__
    if kind in ("Input", "Output", "Identity"):
        return None
    if kind in _LINEAR:
        return _LINEAR[kind](name, node)
    require(
        kind in ("LIF", "LI", "IF", "I", "CubaLIF", "CubaLI", "Threshold"),
        f"node {name!r} is a {kind}, which cannot be mapped: "
        + _REFUSED.get(kind, "the hardware has linear maps and leaky integrate-and-fire neurons only"),
    )
    return _neuron(name, kind, node, dt, reset, exact)


def _floats(name: str, what: str, value: Any) -> Floats:
    return floats_of(f"{what} of node {name!r}", value)


def _axis(name: str, what: str, value: Any) -> int:
    return whole_of(f"{what} of node {name!r}", value)


def _matrix(name: str, node: Any) -> Linear:
    weight = _floats(name, "weight", node.weight)
    require(
        weight.ndim == 2, f"weight of node {name!r} must have shape (outputs, inputs), not {weight.shape}; unroll it"
    )
    return Matrix(name, weight, _floats(name, "bias", node.bias) if hasattr(node, "bias") else 0.0)


def _convolution(name: str, node: Any) -> Linear:
    weight = _floats(name, "weight", node.weight)
    rank = 1 if type(node).__name__ == "Conv1d" else 2
    require(
        weight.ndim == rank + 2,
        f"weight of node {name!r} must have {rank + 2} dimensions, not {weight.ndim}",
    )
    require(min(weight.shape) > 0, f"weight of node {name!r} has shape {text_of(weight.shape)}; no size may be 0")
    bias = np.zeros(len(weight)) if node.bias is None else _floats(name, "bias", node.bias)
    require(
        bias.shape in ((), (len(weight),)),
        f"node {name!r} has a bias of shape {text_of(bias.shape)} and {len(weight)} output channels; give one for each",
    )
    windows = Windows(
        name,
        weight.shape[2:],
        numbers(name, "stride", node.stride, rank),
        paddings(name, node.padding, rank),
        numbers(name, "dilation", node.dilation, rank),
    )
    groups = whole_of(f"groups of node {name!r}", node.groups)
    require(groups > 0, f"groups of node {name!r} must be at least 1, not {groups}")
    return Convolution(windows, weight, bias, groups)


def _pool(name: str, node: Any) -> Linear:
    kernel = numbers(name, "kernel_size", node.kernel_size, 2)
    windows = Windows(
        name, kernel, numbers(name, "stride", node.stride, 2), paddings(name, node.padding, 2), dilation=(1, 1)
    )
    # Zeros of the padding count as part of the window, as in the definition of torch's AvgPool2d.
    return Pool(windows, float(np.prod(kernel)) if type(node).__name__ == "AvgPool2d" else 1.0)


_LINEAR = {
    "Linear": _matrix,
    "Affine": _matrix,
    "Conv1d": _convolution,
    "Conv2d": _convolution,
    "SumPool2d": _pool,
    "AvgPool2d": _pool,
    "Flatten": lambda name, node: Reshape(
        name, _axis(name, "start_dim", node.start_dim), _axis(name, "end_dim", node.end_dim)
    ),
    "Scale": lambda name, node: Diagonal(name, _floats(name, "scale", node.scale)),
}


def _neuron(name: str, kind: str, node: Any, dt: float, reset: Reset, exact: bool) -> Neuron:
    shapes: dict[Shape, str] = {}

    def get(what: str, default: float | None = None) -> Floats:
        value = getattr(node, what, None)
        if value is None and default is not None:
            return np.asarray(default, np.float64)
        values = _floats(name, what, value)
        require(values.size > 0, f"{what} of node {name!r} is empty; give a number, or one for each neuron")
        if values.size == 1:
            return values.reshape(())
        shapes.setdefault(values.shape, what)
        first = next(iter(shapes))
        require(
            len(shapes) == 1,
            f"node {name!r} has {shapes[first]} of shape {text_of(first)} and {what} of shape "
            f"{text_of(values.shape)}; give all its parameters one shape",
        )
        return values

    remarks: list[str] = []
    metadata = getattr(node, "metadata", None)
    facts = layer_facts(name, metadata)
    _other_metadata(name, metadata, remarks)
    if facts is not None:
        reset = facts.reset
    zero = np.zeros(())
    threshold = get("v_threshold") if kind in ("LIF", "IF", "CubaLIF") else np.full((), np.inf)
    if kind == "Threshold":
        # Without memory: its potential is the input of the step, and no reset could change a later one.
        return Neuron(name, kind, zero, np.ones(()), zero, get("threshold"), Reset.NONE, zero, tuple(remarks), facts)
    r = get("r")
    if kind in ("IF", "I"):
        beta, gain, drift = np.ones_like(r), r * dt, np.zeros_like(r)
    else:
        exact = exact and facts is None
        require(
            not exact or not kind.startswith("Cuba"),
            f"node {name!r} is a {kind}: solved exactly, its synaptic current lasts longer than the one step that the "
            "hardware has; train with a LIF, or give --stepping euler if tau_syn is dt",
        )
        tau = get("tau_mem" if kind.startswith("Cuba") else "tau")
        beta, gain, drift = _leaky(name, tau, r, dt, exact, remarks)
        v_leak = get("v_leak", 0.0)
        drift = drift * v_leak
        if kind.startswith("Cuba"):
            gain = gain * _instant_synapse(name, get("tau_syn"), dt) * get("w_in", 1.0)
    start = zero
    v_reset = get("v_reset", 0.0) if kind in ("LIF", "IF", "CubaLIF") else zero
    if v_reset.any() and reset is Reset.SUBTRACT:
        # A spike takes θ off, wherever the potential is; there is nothing that it is taken back to.
        remarks.append(
            f"node {name!r}: v_reset is {_span(v_reset)} and not used, as a reset by subtraction takes off the "
            "threshold"
        )
    if v_reset.any() and reset is Reset.ZERO:
        remarks.append(
            f"node {name!r}: v_reset is not 0, so potentials are counted from it; the hardware starts a sample at "
            f"v_reset ({_span(v_reset)}) instead of 0"
        )
        threshold = threshold - v_reset
        drift = drift - (1 - beta) * v_reset
        start = -v_reset
    # A float32 file leaves r dt/τ a rounding away from the 1 that its writer meant.
    gain = np.where(np.abs(gain - 1) < _SLACK, 1.0, gain)
    require(
        bool((threshold >= 0).all()),
        f"threshold of node {name!r} lies below its reset potential ({_span(threshold)} above it); "
        "a neuron at rest must be silent on the hardware: raise v_threshold or lower v_reset",
    )
    if kind in ("LI", "I", "CubaLI"):
        reset = Reset.NONE
    return Neuron(name, kind, beta, gain, drift, threshold, reset, start, tuple(remarks), facts)


def _other_metadata(name: str, metadata: Any, remarks: list[str]) -> None:
    """Say which metadata of a neuron are not read; refuse those that say it emits several spikes in a step."""
    others = {str(key): value for key, value in dict(metadata or {}).items() if key != KEY}
    for key, value in others.items():
        text = f"{key}{value}".lower().replace("_", "").replace(" ", "")
        require(
            "multispike" not in text,
            f"node {name!r} emits several spikes in a step (its metadata {key!r}); the hardware's neurons emit one: "
            "train with one spike a step",
        )
    if others:
        remarks.append(f"node {name!r}: its metadata {', '.join(map(repr, others))} are not read")


def _leaky(
    name: str, tau: Floats, r: Floats, dt: float, exact: bool, remarks: list[str]
) -> tuple[Floats, Floats, Floats]:
    """``1 - s``, ``r s`` and ``s``, the share of a potential that a step takes."""
    tau, r = np.broadcast_arrays(tau, r)
    require(bool((tau > 0).all()), f"tau of node {name!r} must be positive, not {_span(tau)}")
    with np.errstate(over="ignore"):
        ratio = dt / tau
    # expm1 keeps the digits of a share that is close to 0, exp those of a leak that is.
    share, beta = (-np.expm1(-ratio), np.exp(-ratio)) if exact else (ratio, 1 - np.minimum(ratio, 1.0))
    require(
        bool((share <= 1 + _SLACK).all()),
        f"node {name!r} has tau = {tau.min():g} s, shorter than dt = {dt:g} s: its leak 1 - dt/tau would be negative; "
        "give a dt of at most tau, in the unit of tau (in seconds a millisecond is 1e-3), or --stepping exact if its "
        "framework decays by exp(-dt/tau)",
    )
    known = share[share > 0]
    if known.size and known.max() < _FAINT:
        remarks.append(
            f"node {name!r} loses less than {_FAINT:g} of its potential in a step (tau {_span(tau)} s, dt {dt:g} s); "
            "check that dt is in the unit of tau: some frameworks write tau in milliseconds or in steps"
        )
    if exact and beta.max() < _FAINT:
        remarks.append(
            f"node {name!r} keeps less than {_FAINT:g} of its potential in a step (tau {_span(tau)} s, dt {dt:g} s); "
            "check that dt is in the unit of tau"
        )
    share = np.minimum(share, 1.0)
    lost = np.isinf(tau) & np.isinf(r)
    require(bool(np.isfinite(r[~lost]).all()), f"r of node {name!r} must be finite where tau is; give it as a number")
    with np.errstate(invalid="ignore"):
        gain = np.where(lost, dt / SNNTORCH_DT, r * share)
    if lost.any():
        remarks.append(
            f"node {name!r}: tau and r are infinite, as snnTorch writes beta = 1; r/tau is taken as "
            f"1/{SNNTORCH_DT:g} s, which its exporter means"
        )
    return beta, gain, share


def _instant_synapse(name: str, tau_syn: Floats, dt: float) -> Floats:
    """``dt/τ_syn``, which must be 1: the hardware has no synaptic current that lasts."""
    require(
        bool(np.allclose(tau_syn, dt, rtol=1e-4, atol=0)),
        f"node {name!r} has tau_syn = {_span(tau_syn)} s; the hardware's synaptic current lasts one step, so tau_syn "
        f"must be dt = {dt:g} s (alpha = 0): train with alpha = 0 or with a LIF",
    )
    return np.ones_like(tau_syn)


def _span(values: Floats) -> str:
    low, high = float(values.min()), float(values.max())
    return f"{low:g}" if low == high else f"{low:g} … {high:g}"
