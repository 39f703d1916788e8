# SPDX-License-Identifier: Apache-2.0
"""Boards: their names, clocks and pins, and what is written for the tools."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("amaranth_boards", reason="boards are not installed (extra 'fpga')")

import hysteron_networks
from hysteron_base.errors import HysteronError
from hysteron_fpga.board import Board, board, names
from hysteron_fpga.top import Top
from hysteron_spec import compile_network, load

NETWORKS = hysteron_networks.FOLDER
BOARDS = pytest.mark.parametrize("name", names())


def test_names_are_the_files() -> None:
    folder = Path(__file__).parents[2] / "fpga/hysteron_fpga/boards"
    assert names() == sorted(path.stem for path in folder.glob("*.py") if path.stem != "__init__")
    assert {"icebreaker", "ulx3s"} < set(names())


@BOARDS
def test_a_board_is_whole(name: str) -> None:
    one = board(name)
    assert one.name == name
    assert one.core.clock_hz == one.pll.output_hz
    program = compile_network(load(NETWORKS / f"{one.network}.hyn"), one.core)
    assert program.config == one.core
    assert 0.9e6 <= one.baud <= 3e6


@BOARDS
def test_design_and_constraints(name: str) -> None:
    one = board(name)
    plan = one.platform().prepare(Top(one, list(range(300))), "top", emit_src=False)
    commands = json.loads(plan.files["build_top.json"])["commands"]
    assert [command[0] for command in commands] == [*one.family.tools]
    assert one.family.placed in commands[1]
    assert one.family.bitstream in commands[2]
    pins, pll, single_port = {
        "ecp5": ("top.lpf", "EHXPLLL", False),
        "ice40": ("top.pcf", "SB_PLL40_PAD", True),
    }[one.family.name]
    assert "uart_0__rx" in plan.files[pins] and "uart_0__tx" in plan.files[pins]
    assert pll in plan.files["top.il"]
    assert ("SB_SPRAM256KA" in plan.files["top.il"]) == single_port


def test_an_unknown_board_is_refused() -> None:
    with pytest.raises(HysteronError, match=r"a board is one of colorlight, icebreaker, ulx3s, not 'nexys'"):
        board("nexys")
    with pytest.raises(HysteronError, match=r"not 'icebraker'; did you mean 'icebreaker'\?$"):
        board("icebraker")


def test_a_board_without_its_packages_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "hysteron_fpga.boards.ulx3s", raising=False)
    monkeypatch.setitem(sys.modules, "amaranth_boards.ulx3s", None)
    with pytest.raises(HysteronError, match=r"amaranth_boards is missing, which this needs; pip install 'hyn\[fpga\]'"):
        board("ulx3s")


def test_a_clock_that_the_pll_does_not_make_is_refused() -> None:
    one: Board = board("ulx3s")
    with pytest.raises(HysteronError, match="the PLL makes 50,000,000 Hz, the core is for 60,000,000"):
        replace(one, core=replace(one.core, clock_hz=60_000_000))
