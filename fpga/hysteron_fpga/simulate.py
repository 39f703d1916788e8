# SPDX-License-Identifier: Apache-2.0
"""Stream images through the simulated netlist of a board and compare the results with golden."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hysteron_base.files import write_json
from hysteron_base.progress import Tell, quiet
from hysteron_data.sets import load_data_set
from hysteron_golden import run
from hysteron_sim.machine import SimulatedMachine
from hysteron_sim.system import stream
from hysteron_spec import compile_network, load

from .board import Board
from .build import folder_of
from .netlist import build_netlist
from .network import shipped

#: Seconds that the driver waits for an answer of a netlist, of which loading a network takes longest.
PATIENCE = 3600.0


@dataclass(frozen=True)
class NetlistReport:
    """What a simulation of a board's netlist found.

    Attributes
    ----------
    board
        The board.
    network
        Name of the network.
    images
        How many images were streamed.
    mismatches
        The images whose results differ from golden.
    cycles
        Cycles from the first byte that went in to the last that came out.
    """

    board: Board
    network: str
    images: int
    mismatches: tuple[int, ...]
    cycles: int

    @property
    def cycles_per_image(self) -> float:
        """Mean cycles of an image, with the serial line."""
        return self.cycles / self.images

    @property
    def images_per_second(self) -> float:
        """Images a second at the board's clock, with the serial line."""
        return self.board.core.clock_hz * self.images / self.cycles

    def as_dict(self) -> dict[str, Any]:
        """The content of ``netlist.json``."""
        return {
            "board": self.board.name,
            "core": asdict(self.board.core),
            "network": self.network,
            "images": self.images,
            "mismatches": len(self.mismatches),
            "first_mismatch": self.mismatches[0] if self.mismatches else None,
            "cycles_per_image": self.cycles_per_image,
            "images_per_second": self.images_per_second,
        }


def simulate_netlist(
    board: Board,
    *,
    network: Path | None = None,
    data: str | None = None,
    images: int = 20,
    tell: Tell = quiet,
) -> NetlistReport:
    """Simulate a board's synthesised netlist, and leave ``netlist.json`` in the board's folder.

    Parameters
    ----------
    board
        The board, for which :func:`hysteron_fpga.place.place` has left a netlist.
    network
        File of a network that fits the board; None takes the board's own.
    data
        Its data set by name, or an ``.npz`` file; None takes the board's own.
    images
        How many images are streamed, from the first on.
    tell
        Takes the stages of the work.

    Raises
    ------
    HysteronError
        If the network does not fit, there is no netlist, or the data are missing or not for the network.
    """
    wanted = load(network or shipped(board.network))
    compile_network(wanted, board.core)
    folder = folder_of(board)
    program = build_netlist(board, folder / "netlist.v", tell=tell)
    samples = load_data_set(data or board.data).inputs[:images]
    simulated = SimulatedMachine(board.core, board.machine, program=program)
    done = stream(simulated, wanted, samples, run(wanted, samples), patience=PATIENCE, tell=tell)
    cycles = done.line.last_out - done.line.first_in
    report = NetlistReport(board, wanted.name, len(samples), tuple(done.mismatches), cycles)
    write_json(folder / "netlist.json", report.as_dict())
    return report
