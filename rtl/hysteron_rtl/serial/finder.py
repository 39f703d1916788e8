# SPDX-License-Identifier: Apache-2.0
"""Spike words in, events out: an event a cycle, and empty words pass while there are events."""

from amaranth.hdl import Const, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hysteron_spec.core import CoreConfig, bits_for
from hysteron_spec.packets import WORD

from ..bits import at_most_one, lowest_set


def word_layout(config: CoreConfig) -> data.StructLayout:
    """One spike word that is being read."""
    return data.StructLayout(
        {
            "row": bits_for(config.weight_rows),  # weight row of its bit 0
            "last": 1,  # ends the tile
            "seen": 1,  # 0: what memory holds there is stale and stands for 0
        }
    )


class Finder(wiring.Component):
    """Takes words apart, lowest bit first.

    A word waits in the memory's output register, whose owner reads the next one where ``i.ready``. It is dropped there
    if it is empty and not a tile's last; otherwise it is loaded when its predecessor's last event is picked. A tile's
    last event is picked no sooner than ``lanes`` cycles after the one of the tile before.

    Attributes
    ----------
    i : In(stream of word_layout)
        A word that memory holds out.
    bits : In(32)
        With ``i``: its bits.
    picks : Out(1)
        An event, or with ``empty`` a tile without one at its end; the first one comes in the cycle after its word.
    row : Out(bits_for(weight_rows))
        With ``picks``: the event's weight row, which can be read in this cycle.
    first, last : Out(1)
        With ``picks``: it is a tile's first event; its last.
    empty : Out(1)
        With ``picks``: there is no event.
    stalled : Out(1)
        A tile's last event waits.
    """

    i: stream.Interface
    bits: Signal
    picks: Signal
    row: Signal
    first: Signal
    last: Signal
    empty: Signal
    stalled: Signal

    def __init__(self, config: CoreConfig) -> None:
        self.config = config
        super().__init__(
            {
                "i": In(stream.Signature(word_layout(config))),
                "bits": In(WORD),
                "picks": Out(1),
                "row": Out(bits_for(config.weight_rows)),
                "first": Out(1),
                "last": Out(1),
                "empty": Out(1),
                "stalled": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        word = Signal.like(self.i.payload)
        left, busy = Signal(WORD), Signal()
        some, index, rest = lowest_set(left)
        coming = Signal(WORD)
        final, drops, loads = Signal(), Signal(), Signal()
        wait = Signal(range(self.config.lanes))  # cycles until the update can take the next tile
        m.d.comb += [
            coming.eq(Mux(self.i.payload.seen, self.bits, Const(0, WORD))),
            final.eq(at_most_one(left)),
            self.last.eq(word.last & final),
            self.empty.eq(~some),
            self.row.eq(word.row + index),
            self.stalled.eq(busy & self.last & (wait != 0)),
            self.picks.eq(busy & ~self.stalled),
            drops.eq(~self.i.payload.last & (coming == 0)),
            loads.eq(self.i.valid & ~drops & (~busy | (self.picks & final))),
            self.i.ready.eq(drops | loads),
        ]
        begun = Signal()
        m.d.comb += self.first.eq(~begun)
        with m.If(wait != 0):
            m.d.sync += wait.eq(wait - 1)
        with m.If(self.picks):
            m.d.sync += [left.eq(rest), begun.eq(~self.last), busy.eq(~final)]
            with m.If(self.last):
                m.d.sync += wait.eq(self.config.lanes - 1)
        with m.If(loads):
            m.d.sync += [word.eq(self.i.payload), left.eq(coming), busy.eq(1)]
        return m
