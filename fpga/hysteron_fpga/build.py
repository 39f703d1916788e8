"""From a board to its bitstream: synthesis once, place and route with several seeds, the fastest is packed."""

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from hysteron_base.files import build_root, write_file
from hysteron_firmware.build import build as build_firmware
from hysteron_rtl.machine.cpu import cpu_verilog

from .board import Board
from .memories import check, mapped
from .report import read
from .tools import find, run
from .top import Top


@dataclass(frozen=True)
class Built:
    """What a build left.

    Attributes
    ----------
    folder
        Where everything is.
    bitstream
        Of the fastest placement.
    design, netlist
        The mapped cells: yosys's JSON, and Verilog.
    reports
        nextpnr's report by seed.
    """

    folder: Path
    bitstream: Path
    design: Path
    netlist: Path
    reports: dict[int, Path]


def build(board: Board, *, seeds: Sequence[int] = (1,), tell: Callable[[str], None] = lambda _: None) -> Built:
    """Make the bitstream of ``board``.

    Parameters
    ----------
    board
        What for.
    seeds
        Of the placements.
    tell
        Called with what is about to be done.

    Raises
    ------
    HysteronError
        If a tool is missing or fails.
    """
    for tool in board.family.tools:
        find(tool)
    tell("firmware and design")
    folder = build_root() / "fpga" / board.name
    platform = board.platform()
    platform.add_file("picorv32.v", cpu_verilog(small=board.machine.small))
    firmware = build_firmware(board.machine)
    plan = platform.prepare(
        Top(board, [int(word) for word in firmware.words]),
        "top",
        emit_src=False,
        synth_opts=list(board.family.synthesis),
        script_after_synth="write_verilog -noattr -simple-lhs netlist.v",
    )
    placed, bitstream = board.family.placed, folder / board.family.bitstream
    # What fails must not leave an earlier build's files there, to be taken for its own.
    for old in (bitstream, folder / "report.json", folder / "netlist.v", *folder.glob("seed-*")):
        old.unlink(missing_ok=True)
    for name, content in plan.files.items():
        write_file(folder / name, content.encode() if isinstance(content, str) else content)
    synthesise, place, pack = json.loads(plan.files["build_top.json"])["commands"]
    tell("synthesis (minutes)")
    run(synthesise, folder, "yosys.log")
    check(mapped(folder / "top.json"), board.memories(len(firmware.words)))
    reports = {}
    for seed in seeds:
        tell(f"place and route, seed {seed} (minutes)")
        reports[seed] = folder / f"seed-{seed}.json"
        own = {placed: f"seed-{seed}{Path(placed).suffix}", "top.tim": f"seed-{seed}.tim"}
        more = ["--seed", str(seed), "--report", reports[seed].name, "--detailed-timing-report", "--timing-allow-fail"]
        run([*(own.get(word, word) for word in place), *more], folder, f"nextpnr-{seed}.log")
    best = max(seeds, key=lambda seed: read(reports[seed]).fmax_mhz)
    shutil.copyfile(folder / f"seed-{best}{Path(placed).suffix}", folder / placed)
    tell("bitstream")
    packed = bitstream.with_suffix(f".part{bitstream.suffix}")
    run([packed.name if word == bitstream.name else word for word in pack], folder, "pack.log")
    packed.replace(bitstream)
    return Built(folder, bitstream, folder / "top.json", folder / "netlist.v", reports)
