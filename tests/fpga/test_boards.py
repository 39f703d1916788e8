"""Boards: their names, clocks and pins, and what is written for the tools."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("amaranth_boards", reason="boards are not installed (extra 'fpga')")

from hysteron_base.errors import HysteronError
from hysteron_fpga.board import Board, board, names
from hysteron_fpga.clocks import Ecp5Pll, Ice40Pll
from hysteron_fpga.top import Top
from hysteron_spec import compile_network, load

NETWORKS = Path(__file__).parents[2] / "networks"
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
    pins = plan.files["top.lpf" if one.family.name == "ecp5" else "top.pcf"]
    assert "uart_0__rx" in pins and "uart_0__tx" in pins
    design = plan.files["top.il"]
    assert ("EHXPLLL" if one.family.name == "ecp5" else "SB_PLL40_PAD") in design
    assert ("SB_SPRAM256KA" in design) == (one.family.name == "ice40")


def test_an_unknown_board_is_refused() -> None:
    with pytest.raises(HysteronError, match=r"a board is one of colorlight, icebreaker, ulx3s, not 'nexys'"):
        board("nexys")


def test_a_clock_that_the_pll_does_not_make_is_refused() -> None:
    one: Board = board("ulx3s")
    with pytest.raises(HysteronError, match="the PLL makes 50,000,000 Hz, the core is for 60,000,000"):
        replace(one, core=replace(one.core, clock_hz=60_000_000))


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: Ecp5Pll(25_000_000, 10, 24, 10), "compares at 2,500,000 Hz"),
        (lambda: Ecp5Pll(25_000_000, 1, 2, 4), "runs at 200,000,000 Hz"),
        (lambda: Ecp5Pll(25_000_000, 1, 2, 20), "runs at 1,000,000,000 Hz"),
        (lambda: Ice40Pll(12_000_000, 1, 47, 5), "compares at 6,000,000 Hz"),
        (lambda: Ice40Pll(12_000_000, 0, 40, 5), "runs at 492,000,000 Hz"),
        (lambda: Ice40Pll(12_000_000, 0, 95, 5), "runs at 1,152,000,000 Hz"),
    ],
)
def test_plls_beyond_their_range_are_refused(make: object, told: str) -> None:
    with pytest.raises(HysteronError, match=told):
        make()  # type: ignore[operator]


@pytest.mark.parametrize(
    ("pll", "hertz"),
    [(Ecp5Pll(25_000_000, 5, 12, 10), 60_000_000), (Ice40Pll(12_000_000, 0, 47, 5), 18_000_000)],
)
def test_what_plls_make(pll: Ecp5Pll | Ice40Pll, hertz: int) -> None:
    assert pll.output_hz == hertz
