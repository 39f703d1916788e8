# SPDX-License-Identifier: Apache-2.0
"""Tools that only pretend to make bitstreams: they write what was laid beside them and note how they were called."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from amaranth.hdl import Elaboratable, Module, Signal

from hysteron_firmware.build import Firmware
from hysteron_fpga import baseline
from hysteron_fpga.board import Board
from hysteron_fpga.clocks import add_clock

#: Share of the board's clock that each placement reaches; the second is the fastest.
SPEEDS = {1: 0.95, 2: 1.25, 3: 1.1}
WORDS = 300

YOSYS = """/bin/cp "$here/top.json" "$here/netlist.v" .
echo warnings of yosys"""
PLACE = """while [ $# -gt 1 ]; do
  case $1 in --seed) seed=$2;; --asc|--textcfg) placed=$2;; --report) report=$2;; esac
  shift
done
/bin/cp "$here/seed-$seed.json" "$report"
echo "placement $seed" > $placed"""
PACK = """case $1 in *.asc) placed=$1 packed=$2;; esac
while [ $# -gt 1 ]; do
  case $1 in --input) placed=$2;; --bit) packed=$2;; esac
  shift
done
read content < "$placed"
echo "bits of $content" > $packed"""


class Blink(Elaboratable):
    """In place of a machine, which takes seconds to generate: one signal, on the board's clock."""

    def __init__(self, one: Board, firmware: list[int]) -> None:
        self.board, self.firmware = one, firmware

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        add_clock(m, platform, self.board.pll, self.board.family.settle_seconds)
        on = Signal()
        m.d.sync += on.eq(~on)
        return m


@dataclass
class Tools:
    """Where tools are that write what was laid beside them, and what they were called with."""

    folder: Path
    board: Board

    def script(self, name: str, text: str) -> None:
        """A tool that notes its call and does what ``text`` says."""
        path = self.folder / name
        version = '[ "$*" = --version ] && echo "${0##*/} of the test" && exit'
        path.write_text(f'#!/bin/sh\n{version}\nhere=${{0%/*}}\necho "${{0##*/}} $*" >> "$here/calls"\n{text}\n')
        path.chmod(0o755)

    def netlist(self, **change: str) -> None:
        """Lay a synthesised design there; ``change`` is what another primitive is taken for, by memory."""
        ice = self.board.family.name == "ice40"
        lut, flip_flop = ("SB_LUT4", "SB_DFFESR") if ice else ("LUT4", "TRELLIS_FF")
        cells = {"machine.x_Z": lut, "machine.y_Z": lut, "machine.x_Q": flip_flop}
        primitives = self.board.family.primitives
        for name, (kind, bits) in self.board.memories(WORDS).items():
            primitive = change.get(name.rpartition(".")[2]) or next(
                each for each, what in primitives.items() if what.kind == kind
            )
            for number in range(-(-bits // primitives[primitive].bits)):
                cells[f"machine.inside.{name}.0.{number}"] = primitive
        whole = {"modules": {"top": {"cells": {name: {"type": kind} for name, kind in cells.items()}}}}
        (self.folder / "top.json").write_text(json.dumps(whole))
        (self.folder / "netlist.v").write_text("module top();\nendmodule\n")

    def placement(self, seed: int, mhz: float, **change: Any) -> None:
        """Lay nextpnr's report of a placement there."""
        ice = self.board.family.name == "ice40"
        cells, ram = ("ICESTORM_LC", "ICESTORM_RAM") if ice else ("TRELLIS_COMB", "DP16KD")
        lut, flip_flop = ("SB_LUT4_O", "SB_DFF_Q") if ice else ("LUT4_Z", "TRELLIS_FF_Q")
        steps = [(1.5, "clk-to-q", f"a_{lut}"), (2.0, "routing", f"b_{lut}"), (0.5, "setup", f"b_{flip_flop}")]
        path = [{"delay": ns, "type": kind, "to": {"cell": f"machine.inside.{to}"}} for ns, kind, to in steps]
        report = {
            "fmax": {"clk": {"achieved": mhz, "constraint": self.clock}},
            "utilization": {cells: {"used": 4000 + seed, "available": 5280}, ram: {"used": 20, "available": 30}},
            "critical_paths": [{"from": "posedge clk", "to": "posedge clk", "path": path}],
        }
        (self.folder / f"seed-{seed}.json").write_text(json.dumps({**report, **change}))

    @property
    def clock(self) -> float:
        """The board's, in MHz."""
        return self.board.core.clock_hz / 1e6

    @property
    def calls(self) -> list[str]:
        """Tools that were called, with their words."""
        path = self.folder / "calls"
        return path.read_text().splitlines() if path.exists() else []


def pretend(board: Board, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Tools:
    """All tools of a board in ``folder``, nothing else on PATH, no firmware, and a baseline of nothing."""
    found = Tools(folder, board)
    synthesise, place, pack = found.board.family.tools
    for name, text in ((f"yowasp-{synthesise}", YOSYS), (place, PLACE), (pack, PACK)):
        found.script(name, text)
    found.netlist()
    for seed, share in SPEEDS.items():
        found.placement(seed, share * found.clock)
    monkeypatch.setenv("PATH", str(found.folder))
    monkeypatch.setattr("hysteron_fpga.tools.sys", SimpleNamespace(executable=str(found.folder / "python")))
    monkeypatch.setattr("hysteron_fpga.build.Top", Blink)
    monkeypatch.setattr("hysteron_fpga.build.build_firmware", lambda _: Firmware(np.arange(WORDS, dtype=np.uint32), {}))
    monkeypatch.setattr(baseline, "FILE", found.folder / "baseline.json")
    baseline.FILE.write_text("{}")
    return found
