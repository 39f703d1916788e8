"""Clock and reset of a board: a PLL, and a reset that lasts until it has locked, and a while longer."""

import math
from bisect import bisect
from dataclasses import dataclass
from typing import Any, Protocol

from amaranth.hdl import ClockDomain, Instance, Module, Signal
from amaranth.lib.cdc import FFSynchronizer, ResetSynchronizer

from hysteron_base.errors import integer_in, require

#: An iCE40's block RAM reads 0 for some microseconds after configuration; Amaranth's own platforms wait as long.
SETTLE_SECONDS = 15e-6
#: Frequencies in Hz of an iCE40's phase detector from which on the next range of its loop filter is right (as Lattice's
#: tools set it; project IceStorm).
FILTER_EDGES = (17e6, 26e6, 44e6, 66e6, 101e6)


class Pll(Protocol):
    """From an oscillator to a clock."""

    @property
    def output_hz(self) -> int:
        """The clock it makes, in Hz."""

    def instance(self, source: Any, clock: Signal, locked: Signal) -> Instance:
        """The primitive."""


@dataclass(frozen=True)
class Ecp5Pll:
    """EHXPLLL with feedback from its first output.

    The output is input / ``divide`` * ``multiply``; the oscillator inside runs ``post`` times as fast, within 400 to
    800 MHz, and the phase detector at input / ``divide``, within 3.125 to 400 MHz (ECP5 data sheet FPGA-DS-02012,
    3.19). Every divider is within 1 to 128.
    """

    input_hz: int
    divide: int
    multiply: int
    post: int

    def __post_init__(self) -> None:
        for name in ("divide", "multiply", "post"):
            integer_in(name, getattr(self, name), 1, 128)
        detector, inside = self.input_hz / self.divide, self.output_hz * self.post
        require(3.125e6 <= detector <= 400e6, f"the PLL compares at {detector:,.0f} Hz, not 3.125 to 400 MHz")
        require(400e6 <= inside <= 800e6, f"the PLL runs at {inside:,.0f} Hz, not 400 to 800 MHz")

    @property
    def output_hz(self) -> int:
        """See :class:`Pll`."""
        return self.input_hz * self.multiply // self.divide

    def instance(self, source: Any, clock: Signal, locked: Signal) -> Instance:
        """See :class:`Pll`."""
        return Instance(
            "EHXPLLL",
            a_FREQUENCY_PIN_CLKI=f"{self.input_hz / 1e6:g}",
            a_FREQUENCY_PIN_CLKOP=f"{self.output_hz / 1e6:g}",
            a_ICP_CURRENT="12",
            a_LPF_RESISTOR="8",
            p_PLLRST_ENA="DISABLED",
            p_INTFB_WAKE="DISABLED",
            p_STDBY_ENABLE="DISABLED",
            p_DPHASE_SOURCE="DISABLED",
            p_OUTDIVIDER_MUXA="DIVA",
            p_CLKOP_ENABLE="ENABLED",
            p_CLKOP_DIV=self.post,
            p_CLKOP_CPHASE=self.post // 2,
            p_CLKOP_FPHASE=0,
            p_CLKI_DIV=self.divide,
            p_CLKFB_DIV=self.multiply,
            p_FEEDBK_PATH="CLKOP",
            i_CLKI=source,
            i_CLKFB=clock,
            i_RST=0,
            i_STDBY=0,
            i_PHASESEL0=0,
            i_PHASESEL1=0,
            i_PHASEDIR=0,
            i_PHASESTEP=0,
            i_PHASELOADREG=0,
            i_PLLWAKESYNC=0,
            i_ENCLKOP=0,
            o_CLKOP=clock,
            o_LOCK=locked,
        )


@dataclass(frozen=True)
class Ice40Pll:
    """SB_PLL40_PAD in simple feedback: input / (``divr`` + 1) * (``divf`` + 1) / 2 ** ``divq``.

    The phase detector runs within 10 to 133 MHz, the oscillator inside within 533 to 1066 MHz (iCE40 UltraPlus data
    sheet FPGA-DS-02008, 4.20). ``divr`` is within 0 to 15, ``divf`` within 0 to 127, ``divq`` within 1 to 6.
    """

    input_hz: int
    divr: int
    divf: int
    divq: int

    def __post_init__(self) -> None:
        integer_in("divr", self.divr, 0, 15)
        integer_in("divf", self.divf, 0, 127)
        integer_in("divq", self.divq, 1, 6)
        detector = self._detector_hz
        inside = detector * (self.divf + 1)
        require(10e6 <= detector <= 133e6, f"the PLL compares at {detector:,.0f} Hz, not 10 to 133 MHz")
        require(533e6 <= inside <= 1066e6, f"the PLL runs at {inside:,.0f} Hz, not 533 to 1066 MHz")

    @property
    def output_hz(self) -> int:
        """See :class:`Pll`."""
        return self.input_hz * (self.divf + 1) // (self.divr + 1) >> self.divq

    @property
    def _detector_hz(self) -> float:
        return self.input_hz / (self.divr + 1)

    def instance(self, source: Any, clock: Signal, locked: Signal) -> Instance:
        """See :class:`Pll`."""
        return Instance(
            "SB_PLL40_PAD",
            p_FEEDBACK_PATH="SIMPLE",
            p_PLLOUT_SELECT="GENCLK",
            p_DIVR=self.divr,
            p_DIVF=self.divf,
            p_DIVQ=self.divq,
            p_FILTER_RANGE=1 + bisect(FILTER_EDGES, self._detector_hz),
            i_PACKAGEPIN=source,
            i_RESETB=1,
            i_BYPASS=0,
            o_PLLOUTGLOBAL=clock,
            o_LOCK=locked,
        )


def add_clock(m: Module, platform: Any, pll: Pll) -> None:
    """Give ``m`` the domain ``sync``: the PLL's clock, reset until it has locked and RAM has woken. Its constraint
    nextpnr derives from the oscillator's."""
    source = platform.request(platform.default_clk, dir="-")
    clock, locked = Signal(), Signal()
    m.domains.sync = domain = ClockDomain("sync")
    m.domains.start = start = ClockDomain("start", reset_less=True)
    m.submodules.pll = pll.instance(source.io, clock, locked)
    m.d.comb += [domain.clk.eq(clock), start.clk.eq(clock)]
    stable, settled = Signal(), Signal()
    m.submodules.locked = FFSynchronizer(locked, stable, o_domain="start")
    cycles = math.ceil(SETTLE_SECONDS * pll.output_hz)
    waited = Signal(range(cycles + 1))
    m.d.comb += settled.eq(waited == cycles)
    with m.If(stable & ~settled):
        m.d.start += waited.eq(waited + 1)
    m.submodules.reset = ResetSynchronizer(~settled, domain="sync")
