# SPDX-License-Identifier: Apache-2.0
"""What a schedule is made from, what it consists of, and what every model of a core's schedule does."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hysteron_base.errors import require
from hysteron_spec.core import ceil_div
from hysteron_spec.encoder import Coding
from hysteron_spec.packets import Words, answer_words, sample_packets
from hysteron_spec.program import Program
from hysteron_spec.projection import Source
from hysteron_spec.registers import REGISTERS

from ..run import Result, winner
from .input import InputTimes


@dataclass(frozen=True, eq=False)
class Activity:
    """What one sample makes the core do: its input and every layer's spikes.

    Attributes
    ----------
    inputs
        ``(n_in,)`` pixels in direct coding, else ``(steps, n_in)`` spikes as they enter layer 0.
    spikes
        For each layer ``(steps, n_out)`` bool.
    packets
        The packets that carry the sample.
    answers
        For each answer its ``(n_out,)`` values.
    """

    inputs: NDArray[np.uint8]
    spikes: tuple[NDArray[np.bool_], ...]
    packets: tuple[Words, ...]
    answers: tuple[NDArray[np.int32], ...]

    @property
    def steps(self) -> int:
        """Time steps."""
        return len(self.spikes[0])


def activities(result: Result, raw_inputs: NDArray[np.uint8]) -> list[Activity]:
    """One :class:`Activity` a sample of a traced :func:`~hysteron_golden.run.run`.

    ``raw_inputs`` is what is sent: ``(samples, n_in)`` pixels or ``(samples, steps, n_in)`` spikes.
    """
    require(result.spikes is not None, "the schedule needs a traced run; call run(…, trace=True)")
    assert result.spikes is not None
    return [
        Activity(
            result.inputs[i],
            tuple(layer[i] for layer in result.spikes),
            tuple(sample_packets(raw_inputs[i])),
            tuple(result.values[i : i + 1] if result.step_values is None else result.step_values[i]),
        )
        for i in range(len(result.predictions))
    ]


def word_counts(spikes: NDArray[np.integer | np.bool_], bits: int) -> NDArray[np.int64]:
    """Set bits of each word of ``bits``, the last one padded with zeros: ``(rows, n)`` to ``(rows, words)``."""
    rows, n = spikes.shape
    padded = np.zeros((rows, ceil_div(n, bits) * bits), np.uint8)
    padded[:, :n] = spikes
    return padded.reshape(rows, -1, bits).sum(axis=2, dtype=np.int64)


def sent_inputs(program: Program, result: Result, inputs: NDArray[Any]) -> NDArray[np.uint8]:
    """What is sent to the core: ``inputs`` as ``(samples, n_in)`` pixels, or the ``(samples, steps, n_in)`` spikes that
    ``result`` made of them if the core does not encode."""
    if program.network.encoder is None:
        return result.inputs
    return np.asarray(inputs, np.uint8).reshape(len(inputs), -1)


@dataclass(eq=False)
class Schedule:
    """Predicted events, each in order of time.

    Attributes
    ----------
    read_cycles, read_rows
        Weight-row reads.
    update_cycles, update_tiles
        Spike stores: tile numbers count over all layers. ``update_jobs`` are rows of (layer, sample,
        step, tile within the layer).
    beat_cycles, beats
        Answer words.
    accept_cycles
        Cycle in which each input word is accepted.
    sample_cycles
        ``(samples, 2)``: first header accepted, last answer word accepted.
    counters
        Performance counters at the end, see :data:`hysteron_spec.registers.COUNTERS`.
    bound
        Lane-cycles that no schedule can avoid: the sum over layers, steps and tiles of
        ``max(1, events)``.
    busy_cycles
        Cycle of every lane-cycle (events and bubbles), for the utilisation over time.
    """

    read_cycles: NDArray[np.int64]
    read_rows: NDArray[np.int64]
    update_cycles: NDArray[np.int64]
    update_jobs: NDArray[np.int64]
    update_tiles: NDArray[np.int64]
    beat_cycles: NDArray[np.int64]
    beats: Words
    accept_cycles: NDArray[np.int64]
    sample_cycles: NDArray[np.int64]
    counters: dict[str, int]
    bound: int
    busy_cycles: NDArray[np.int64]

    @property
    def utilisation(self) -> float:
        """``bound`` over the cycles taken."""
        return self.bound / self.counters["CYCLES"]


class Model:
    """The part of a schedule model that is the same for every core: its input, its answers, and the record.

    A subclass follows one job (a layer's time step) after the other in :meth:`_follow`, in which it appends to
    ``updates``, ``read_parts``, ``lane_spans``, calls :meth:`_send` and counts.
    """

    def __init__(
        self,
        program: Program,
        activity: Sequence[Activity],
        source_gaps: Sequence[int],
        sink_gaps: Sequence[int],
        reads: bool,
    ) -> None:
        self.program = program
        self.activity = activity
        self.network = program.network
        self.depth = len(self.network.layers)
        encoder = self.network.encoder
        self.direct = encoder is not None and encoder.coding is Coding.DIRECT
        self.vector = bool(REGISTERS["READOUT"].unpack(program.registers["READOUT"])["VECTOR"])
        self.list_reads = reads
        self.sink_gaps = sink_gaps
        self.input = InputTimes(program, [packet for a in activity for packet in a.packets], source_gaps)
        self.jobs = [(i, t) for i, a in enumerate(activity) for t in range(a.steps)]
        self.answers_sent: list[int] = []
        self.sink_accepted = -1
        self.counters = {"EVENTS": 0, "BUBBLES": 0, "STALLS": 0, "WORDS_OUT": 0, "WAITS_OUT": 0}
        self.bound = 0
        self.lane_spans: list[tuple[int, int]] = []
        self.read_parts: list[tuple[int, int, NDArray[np.int64]]] = []
        self.updates: list[tuple[int, int, int, int, int, int]] = []
        self.beat_cycles: list[int] = []
        self.beats: list[Words] = []

    def _follow(self) -> None:
        """Follow all jobs."""
        raise NotImplementedError

    def run(self) -> Schedule:
        """The schedule."""
        self._follow()
        sample_cycles = self._sample_cycles()
        counters = dict(self.counters)
        counters["CYCLES"] = _covered(sample_cycles)
        counters["UPDATES"] = len(self.updates)
        counters["STEPS"] = len(self.jobs)
        counters["SAMPLES"] = len(self.activity)
        counters["WORDS_IN"] = self.input.word
        counters["WAITS_IN"] = self.input.waits
        updates = np.array(self.updates, np.int64).reshape(-1, 6)
        empty = np.zeros(0, np.int64)
        return Schedule(
            read_cycles=np.concatenate([np.arange(c, c + n) for c, n, _ in self.read_parts] or [empty]),
            read_rows=np.concatenate([rows for *_, rows in self.read_parts] or [empty]),
            update_cycles=updates[:, 0],
            update_jobs=updates[:, 1:5],
            update_tiles=updates[:, 5],
            beat_cycles=np.array(self.beat_cycles, np.int64),
            beats=np.concatenate([*self.beats, np.zeros(0, np.uint32)]),
            accept_cycles=np.array(self.input.accept_cycles, np.int64),
            sample_cycles=sample_cycles,
            counters=counters,
            bound=self.bound,
            busy_cycles=np.concatenate([np.arange(c, c + n) for c, n in self.lane_spans] or [empty]),
        )

    def _sample_cycles(self) -> NDArray[np.int64]:
        ends = []
        answer = -1
        for a in self.activity:
            answer += len(a.answers)
            ends.append(self.answers_sent[answer])
        return np.array([self.input.headers, ends], np.int64).T.reshape(-1, 2)

    def _rows(self, layer: int, sample: int, step: int, tile: int) -> list[NDArray[np.int64]]:
        """Weight rows of a tile's events, one array for each segment."""
        a, projections = self.activity[sample], self.network.layers[layer].projections
        base = self.program.weight_base[layer] + tile * sum(each.rows for each in projections)
        found = []
        for projection in projections:
            if projection.source is Source.OWN:
                steps = [a.spikes[layer][step - 1]] if step else []
            elif layer:
                steps = [a.spikes[layer - 1][step]]
            elif self.direct:
                steps = [a.inputs >> plane & 1 for plane in range(7, -1, -1)]
            else:
                steps = [a.inputs[step]]
            found += [base + projection.read(spikes) for spikes in steps]
            base += projection.rows
        return found

    def _answering(self, sample: int, step: int) -> bool:
        """Whether the core answers after this step."""
        return self.network.readout_every_step or step == self.activity[sample].steps - 1

    def _send(self, sample: int, step: int, now: int) -> None:
        """Send an answer whose first word is offered in cycle ``now``."""
        values = self.activity[sample].answers[step if self.network.readout_every_step else 0]
        words = answer_words(values, int(winner(self.network.readout, values)), len(self.answers_sent), self.vector)
        for _ in words:
            gap = self.sink_gaps[len(self.beat_cycles)] if len(self.beat_cycles) < len(self.sink_gaps) else 0
            taken = max(now, self.sink_accepted + 1 + gap)
            self.counters["WAITS_OUT"] += taken - now
            self.sink_accepted = taken
            self.beat_cycles.append(taken)
            now = taken + 1
        self.counters["WORDS_OUT"] += len(words)
        self.beats.append(words)
        self.answers_sent.append(self.sink_accepted)


def _covered(spans: NDArray[np.int64]) -> int:
    """Cycles in which a sample is under way: from after its first header to its last answer word."""
    total, reached = 0, -1
    for first, last in spans.tolist():
        total += max(0, last - max(first, reached))
        reached = max(reached, last)
    return total
