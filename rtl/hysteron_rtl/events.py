# SPDX-License-Identifier: Apache-2.0
"""The event finder: summaries of non-empty words → words → one event a cycle."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hysteron_spec.core import STATE_LOOP, CoreConfig, bits_for
from hysteron_spec.packets import WORD, WORD_LOG2

from .bits import lowest_set
from .layouts import event_layout, segment_layout, source_layout, word_bits, word_layout


class WordScanner(wiring.Component):
    """Lists the non-empty words of each segment, lowest first, one a cycle.

    A segment without any yields one ``empty`` entry. A segment is taken in the cycle in which its
    predecessor's last word leaves; its own first word leaves in the next cycle.

    Attributes
    ----------
    i : In(stream of {request: segment, data: summary})
        Bit *k* of the summary tells whether word *k* has a spike.
    o : Out(stream of word)
        The words to read (:func:`~hysteron_rtl.layouts.word_layout`).
    source : Out(source_layout)
        Where the word on ``o`` is to be read.
    scanned : Out(1)
        Up while the last word of a job leaves.
    layer : Out(bits_for(max_layers))
        With ``scanned``: the job's layer.
    frees : Out(1)
        With ``scanned``: that frees an input slot.
    """

    i: stream.Interface
    o: stream.Interface
    source: data.View
    scanned: Signal
    frees: Signal
    layer: Signal

    def __init__(self, config: CoreConfig) -> None:
        self.config = config
        summary = max(config.input_words, config.hidden_words)
        super().__init__(
            {
                "i": In(stream.Signature(data.StructLayout({"request": segment_layout(config), "data": summary}))),
                "o": Out(stream.Signature(word_layout(config))),
                "source": Out(source_layout(config)),
                "scanned": Out(1),
                "frees": Out(1),
                "layer": Out(bits_for(config.max_layers)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        segment = Signal.like(self.i.payload.request, reset_less=True)
        left = Signal.like(self.i.payload.data, reset_less=True)
        busy, fresh = Signal(), Signal()
        some, index, rest = lowest_set(left)
        leaves, ends = Signal(), Signal()
        m.d.comb += [
            ends.eq(rest == 0),
            self.o.valid.eq(busy),
            self.o.payload.hidden.eq(segment.source.hidden),
            self.o.payload.word.eq(index),
            self.o.payload.row.eq(segment.row),
            self.o.payload.first.eq(segment.first & fresh),
            self.o.payload.last.eq(segment.last & ends),
            self.o.payload.double.eq(segment.double & fresh),
            self.o.payload.empty.eq(~some),
            self.o.payload.pass_.eq(segment.pass_),
            self.source.eq(segment.source),
            leaves.eq(busy & self.o.ready),
            self.i.ready.eq(~busy | (leaves & ends)),
            self.scanned.eq(leaves & ends & segment.scan_last),
            self.layer.eq(segment.pass_.layer),
            self.frees.eq(self.scanned & segment.frees),
        ]
        with m.If(leaves):
            m.d.sync += [left.eq(rest), fresh.eq(0), busy.eq(~ends)]
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [segment.eq(self.i.payload.request), left.eq(self.i.payload.data), fresh.eq(1), busy.eq(1)]
        return m


class EventFinder(wiring.Component):
    """Takes words apart, lowest bit first: one event a cycle, also from one word to the next.

    A word is taken in the cycle in which its predecessor's last event is picked. A pass's last event waits
    while the same tile's state is still under way to memory.

    Attributes
    ----------
    i : In(stream of {request: word, data: its bits})
        A word and what memory held there.
    valid : Out(1)
        There is an event, in the cycle after it was picked.
    event : Out(event_layout)
        With ``valid``: the event; the weight row can be read in the same cycle.
    stalled : Out(1)
        An event waits.
    """

    i: stream.Interface
    valid: Signal
    event: data.View
    stalled: Signal

    def __init__(self, config: CoreConfig) -> None:
        self.config = config
        super().__init__(
            {
                "i": In(stream.Signature(data.StructLayout({"request": word_layout(config), "data": WORD}))),
                "valid": Out(1),
                "event": Out(event_layout(config)),
                "stalled": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self.config
        word = Signal.like(self.i.payload.request, reset_less=True)
        bits = Signal(WORD, reset_less=True)
        busy, fresh = Signal(), Signal()
        _, index, rest = lowest_set(bits)

        # A word of w bits holds sources w * word … w * word + w - 1.
        shift = (config.spike_word - 1).bit_length()
        source = Signal(word_bits(config) + WORD_LOG2)
        m.d.comb += source.eq(Mux(word.hidden, Cat(index[:shift], word.word), Cat(index, word.word)))

        final, last, picks, clash = Signal(), Signal(), Signal(), Signal()
        tile = word.pass_.tile
        recent = [
            (Signal(name=f"recent_{k}"), Signal.like(tile, name=f"recent_tile_{k}")) for k in range(STATE_LOOP - 1)
        ]
        m.d.comb += [
            final.eq(rest == 0),
            last.eq(word.last & final),
            clash.eq(last & Cat(valid & (address == tile) for valid, address in recent).any()),
            picks.eq(busy & ~clash),
            self.stalled.eq(busy & clash),
            self.i.ready.eq(~busy | (picks & final)),
        ]
        older_valid, older_tile = picks & last, tile
        for valid, address in recent:
            m.d.sync += [valid.eq(older_valid), address.eq(older_tile)]
            older_valid, older_tile = valid, address

        m.d.sync += self.valid.eq(picks)
        with m.If(picks):
            m.d.sync += [
                self.event.row.eq(word.row + source),
                self.event.first.eq(word.first & fresh),
                self.event.last.eq(last),
                self.event.double.eq(word.double & fresh),
                self.event.empty.eq(word.empty),
                self.event.pass_.eq(word.pass_),
                bits.eq(rest),
                fresh.eq(0),
                busy.eq(~final),
            ]
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [
                word.eq(self.i.payload.request),
                bits.eq(Mux(self.i.payload.request.empty, Const(0, WORD), self.i.payload.data)),
                fresh.eq(1),
                busy.eq(1),
            ]
        return m
