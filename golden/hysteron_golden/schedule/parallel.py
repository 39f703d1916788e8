# SPDX-License-Identifier: Apache-2.0
"""The schedule of the core whose blocks all work at once.

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

from hysteron_spec.core import PIPE_DEPTH, STATE_LOOP, CoreConfig
from hysteron_spec.packets import WORD
from hysteron_spec.program import Program

from .record import Activity, Model, word_counts


def store_latency(config: CoreConfig) -> int:
    """Cycles from the one in which a tile's last event is picked to the one in which its spikes are stored: weight row,
    event register, accumulator, leak, sum, fire."""
    return config.weight_latency + 5


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


def _words(spikes: NDArray[np.integer | np.bool_], bits: int) -> list[list[int]]:
    """For each row of ``spikes`` the set bits in each of its non-empty words of ``bits``."""
    return [row[row > 0].tolist() for row in word_counts(spikes, bits)]


class ParallelModel(Model):
    """See the module."""

    def __init__(
        self,
        program: Program,
        activity: Sequence[Activity],
        source_gaps: Sequence[int],
        sink_gaps: Sequence[int],
        reads: bool,
    ) -> None:
        super().__init__(program, activity, source_gaps, sink_gaps, reads)
        self.store_latency = store_latency(program.config)
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

    def _follow(self) -> None:
        while self._job():
            pass
        assert all(count == len(self.jobs) for count in self.issued), "the model left jobs undone"

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

    def _answer(self, sample: int, step: int, stored: int) -> None:
        if not self._answering(sample, step):
            return
        self.answers_due += 1
        now = max(stored + 1, self.answers_sent[-1] + 1 if self.answers_sent else 0)  # read
        self._send(sample, step, now + (1 if self.vector else 1 + self.network.n_out))
