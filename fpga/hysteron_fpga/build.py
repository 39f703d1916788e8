# SPDX-License-Identifier: Apache-2.0
"""From a board to its bitstream: synthesis once, place and route with several seeds, the fastest is packed."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hysteron_base.files import build_root, write_file
from hysteron_base.progress import Tell, quiet, stage
from hysteron_firmware.build import build as build_firmware
from hysteron_rtl.machine.cpu import cpu_verilog

from .board import Board
from .memories import check, mapped
from .placement import Placed, read
from .tools import find, run
from .top import Top

#: Files of a board's folder, beside the bitstream and the placements', that belong to one build.
LEFT = ("report.json", "report.html", "netlist.v")


@dataclass(frozen=True)
class Built:
    """What a build left.

    Attributes
    ----------
    bitstream
        The bitstream of the fastest placement.
    design, netlist
        The synthesised design, as yosys's JSON and as Verilog.
    placements
        The placements by seed.
    """

    bitstream: Path
    design: Path
    netlist: Path
    placements: dict[int, Placed]


def folder_of(board: Board) -> Path:
    """The folder that holds all that builds of a board leave."""
    return build_root() / "fpga" / board.name


def build(board: Board, *, seeds: Sequence[int] = (1,), tell: Tell = quiet) -> Built:
    """Make the bitstream of a board, in :func:`folder_of` it.

    Parameters
    ----------
    board
        The board.
    seeds
        A seed for each placement that is tried.
    tell
        Takes the stages of the build.

    Raises
    ------
    HysteronError
        If a tool is missing.
    ToolError
        If a tool fails, puts a memory where it does not belong, or does not report what was asked for.
    """
    family, folder = board.family, folder_of(board)
    for tool in family.tools:
        find(tool, family)
    with stage(tell, f"{board.title}: firmware and design"):
        platform = board.platform()
        platform.add_file("picorv32.v", cpu_verilog(small=board.machine.small))
        firmware = build_firmware(board.machine)
        plan = platform.prepare(
            Top(board, [int(word) for word in firmware.words]),
            "top",
            emit_src=False,
            synth_opts=list(family.synthesis),
            script_after_synth="write_verilog -noattr -simple-lhs netlist.v",
        )
    placed, bitstream = family.placed, folder / family.bitstream
    # What fails must not leave an earlier build's files there, to be taken for its own.
    for old in (bitstream, *(folder / name for name in LEFT), *folder.glob("seed-*")):
        old.unlink(missing_ok=True)
    for name, content in plan.files.items():
        write_file(folder / name, content.encode() if isinstance(content, str) else content)
    synthesise, place, pack = json.loads(plan.files["build_top.json"])["commands"]
    with stage(tell, f"{board.title}: synthesis (minutes)"):
        run(synthesise, family, folder, "yosys.log")
        check(mapped(folder / "top.json", family), board.memories(len(firmware.words)))
    placements = {}
    for seed in seeds:
        report = folder / f"seed-{seed}.json"
        own = {placed: f"seed-{seed}{Path(placed).suffix}", "top.tim": f"seed-{seed}.tim"}
        more = ["--seed", str(seed), "--report", report.name, "--detailed-timing-report", "--timing-allow-fail"]
        with stage(tell, f"{board.title}: place and route, seed {seed} (minutes)"):
            run([*(own.get(word, word) for word in place), *more], family, folder, f"nextpnr-{seed}.log")
        placements[seed] = read(report, family)
    best = max(seeds, key=lambda seed: placements[seed].fmax_mhz)
    shutil.copyfile(folder / f"seed-{best}{Path(placed).suffix}", folder / placed)
    packed = bitstream.with_suffix(f".part{bitstream.suffix}")
    with stage(tell, f"{board.title}: bitstream"):
        run([packed.name if word == bitstream.name else word for word in pack], family, folder, "pack.log")
    packed.replace(bitstream)
    return Built(bitstream, folder / "top.json", folder / "netlist.v", placements)
