# SPDX-License-Identifier: Apache-2.0
"""SkyWater's 130 nm process as open_pdks lays it out: cells ``sky130_fd_sc_hd``, macros of OpenRAM's test chip.

Layers and design rules are those of SkyWater's documentation ("GDS layers", "Periphery rules",
skywater-pdk.readthedocs.io); the names of the rules are its.
"""

import re
from importlib.resources import files
from pathlib import Path

from .kit import Cells, ClockGate, Corner, Cut, Latch, Macros, Magic, OpenRam, Pdk, Wire

#: Datatypes that all layers of wires have in common.
_DRAWING, _CUT, _LABEL, _PIN = 20, 44, 5, 16
_POLY = 66


def _wire(name: str, number: int, rule: str, width: float, space: float, area: float, *more: float) -> Wire:
    return Wire(name, (number, _DRAWING), (number, _LABEL), (number, _PIN), rule, width, space, area, *more)


SKY130 = Pdk(
    name="sky130A",
    family="sky130",
    version="8afc8346a57fe1ab7934ba5a6056ea8b43078e71",
    corners=(
        Corner("tt", 25, 1.8),
        # 1.40 V at -40 °C is more than slow: nothing that is made here meets its clock there.
        Corner("ss", -40, 1.4, judged=False),
        Corner("ff", 100, 1.95),
    ),
    # The typical one above is the third.
    signoff=(
        Corner("signoff_ss", 100, 1.6, judged=False),
        Corner("signoff_ff", -40, 1.95, judged=False),
    ),
    cells=Cells(
        library="sky130_fd_sc_hd",
        power="VPWR",
        ground="VGND",
        wells=("VPB", "VNB"),
        clock_gate=ClockGate("dlclkp_1", "CLK", "GATE", "GCLK"),
        latch_high=Latch("dlxtp_1", "D", "GATE", "Q"),
        latch_low=Latch("dlxtn_1", "D", "GATE_N", "Q"),
        driver="inv_2",
        driver_pin="Y",
        bit=(("dfxtp_1", 1.0), ("mux2_1", 1.0), ("mux4_1", 1 / 3)),
        clock_cells=re.compile(r"clk(buf|inv|dlybuf)|dlclk"),
        clock_pins=frozenset(("CLK", "CLK_N", "GATE", "GATE_N")),
        limit_ns=1.5,
        models="sky130",
    ),
    macros=Macros(
        library="sky130_sram_macros",
        pattern=re.compile(r"sky130_sram_\d+kbyte_(1rw1r|1rw)_(\d+)x(\d+)_(\d+)$"),
        form="sky130_sram_<kbyte>_<ports>_<width>x<words>_<mask>",
        prefix="sky130_sram_",
        liberty="_TT_1p8V_25C.lib",
        input_limit_ns=0.75,
        # A macro's data have a slope of 0.8 ns without any load, and the flow keeps a fifth in reserve.
        transition_ns=1.2,
        # By an independent review: a SPICE run of one column of the extracted macro takes about 0.35 pJ an access, and
        # it has 129. OpenRAM characterised the LIB on a netlist with one column and one of 32 sense amplifiers.
        bit_lines_pj=(("sky130_sram_2kbyte_1rw_32x512_8", 45.0),),
    ),
    wires=(
        _wire("li1", 67, "li", 0.17, 0.17, 0.0561),
        _wire("met1", 68, "m1", 0.14, 0.14, 0.083, 0.14, 3.0, 0.28),
        _wire("met2", 69, "m2", 0.14, 0.14, 0.0676, 0.14, 3.0, 0.28),
        _wire("met3", 70, "m3", 0.3, 0.3, 0.24, 0.0, 3.0, 0.4),
        _wire("met4", 71, "m4", 0.3, 0.3, 0.24, 0.0, 3.0, 0.4),
        _wire("met5", 72, "m5", 1.6, 1.6, 4.0),
    ),
    cuts=(
        Cut("mcon", (67, _CUT), "ct", 0.17, 0.19, 0.0, 0.03, 0.0, 0.06),
        Cut("via", (68, _CUT), "via", 0.15, 0.17, 0.055, 0.055, 0.085, 0.085),
        Cut("via2", (69, _CUT), "via2", 0.2, 0.2, 0.04, 0.065, 0.085, 0.065),
        Cut("via3", (70, _CUT), "via3", 0.2, 0.2, 0.06, 0.065, 0.09, 0.065),
        Cut("via4", (71, _CUT), "via4", 0.8, 0.8, 0.19, 0.31, 0.19, 0.31),
    ),
    diffusion=(65, _DRAWING),
    poly=(_POLY, _DRAWING),
    # A resistor, and what stands for one in the cell conb_1.
    resistors=((_POLY, 13), (_POLY, 15)),
    contact=(_POLY, _CUT),
    outline=(235, 4),
    grid=0.005,
    site=(0.46, 2.72),
    taps=("tapvpwrvgnd_1",),
    # Rule LU.2: no diffusion is further from a tap.
    tap_um=15.0,
    rail="met1",
    strap="met4",
    crossing="met5",
    units=1000,
    via_prefix="VIA_",
    magic=Magic(
        technology="sky130A",
        grid_um=0.005,
        layers=tuple((f"met{number}", f"metal{number}", f"obsm{number}") for number in range(1, 6)),
    ),
    openram=OpenRam(
        technology="sky130",
        cells="sky130_fd_bd_sram",
        commit="dd64256961317205343a3fd446908b42bafba388",
        latch="dlxtn/sky130_fd_sc_hd__dlxtn_1",
        empty=("ngspice/sky130.lib.spice", "magic/sky130A.magicrc", "netgen/setup.tcl"),
    ),
    tools=Path(str(files("hysteron_openlane.pdk") / "sky130_tools")),
)
