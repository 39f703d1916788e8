# SPDX-License-Identifier: Apache-2.0
"""What a board's FPGA holds: clock, reset, a machine, and the pins."""

from collections.abc import Sequence
from typing import Any

from amaranth.hdl import Cat, Elaboratable, Module, Signal

from hysteron_rtl.machine.machine import Machine

from .board import Board
from .clocks import add_clock

#: Seconds between two blinks of the lamp that says that the clock runs.
_BLINK_HZ = 1


class Top(Elaboratable):
    """A machine on a board. The first LED blinks while the clock runs, the second is on after a restart by itself.

    Parameters
    ----------
    board
        The board that it is for.
    firmware
        The words of the ROM, 32 bits each.
    """

    def __init__(self, board: Board, firmware: Sequence[int]) -> None:
        self.board, self.firmware = board, firmware

    def elaborate(self, platform: Any) -> Module:
        """See :class:`amaranth.hdl.Elaboratable`."""
        m = Module()
        board = self.board
        add_clock(m, platform, board.pll, board.family.settle_seconds)
        m.submodules.machine = machine = Machine(board.core, board.machine, self.firmware)
        lines = board.connect(m, platform)
        half = board.core.clock_hz // (2 * _BLINK_HZ)
        count, alive, restarted = Signal(range(half)), Signal(), Signal()
        m.d.sync += count.eq(count + 1)
        with m.If(count == half - 1):
            m.d.sync += [count.eq(0), alive.eq(~alive)]
        with m.If(machine.restarted):
            m.d.sync += restarted.eq(1)
        m.d.comb += [
            machine.rx.eq(lines.rx),
            lines.tx.eq(machine.tx),
            lines.leds.eq(Cat(alive, restarted, machine.leds)),
        ]
        return m
