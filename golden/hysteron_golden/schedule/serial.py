# SPDX-License-Identifier: Apache-2.0
"""The schedule of the small core, in which nothing but input overlaps.

A step begins when its input is there. For each layer the descriptor is read, then the layer's tiles are worked off:
spike words are read a cycle each, empty ones are skipped unless a tile ends with them, and the others taken apart, an
event a cycle. While a tile's neurons are updated, one a cycle, the next tile's events already accumulate. The next
layer begins when all spikes of the one before are stored, the next step when the answer, if there is one, has been
taken.
"""

import numpy as np

from hysteron_spec.core import CoreConfig
from hysteron_spec.layouts import descriptor_layout
from hysteron_spec.packets import WORD

from .record import Model, word_counts


def store_latency(config: CoreConfig) -> int:
    """Cycles from the one in which a tile's last event is picked to the one in which its spikes are stored: weight row,
    accumulator, hand-over, leak, sum, fire, and a cycle for each lane."""
    return config.weight_latency + config.lanes + 4


class SerialModel(Model):
    """See the module."""

    def _follow(self) -> None:
        config = self.program.config
        idle_at = 0  # first cycle in which a step can begin
        for number, (sample, step) in enumerate(self.jobs):
            filled = self.input.slot_ready(number)
            assert filled is not None, "every step has its packet or its image"
            stored = max(idle_at, filled)
            for layer in range(self.depth):
                stored = self._layer(layer, sample, step, stored + 1 + len(descriptor_layout(config)))
                if layer == 0:
                    self.input.slot_freed.append(stored)
            if self._answering(sample, step):
                self._send(sample, step, stored + (1 if self.vector else 2))
                stored = self.sink_accepted
            idle_at = stored + 1

    def _layer(self, layer: int, sample: int, step: int, begin: int) -> int:
        """Follow a layer that reads its first spike word in cycle ``begin``; the cycle in which its last spikes are
        stored."""
        config, one = self.program.config, self.activity[sample]
        sources = [one.inputs[step] if layer == 0 else one.spikes[layer - 1][step]]
        if self.network.layers[layer].recurrent is not None and step:
            sources.append(one.spikes[layer][step - 1])
        counts = [int(n) for source in sources for n in word_counts(source[None], WORD)[0]]
        read, free, latest, stored = begin, begin, begin - config.lanes, 0
        for tile in range(self.program.tiles[layer]):
            rows = np.concatenate(self._rows(layer, sample, step, tile))
            first = 0
            self.bound += max(1, sum(counts))
            for position, count in enumerate(counts):
                ends = position == len(counts) - 1
                if not count and not ends:
                    read += 1
                    continue
                loaded = max(read + 1, free)
                read = loaded
                span = max(1, count)
                free = loaded + span
                if ends:
                    self.counters["STALLS"] += max(0, latest + config.lanes - free)
                    free = latest = max(free, latest + config.lanes)
                self.counters["EVENTS" if count else "BUBBLES"] += span
                if self.list_reads:
                    # The last event alone waits; those before it are picked at once.
                    for cycle, n, offset in ((loaded + 1, span - 1, 0), (free, 1, span - 1)):
                        if n:
                            self.lane_spans.append((cycle, n))
                            if count:
                                self.read_parts.append((cycle, n, rows[first + offset : first + offset + n]))
                first += count
            stored = latest + store_latency(config)
            self.updates.append((stored, layer, sample, step, tile, self.program.tile_base[layer] + tile))
        return stored
