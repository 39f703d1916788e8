# SPDX-License-Identifier: Apache-2.0
"""Step single layers again, to see what a traced run does not keep.

A :class:`~hysteron_golden.run.Result` holds potentials after the reset. What explains a neuron is the
potential that was compared with the thresholds and whether the neuron was armed at that moment; both come
from stepping :func:`hysteron_golden.neuron.step` once more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hysteron_golden.neuron import Leak, starts_armed, step
from hysteron_golden.run import Result
from hysteron_spec.network import Layer, Network
from hysteron_spec.neuron import Mode, Potential, Reset

from ..words import counted

#: Images among which the most telling one is looked for.
SEARCHED = 256
#: Steps of the demonstration.
DEMO_STEPS = 60


@dataclass(frozen=True, eq=False)
class Trace:
    """One layer over time; every array is ``(samples, steps, n_out)``.

    Attributes
    ----------
    layer
        The layer itself.
    compared
        Potential that was compared with the thresholds: after leak, sum and saturation, before the reset.
    armed
        Whether the neuron was armed when it was compared.
    spikes
        Whether it fired.
    after
        Potential after the reset.
    """

    layer: Layer
    compared: NDArray[np.int64]
    armed: NDArray[np.bool_]
    spikes: NDArray[np.bool_]
    after: NDArray[np.int64]

    @property
    def held(self) -> NDArray[np.bool_]:
        """Disarmed inside or above the band: hysteresis is at work."""
        return ~self.armed & (self.compared >= self.layer.theta_low)

    @property
    def blocked(self) -> NDArray[np.bool_]:
        """Above ``theta_high`` but disarmed: a plain neuron would have fired."""
        return ~self.armed & (self.compared > self.layer.theta_high)

    def sample(self, index: int) -> "Trace":
        """The trace of one sample, as a batch of one."""
        at = slice(index, index + 1)
        return Trace(self.layer, self.compared[at], self.armed[at], self.spikes[at], self.after[at])


def trace_totals(layer: Layer, potential: Potential, totals: NDArray[np.int64]) -> Trace:
    """Step ``layer`` through ``totals``, the ``(samples, steps, n_out)`` bias plus weighted spikes."""
    samples, steps, n_out = totals.shape
    leak = Leak.of(layer, potential, np.int64)
    u = np.zeros((samples, n_out), np.int64)
    armed = starts_armed(layer, u.shape)
    compared, after = np.zeros_like(totals), np.zeros_like(totals)
    flags, spikes = np.ones(totals.shape, bool), np.zeros(totals.shape, bool)
    for t in range(steps):
        if armed is not None:
            flags[:, t] = armed
        u, armed, spikes[:, t], compared[:, t] = step(u, armed, totals[:, t], layer, leak, potential)
        after[:, t] = u
    return Trace(layer, compared, flags, spikes, after)


def retrace(network: Network, result: Result, index: int, samples: slice) -> Trace:
    """Layer ``index`` of a traced run again, for some of its samples."""
    assert result.spikes is not None
    layer, own = network.layers[index], result.spikes[index][samples]
    source: NDArray[Any] = (result.inputs if index == 0 else result.spikes[index - 1])[samples]
    if source.ndim == 2:  # direct coding: the same pixels at every step
        source = np.broadcast_to(source[:, None, :], (len(source), own.shape[1], source.shape[1]))
    # Float64 is exact here: run() has refused every layer whose sums could exceed 2**53.
    totals = (source.astype(np.float64) @ layer.weights).astype(np.int64) + layer.biases
    if layer.recurrent is not None:
        totals[:, 1:] += (own[:, :-1].astype(np.float64) @ layer.recurrent).astype(np.int64)
    return trace_totals(layer, network.potential, totals)


def hysteretic(network: Network) -> bool:
    """Whether any layer has hysteresis: two thresholds, and neurons that are not always armed."""
    return any(layer.mode is not Mode.PLAIN for layer in network.layers)


def pick_layer(network: Network, result: Result) -> int:
    """The layer to explain: of those with hysteresis, hidden ones first, the one whose neurons are held most often.

    Without hysteresis it is the first layer.
    """
    last = len(network.layers) - 1
    found = [index for index, layer in enumerate(network.layers) if layer.mode is not Mode.PLAIN]
    candidates = [index for index in found if index < last] or found or [0]
    if len(candidates) == 1:
        return candidates[0]
    held = [int(retrace(network, result, index, slice(SEARCHED)).held.sum()) for index in candidates]
    return candidates[int(np.argmax(held))]


def _scores(trace: Trace) -> list[NDArray[np.int64]]:
    """For each of three roles how well each neuron plays it, ``(samples, n_out)``; 0: not at all."""
    fired = trace.spikes.sum(axis=1)
    held = trace.held.sum(axis=1)
    high = trace.compared.max(axis=1)
    return [
        (fired > 0) * (held + 3 * trace.blocked.sum(axis=1)),  # fires, then is held
        (fired > 1) * (2 * fired + held),  # fires, re-arms, fires again
        # Silent, the nearer to the threshold the better.
        (fired == 0) * (1 + np.maximum(high, 0) * 8 // (trace.layer.theta_high + 1)),
    ]


def pick_image(trace: Trace) -> int:
    """The sample in which most roles are played, and played best; of equals the one in which most neurons play them.

    In a few steps many samples are equals: then it is the one whose neurons are held for most steps or, without
    hysteresis, fire most often.
    """
    best = np.stack([score.max(axis=1) for score in _scores(trace)])
    rank = (best > 0).sum(axis=0) * 1000 + best.sum(axis=0)
    return int(np.lexsort((-trace.spikes.sum(axis=(1, 2)), -trace.held.sum(axis=(1, 2)), -rank))[0])


def pick_neurons(trace: Trace) -> list[int]:
    """Up to three neurons of a one-sample trace: one for each role, filled up with the most active."""
    chosen: list[int] = []
    for score in _scores(trace):
        values = score[0].copy()
        values[chosen] = 0
        if values.max() > 0:
            chosen.append(int(values.argmax()))
    for neuron in np.argsort(-trace.spikes[0].sum(axis=0), kind="stable"):
        if len(chosen) < 3 and neuron not in chosen:
            chosen.append(int(neuron))
    return chosen


def story(trace: Trace, neuron: int) -> str:
    """A few words about what a neuron of a one-sample trace did."""
    fired = int(trace.spikes[0, :, neuron].sum())
    held = int(trace.held[0, :, neuron].sum())
    times = {0: "stays silent", 1: "fires once", 2: "fires twice"}.get(fired, f"fires {fired} times")
    return f"{times}, held for {counted(held, 'step')}" if held else times


def demonstration(modes: Sequence[Mode]) -> tuple[NDArray[np.int64], list[Trace]]:
    """A drive, and what the same neuron makes of it in each of some modes.

    The drive is a slow wave with a ripple. On each crest a plain neuron fires again and again; a latch fires once,
    is held while its potential stays in or above the band, and re-arms in the trough; a window neuron never fires,
    as the wave takes longer than a step to cross the band.
    """
    t = np.arange(DEMO_STEPS)
    drive = np.rint(24 - 24 * np.cos(2 * np.pi * t / 30) + 7 * np.sin(2 * np.pi * t / 5)).astype(np.int64)

    def run(mode: Mode) -> Trace:
        layer = Layer(np.ones((1, 1), int), 60, 24, leak=4, mode=mode, reset=Reset.ZERO)
        return trace_totals(layer, Potential(), drive[None, :, None])

    return drive, [run(mode) for mode in modes]
