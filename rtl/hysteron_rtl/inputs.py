# SPDX-License-Identifier: Apache-2.0
"""The input unit: packets in, spike bitmaps in two slots out. Specified in docs/specification.md, §6."""

from dataclasses import dataclass

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from hysteron_spec.core import CoreConfig, bits_for
from hysteron_spec.packets import COUNT_BITS, WORD, WORD_LOG2, Kind

from .bits import take_turns
from .encoder import Encoder
from .layouts import SLOT_FLAGS
from .memory import LoadPort, LoadSignature
from .settings import WIDTHS


@dataclass(frozen=True)
class _Slot:
    """The slot that is being filled."""

    #: Port by which words of bitmaps are written, and the one by which events read what they change.
    write: memory.WritePort
    old: memory.ReadPort
    #: Port by which summaries are written.
    summary: memory.WritePort
    #: Which of the two slots it is; whether it may be written.
    number: Signal
    free: Signal
    #: Words of the bitmap, as far as it has come, that have a spike.
    found: Signal
    #: Number of the first bit plane, the only one of a bitmap that comes as one.
    plane0: Const

    def word_address(self, word: Value) -> Cat:
        """Where a word of a bitmap is."""
        return Cat(word, self.plane0, self.number)


@dataclass(frozen=True)
class _Packet:
    """The packet that is being taken."""

    #: From its header: its kind; whether it ends a sample.
    kind: Signal
    last: Signal
    #: Words, or events, that have not come yet; words that have.
    left: Signal
    word: Signal
    #: Whether the next header begins a sample; whether the next event is in the upper half of its word.
    begin: Signal
    high: Signal
    #: Words of a whole bitmap and of an image.
    bitmap_words: Signal
    image_words: Signal
    #: Bits of the next word that stand for inputs.
    tail: Signal
    #: A word is taken in this cycle.
    taken: Signal


