"""What the schedule says about time: passes through the lanes, cycles of an image, share of each layer."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hysteron_golden.run import Result
from hysteron_golden.schedule import Schedule, store_latency
from hysteron_spec.program import Program

Cycles = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Passes:
    """Every pass of a tile through the lanes, in order of time.

    Attributes
    ----------
    layer, sample, step
        What the pass worked on.
    begin, end
        First lane-cycle, and the cycle after the last one.
    stored
        Cycle after the one in which the pass's spikes are stored.
    """

    layer: Cycles
    sample: Cycles
    step: Cycles
    begin: Cycles
    end: Cycles
    stored: Cycles

    def within(self, first: int, last: int) -> "Passes":
        """Those that are under way in cycles ``first … last - 1``."""
        kept = (self.begin < last) & (self.stored > first)
        return Passes(*(getattr(self, name)[kept] for name in ("layer", "sample", "step", "begin", "end", "stored")))


def passes(program: Program, schedule: Schedule) -> Passes:
    """All passes; the schedule must list its lane-cycles.

    The schedule states when a pass's spikes are stored. Its last lane-cycle is a fixed latency before that, and
    its first is the first lane-cycle after the previous pass's last one, as the lanes work in order.
    """
    last = schedule.update_cycles - store_latency(program.config)
    previous = np.concatenate([[-1], last[:-1]])
    begin = schedule.busy_cycles[np.searchsorted(schedule.busy_cycles, previous, side="right")]
    layer, sample, step, _ = schedule.update_jobs.T
    return Passes(layer, sample, step, begin, last + 1, schedule.update_cycles + 1)


def intervals(schedule: Schedule) -> Cycles:
    """Cycles from the previous image's answer to each image's own; the first counts from its first word."""
    return np.diff(schedule.sample_cycles[:, 1], prepend=schedule.sample_cycles[0, 0])


def latencies(schedule: Schedule) -> Cycles:
    """Cycles from each image's first word to its answer; it includes waiting for the images before it."""
    return schedule.sample_cycles[:, 1] - schedule.sample_cycles[:, 0]


def busy_share(schedule: Schedule, first: int, last: int, window: int) -> tuple[Cycles, NDArray[np.float64]]:
    """Window edges and, for each window of cycles ``first … last - 1``, percent of cycles the lanes worked."""
    edges = np.append(np.arange(first, last - window // 2, window), last)  # the last one takes what is left
    counts = np.diff(np.searchsorted(schedule.busy_cycles, edges))
    return edges, 100 * counts / np.diff(edges)


def layer_events(program: Program, result: Result) -> list[tuple[float, int]]:
    """For each layer the events an image sends into it, and its part of :attr:`Schedule.bound`.

    Events are input spikes (in direct coding the set pixel bits, at every step) plus recurrent spikes.
    """
    assert result.spikes is not None
    samples, steps = result.spikes[0].shape[:2]
    if result.inputs.ndim == 2:
        bits = np.bitwise_count(result.inputs).sum(axis=1, dtype=np.int64)
        incoming = np.repeat(bits[:, None], steps, axis=1)
    else:
        incoming = result.inputs.sum(axis=2, dtype=np.int64)
    figures = []
    for layer, tiles, spikes in zip(program.network.layers, program.tiles, result.spikes, strict=True):
        outgoing = spikes.sum(axis=2, dtype=np.int64)
        events = incoming.copy()
        if layer.recurrent is not None:
            events[:, 1:] += outgoing[:, :-1]
        figures.append((float(events.sum()) / samples, tiles * int(np.maximum(events, 1).sum())))
        incoming = outgoing
    return figures
