"""Reading what the tools wrote: a figure that is not there is an error, never a pass."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hysteron_fpga import baseline
from hysteron_fpga.memories import Mapped, check, logic, mapped
from hysteron_fpga.report import read, readable
from hysteron_wire.errors import HysteronError

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
    placed = read(written(tmp_path, nextpnr()))
    assert placed.fmax_mhz == 53.8, "the clock with the least to spare"
    assert placed.used == {"logic_cells": 25360, "bram": 186}
    assert placed.available == {"logic_cells": 83640, "bram": 208}
    assert [to for _, _, to in placed.path] == [
        "core.engine.lanes.state",
        "core.engine.lanes.neuron_28.left",
        "core.engine.lanes.neuron_28.left",
    ]
    assert placed.path_ns == pytest.approx(7.5)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"fmax": {}}, "no Fmax"),
        ({"fmax": {CLOCK: {"achieved": 12.0, "constraint": 0}}}, "no Fmax"),
        ({"utilization": {"DP16KD": {"used": 1, "available": 2}}}, "what is used"),
        ({"utilization": {"TRELLIS_COMB": {"used": 1, "available": 2}}}, "what is used"),
    ],
)
def test_a_missing_figure_is_an_error(tmp_path: Path, change: dict[str, Any], told: str) -> None:
    with pytest.raises(HysteronError, match=told):
        read(written(tmp_path, nextpnr(**change)))


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        ("machine.inside.cpu.picorv32.mem_do_rinst_SB_DFFESS_Q_E_SB_LUT4_O_I0", "cpu.picorv32.mem_do_rinst"),
        ("machine.inside.core.engine.row$143_SB_DFFESR_Q_4_D_SB_LUT4_O_LC", "core.engine.row"),
        ("$nextpnr_ICESTORM_LC_58", "nextpnr_ICESTORM_LC_58"),
    ],
)
def test_names_that_a_person_recognises(cell: str, name: str) -> None:
    assert readable(cell).replace("$", "") == name


def design(folder: Path, **cells: str) -> Path:
    path = folder / "top.json"
    path.write_text(json.dumps({"modules": {"top": {"cells": {n: {"type": t} for n, t in cells.items()}}}}))
    return path


def test_memories_of_a_netlist(tmp_path: Path) -> None:
    path = design(
        tmp_path,
        **{
            "machine.inside.core.engine.weights$175.memory.spram_0_0": "SB_SPRAM256KA",
            "machine.inside.core.engine.weights$175.memory.spram_1_0": "SB_SPRAM256KA",
            "machine.inside.rom.bank_0.0.1": "SB_RAM40_4K",
            "machine.inside.rom.bank_1024.0.0": "SB_RAM40_4K",
            "machine.inside.core.engine.updater.state.block_0_0": "SB_RAM40_4K",
            "machine.inside.cpu.picorv32.cpuregs.0.3": "TRELLIS_DPR16X4",
            "machine.inside.cycle_SB_DFF_Q": "SB_DFF",
        },
    )
    assert mapped(path) == {
        "core.engine.updater.state": Mapped("block RAM", 1, 4096),
        "core.engine.weights": Mapped("single-port RAM", 2, 524288),
        "cpu.picorv32.cpuregs": Mapped("LUT RAM", 1, 64),
        "rom": Mapped("block RAM", 2, 8192),
    }


def test_logic_of_a_netlist(tmp_path: Path) -> None:
    path = design(
        tmp_path, a="SB_LUT4", b="LUT4", c="SB_DFFESR", d="SB_DFF", e="TRELLIS_FF", f="SB_CARRY", g="SB_RAM40_4K"
    )
    assert logic(path) == {"luts": 2, "flip_flops": 3}


def test_memories_in_the_wrong_place_are_named() -> None:
    found = {"weights": Mapped("block RAM", 2, 8192)}
    check(found, {"weights": ("block RAM", 8192)})
    with pytest.raises(HysteronError, match="'weights' is in block RAM, not in single-port RAM"):
        check(found, {"weights": ("single-port RAM", 100)})
    with pytest.raises(HysteronError, match="'state' is in flip-flops, not in block RAM"):
        check(found, {"state": ("block RAM", 100)})
    with pytest.raises(HysteronError, match="'weights' has 8,192 bits of block RAM, but needs 8,193"):
        check(found, {"weights": ("block RAM", 8193)})


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A board's report that is its baseline."""
    monkeypatch.setattr(baseline, "FILE", tmp_path / "baseline.json")
    report = {"board": "b", "logic_cells": 5000, "bram": 29, "fmax_mhz": 20.0, "images_per_second": 700.0}
    baseline.update(report)
    return report


def test_a_build_like_the_baseline_passes(kept: dict[str, Any]) -> None:
    assert baseline.compare(kept) == []
    assert baseline.compare({**kept, "logic_cells": 5100, "fmax_mhz": 18.0, "bram": 3}) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"logic_cells": 5101}, "logic_cells is 5,101, was 5,000, may be 5,100"),
        ({"bram": 30}, "bram is 30, was 29, may be 29"),
        ({"fmax_mhz": 17.9}, "fmax_mhz is 17.9, was 20, may be 18"),
        ({"images_per_second": 690.0}, "images_per_second is 690"),
        ({"fmax_mhz": None}, "fmax_mhz was 20, and now there is none"),
    ],
)
def test_a_worse_build_does_not(kept: dict[str, Any], change: dict[str, Any], told: str) -> None:
    (line,) = baseline.compare({**kept, **change})
    assert told in line


def test_a_board_without_a_baseline_is_told(kept: dict[str, Any]) -> None:
    assert baseline.compare({**kept, "board": "other"}) == ["there is no baseline for other; make it with --update"]


def test_the_baseline_of_the_project_has_all_figures() -> None:
    boards = json.loads(baseline.FILE.read_text())
    assert "icebreaker" in boards and "ulx3s" in boards
    for name, figures in boards.items():
        needed = set(baseline.TOLERANCES) - ({"spram"} if name != "icebreaker" else set())
        assert set(figures) == needed, name
