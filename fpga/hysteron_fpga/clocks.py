# SPDX-License-Identifier: Apache-2.0
"""Clock and reset of a board: a PLL, and a reset that lasts until it has locked, and a while longer."""

import math
from typing import Any

from amaranth.hdl import ClockDomain, ClockSignal, Module, Signal
from amaranth.lib.cdc import FFSynchronizer, ResetSynchronizer

from .families.family import Pll


def add_clock(m: Module, platform: Any, pll: Pll, settle_seconds: float) -> None:
    """Give ``m`` the domain ``sync`` with the PLL's clock, whose constraint nextpnr derives from the oscillator's.

    Parameters
    ----------
    m, platform
        The module, and the platform whose default clock is the PLL's source.
    pll
        What makes the clock.
    settle_seconds
        How long the domain stays in reset after the PLL has locked.
    """
    source = platform.request(platform.default_clk, dir="-")
    clock, locked = Signal(), Signal()
    m.domains += [ClockDomain("sync"), ClockDomain("start", reset_less=True)]
    m.submodules.pll = pll.instance(source.io, clock, locked)
    m.d.comb += [ClockSignal("sync").eq(clock), ClockSignal("start").eq(clock)]
    stable, settled = Signal(), Signal()
    m.submodules.locked = FFSynchronizer(locked, stable, o_domain="start")
    cycles = math.ceil(settle_seconds * pll.output_hz)
    waited = Signal(range(cycles + 1))
    m.d.comb += settled.eq(waited == cycles)
    with m.If(stable & ~settled):
        m.d.start += waited.eq(waited + 1)
    m.submodules.reset = ResetSynchronizer(~settled, domain="sync")
