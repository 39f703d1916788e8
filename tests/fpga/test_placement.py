# SPDX-License-Identifier: Apache-2.0
"""Reading what the tools wrote: a figure that is not there is an error, never a pass."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hysteron_base.errors import ToolError
from hysteron_fpga.families.ecp5 import ECP5
from hysteron_fpga.families.family import Family
from hysteron_fpga.families.ice40 import ICE40
from hysteron_fpga.placement import Element, Placed, merged, read, readable

CLOCK = "$glbnet$clk"


def nextpnr(**change: Any) -> dict[str, Any]:
    """A report as nextpnr writes it, much shortened."""
    steps = [
        (
            5.8,
            "clk-to-q",
            "machine.inside.core.engine.lanes.state$525.0.13",
            "machine.inside.core.engine.lanes.state$525.0.13",
        ),
        (1.5, "routing", "…", "machine.inside.core.engine.lanes.neuron_28.left_TRELLIS_FF_Q_9_DI_LUT4_Z"),
        (0.2, "setup", "…", "machine.inside.core.engine.lanes.neuron_28.left_TRELLIS_FF_Q_9"),
    ]
    path = [{"delay": ns, "type": kind, "from": {"cell": a}, "to": {"cell": b}} for ns, kind, a, b in steps]
    whole = {
        "fmax": {CLOCK: {"achieved": 53.8, "constraint": 50.0}, "clk25": {"achieved": 400.0, "constraint": 25.0}},
        "utilization": {
            "TRELLIS_COMB": {"used": 25360, "available": 83640},
            "DP16KD": {"used": 186, "available": 208},
        },
        "critical_paths": [
            {"from": "<async>", "to": f"posedge {CLOCK}", "path": []},
            {"from": f"posedge {CLOCK}", "to": f"posedge {CLOCK}", "path": path},
        ],
    }
    return {**whole, **change}


def written(folder: Path, content: dict[str, Any]) -> Path:
    path = folder / "report.json"
    path.write_text(json.dumps(content))
    return path


def test_a_placement(tmp_path: Path) -> None:
    placed = read(written(tmp_path, nextpnr()), ECP5)
    assert placed.fmax_mhz == 53.8, "the clock with the least to spare"
    assert placed.used == {"logic_cells": 25360, "bram": 186}
    assert placed.available == {"logic_cells": 83640, "bram": 208}
    assert [element.to for element in placed.path] == [
        "core.engine.lanes.state",
        "core.engine.lanes.neuron_28.left",
        "core.engine.lanes.neuron_28.left",
    ]
    assert placed.path_ns == pytest.approx(7.5)


def step(ns: float, kind: str, start: str, end: str) -> dict[str, Any]:
    """An element of a path, with what :func:`~hysteron_fpga.placement.read` has no use for."""
    more = {"net": f"{end}[3]", "sources": ["/share/ice40/cells_map.v:6.21-6.22"]} if kind == "routing" else {}
    ends = {"from": {"cell": start, "loc": [5, 9], "port": "O"}, "to": {"cell": end, "loc": [6, 9], "port": "I3"}}
    return {"delay": ns, "type": kind, **ends, **more}


def test_all_of_a_report_of_an_ice40(tmp_path: Path) -> None:
    """Figures and names as nextpnr-ice40 wrote them for an iCEBreaker, with fewer elements."""
    address = "machine.inside.core.engine.weights.memory.spram_1_0_ADDRESS_1_SB_LUT4_O_I3_SB_LUT4_O_I2_SB_LUT4_O_LC"
    queue = "machine.inside.i__valid$78_SB_DFFESR_Q_E_SB_LUT4_O_I3_SB_LUT4_I3_O_SB_LUT4_O_LC"
    carry = "machine.inside.core.engine.inputs$155.index_q_SB_DFFSR_Q_6_D_SB_CARRY_I0_CO_SB_CARRY_CI_CO_SB_LUT4_I3_LC"
    state = "machine.inside.core.engine.inputs$155.fsm_state_SB_DFFESR_Q_2_D_SB_LUT4_O_LC"
    path = [
        step(1.389999985694885, "clk-to-q", state, state),
        step(5.124000072479248, "routing", state, queue),
        step(0.874000012874603, "logic", queue, queue),
        step(1.760999917984008, "routing", queue, address),
        step(0, "routing", address, carry),
        step(0.874000012874603, "setup", carry, carry),
    ]
    report = {
        "critical_paths": [
            {"from": "<async>", "to": "posedge clk", "path": [step(9.0, "source", "rx", "rx")]},
            {"from": "posedge clk", "to": "<async>", "path": [step(8.0, "source", "tx", "tx")]},
            {"from": "posedge clk", "to": "posedge clk", "path": path},
            {"from": "posedge clk", "to": "posedge clk", "path": path[:1]},
        ],
        "detailed_net_timings": [{"driver": state, "net": "x", "endpoints": []}],
        "fmax": {"clk": {"achieved": 20.694936752319336, "constraint": 18.00115203857422}},
        "utilization": {
            "ICESTORM_DSP": {"available": 8, "used": 0},
            "ICESTORM_HFOSC": {"available": 1, "used": 0},
            "ICESTORM_LC": {"available": 5280, "used": 5143},
            "ICESTORM_PLL": {"available": 1, "used": 1},
            "ICESTORM_RAM": {"available": 30, "used": 29},
            "ICESTORM_SPRAM": {"available": 4, "used": 4},
            "SB_GB": {"available": 8, "used": 7},
            "SB_IO": {"available": 39, "used": 5},
        },
    }
    assert read(written(tmp_path, report), ICE40) == Placed(
        fmax_mhz=20.694936752319336,
        used={"logic_cells": 5143, "bram": 29, "spram": 4, "dsp": 0},
        available={"logic_cells": 5280, "bram": 30, "spram": 4, "dsp": 8},
        path=(
            Element(1.389999985694885, "clk-to-q", "core.engine.inputs.fsm_state"),
            Element(5.124000072479248, "routing", "i__valid"),
            Element(0.874000012874603, "logic", "i__valid"),
            Element(1.760999917984008, "routing", "core.engine.weights"),
            Element(0.0, "routing", "core.engine.inputs.index_q"),
            Element(0.874000012874603, "setup", "core.engine.inputs.index_q"),
        ),
    )


def test_all_of_a_report_of_an_ecp5(tmp_path: Path) -> None:
    """Likewise of nextpnr-ecp5 for a Colorlight: its clocks are 50 and 25 MHz, and the faster one limits."""
    ram = "machine.inside.ram.memory.0.0"
    high = "machine.inside.cpu.picorv32.prefetched_high_word_TRELLIS_FF_Q_DI_LUT4_Z_D_PFUMX_Z_C0_LUT4_Z"
    imm = "machine.inside.cpu.picorv32.instr_waitirq_LUT4_C_Z_LUT4_C_B_LUT4_D_Z_LUT4_Z"
    random = "machine.inside.core.engine.inputs$168.encoder.random_TRELLIS_FF_Q_7_DI_LUT4_Z_C_CCU2C_B0_S0$CCU2_COMB1"
    wide = "machine.inside.core.engine.inputs$168.found_L6MUX21_Z_D1_PFUMX_Z_BLUT_LUT4_Z"
    path = [
        step(5.73, "clk-to-q", ram, ram),
        step(1.25, "routing", ram, high),
        step(0.24, "logic", high, high),
        step(2.0, "routing", high, imm),
        step(0.45, "routing", imm, random),
        step(0, "setup", random, wide),
    ]
    other = [step(30.0, "clk-to-q", "machine.count_TRELLIS_FF_Q", "machine.count_TRELLIS_FF_Q")]
    report = {
        "critical_paths": [
            {"from": "posedge clk25_0__io", "to": "posedge clk25_0__io", "path": other},
            {"from": "posedge clk25_0__io", "to": f"posedge {CLOCK}", "path": other},
            {"from": f"posedge {CLOCK}", "to": f"posedge {CLOCK}", "path": path},
        ],
        "fmax": {
            # Nothing is wanted of the first; the second has more to spare than the third.
            "$glbnet$tck": {"achieved": 3.0, "constraint": 0},
            "clk25_0__io": {"achieved": 33.0, "constraint": 25.0},
            CLOCK: {"achieved": 51.749122619628906, "constraint": 50.0},
        },
        "utilization": {
            "DCCA": {"available": 56, "used": 1},
            "DP16KD": {"available": 56, "used": 52},
            "MULT18X18D": {"available": 28, "used": 3},
            "TRELLIS_COMB": {"available": 24288, "used": 14071},
            "TRELLIS_FF": {"available": 24288, "used": 5210},
            "TRELLIS_RAMW": {"available": 3036, "used": 112},
        },
    }
    placed = read(written(tmp_path, report), ECP5)
    assert placed == Placed(
        fmax_mhz=51.749122619628906,
        used={"logic_cells": 14071, "bram": 52, "lut_ram": 112, "dsp": 3},
        available={"logic_cells": 24288, "bram": 56, "lut_ram": 3036, "dsp": 28},
        path=(
            Element(5.73, "clk-to-q", "ram"),
            Element(1.25, "routing", "cpu.picorv32.prefetched_high_word"),
            Element(0.24, "logic", "cpu.picorv32.prefetched_high_word"),
            Element(2.0, "routing", "cpu.picorv32.instr_waitirq"),
            Element(0.45, "routing", "core.engine.inputs.encoder.random"),
            Element(0.0, "setup", "core.engine.inputs.found"),
        ),
    )
    assert placed.path_ns == pytest.approx(9.67)


def test_the_path_is_that_of_the_slowest_clock(tmp_path: Path) -> None:
    """Not of one whose name only begins alike, nor one from or to another."""
    one, other = [[step(ns, "setup", "machine.x", name)] for ns, name in ((2.0, "machine.slow"), (3.0, "machine.fast"))]
    ends = [("clk12", "clk12"), ("clk", "clk12"), ("clk12", "clk"), ("glbnet$clk", "glbnet$clk")]
    paths = [{"from": f"posedge {a}", "to": f"posedge {b}", "path": other} for a, b in ends]
    paths.append({"from": "posedge clk", "to": "negedge clk", "path": one})
    fmax = {"clk12": {"achieved": 90, "constraint": 12}, "clk": {"achieved": 20, "constraint": 18}}
    placed = read(written(tmp_path, nextpnr(fmax=fmax, critical_paths=paths)), ECP5)
    assert placed.fmax_mhz == 20
    assert placed.path == (Element(2.0, "setup", "slow"),)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"fmax": {}}, "no Fmax"),
        ({"fmax": {CLOCK: {"achieved": 12.0, "constraint": 0}}}, "no Fmax"),
        ({"utilization": {"DP16KD": {"used": 1, "available": 2}}}, "what is used"),
        ({"utilization": {"TRELLIS_COMB": {"used": 1, "available": 2}}}, "what is used"),
        ({"critical_paths": []}, "no slowest path"),
        ({"critical_paths": [{"from": "<async>", "to": f"posedge {CLOCK}", "path": []}]}, "no slowest path"),
    ],
)
def test_a_missing_figure_is_an_error(tmp_path: Path, change: dict[str, Any], told: str) -> None:
    with pytest.raises(ToolError, match=told):
        read(written(tmp_path, nextpnr(**change)), ECP5)


@pytest.mark.parametrize(
    ("family", "cell", "name"),
    [
        (ICE40, "machine.inside.cpu.picorv32.mem_do_rinst_SB_DFFESS_Q_E_SB_LUT4_O_I0", "cpu.picorv32.mem_do_rinst"),
        (ICE40, "machine.inside.core.engine.row$143_SB_DFFESR_Q_4_D_SB_LUT4_O_LC", "core.engine.row"),
        (ICE40, "$nextpnr_ICESTORM_LC_58", "nextpnr_ICESTORM_LC_58"),
        (ECP5, "machine.inside.core.engine.sum_CCU2C_S0_COUT$CCU2_COMB1", "core.engine.sum"),
        (ECP5, "machine.inside.rom_DP16KD_DOA_LUT4_D", "rom"),
        (ECP5, "machine.inside.cpu.picorv32.mem_rdata_q_PFUMX_Z_BLUT_LUT4_Z", "cpu.picorv32.mem_rdata_q"),
        (ECP5, "machine.rx_buffer.0.1", "rx_buffer"),
        (ICE40, "machine.inside.core.engine.$signal$58_SB_LUT4_I1_LC", "core.engine"),
        (ICE40, "machine.inside.core.engine.finder.$signal$4_SB_DFFESR_Q_16_D_SB_LUT4_O_LC", "core.engine.finder"),
        (ICE40, "machine.inside.core.engine.weights.memory.spram_1_0_ADDRESS_1_SB_LUT4_O_I3_LC", "core.engine.weights"),
        (ECP5, "machine.inside.core.engine.inputs.images.0.1_DOB8_LUT4_D", "core.engine.inputs.images"),
        (ICE40, "machine.inside.core.engine.event_1_SB_DFFSR_Q_D_SB_LUT4_O_LC", "core.engine.event_1"),
    ],
)
def test_names_that_a_person_recognises(family: Family, cell: str, name: str) -> None:
    assert readable(cell, family).replace("$", "") == name


@pytest.mark.parametrize(
    ("path", "whole"),
    [
        ([], []),
        ([(1.0, "logic", "a"), (2.0, "logic", "b"), (4.0, "logic", "a")], None),
        ([(1.0, "logic", "a"), (2.0, "logic", "a")], [(3.0, "logic", "a")]),
        (
            [(1.0, "clk-to-q", "a"), (2.0, "routing", "b"), (4.0, "logic", "b"), (8.0, "logic", "b"), (16.0, "x", "c")],
            [(1.0, "clk-to-q", "a"), (14.0, "logic and routing", "b"), (16.0, "x", "c")],
        ),
    ],
)
def test_elements_to_one_signal_are_one(
    path: list[tuple[float, str, str]], whole: list[tuple[float, str, str]] | None
) -> None:
    """None: nothing is merged."""
    found = merged([Element(*each) for each in path])
    assert found == tuple(Element(*each) for each in (path if whole is None else whole))
