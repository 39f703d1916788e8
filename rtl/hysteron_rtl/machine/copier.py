# SPDX-License-Identifier: Apache-2.0
"""Words of memory into the core, without the processor: packets into its input stream, weights into a register."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.crc.catalog import CRC32_ISO_HDLC
from amaranth.lib.wiring import In, Out

from ..bus import BusPort, Signature
from ..registers import ADDRESS_BITS
from .memory import RequestPort, RequestSignature


class Copier(wiring.Component):
    """Copies ``count`` words from memory to a register of the core, which takes them all, or into its input stream.

    A word takes 5 cycles into the stream and 6 into a register, if memory is free and the core takes it: the check
    takes a byte a cycle, and a word goes out with its last one. A word comes over the line in 160 cycles at least.

    Attributes
    ----------
    start : In(1)
        Strobe: begin.
    stop : In(1)
        Strobe: give up, with the word under way if it goes to the stream, else after it.
    clear : In(1)
        Strobe: start the check anew.
    source : In(32), count : In(16)
        Address of the first word; words, of which 0 do nothing.
    to_stream : In(1), register : In(16)
        Whether the words go into the stream; else the address of the register. They must stay while ``left`` is not 0.
    left : Out(16)
        Words that are not copied yet.
    check : Out(32)
        CRC-32 (of zlib, low bytes first) over all words copied since ``clear``, while ``left`` is 0 and none was
        given up.
    memory : Out(RequestSignature)
        Where words are read.
    bus : Out(bus.Signature)
        The core's registers.
    o : Out(stream of 32 bits)
        The core's input stream.
    """

    start: Signal
    stop: Signal
    clear: Signal
    source: Signal
    count: Signal
    to_stream: Signal
    register: Signal
    left: Signal
    check: Signal
    memory: RequestPort
    bus: BusPort
    o: stream.Interface

    def __init__(self) -> None:
        super().__init__(
            {
                "start": In(1),
                "stop": In(1),
                "clear": In(1),
                "source": In(32),
                "count": In(16),
                "to_stream": In(1),
                "register": In(16),
                "left": Out(16),
                "check": Out(32),
                "memory": Out(RequestSignature()),
                "bus": Out(Signature(ADDRESS_BITS)),
                "o": Out(stream.Signature(32)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.crc = crc = CRC32_ISO_HDLC(data_width=8).create()
        address, word = Signal(32), Signal(32)
        fresh, stopping = Signal(), Signal()
        # The byte that goes into the check; the first one is there only in the cycle in which memory answers.
        byte, last_byte = Signal(2), Signal()
        m.d.sync += fresh.eq(self.memory.valid & self.memory.ready)
        with m.If(fresh):
            m.d.sync += word.eq(self.memory.answer)
        m.d.comb += [
            last_byte.eq(byte == 3),
            self.check.eq(crc.crc),
            crc.start.eq(self.clear),
            crc.data.eq(Mux(fresh, self.memory.answer[:8], word.word_select(byte, 8))),
            self.memory.address.eq(address),
            self.o.payload.eq(word),
            self.bus.dat_w.eq(word),
            self.bus.adr.eq(self.register[2:]),
            self.bus.we.eq(1),
            self.bus.sel.eq(0xF),
        ]
        taken = Signal()
        with m.If(self.stop):
            m.d.sync += stopping.eq(1)
        with m.FSM():
            with m.State("IDLE"):
                m.d.sync += stopping.eq(0)
                with m.If(self.start & (self.count != 0)):
                    m.d.sync += [self.left.eq(self.count), address.eq(self.source)]
                    m.next = "FETCH"
            with m.State("FETCH"):
                m.d.sync += byte.eq(0)
                with m.If(stopping):
                    m.d.sync += self.left.eq(0)
                    m.next = "IDLE"
                with m.Else():
                    m.d.comb += self.memory.valid.eq(1)
                    with m.If(self.memory.ready):
                        m.next = "GIVE"
            with m.State("GIVE"):
                with m.If(~last_byte):
                    m.d.comb += crc.valid.eq(1)
                    m.d.sync += byte.eq(byte + 1)
                with m.Elif(self.to_stream):
                    m.d.comb += [self.o.valid.eq(1), taken.eq(self.o.ready), crc.valid.eq(taken)]
                with m.Else():
                    m.d.comb += [self.bus.cyc.eq(1), self.bus.stb.eq(1), taken.eq(self.bus.ack), crc.valid.eq(taken)]
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
