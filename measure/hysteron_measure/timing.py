# SPDX-License-Identifier: Apache-2.0
"""What a schedule says about time, each notion under a name of its own.

*Cycles of an image* are those from the previous image's answer to the image's own, in a stream without pauses (of the
first image: from its own first word). They are what one more image costs, and every key or column that is called
``cycles_per_image_median`` or "cycles" is about them: :func:`image_cycles` is the only place that computes them. Other
figures of time are not cycles of an image:

* :func:`mean_cycles`, the mean over a whole stream, filling and draining included;
* :func:`stream_latencies`, from an image's first word to its answer, while it waits for the images ahead of it;
* :func:`lone_latencies`, from an image's first word to its answer on a core that has nothing else to do;
* cycles with the serial line, which a whole machine takes for an image (``hysteron soc-sim``, ``hysteron netlist``).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hysteron_golden.run import Result
from hysteron_golden.schedule import Activity, Schedule, schedule, store_latency
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
        """The passes that are under way in cycles ``first … last - 1``."""
        kept = (self.begin < last) & (self.stored > first)
        return Passes(*(getattr(self, name)[kept] for name in ("layer", "sample", "step", "begin", "end", "stored")))


def passes(program: Program, stream: Schedule) -> Passes:
    """All passes of a schedule, which must list its lane-cycles.

    The schedule states when a pass's spikes are stored. Its last lane-cycle is a fixed latency before that, and
    its first is the first lane-cycle after the previous pass's last one, as the lanes work in order.
    """
    last = stream.update_cycles - store_latency(program.config)
    previous = np.concatenate([[-1], last[:-1]])
    begin = stream.busy_cycles[np.searchsorted(stream.busy_cycles, previous, side="right")]
    layer, sample, step, _ = stream.update_jobs.T
    return Passes(layer, sample, step, begin, last + 1, stream.update_cycles + 1)


def image_cycles(stream: Schedule) -> Cycles:
    """The cycles of each image of a stream: from the previous image's answer to the image's own.

    Returns
    -------
    ``(samples,)`` int64. The first image's count from its own first word; all together are the cycles from the first
    word of the stream to its last answer. Empty for a stream without samples.
    """
    if not len(stream.sample_cycles):
        return np.zeros(0, np.int64)
    return np.diff(stream.sample_cycles[:, 1], prepend=stream.sample_cycles[0, 0])


def mean_cycles(stream: Schedule) -> float:
    """The cycles in which any image of a stream is under way, over the number of images.

    This is a throughput: a core at ``f`` Hz takes ``f / mean_cycles(stream)`` images of the stream in a second.
    """
    return stream.counters["CYCLES"] / len(stream.sample_cycles)


def stream_latencies(stream: Schedule) -> Cycles:
    """Cycles from each image's first word to its answer, ``(samples,)``; waiting for the images ahead is included."""
    return stream.sample_cycles[:, 1] - stream.sample_cycles[:, 0]


def lone_latencies(program: Program, activity: Sequence[Activity]) -> Cycles:
    """Cycles from each image's first word to its answer, ``(samples,)``, on a core that has nothing else to do."""
    spans = [schedule(program, [one], reads=False).sample_cycles[0] for one in activity]
    return np.array([end - begin for begin, end in spans], np.int64)


def busy_share(stream: Schedule, first: int, last: int, window: int) -> tuple[Cycles, NDArray[np.float64]]:
    """Window edges and, for each window of cycles ``first … last - 1``, percent of cycles the lanes worked."""
    edges = np.append(np.arange(first, last - window // 2, window), last)  # the last one takes what is left
    counts = np.diff(np.searchsorted(stream.busy_cycles, edges))
    return edges, 100 * counts / np.diff(edges)


def layer_events(program: Program, result: Result) -> list[tuple[float, int]]:
    """For each layer the mean events that an image sends into it, and the layer's part of :attr:`Schedule.bound`.

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


def operations(program: Program, result: Result) -> float:
    """Synaptic operations of a sample, the mean over a traced run: every event times the neurons it reaches.

    Direct coding has an event for each set bit of a pixel, at every step.
    """
    layers = program.network.layers
    return sum(events * layer.n_out for (events, _), layer in zip(layer_events(program, result), layers, strict=True))
