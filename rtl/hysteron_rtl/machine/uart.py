# SPDX-License-Identifier: Apache-2.0
"""The serial line: 8 data bits, no parity, one stop bit, least significant bit first."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

from ..ports import port

#: Width of the divisor.
DIVISOR_BITS = 16


class UartReceiver(wiring.Component):
    """Bits to bytes.

    A bit is sampled in its middle, counted from the edge that begins the byte; with 4 cycles a bit, senders may be off
    by 2 %. A byte comes out in the cycle after its stop bit was sampled; there is no back-pressure.

    Attributes
    ----------
    rx : In(1)
        The line, asynchronous.
    divisor : In(16)
        Cycles of a bit, at least 4.
    valid : Out(1), data : Out(8)
        Strobe: a byte.
    broken : Out(1)
        Strobe: a byte had no stop bit and was dropped.
    """

    rx: Signal
    divisor: Signal
    valid: Signal
    data: Signal
    broken: Signal

    def __init__(self) -> None:
        super().__init__(
            {
                "rx": port(In, 1, init=1),
                "divisor": In(DIVISOR_BITS),
                "valid": Out(1),
                "data": Out(8),
                "broken": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        rx = Signal(init=1)
        m.submodules.synchroniser = FFSynchronizer(self.rx, rx, init=1)
        timer = Signal(DIVISOR_BITS)
        bits = Signal(range(10))
        shift = Signal(8)
        m.d.sync += [self.valid.eq(0), self.broken.eq(0)]
        m.d.comb += self.data.eq(shift)
        with m.FSM():
            with m.State("IDLE"):
                # The line has been low for a cycle when this state sees it.
                m.d.sync += [timer.eq((self.divisor >> 1) - 1), bits.eq(0)]
                with m.If(~rx):
                    m.next = "BITS"
            with m.State("BITS"):
                m.d.sync += timer.eq(timer - 1)
                with m.If(timer == 0):
                    m.d.sync += [timer.eq(self.divisor - 1), bits.eq(bits + 1)]
                    with m.If(bits == 0):
                        with m.If(rx):  # no start bit, but a glitch
                            m.next = "IDLE"
                    with m.Elif(bits == 9):
                        m.d.sync += [self.valid.eq(rx), self.broken.eq(~rx)]
                        # A fast sender begins the next byte soon after this bit's middle.
                        with m.If(rx):
                            m.next = "IDLE"
                        with m.Else():
                            m.next = "HIGH"
                    with m.Else():
                        m.d.sync += shift.eq(Cat(shift[1:], rx))
            with m.State("HIGH"):
                with m.If(rx):
                    m.next = "IDLE"
        return m


class UartTransmitter(wiring.Component):
    """Bytes to bits, without a pause between bytes as long as there are some.

    Attributes
    ----------
    i : In(stream of 8 bits)
        Bytes. A byte's start bit is on the line in the cycle after the byte was taken.
    tx : Out(1)
        The line.
    divisor : In(16)
        Cycles of a bit, at least 4.
    """

    i: stream.Interface
    tx: Signal
    divisor: Signal

    def __init__(self) -> None:
        super().__init__({"i": In(stream.Signature(8)), "tx": port(Out, 1, init=1), "divisor": In(DIVISOR_BITS)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        timer = Signal(DIVISOR_BITS)
        left = Signal(range(11))
        shift = Signal(9, init=0x1FF)
        done = Signal()
        m.d.comb += [
            done.eq((left == 0) | ((left == 1) & (timer == 0))),
            self.i.ready.eq(done),
        ]
        with m.If(self.i.valid & done):
            m.d.sync += [
                self.tx.eq(0),
                shift.eq(Cat(self.i.payload, 1)),
                left.eq(10),
                timer.eq(self.divisor - 1),
            ]
        with m.Elif(left != 0):
            m.d.sync += timer.eq(timer - 1)
            with m.If(timer == 0):
                m.d.sync += [
                    self.tx.eq(shift[0]),
                    shift.eq(Cat(shift[1:], 1)),
                    left.eq(left - 1),
                    timer.eq(self.divisor - 1),
                ]
        return m
