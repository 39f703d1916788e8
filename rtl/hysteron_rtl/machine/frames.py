# SPDX-License-Identifier: Apache-2.0
"""Frames on a line of bytes: consistent overhead byte stuffing, and a CRC-32 behind the content.

On the line a frame is its content and the CRC-32 of the content (the one of Ethernet and zlib, low byte first), stuffed
so that no byte of it is 0, then a 0. The stuffing is that of S. Cheshire, M. Baker, "Consistent Overhead Byte
Stuffing", IEEE/ACM Transactions on Networking 7, 1999: it costs one byte, and one more for 254 bytes without a 0.

The receiver writes every byte to memory as it comes and posts a frame only when it has ended and its check is right, so
the processor never sees half a frame or a broken one.
"""

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import enum, stream, wiring
from amaranth.lib.crc.catalog import CRC32_ISO_HDLC
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from .memory import RequestPort, RequestSignature

#: Number of bytes of the check.
CHECK_BYTES = 4
#: Number of bytes of the longest block, which alone is not followed by a 0.
LONGEST = 254


class Ended(enum.Enum, shape=2):
    """Why a block ended."""

    ZERO = 0
    FULL = 1
    FRAME = 2


class FrameReceiver(wiring.Component):
    """Bytes of the line to frames in memory.

    A byte is written in the cycle after it came; bytes must be at least 3 cycles apart, which any serial line grants.

    Parameters
    ----------
    frame_bytes
        Size of a buffer: longest content and check; a power of two.
    slots
        Buffers; a power of two.

    Attributes
    ----------
    valid : In(1), data : In(8)
        Strobe: a byte of the line.
    base : In(32)
        Address of the first buffer; 0: there are none yet.
    memory : Out(RequestSignature)
        Where bytes are written; must be granted within 3 cycles.
    pop : In(1)
        Strobe: releases the oldest frame.
    count : Out(range(slots + 1))
        Frames that wait, from the cycle after the one that follows their last byte.
    slot : Out(range(slots)), length : Out(range(frame_bytes + 1))
        The oldest frame's buffer, and its bytes without the check.
    bad_check, bad_form, bad_room : Out(1)
        Strobes: a frame was dropped, for its check was wrong, it was no frame, or no buffer was free.
    """

    valid: Signal
    data: Signal
    base: Signal
    memory: RequestPort
    pop: Signal
    count: Signal
    slot: Signal
    length: Signal
    bad_check: Signal
    bad_form: Signal
    bad_room: Signal

    def __init__(self, *, frame_bytes: int, slots: int) -> None:
        self.frame_bytes, self.slots = frame_bytes, slots
        super().__init__(
            {
                "valid": In(1),
                "data": In(8),
                "base": In(32),
                "memory": Out(RequestSignature()),
                "pop": In(1),
                "count": Out(range(slots + 1)),
                "slot": Out(range(slots)),
                "length": Out(range(frame_bytes + 1)),
                "bad_check": Out(1),
                "bad_form": Out(1),
                "bad_room": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        size, slots = self.frame_bytes, self.slots
        m.submodules.crc = check = CRC32_ISO_HDLC(data_width=8).create()
        lengths: Memory[int, Value] = Memory(shape=len(self.length), depth=slots, init=[])
        m.submodules.lengths = lengths
        put, get = lengths.write_port(), lengths.read_port()

        # Unstuffing: a code byte n announces n - 1 bytes and, behind them, a 0 unless n is 255 or the frame ends.
        left = Signal(8)
        first = Signal(init=1)
        zero = Signal()  # the block before ends with a 0, if another follows
        code = Signal()
        emit, byte = Signal(), Signal(8)
        end = Signal()
        m.d.comb += [
            end.eq(self.valid & (self.data == 0)),
            code.eq(self.valid & ~end & (left == 0)),
            emit.eq(self.valid & ~end & ((left != 0) | (~first & zero))),
            byte.eq(Mux(left != 0, self.data, 0)),
        ]
        with m.If(code):
            m.d.sync += [left.eq(self.data - 1), zero.eq(self.data != 255), first.eq(0)]
        with m.Elif(self.valid & ~end):
            m.d.sync += left.eq(left - 1)

        # What is written where. A frame too long goes on being counted, but no longer written.
        head = Signal(range(slots))
        tail = Signal(range(slots))
        place = Signal(range(size + 1))
        room = Signal()
        posted = Signal()  # a frame was received whole in the cycle before
        long = Signal()
        m.d.comb += [room.eq((self.count + posted != slots) & (self.base != 0)), long.eq(place == size)]
        waiting = Signal()
        with m.If(self.memory.ready):
            m.d.sync += waiting.eq(0)
        with m.If(emit & ~long):
            m.d.sync += [
                waiting.eq(room),
                self.memory.address.eq(self.base + head * size + place),
                self.memory.data.eq(byte.replicate(4)),
                self.memory.strobe.eq(1 << place[:2]),
                place.eq(place + 1),
            ]
        too_long, lost = Signal(), Signal()
        with m.If(emit & long):
            m.d.sync += too_long.eq(1)
        with m.If(emit & ~room):
            # A buffer that becomes free in the middle of a frame has missed its beginning.
            m.d.sync += lost.eq(1)
        m.d.comb += [self.memory.valid.eq(waiting), check.data.eq(byte), check.valid.eq(emit), check.start.eq(end)]

        # The end of a frame. Two delimiters in a row are no frame at all.
        good = Signal()
        with m.If(end):
            m.d.sync += [first.eq(1), left.eq(0), zero.eq(0), place.eq(0), too_long.eq(0), lost.eq(0)]
            with m.If(first):
                pass
            with m.Elif((left != 0) | too_long | (place <= CHECK_BYTES)):
                m.d.comb += self.bad_form.eq(1)
            with m.Elif(~check.match_detected):
                m.d.comb += self.bad_check.eq(1)
            with m.Elif(lost):
                m.d.comb += self.bad_room.eq(1)
            with m.Else():
                m.d.comb += good.eq(1)
                m.d.sync += head.eq(head + 1)
        # A frame counts when its length has gone through the memory.
        pops, next_tail = Signal(), Signal.like(tail)
        m.d.comb += [
            pops.eq(self.pop & (self.count != 0)),
            next_tail.eq(tail + pops),
            put.en.eq(good),
            put.addr.eq(head),
            put.data.eq(place - CHECK_BYTES),
            get.addr.eq(next_tail),
            self.slot.eq(tail),
            self.length.eq(get.data),
        ]
        m.d.sync += [posted.eq(good), tail.eq(next_tail), self.count.eq(self.count + posted - pops)]
        return m


class FrameSender(wiring.Component):
    """A frame in memory to bytes of the line.

    Each block is read twice, first to find its length, then to send it, so no buffer is needed. After a reset a 0 is
    sent, which ends whatever the reset cut short.

    Parameters
    ----------
    frame_bytes
        Longest content and check.

    Attributes
    ----------
    start : In(1)
        Strobe: sends what ``source`` and ``length`` say.
    source : In(32), length : In(range(frame_bytes + 1))
        Address and bytes of the content, without the check; must stay while ``busy``.
    busy : Out(1)
        A frame is being sent, from the cycle after ``start`` until its last byte was taken.
    memory : Out(RequestSignature)
        Where the content is read.
    o : Out(stream of 8 bits)
        Bytes of the line.
    """

    start: Signal
    source: Signal
    length: Signal
    busy: Signal
    memory: RequestPort
    o: stream.Interface

    def __init__(self, *, frame_bytes: int) -> None:
        self.frame_bytes = frame_bytes
        super().__init__(
            {
                "start": In(1),
                "source": In(32),
                "length": In(range(frame_bytes + 1)),
                "busy": Out(1),
                "memory": Out(RequestSignature()),
                "o": Out(stream.Signature(8)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.crc = check = CRC32_ISO_HDLC(data_width=8).create()
        place = Signal(range(self.frame_bytes + 1))  # of the byte that is looked at
        begin = Signal.like(place)  # of the block
        run = Signal(8)  # bytes of the block that are known not to be 0
        left = Signal(8)  # of these, bytes that are not sent yet
        cause = Signal(Ended)
        end = Signal.like(place)
        own = Signal()  # the byte is one of the check's, not of memory
        m.d.comb += [
            end.eq(self.length + CHECK_BYTES),
            own.eq(place >= self.length),
            self.memory.address.eq(self.source + place),
        ]

        # What memory answers is there for one cycle only.
        fresh, held = Signal(), Signal(8)
        answer, byte = Signal(8), Signal(8)
        m.d.sync += fresh.eq(self.memory.valid & self.memory.ready)
        m.d.comb += [
            answer.eq(Mux(fresh, self.memory.answer.word_select(self.memory.address[:2], 8), held)),
            byte.eq(Mux(own, check.crc.word_select((place - self.length)[:2], 8), answer)),
            check.data.eq(byte),
        ]
        m.d.sync += held.eq(answer)

        def fetch(then: str) -> None:
            """Get the byte at ``place``."""
            m.d.comb += self.memory.valid.eq(~own)
            with m.If(own | self.memory.ready):
                m.next = then

        with m.FSM(init="DELIMITER") as machine:
            m.d.comb += self.busy.eq(~machine.ongoing("IDLE"))
            with m.State("IDLE"):
                m.d.comb += check.start.eq(self.start)
                m.d.sync += [place.eq(0), begin.eq(0), run.eq(0)]
                with m.If(self.start):
                    m.next = "SCAN"
            with m.State("SCAN"):
                with m.If((place == end) | (run == LONGEST)):
                    m.d.sync += cause.eq(Mux(place == end, Ended.FRAME, Ended.FULL))
                    m.next = "CODE"
                with m.Else():
                    fetch("SCANNED")
            with m.State("SCANNED"):
                m.d.comb += check.valid.eq(~own)
                with m.If(byte == 0):
                    m.d.sync += cause.eq(Ended.ZERO)
                    m.next = "CODE"
                with m.Else():
                    m.d.sync += [run.eq(run + 1), place.eq(place + 1)]
                    m.next = "SCAN"
            with m.State("CODE"):
                m.d.comb += [self.o.valid.eq(1), self.o.payload.eq(run + 1)]
                with m.If(self.o.ready):
                    m.d.sync += [place.eq(begin), left.eq(run)]
                    m.next = "SEND"
            with m.State("SEND"):
                with m.If(left != 0):
                    fetch("SENT")
                with m.Elif(cause == Ended.FRAME):
                    m.next = "DELIMITER"
                with m.Else():
                    after = Mux(cause == Ended.ZERO, place + 1, place)
                    m.d.sync += [place.eq(after), begin.eq(after), run.eq(0)]
                    m.next = "SCAN"
            with m.State("SENT"):
                m.d.comb += [self.o.valid.eq(1), self.o.payload.eq(byte)]
                with m.If(self.o.ready):
                    m.d.sync += [left.eq(left - 1), place.eq(place + 1)]
                    m.next = "SEND"
            with m.State("DELIMITER"):
                m.d.comb += [self.o.valid.eq(1), self.o.payload.eq(0)]
                with m.If(self.o.ready):
                    m.next = "IDLE"
        return m
