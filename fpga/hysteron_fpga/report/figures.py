# SPDX-License-Identifier: Apache-2.0
"""The figures of a board's build."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..board import Board
from ..memories import Mapped
from ..placement import Placed

#: Resources for people, by their keys in ``report.json``, in the order in which reports show them.
RESOURCES = {
    "logic_cells": "logic cells",
    "luts": "look-up tables",
    "flip_flops": "flip-flops",
    "bram": "block RAMs",
    "lut_ram": "LUT RAMs",
    "spram": "single-port RAMs",
    "dsp": "multipliers",
}


@dataclass(frozen=True)
class BuildReport:
    """The figures of a board's build.

    Attributes
    ----------
    board
        The board.
    placements
        The placements by seed; the bitstream is the fastest one's.
    logic
        Look-up tables and flip-flops of the synthesised design: ``luts`` and ``flip_flops``.
    memories
        The memories of the synthesised design by name.
    network, data
        Names of the network and of the data set that the speed is of.
    accuracy
        The network's accuracy, 0 to 1; None if it is not known.
    cycles_per_image
        Mean cycles of an image on the core; None if they were not measured.
    unmeasured
        Why accuracy and cycles were not measured; empty if they were.
    bitstream
        Where the bitstream is.
    tools
        The version of each tool, by its name.
    checked
        Whether the figures were compared with the board's baseline.
    failures
        What is not as it must be, a line each; empty if all is well.
    """

    board: Board
    placements: dict[int, Placed]
    logic: dict[str, int]
    memories: dict[str, Mapped]
    network: str
    data: str
    accuracy: float | None
    cycles_per_image: float | None
    unmeasured: str
    bitstream: Path
    tools: dict[str, str]
    checked: bool = False
    failures: tuple[str, ...] = ()

    @property
    def best(self) -> Placed:
        """The fastest placement."""
        return max(self.placements.values(), key=lambda each: each.fmax_mhz)

    @property
    def target_mhz(self) -> float:
        """The board's clock in MHz, which a placement must reach."""
        return self.board.core.clock_hz / 1e6

    @property
    def us_per_image(self) -> float | None:
        """Microseconds of an image on the core at the board's clock, or None if its cycles were not measured."""
        return None if self.cycles_per_image is None else self.cycles_per_image / self.target_mhz

    @property
    def images_per_second(self) -> float | None:
        """Images a second of the core at the board's clock, or None if its cycles were not measured."""
        return None if self.cycles_per_image is None else 1e6 * self.target_mhz / self.cycles_per_image

    @property
    def resources(self) -> dict[str, tuple[int, int | None]]:
        """How many of each resource are used, and how many the device has if nextpnr says so."""
        best = self.best
        used = {**best.used, **self.logic}
        return {name: (used[name], best.available.get(name)) for name in RESOURCES if name in used}

    def as_dict(self) -> dict[str, Any]:
        """The content of ``report.json``, which docs/boards.md describes."""
        best = self.best
        return {
            "board": self.board.name,
            "core": asdict(self.board.core),
            "fmax_mhz": best.fmax_mhz,
            "target_mhz": self.target_mhz,
            "fmax_mhz_by_seed": {str(seed): each.fmax_mhz for seed, each in self.placements.items()},
            **best.used,
            **self.logic,
            "available": best.available,
            "memories": {
                name: {"kind": each.kind, "primitives": each.primitives, "bits": each.bits}
                for name, each in self.memories.items()
            },
            "network": self.network,
            "data": self.data,
            "accuracy": self.accuracy,
            "cycles_per_image": self.cycles_per_image,
            "us_per_image": self.us_per_image,
            "images_per_second": self.images_per_second,
            "baud": self.board.baud,
            "critical_path": [{"ns": each.ns, "kind": each.kind, "to": each.to} for each in best.path],
            "bitstream": str(self.bitstream),
        }
