# SPDX-License-Identifier: Apache-2.0
"""What each node of a NIR graph means in discrete time: a linear map, or a neuron.

The continuous equations of Pedersen et al., "Neuromorphic intermediate representation: a unified instruction set for
interoperable brain-inspired computing" (Nature Communications, 2024), are stepped forward by Euler's rule with the
user's ``dt``:

    LIF, LI   τ v' = (v_leak - v) + r I   →   v ← (1 - dt/τ) v + (r dt/τ) I + (dt/τ) v_leak
    IF, I     v' = r I                    →   v ← v + (r dt) I

A neuron with ``v_reset ≠ 0`` is described by ``u = v - v_reset``, which the reset takes to 0.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from hysteron_base.errors import HysteronError, require
from hysteron_spec import Reset

from .linear import Diagonal, Floats, Linear, Matrix, Reshape
from .metadata import LayerFacts, layer_facts
from .windows import Convolution, Pool, Windows, numbers, paddings

#: Step that snnTorch's exporter assumes, in seconds; it decides r/τ where both are infinite (beta = 1).
SNNTORCH_DT = 1e-4
#: How far float32 leaves ``r dt/τ`` from 1 and ``dt/τ`` beyond 1.
_SLACK = 1e-6

_REFUSED = {
    "Delay": "the hardware has no axonal delays; remove it and train without",
}


@dataclass(frozen=True, eq=False)
class Neuron:
    """A neuron node in discrete time: ``u ← beta u + gain I + drift``, a spike above ``threshold``.

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

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape that the parameters state; empty if they are single numbers."""
        return np.broadcast_shapes(self.beta.shape, self.gain.shape, self.drift.shape, self.threshold.shape)


def translate(name: str, node: Any, dt: float, reset: Reset) -> Linear | Neuron | None:
    """What node ``name`` does in a step of ``dt`` seconds; None if it hands its input on.

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
    return _neuron(name, kind, node, dt, reset)


def _floats(name: str, what: str, value: Any) -> Floats:
    if hasattr(value, "detach"):  # exporters leave torch tensors in graphs that were never written
        value = value.detach().cpu().numpy()
    try:
        array = np.asarray(value, np.float64)
    except (TypeError, ValueError):
        raise HysteronError(f"{what} of node {name!r} must be numbers, not {value!r}") from None
    require(not np.isnan(array).any(), f"{what} of node {name!r} is not a number; the training may have diverged")
    return array


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
    bias = np.zeros(len(weight)) if node.bias is None else _floats(name, "bias", node.bias)
    windows = Windows(
        name,
        weight.shape[2:],
        numbers(name, "stride", node.stride, rank),
        paddings(name, node.padding, rank),
        numbers(name, "dilation", node.dilation, rank),
    )
    return Convolution(windows, weight, bias, int(node.groups))


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
    "Flatten": lambda name, node: Reshape(name, int(node.start_dim), int(node.end_dim)),
    "Scale": lambda name, node: Diagonal(name, _floats(name, "scale", node.scale)),
}


def _neuron(name: str, kind: str, node: Any, dt: float, reset: Reset) -> Neuron:
    def get(what: str, default: float | None = None) -> Floats:
        value = getattr(node, what, None)
        return np.asarray(default, np.float64) if value is None and default is not None else _floats(name, what, value)

    remarks: list[str] = []
    facts = layer_facts(name, node.metadata)
    if facts is not None:
        reset = facts.reset
    zero = np.zeros(())
    threshold = get("v_threshold") if kind in ("LIF", "IF", "CubaLIF") else np.full((), np.inf)
    if kind == "Threshold":
        # Without memory: its potential is the input of the step, and no reset could change a later one.
        return Neuron(name, kind, zero, np.ones(()), zero, get("threshold"), Reset.NONE, zero, (), facts)
    r = get("r")
    if kind in ("IF", "I"):
        beta, gain, drift = np.ones_like(r), r * dt, np.zeros_like(r)
    else:
        beta, gain, drift = _leaky(name, get("tau_mem" if kind.startswith("Cuba") else "tau"), r, dt, remarks)
        v_leak = get("v_leak", 0.0)
        drift = drift * v_leak
        if kind.startswith("Cuba"):
            gain = gain * _instant_synapse(name, get("tau_syn"), dt) * get("w_in", 1.0)
    start = zero
    v_reset = get("v_reset", 0.0) if kind in ("LIF", "IF", "CubaLIF") else zero
    if v_reset.any() and reset is not Reset.NONE:
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


def _leaky(name: str, tau: Floats, r: Floats, dt: float, remarks: list[str]) -> tuple[Floats, Floats, Floats]:
    """``1 - dt/τ``, ``r dt/τ`` and ``dt/τ``."""
    tau, r = np.broadcast_arrays(tau, r)
    require(bool((tau > 0).all()), f"tau of node {name!r} must be positive, not {_span(tau)}")
    share = dt / tau
    require(
        bool((share <= 1 + _SLACK).all()),
        f"node {name!r} has tau = {tau.min():g} s, shorter than dt = {dt:g} s: its leak 1 - dt/tau would be negative; "
        "give a dt of at most tau",
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
    return 1 - share, gain, share


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
