"""The input unit: packets in, spike bitmaps in two slots out. Specified in docs/specification.md, §6."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from hysteron_spec.core import CoreConfig, bits_for
from hysteron_spec.packets import WORD, Kind

from .encoder import Encoder
from .layouts import SLOT_FLAGS
from .memory import LoadSignature


class InputUnit(wiring.Component):
    """Takes packets (:mod:`hysteron_spec.packets`), a word a cycle, and fills one slot while the other is read.

    A slot is the bitmap of one time step, or the 8 bit planes of one image in direct coding. After
    a malformed header every word is dropped until reset, so that the stream never stands still.

    Attributes
    ----------
    i : In(stream of 32 bits)
    run : In
        Accept headers.
    inputs, steps, coding, seed : In
        Register values.
    load : In(LoadSignature)
        Fills the encoder's threshold table.
    slots : Out
        What each slot holds.
    filled : Out
        Strobe: a slot has been filled (slots are filled in turn, from slot 0).
    free : In
        Strobe: the slot that was filled first has been read for the last time.
    begins : Out
        Strobe: a sample's first header was accepted.
    bad_header, bad_index : Out
        Error strobes.
    fault : Out
        Input is being dropped.
    summary_en, slot, plane : In; summary : Out
        Bit *k* tells whether word *k* of the bitmap has a spike; a cycle later.
    word_en, word_slot, word_plane, word : In; bits : Out
        A word of a bitmap; a cycle later.
    """

    def __init__(self, config: CoreConfig) -> None:
        self.config = config
        plane, word = config.plane_bits, bits_for(config.input_words)
        super().__init__(
            {
                "i": In(stream.Signature(32)),
                "run": In(1),
                "inputs": In(14),
                "steps": In(8),
                "coding": In(2),
                "seed": In(128),
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
        config = self.config
        word_bits, plane_bits = bits_for(config.input_words), config.plane_bits

        # One memory for both slots; the first read port serves the event finder, the second the
        # read-modify-write of event packets.
        m.submodules.bitmaps = bitmaps = memory.Memory(shape=WORD, depth=1 << 1 + plane_bits + word_bits, init=[])
        write = bitmaps.write_port()
        read = bitmaps.read_port()
        old = bitmaps.read_port(transparent_for=(write,))
        m.submodules.summaries = summaries = memory.Memory(shape=config.input_words, depth=1 << 1 + plane_bits, init=[])
        summary_write, summary_read = summaries.write_port(), summaries.read_port()
        m.d.comb += [
            read.en.eq(self.word_en),
            read.addr.eq(Cat(self.word, self.word_plane, self.word_slot)),
            self.bits.eq(read.data),
            summary_read.en.eq(self.summary_en),
            summary_read.addr.eq(Cat(self.plane, self.slot)),
            self.summary.eq(summary_read.data),
        ]

        plane0 = Const(0, plane_bits)

        # Slots
        full = Signal(2)
        fill, drain = Signal(), Signal()  # slots in turn
        slot_free = Signal()
        m.d.comb += slot_free.eq(~full.bit_select(fill, 1))
        m.d.sync += full.eq((full | (self.filled << fill)) & ~(self.free << drain))
        with m.If(self.filled):
            m.d.sync += fill.eq(~fill)
        with m.If(self.free):
            m.d.sync += drain.eq(~drain)

        encoder_idle = Signal(init=1)
        encoder_filled = Signal()
        found = Signal(config.input_words)  # words of the bitmap under construction that have a spike
        if config.encoder:
            m.submodules.encoder = encoder = Encoder(config)
            wiring.connect(m, encoder.load, wiring.flipped(self.load))
            m.d.comb += [
                encoder.inputs.eq(self.inputs),
                encoder.steps.eq(self.steps),
                encoder.coding.eq(self.coding),
                encoder.seed.eq(self.seed),
                encoder.slot_free.eq(slot_free),
                encoder_idle.eq(encoder.idle),
                encoder_filled.eq(encoder.filled),
            ]
            with m.If(encoder.write):
                m.d.comb += [
                    write.en.eq(1),
                    write.addr.eq(Cat(encoder.word, encoder.plane, fill)),
                    write.data.eq(encoder.bits),
                ]
            with m.If(encoder.finish):
                m.d.comb += [
                    summary_write.en.eq(1),
                    summary_write.addr.eq(Cat(encoder.plane, fill)),
                    summary_write.data.eq(encoder.found),
                ]
            with m.If(encoder.filled):
                m.d.comb += self.filled.eq(1)
                m.d.sync += self.slots[fill].eq(encoder.flags)

        # Packets
        kind, last, count = self.i.payload[28:32], self.i.payload[27], self.i.payload[:16]
        packet_kind, packet_last = Signal(4), Signal()
        left, word = Signal(16), Signal(word_bits)
        begin, high = Signal(init=1), Signal()
        bitmap_words, image_words = Signal(14), Signal(14)
        m.d.comb += [
            bitmap_words.eq((self.inputs + (WORD - 1))[5:]),
            image_words.eq((self.inputs + 3)[2:]),
        ]
        tail = Signal(WORD)  # inputs that the last word of a bitmap holds
        with m.If((word + 1 == bitmap_words) & (self.inputs[:5] != 0)):
            m.d.comb += tail.eq((1 << self.inputs[:5]) - 1)
        with m.Else():
            m.d.comb += tail.eq(~0)
        taken = Signal()
        m.d.comb += taken.eq(self.i.valid & self.i.ready)

        # An event's word is read in the cycle in which it is taken and written in the next.
        index = Signal(16)
        m.d.comb += index.eq(Mux(high, self.i.payload[16:], self.i.payload[:16]))
        event, event_q, seen_q = Signal(), Signal(), Signal()
        index_q = Signal.like(index)
        m.d.sync += [event_q.eq(event), index_q.eq(index)]
        index_word = index[5 : 5 + word_bits]
        m.d.comb += [old.en.eq(event), old.addr.eq(Cat(index_word, plane0, fill))]
        with m.If(event):
            m.d.sync += [found.eq(found | (1 << index_word)), seen_q.eq(found.bit_select(index_word, 1))]
        with m.If(event_q):
            m.d.comb += [
                write.en.eq(1),
                write.addr.eq(Cat(index_q[5 : 5 + word_bits], plane0, fill)),
                write.data.eq(Mux(seen_q, old.data, 0) | (1 << index_q[:5])),
            ]

        with m.FSM():
            with m.State("HEADER"):
                m.d.comb += self.i.ready.eq(self.run)
                m.d.sync += [packet_kind.eq(kind), packet_last.eq(last), left.eq(count), word.eq(0), high.eq(0)]
                with m.If(taken):
                    good = (kind == Kind.EVENTS) | ((kind == Kind.BITMAP) & (count <= bitmap_words))
                    if config.encoder:
                        # An image is a sample of its own, and needs to know its number of steps.
                        image_due = begin & (self.steps != 0)
                        good |= (kind == Kind.PIXELS) & (count == image_words) & image_due
                    with m.If(good):
                        m.d.comb += self.begins.eq(begin)
                        m.d.sync += begin.eq(last | (kind == Kind.PIXELS))
                        m.next = "PREPARE"
                    with m.Else():
                        m.d.comb += self.bad_header.eq(1)
                        m.next = "FAULT"
            with m.State("PREPARE"):
                # The slot's flags: the sample's first step is the one whose header began it.
                with m.If(packet_kind == Kind.PIXELS):
                    if config.encoder:
                        with m.If(encoder.bank_free):
                            m.next = "PIXELS"
                with m.Elif(slot_free & encoder_idle):
                    with m.If(left == 0):
                        m.next = "FINISH"
                    with m.Elif(packet_kind == Kind.BITMAP):
                        m.next = "BITMAP"
                    with m.Else():
                        m.next = "EVENTS"
            with m.State("BITMAP"):
                m.d.comb += [
                    self.i.ready.eq(1),
                    write.en.eq(taken),
                    write.addr.eq(Cat(word, plane0, fill)),
                    write.data.eq(self.i.payload & tail),
                ]
                with m.If(taken):
                    m.d.sync += [word.eq(word + 1), left.eq(left - 1)]
                    with m.If((self.i.payload & tail) != 0):
                        m.d.sync += found.eq(found | (1 << word))
                    with m.If(left == 1):
                        m.next = "FINISH"
            with m.State("EVENTS"):
                m.d.comb += self.i.ready.eq(high | (left == 1))
                with m.If(self.i.valid):
                    m.d.comb += [event.eq(index < self.inputs), self.bad_index.eq(index >= self.inputs)]
                    m.d.sync += [high.eq(~high), left.eq(left - 1)]
                    with m.If(left == 1):
                        m.next = "FINISH"
            if config.encoder:
                with m.State("PIXELS"):
                    m.d.comb += [
                        self.i.ready.eq(1),
                        encoder.pixels_en.eq(taken),
                        encoder.pixels.eq(self.i.payload),
                        encoder.pixels_last.eq(left == 1),
                    ]
                    with m.If(taken):
                        m.d.sync += left.eq(left - 1)
                        with m.If(left == 1):
                            m.next = "HEADER"
            with m.State("FINISH"):
                m.d.comb += [
                    summary_write.en.eq(1),
                    summary_write.addr.eq(Cat(plane0, fill)),
                    summary_write.data.eq(found),
                    self.filled.eq(1),
                ]
                m.d.sync += found.eq(0)
                m.next = "HEADER"
            with m.State("FAULT"):
                m.d.comb += [self.i.ready.eq(1), self.fault.eq(1)]

        # A slot begins a sample if the packet before it ended one.
        start = Signal(init=1)
        with m.If(self.filled & ~encoder_filled):
            m.d.sync += [
                self.slots[fill].start.eq(start),
                self.slots[fill].last.eq(packet_last),
                self.slots[fill].direct.eq(0),
                start.eq(packet_last),
            ]
        return m
