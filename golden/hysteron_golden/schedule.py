"""The schedule model: in which cycle a core does what, exactly.

The core is a chain of stages that hand over one item a cycle, in order, so every cycle number follows from
a few recurrences. Cycle 0 is the one in which the source may first offer a word.

===========  ==================================================================================
input        takes a packet word a cycle (an event list: an event a cycle) into one of two slots
encoder      compares 8 pixels a cycle and fills a slot with each step's spikes
sequencer    picks the next job (a layer's time step): the deepest layer whose spikes are there
segments     one for each tile and source of events; reads the summary of non-empty words
words        one for each non-empty spike word; reads it
events       one set bit a cycle; reads its weight row in the cycle after
lanes        accumulate; after a tile's last event: leak, sum, fire, store
read-out     visits the outputs one a cycle and sends the answer
===========  ==================================================================================

Picking the deepest ready layer means that while one layer's last spikes are still on their way the first
layer already works on the next time step (or the next sample), which hides the latency.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hysteron_wire.errors import require
from hysteron_wire.packets import WORD, Header, Kind, Words, answer_words, sample_packets
from hysteron_wire.registers import REGISTERS

from .encode import GROUP, Coding
from .hardware import PIPE_DEPTH, STATE_LOOP, ceil_div
from .program import Program
from .run import Result, winner

#: Cycles from the one in which a tile's last event is picked to the one in which its spikes are
#: stored, on top of the weight latency: event register, accumulator, leak, sum, fire.
STORE_LATENCY = 5


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
        Performance counters at the end, see :data:`hysteron_wire.registers.COUNTERS`.
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


@dataclass
class _Pipe:
    """Times of an elastic read pipe: an entry is out a cycle after it is accepted."""

    accepted: int = -1
    popped: list[int] = field(default_factory=lambda: [-1] * PIPE_DEPTH)

    def accept(self, earliest: int) -> int:
        self.accepted = max(earliest, self.accepted + 1, self.popped[-PIPE_DEPTH] + 1)
        return self.accepted

    def pop(self, time: int) -> None:
        self.popped.append(time)
        del self.popped[0]


class _Input:
    """Times of the input unit and the encoder."""

    def __init__(self, program: Program, activity: Sequence[Activity], gaps: Sequence[int]) -> None:
        self.n_in = program.network.n_in
        self.encoder = program.network.encoder
        self.packets = [packet for a in activity for packet in a.packets]
        pixels = {Header.parse(packet[0]).kind is Kind.PIXELS for packet in self.packets}
        require(
            pixels <= {self.encoder is not None},
            "the model follows pixels into a network with an encoder and spikes into one without, not the other way",
        )
        self.gaps = gaps
        self.next_packet = 0
        self.word = 0  # words accepted so far
        self.free_at = 0  # first cycle in which the unit can take a header
        self.accepted = -1
        self.waits = 0
        self.accept_cycles: list[int] = []
        self.headers: list[int] = []  # of packets that begin a sample
        self.begins_sample = True
        self.slot_filled: list[int] = []  # cycle of the slot's last write, for each slot used
        self.slot_freed = [-1, -1]  # cycle of the strobe that frees it, for each slot use
        self.banks: list[int] = []  # cycle in which the image's last word was taken
        self.bank_freed = [-1, -1]
        self.encoder_idle = 0
        self.encoded_steps = 0

    def _take(self, earliest: int) -> int:
        gap = self.gaps[self.word] if self.word < len(self.gaps) else 0
        offered = self.accepted + 1 + gap
        self.accepted = max(earliest, offered)
        self.waits += self.accepted - offered
        self.accept_cycles.append(self.accepted)
        self.word += 1
        return self.accepted

    def slot_ready(self, use: int) -> int | None:
        """First cycle in which the sequencer sees slot use number ``use`` filled; None if it never is."""
        while len(self.slot_filled) <= use:
            if not self._advance():
                return None
        return self.slot_filled[use] + 1

    def _slot_free(self, earliest: int) -> int:
        return max(earliest, self.slot_freed[len(self.slot_filled)] + 1)

    def _advance(self) -> bool:
        if self.encoder is not None:
            return self._encode()
        if self.next_packet == len(self.packets):
            return False
        packet = self.packets[self.next_packet]
        self.next_packet += 1
        taken = self._header(packet)
        now = self._slot_free(taken + 1)  # prepare
        header = Header.parse(packet[0])
        if header.kind is Kind.EVENTS:
            left = header.count
            for _ in packet[1:]:
                # The first event of a word is taken as soon as it is offered, the second a cycle later.
                pair = min(left, 2)
                left -= pair
                gap = self.gaps[self.word] if self.word < len(self.gaps) else 0
                now = self._take(max(now + 1, self.accepted + 1 + gap) + pair - 1)
        else:
            for _ in packet[1:]:
                now = self._take(now + 1)
        self.slot_filled.append(now + 1)
        self.free_at = now + 2
        return True

    def _header(self, packet: Words) -> int:
        taken = self._take(self.free_at)
        if self.begins_sample:
            self.headers.append(taken)
        self.begins_sample = Header.parse(packet[0]).last
        return taken

    def _receive_image(self) -> None:
        packet = self.packets[self.next_packet]
        self.next_packet += 1
        now = self._header(packet)
        now = max(now + 1, self.bank_freed[len(self.banks)] + 1)  # prepare
        for _ in packet[1:]:
            now = self._take(now + 1)
        self.banks.append(now)
        self.free_at = now + 1

    def _encode(self) -> bool:
        """Fill the next slot from an image."""
        assert self.encoder is not None
        direct = self.encoder.coding is Coding.DIRECT
        steps = 1 if direct else self.encoder.steps
        image, step = divmod(self.encoded_steps, steps)
        while len(self.banks) <= image:
            if self.next_packet == len(self.packets):
                return False
            self._receive_image()
        if step == 0:
            self.encoder_idle = max(self.encoder_idle, self.banks[image] + 1)
        now = self._slot_free(self.encoder_idle + 1)  # wait state
        passes = 8 if direct else 1
        now += passes * (ceil_div(self.n_in, GROUP) + 2)  # read, drain, finish
        self.slot_filled.append(now)
        self.encoded_steps += 1
        if step == steps - 1:
            self.bank_freed.append(now)
            self.encoder_idle = now + 1
        else:
            self.encoder_idle = now
        return True


def _words(spikes: NDArray[np.integer | np.bool_], bits: int) -> list[list[int]]:
    """For each row of ``spikes`` the set bits in each of its non-empty words of ``bits``."""
    n = spikes.shape[1]
    padded = np.zeros((len(spikes), ceil_div(n, bits) * bits), np.uint8)
    padded[:, :n] = spikes
    counts = padded.reshape(len(spikes), -1, bits).sum(axis=2, dtype=np.int64)
    return [row[row > 0].tolist() for row in counts]


def schedule(
    program: Program,
    activity: Sequence[Activity],
    *,
    source_gaps: Sequence[int] = (),
    sink_gaps: Sequence[int] = (),
    reads: bool = True,
) -> Schedule:
    """Predict the schedule of a run that starts on an idle core.

    Parameters
    ----------
    program
        The mapped network.
    activity
        The samples, in order.
    source_gaps
        Cycles that the source waits before it offers word *k*, counted from the cycle after word
        *k - 1* was accepted; 0 beyond the end.
    sink_gaps
        Cycles that the sink waits likewise before it is ready for answer word *k*.
    reads
        Also list every weight-row read and lane-cycle (skip them to save memory).
    """
    return _Model(program, activity, source_gaps, sink_gaps, reads).run()


class _Model:
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
        self.store_latency = program.config.weight_latency + STORE_LATENCY
        self.direct = self.network.encoder is not None and self.network.encoder.coding is Coding.DIRECT
        self.vector = bool(REGISTERS["READOUT"].unpack(program.registers["READOUT"])["VECTOR"])
        self.list_reads = reads
        self.sink_gaps = sink_gaps
        self.input = _Input(program, activity, source_gaps)
        self.jobs = [(i, t) for i, a in enumerate(activity) for t in range(a.steps)]
        self._job_words()
        # For each layer: jobs issued, cycle in which each job's spikes were stored, was last scanned.
        self.issued = [0] * self.depth
        self.stored: list[list[int]] = [[] for _ in range(self.depth)]
        self.scanned: list[list[int]] = [[] for _ in range(self.depth)]
        self.segments, self.words = _Pipe(), _Pipe()
        self.segment_done = -1  # cycle in which the last word of the newest segment was accepted
        self.event_done = -1  # cycle in which the newest event was picked
        self.tile_last_event: dict[int, int] = {}
        self.idle_at = 0  # first cycle in which the sequencer can decide
        self.answers_due = 0
        self.answers_sent: list[int] = []
        self.sink_accepted = -1
        self.counters = {"EVENTS": 0, "BUBBLES": 0, "STALLS": 0, "WORDS_OUT": 0, "WAITS_OUT": 0}
        self.bound = 0
        self.lane_spans: list[tuple[int, int]] = []
        self.read_parts: list[tuple[int, int, NDArray[np.int64]]] = []
        self.updates: list[tuple[int, int, int, int, int, int]] = []
        self.beat_cycles: list[int] = []
        self.beats: list[Words] = []

    def _job_words(self) -> None:
        """Set bits of each job's non-empty words: the forward part (one list a plane) and the recurrent one."""
        config = self.program.config
        self.forward: list[list[list[list[int]]]] = []
        self.recurrent: list[list[list[int]]] = []
        for index, layer in enumerate(self.network.layers):
            forward: list[list[list[int]]] = []
            back: list[list[int]] = []
            for a in self.activity:
                if index == 0 and self.direct:
                    planes = _words(a.inputs[None, :] >> np.arange(7, -1, -1)[:, None] & 1, WORD)
                    forward += [planes] * a.steps
                else:
                    source, bits = (a.inputs, WORD) if index == 0 else (a.spikes[index - 1], config.spike_word)
                    forward += [[row] for row in _words(source, bits)]
                if layer.recurrent is not None:
                    back += [[], *_words(a.spikes[index], config.spike_word)[:-1]]
            self.forward.append(forward)
            self.recurrent.append(back)

    def run(self) -> Schedule:
        while self._job():
            pass
        sample_cycles = self._sample_cycles()
        counters = dict(self.counters)
        counters["CYCLES"] = _covered(sample_cycles)
        counters["UPDATES"] = len(self.updates)
        counters["STEPS"] = self.issued[0]
        counters["SAMPLES"] = len(self.activity)
        counters["WORDS_IN"] = self.input.word
        counters["WAITS_IN"] = self.input.waits
        assert all(count == len(self.jobs) for count in self.issued), "the model left jobs undone"
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

    def _ready(self, layer: int) -> int | None:
        """First cycle in which the layer's next job may be issued; None if not before another job is."""
        job = self.issued[layer]
        if job == len(self.jobs):
            return None
        if layer == 0:
            use = self.jobs[job][0] if self.direct else job
            filled = self.input.slot_ready(use)
            if filled is None:
                return None
            ready = filled
        elif len(self.stored[layer - 1]) <= job:
            return None
        else:
            ready = self.stored[layer - 1][job] + 1
        if layer < self.depth - 1:
            # Two buffers: the one this job will fill must have been read by the next layer.
            if job >= 2:
                if len(self.scanned[layer + 1]) <= job - 2:
                    return None
                ready = max(ready, self.scanned[layer + 1][job - 2] + 1)
        elif self.answers_due >= 2:
            # Two answers may be under way, the one this job may complete included.
            ready = max(ready, self.answers_sent[self.answers_due - 2] + 1)
        return ready

    def _job(self) -> bool:
        """Issue and follow the next job."""
        ready = [self._ready(layer) for layer in range(self.depth)]
        times = [time for time in ready if time is not None]
        if not times:
            return False
        decided = max(self.idle_at, min(times))
        layer = max(index for index, time in enumerate(ready) if time is not None and time <= decided)
        job = self.issued[layer]
        self.issued[layer] += 1
        sample, step = self.jobs[job]
        forward = self.forward[layer][job]
        back = self.recurrent[layer][job] if self.recurrent[layer] and step > 0 else None
        earliest = decided + 1
        n_tiles = self.program.tiles[layer]
        stored = 0
        for tile in range(n_tiles):
            address = self.program.tile_base[layer] + tile
            rows = self._rows(layer, sample, step, tile) if self.list_reads else None
            parts = [*forward] if back is None else [*forward, back]
            events = sum(map(sum, parts))
            self.bound += max(1, events)
            for index, counts in enumerate(parts):
                last = index == len(parts) - 1
                if last and back is not None and job:
                    earliest = max(earliest, self.stored[layer][job - 1] + 1)
                accepted = self.segments.accept(earliest)
                part_rows = None if rows is None else rows[index]
                self._segment(accepted, counts, last, address, part_rows)
                earliest = accepted + 1
            stored = self.event_done + self.store_latency
            self.updates.append((stored, layer, sample, step, tile, address))
        self.idle_at = self.segments.accepted + 1
        self.scanned[layer].append(self.segment_done)
        if layer == 0 and (not self.direct or step == self.activity[sample].steps - 1):
            self.input.slot_freed.append(self.segment_done)
        self.stored[layer].append(stored)
        if layer == self.depth - 1:
            self._answer(sample, step, stored)
        return True

    def _segment(
        self, accepted: int, counts: list[int], last: bool, address: int, rows: NDArray[np.int64] | None
    ) -> None:
        popped = max(accepted + 1, self.segment_done)
        self.segments.pop(popped)
        begin = popped + 1
        first_event = 0
        for position, count in enumerate(counts or [0]):
            word = self.words.accept(begin)
            loaded = max(word + 1, self.event_done)
            self.words.pop(loaded)
            span = max(1, count)
            end = loaded + span
            if last and position == max(len(counts), 1) - 1:
                earliest = self.tile_last_event.get(address, -STATE_LOOP) + STATE_LOOP
                if end < earliest:
                    self.counters["STALLS"] += earliest - end
                    end = earliest
                self.tile_last_event[address] = end
            self.event_done = end
            self.counters["EVENTS" if count else "BUBBLES"] += span
            if self.list_reads:
                # The last event alone waits; those before it go out at once.
                for cycle, n, offset in ((loaded + 1, span - 1, 0), (end, 1, span - 1)):
                    if n:
                        self.lane_spans.append((cycle, n))
                        if count and rows is not None:
                            chosen = rows[first_event + offset : first_event + offset + n]
                            self.read_parts.append((cycle + 1, n, chosen))
            first_event += count
        self.segment_done = self.words.accepted

    def _rows(self, layer: int, sample: int, step: int, tile: int) -> list[NDArray[np.int64]]:
        """Weight rows of a tile's events, one array for each segment."""
        a, shape = self.activity[sample], self.network.layers[layer]
        stride = shape.n_in + (0 if shape.recurrent is None else shape.n_out)
        base = self.program.weight_base[layer] + tile * stride
        if layer == 0 and self.direct:
            rows = [base + np.flatnonzero(a.inputs >> plane & 1) for plane in range(7, -1, -1)]
        else:
            rows = [base + np.flatnonzero(a.inputs[step] if layer == 0 else a.spikes[layer - 1][step])]
        if shape.recurrent is not None and step:
            rows.append(base + shape.n_in + np.flatnonzero(a.spikes[layer][step - 1]))
        return rows

    def _answer(self, sample: int, step: int, stored: int) -> None:
        a = self.activity[sample]
        every = self.network.readout_every_step
        if not every and step < a.steps - 1:
            return
        values = a.answers[step if every else 0]
        words = answer_words(values, int(winner(self.network.readout, values)), len(self.answers_sent), self.vector)
        self.answers_due += 1
        now = max(stored + 1, self.answers_sent[-1] + 1 if self.answers_sent else 0)  # read
        now += 1 if self.vector else 1 + len(values)
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


__all__ = ["STORE_LATENCY", "Activity", "Schedule", "activities", "schedule"]
