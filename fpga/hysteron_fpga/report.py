"""What a build uses and how fast it is, from nextpnr's own reports."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hysteron_base.errors import HysteronError, require

#: nextpnr's names of resources, by what they are called in reports.
_RESOURCES = {
    "logic_cells": ("TRELLIS_COMB", "ICESTORM_LC"),
    "bram": ("DP16KD", "ICESTORM_RAM"),
    "lut_ram": ("TRELLIS_RAMW",),
    "spram": ("ICESTORM_SPRAM",),
    "dsp": ("MULT18X18D", "ICESTORM_DSP"),
}
#: What stands in front of every name, and what yosys, nextpnr and Amaranth add, in the order in which it is taken away:
#: cells made of a signal, pins of RAM, numbers of equal names, signals without a name, primitives of a memory.
_ADDED = (
    r"^machine\.(inside\.)?",
    r"_(LUT4|TRELLIS_FF|CCU2C|PFUMX|L6MUX21|DP16KD|SB_[A-Z]).*$|\$CCU2_COMB\d$",
    r"_(DO[AB]|RDATA|DATAOUT|ADDRESS)[_\d]*$",
    r"\$\d+(?=[._]|$)|\.?\$signal\$\d+",
    r"(\.memory)?(\.(spram|block)_\d+_\d+)?(\.\d+)*$",
)


@dataclass(frozen=True)
class Placed:
    """A placement.

    Attributes
    ----------
    fmax_mhz
        Highest clock of the machine's domain after routing.
    used, available
        By resource.
    path
        The slowest path: each element's delay in ns, whether it is logic or routing, and where it leads.
    """

    fmax_mhz: float
    used: dict[str, int]
    available: dict[str, int]
    path: tuple[tuple[float, str, str], ...]

    @property
    def path_ns(self) -> float:
        """Delay of the slowest path."""
        return sum(delay for delay, _, _ in self.path)


def read(report: Path) -> Placed:
    """A placement's figures.

    Raises
    ------
    HysteronError
        If the report lacks one: what was not measured is no result.
    """
    require(report.exists(), f"there is no {str(report)!r}; see the log beside it")
    try:
        content = json.loads(report.read_text())
    except ValueError as error:
        raise HysteronError(f"{str(report)!r} is no JSON ({error}); see the log beside it") from None
    clocks: Mapping[str, Mapping[str, float]] = content.get("fmax", {})
    constrained = {name: clock["achieved"] for name, clock in clocks.items() if clock.get("constraint", 0) > 0}
    require(bool(constrained), f"{str(report)!r} has no Fmax; see the log beside it")
    slowest = min(constrained, key=lambda name: constrained[name] / clocks[name]["constraint"])
    utilisation = content.get("utilization", {})
    used, available = {}, {}
    for name, kinds in _RESOURCES.items():
        for kind in kinds:
            if kind in utilisation:
                used[name], available[name] = utilisation[kind]["used"], utilisation[kind]["available"]
    require(
        "logic_cells" in used and "bram" in used, f"{str(report)!r} does not say what is used; see the log beside it"
    )
    paths = [
        path["path"]
        for path in content.get("critical_paths", ())
        if path["from"].split()[-1] == path["to"].split()[-1] == slowest
    ]
    require(bool(paths), f"{str(report)!r} has no slowest path; see the log beside it")
    return Placed(float(constrained[slowest]), used, available, _steps(paths[0]))


def _steps(path: list[dict[str, Any]]) -> tuple[tuple[float, str, str], ...]:
    return tuple((float(each["delay"]), str(each["type"]), readable(str(each["to"]["cell"]))) for each in path)


def readable(cell: str) -> str:
    """A cell's name without what the tools added: the signal or block of the design that it belongs to."""
    name = cell
    for added in _ADDED:
        name = re.sub(added, "", name)
    return name or cell