class InputUnit(wiring.Component):
    """Takes packets (:mod:`hysteron_spec.packets`), a word a cycle, and fills one slot while the other is read.

    A slot is the bitmap of one time step, or the 8 bit planes of one image in direct coding. After
    a malformed header every word is dropped until reset, so that the stream never stands still.

    Attributes
    ----------
    i : In(stream of 32 bits)
        Packets.
    run : In(1)
        Accept headers.
    inputs : In(14), steps : In(8), coding : In(2), seed : In(128)
        Register values.
    load : In(LoadSignature)
        Fills the encoder's threshold table.
    slots : Out(2 of SLOT_FLAGS)
        What each slot holds, from the cycle after ``filled`` on.
    filled : Out(1)
        Strobe: a slot has been filled (slots are filled in turn, from slot 0); it can be read from the next cycle on.
    free : In(1)
        Strobe: the slot that was filled first has been read for the last time.
    begins : Out(1)
        Strobe: a sample's first header was accepted.
    bad_header, bad_index : Out(1)
        Strobes: a header was malformed; an event was of no input and was dropped.
    fault : Out(1)
        Input is being dropped.
    summary_en : In(1)
        Read a summary.
    slot : In(1), plane : In(plane_bits)
        With ``summary_en``: of which bitmap.
    summary : Out(input_words)
        One cycle after ``summary_en``: bit *k* tells whether word *k* of the bitmap has a spike.
    word_en : In(1)
        Read a word.
    word_slot : In(1), word_plane : In(plane_bits), word : In(bits_for(input_words))
        With ``word_en``: of which bitmap; its number.
    bits : Out(32)
        One cycle after ``word_en``: the word.
    """

    i: stream.Interface
    run: Signal
    inputs: Signal
    steps: Signal
    coding: Signal
    seed: Signal
    load: LoadPort
    slots: data.View
    filled: Signal
    free: Signal
    begins: Signal
    bad_header: Signal
    bad_index: Signal
    fault: Signal
    summary_en: Signal
    slot: Signal
    plane: Signal
    summary: Signal
    word_en: Signal
    word_slot: Signal
    word_plane: Signal
    word: Signal
    bits: Signal

    def __init__(self, config: CoreConfig) -> None:
        self.config = config
        plane, word = config.plane_bits, bits_for(config.input_words)
        super().__init__(
            {
                "i": In(stream.Signature(32)),
                "run": In(1),
                "inputs": In(WIDTHS["inputs"]),
                "steps": In(WIDTHS["steps"]),
                "coding": In(WIDTHS["coding"]),
                "seed": In(WIDTHS["seed"]),
                "load": In(LoadSignature()),
                "slots": Out(data.ArrayLayout(SLOT_FLAGS, 2)),
                "filled": Out(1),
                "free": In(1),
                "begins": Out(1),
                "bad_header": Out(1),
                "bad_index": Out(1),
                "fault": Out(1),
                "summary_en": In(1),
                "slot": In(1),
                "plane": In(plane),
                "summary": Out(config.input_words),
                "word_en": In(1),
                "word_slot": In(1),
                "word_plane": In(plane),
                "word": In(word),
                "bits": Out(WORD),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        slot = self._slots(m)
        encoder_idle = Signal(init=1)
        encoder_filled = Signal()
        encoder: Encoder | None = None
        if self.config.encoder:
            m.submodules.encoder = encoder = Encoder(self.config)
            self._connect_encoder(m, encoder, slot)
            m.d.comb += [encoder_idle.eq(encoder.idle), encoder_filled.eq(encoder.filled)]
            self._store_encoded(m, encoder, slot)
        packet = self._packet(m)
        event, index = self._events(m, packet, slot)
        with m.FSM():
            with m.State("HEADER"):
                self._take_header(m, packet)
            with m.State("PREPARE"):
                # The slot's flags: the sample's first step is the one whose header began it.
                with m.If(packet.kind == Kind.PIXELS):
                    if encoder is not None:
                        with m.If(encoder.bank_free):
                            m.next = "PIXELS"
                with m.Elif(slot.free & encoder_idle):
                    with m.If(packet.left == 0):
                        m.next = "FINISH"
                    with m.Elif(packet.kind == Kind.BITMAP):
                        m.next = "BITMAP"
                    with m.Else():
                        m.next = "EVENTS"
            with m.State("BITMAP"):
                self._take_bitmap(m, packet, slot)
            with m.State("EVENTS"):
                m.d.comb += self.i.ready.eq(packet.high | (packet.left == 1))
                with m.If(self.i.valid):
                    m.d.comb += [event.eq(index < self.inputs), self.bad_index.eq(index >= self.inputs)]
                    m.d.sync += [packet.high.eq(~packet.high), packet.left.eq(packet.left - 1)]
                    with m.If(packet.left == 1):
                        m.next = "FINISH"
            if encoder is not None:
                with m.State("PIXELS"):
                    self._take_pixels(m, packet, encoder)
            with m.State("FINISH"):
                m.d.comb += [
                    slot.summary.en.eq(1),
                    slot.summary.addr.eq(Cat(slot.plane0, slot.number)),
                    slot.summary.data.eq(slot.found),
                    self.filled.eq(1),
                ]
                m.d.sync += slot.found.eq(0)
                m.next = "HEADER"
            with m.State("FAULT"):
                m.d.comb += [self.i.ready.eq(1), self.fault.eq(1)]

        # A slot begins a sample if the packet before it ended one.
        start = Signal(init=1)
        with m.If(self.filled & ~encoder_filled):
            m.d.sync += [
                self.slots[slot.number].start.eq(start),
                self.slots[slot.number].last.eq(packet.last),
                self.slots[slot.number].direct.eq(0),
                start.eq(packet.last),
            ]
        return m

    def _slots(self, m: Module) -> _Slot:
        """The bitmaps of both slots, how they are read, and whose turn it is."""
        config = self.config
        word_bits, plane_bits = bits_for(config.input_words), config.plane_bits
        # One memory for both slots; the first read port serves the event finder, the second the
        # read-modify-write of event packets.
        bitmaps: memory.Memory[int, Value] = memory.Memory(shape=WORD, depth=1 << 1 + plane_bits + word_bits, init=[])
        m.submodules.bitmaps = bitmaps
        write = bitmaps.write_port()
        read = bitmaps.read_port()
        old = bitmaps.read_port(transparent_for=(write,))
        summaries: memory.Memory[int, Value] = memory.Memory(
            shape=config.input_words, depth=1 << 1 + plane_bits, init=[]
        )
        m.submodules.summaries = summaries
        summary_write, summary_read = summaries.write_port(), summaries.read_port()
        m.d.comb += [
            read.en.eq(self.word_en),
            read.addr.eq(Cat(self.word, self.word_plane, self.word_slot)),
            self.bits.eq(read.data),
            summary_read.en.eq(self.summary_en),
            summary_read.addr.eq(Cat(self.plane, self.slot)),
            self.summary.eq(summary_read.data),
        ]
        full = Signal(2)
        fill, drain = Signal(), Signal()  # slots in turn
        slot_free = Signal()
        m.d.comb += slot_free.eq(~full.bit_select(fill, 1))
        take_turns(m, full=full, put=fill, get=drain, fills=self.filled, frees=self.free)
        found = Signal(config.input_words)
        return _Slot(write, old, summary_write, fill, slot_free, found, Const(0, plane_bits))

    def _connect_encoder(self, m: Module, encoder: Encoder, slot: _Slot) -> None:
        """What the encoder is told."""
        wiring.connect(m, encoder.load, wiring.flipped(self.load))
        m.d.comb += [
            encoder.inputs.eq(self.inputs),
            encoder.steps.eq(self.steps),
            encoder.coding.eq(self.coding),
            encoder.seed.eq(self.seed),
            encoder.slot_free.eq(slot.free),
        ]

    def _store_encoded(self, m: Module, encoder: Encoder, slot: _Slot) -> None:
        """Store the encoder's bitmaps; it works only while no packet but an image is taken."""
        with m.If(encoder.write):
            m.d.comb += [
                slot.write.en.eq(1),
                slot.write.addr.eq(Cat(encoder.word, encoder.plane, slot.number)),
                slot.write.data.eq(encoder.bits),
            ]
        with m.If(encoder.finish):
            m.d.comb += [
                slot.summary.en.eq(1),
                slot.summary.addr.eq(Cat(encoder.plane, slot.number)),
                slot.summary.data.eq(encoder.found),
            ]
        with m.If(encoder.filled):
            m.d.comb += self.filled.eq(1)
            m.d.sync += self.slots[slot.number].eq(encoder.flags)

    def _packet(self, m: Module) -> _Packet:
        """What is known of the packet that is being taken, and how long one may be."""
        packet_kind, packet_last = Signal(4), Signal()
        left, word = Signal(COUNT_BITS), Signal(bits_for(self.config.input_words))
        begin, high = Signal(init=1), Signal()
        bitmap_words, image_words = Signal(WIDTHS["inputs"]), Signal(WIDTHS["inputs"])
        m.d.comb += [
            bitmap_words.eq((self.inputs + (WORD - 1))[WORD_LOG2:]),
            image_words.eq((self.inputs + 3)[2:]),
        ]
        tail = Signal(WORD)  # inputs that the last word of a bitmap holds
        with m.If((word + 1 == bitmap_words) & (self.inputs[:WORD_LOG2] != 0)):
            m.d.comb += tail.eq((1 << self.inputs[:WORD_LOG2]) - 1)
        with m.Else():
            m.d.comb += tail.eq(~0)
        taken = Signal()
        m.d.comb += taken.eq(self.i.valid & self.i.ready)
        return _Packet(packet_kind, packet_last, left, word, begin, high, bitmap_words, image_words, tail, taken)

    def _events(self, m: Module, packet: _Packet, slot: _Slot) -> tuple[Signal, Signal]:
        """Set the bit of an event: its word is read in the cycle in which it is taken and written in the next.

        Returns ``(event, index)``: the strobe that there is one, to be driven, and its input.
        """
        word_bits = bits_for(self.config.input_words)
        index = Signal(COUNT_BITS)
        m.d.comb += index.eq(Mux(packet.high, self.i.payload[16:], self.i.payload[:16]))
        event, event_q, seen_q = Signal(), Signal(), Signal()
        index_q = Signal.like(index)
        m.d.sync += [event_q.eq(event), index_q.eq(index)]
        index_word = index[WORD_LOG2 : WORD_LOG2 + word_bits]
        m.d.comb += [slot.old.en.eq(event), slot.old.addr.eq(slot.word_address(index_word))]
        with m.If(event):
            m.d.sync += [
                slot.found.eq(slot.found | (1 << index_word)),
                seen_q.eq(slot.found.bit_select(index_word, 1)),
            ]
        with m.If(event_q):
            m.d.comb += [
                slot.write.en.eq(1),
                slot.write.addr.eq(slot.word_address(index_q[WORD_LOG2 : WORD_LOG2 + word_bits])),
                slot.write.data.eq(Mux(seen_q, slot.old.data, 0) | (1 << index_q[:WORD_LOG2])),
            ]
        return event, index

    def _take_header(self, m: Module, packet: _Packet) -> None:
        """State HEADER: a packet is accepted, or everything is dropped from here on."""
        kind, last, count = self.i.payload[28:32], self.i.payload[27], self.i.payload[:16]
        m.d.comb += self.i.ready.eq(self.run)
        m.d.sync += [
            packet.kind.eq(kind),
            packet.last.eq(last),
            packet.left.eq(count),
            packet.word.eq(0),
            packet.high.eq(0),
        ]
        with m.If(packet.taken):
            good = (kind == Kind.EVENTS) | ((kind == Kind.BITMAP) & (count <= packet.bitmap_words))
            if self.config.encoder:
                # An image is a sample of its own, and needs to know its number of steps.
                image_due = packet.begin & (self.steps != 0)
                good |= (kind == Kind.PIXELS) & (count == packet.image_words) & image_due
            with m.If(good):
                m.d.comb += self.begins.eq(packet.begin)
                m.d.sync += packet.begin.eq(last | (kind == Kind.PIXELS))
                m.next = "PREPARE"
            with m.Else():
                m.d.comb += self.bad_header.eq(1)
                m.next = "FAULT"

    def _take_bitmap(self, m: Module, packet: _Packet, slot: _Slot) -> None:
        """State BITMAP: a word goes into the slot as it comes."""
        m.d.comb += [
            self.i.ready.eq(1),
            slot.write.en.eq(packet.taken),
            slot.write.addr.eq(slot.word_address(packet.word)),
            slot.write.data.eq(self.i.payload & packet.tail),
        ]
        with m.If(packet.taken):
            m.d.sync += [packet.word.eq(packet.word + 1), packet.left.eq(packet.left - 1)]
            with m.If((self.i.payload & packet.tail) != 0):
                m.d.sync += slot.found.eq(slot.found | (1 << packet.word))
            with m.If(packet.left == 1):
                m.next = "FINISH"

    def _take_pixels(self, m: Module, packet: _Packet, encoder: Encoder) -> None:
        """State PIXELS: a word goes to the encoder as it comes; the packet does not wait for the bitmaps."""
        m.d.comb += [
            self.i.ready.eq(1),
            encoder.pixels_en.eq(packet.taken),
            encoder.pixels.eq(self.i.payload),
            encoder.pixels_last.eq(packet.left == 1),
        ]
        with m.If(packet.taken):
            m.d.sync += packet.left.eq(packet.left - 1)
            with m.If(packet.left == 1):
                m.next = "HEADER"
