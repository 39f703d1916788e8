# SPDX-License-Identifier: Apache-2.0
"""What a synthesised design consists of, and where its memories must be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hysteron_base.errors import ToolError
from hysteron_fpga.families.ecp5 import ECP5
from hysteron_fpga.families.ice40 import ICE40
from hysteron_fpga.memories import Mapped, check, logic, mapped


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
            "machine.inside.cycle_SB_DFF_Q": "SB_DFF",
        },
    )
    assert mapped(path, ICE40) == {
        "core.engine.updater.state": Mapped("block RAM", 1, 4096),
        "core.engine.weights": Mapped("single-port RAM", 2, 524288),
        "rom": Mapped("block RAM", 2, 8192),
    }


def test_a_memory_in_two_kinds_of_ram(tmp_path: Path) -> None:
    cells = {
        "machine.inside.cpu.picorv32.cpuregs.0.3": "TRELLIS_DPR16X4",
        "machine.inside.cpu.x_TRELLIS_FF_Q": "DP16KD",
    }
    path = design(tmp_path, **cells, **{"machine.ram.0.0": "DP16KD", "machine.ram.0.1": "TRELLIS_DPR16X4"})
    assert mapped(path, ECP5) == {
        "cpu.picorv32.cpuregs": Mapped("LUT RAM", 1, 64),
        "cpu.x": Mapped("block RAM", 1, 18432),
        "ram": Mapped("LUT RAM and block RAM", 2, 18496),
    }


def test_logic_of_a_netlist(tmp_path: Path) -> None:
    cells = {"a": "SB_LUT4", "b": "LUT4", "c": "SB_DFFESR", "d": "SB_DFF", "e": "TRELLIS_FF", "f": "SB_CARRY"}
    path = design(tmp_path, **cells, g="SB_RAM40_4K", h="LUT4")
    assert logic(path, ICE40) == {"luts": 1, "flip_flops": 2}
    assert logic(path, ECP5) == {"luts": 2, "flip_flops": 1}


def test_memories_in_the_wrong_place_are_named() -> None:
    found = {"weights": Mapped("block RAM", 2, 8192)}
    check(found, {"weights": ("block RAM", 8192)})
    with pytest.raises(ToolError, match="'weights' is in block RAM, not in single-port RAM"):
        check(found, {"weights": ("single-port RAM", 100)})
    with pytest.raises(ToolError, match="'state' is in flip-flops, not in block RAM"):
        check(found, {"state": ("block RAM", 100)})
    with pytest.raises(ToolError, match="'weights' has 8,192 bits of block RAM, but needs 8,193"):
        check(found, {"weights": ("block RAM", 8193)})
