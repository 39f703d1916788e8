"""Words of memory into the core, without the processor: packets into its input stream, weights into a register."""

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.crc.catalog import CRC32_ISO_HDLC
from amaranth.lib.wiring import In, Out

from .. import bus
from ..registers import ADDRESS_BITS
from .memory import RequestSignature


class Copier(wiring.Component):
    """Copies ``count`` words from memory to a register of the core, which takes them all, or into its input stream.

    A word takes 2 cycles into the stream and 3 into a register, if memory is free and the core takes it.

    Attributes
    ----------
    start, stop, clear : In
        Begin; give up, with the word under way if it goes to the stream, else after it; start the check anew.
    source, count : In
        Address of the first word; words, of which 0 do nothing.
    to_stream, register : In
        Where to; must stay while ``left`` is not 0.
    left : Out
        Words that are not copied yet.
    check : Out
        CRC-32 (of zlib, low bytes first) over all words copied since ``clear``.
    memory : Out(RequestSignature)
    bus : Out(bus.Signature)
    o : Out(stream of 32 bits)
    """

    start: In(1)
    stop: In(1)
    clear: In(1)
    source: In(32)
    count: In(16)
    to_stream: In(1)
    register: In(16)
    left: Out(16)
    check: Out(32)
    memory: Out(RequestSignature())
    bus: Out(bus.Signature(ADDRESS_BITS))
    o: Out(stream.Signature(32))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.crc = crc = CRC32_ISO_HDLC(data_width=32).create()
        address, word = Signal(32), Signal(32)
        fresh, stopping = Signal(), Signal()
        now = Signal(32)
        m.d.sync += fresh.eq(self.memory.valid & self.memory.ready)
        with m.If(fresh):
            m.d.comb += now.eq(self.memory.answer)
            m.d.sync += word.eq(self.memory.answer)
        with m.Else():
            m.d.comb += now.eq(word)
        m.d.comb += [
            self.check.eq(crc.crc),
            crc.start.eq(self.clear),
            crc.data.eq(now),
            self.memory.address.eq(address),
            self.o.payload.eq(now),
            self.bus.dat_w.eq(now),
            self.bus.adr.eq(self.register[2:]),
            self.bus.we.eq(1),
            self.bus.sel.eq(0xF),
        ]
        taken = Signal()
        m.d.comb += crc.valid.eq(taken)
        with m.If(self.stop):
            m.d.sync += stopping.eq(1)
        with m.FSM():
            with m.State("IDLE"):
                m.d.sync += stopping.eq(0)
                with m.If(self.start & (self.count != 0)):
                    m.d.sync += [self.left.eq(self.count), address.eq(self.source)]
                    m.next = "FETCH"
            with m.State("FETCH"):
                with m.If(stopping):
                    m.d.sync += self.left.eq(0)
                    m.next = "IDLE"
                with m.Else():
                    m.d.comb += self.memory.valid.eq(1)
                    with m.If(self.memory.ready):
                        m.next = "GIVE"
            with m.State("GIVE"):
                with m.If(self.to_stream):
                    m.d.comb += [self.o.valid.eq(1), taken.eq(self.o.ready)]
                with m.Else():
                    m.d.comb += [self.bus.cyc.eq(1), self.bus.stb.eq(1), taken.eq(self.bus.ack)]
                with m.If(taken):
                    m.d.sync += [self.left.eq(self.left - 1), address.eq(address + 4)]
                    with m.If(self.left == 1):
                        m.next = "IDLE"
                    with m.Else():
                        m.next = "FETCH"
                with m.Elif(stopping & self.to_stream):
                    # Only ever followed by a reset of the core, which may then forget the word it was offered.
                    m.d.sync += self.left.eq(0)
                    m.next = "IDLE"
        return m
