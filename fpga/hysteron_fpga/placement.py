# SPDX-License-Identifier: Apache-2.0
"""What a placement uses and how fast it is, from nextpnr's own report."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hysteron_base.errors import ToolError

from .families.family import Family


@dataclass(frozen=True)
class Element:
    """An element of a path.

    Attributes
    ----------
    ns
        Its delay in ns.
    kind
        What it is: ``logic``, ``routing``, ``setup`` and the like.
    to
        Where it leads: the signal or block of the design, as :func:`readable` names it.
    """

    ns: float
    kind: str
    to: str


@dataclass(frozen=True)
class Placed:
    """A placement.

    Attributes
    ----------
    fmax_mhz
        The highest clock of the machine's domain after routing, in MHz.
    used, available
        How many of each resource are used, and how many the device has, by the keys of a family's resources.
    path
        The elements of the slowest path, in order.
    """

    fmax_mhz: float
    used: dict[str, int]
    available: dict[str, int]
    path: tuple[Element, ...]

    @property
    def path_ns(self) -> float:
        """The delay of the slowest path, in ns."""
        return sum(element.ns for element in self.path)


def read(report: Path, family: Family) -> Placed:
    """Read the figures of a placement.

    Parameters
    ----------
    report
        The file that nextpnr wrote.
    family
        The family that was placed.

    Raises
    ------
    ToolError
        If the report lacks a figure: what was not measured is no result.
    """
    if not report.exists():
        raise ToolError(f"there is no {str(report)!r}; see the log beside it")
    try:
        content = json.loads(report.read_text())
    except ValueError as error:
        raise ToolError(f"{str(report)!r} is no JSON ({error}); see the log beside it") from None
    clocks: Mapping[str, Mapping[str, float]] = content.get("fmax", {})
    constrained = {name: clock["achieved"] for name, clock in clocks.items() if clock.get("constraint", 0) > 0}
    if not constrained:
        raise ToolError(f"{str(report)!r} has no Fmax; see the log beside it")
    slowest = min(constrained, key=lambda name: constrained[name] / clocks[name]["constraint"])
    utilisation = content.get("utilization", {})
    found = {name: utilisation[kind] for name, kind in family.resources.items() if kind in utilisation}
    if not {"logic_cells", "bram"} <= found.keys():
        raise ToolError(f"{str(report)!r} does not say what is used; see the log beside it")
    paths = [
        path["path"]
        for path in content.get("critical_paths", ())
        if path["from"].split()[-1] == path["to"].split()[-1] == slowest
    ]
    if not paths:
        raise ToolError(f"{str(report)!r} has no slowest path; see the log beside it")
    return Placed(
        float(constrained[slowest]),
        {name: each["used"] for name, each in found.items()},
        {name: each["available"] for name, each in found.items()},
        _elements(paths[0], family),
    )


def _elements(path: list[dict[str, Any]], family: Family) -> tuple[Element, ...]:
    return tuple(
        Element(float(each["delay"]), str(each["type"]), readable(str(each["to"]["cell"]), family)) for each in path
    )


def readable(cell: str, family: Family) -> str:
    """A cell's name without what the tools added: the signal or block of the design that it belongs to."""
    name = cell
    for added in (
        r"^machine\.(inside\.)?",  # the design's own top
        family.made_of,
        family.ports,
        r"\$\d+(?=[._]|$)|\.?\$signal\$\d+",  # numbers of equal names, signals without a name
        rf"(\.memory)?({family.bodies})?(\.\d+)*$",  # the primitives of a memory
    ):
        name = re.sub(added, "", name)
    return name or cell


def merged(path: Sequence[Element]) -> tuple[Element, ...]:
    """A path in which neighbouring elements that lead to the same signal are one."""
    found: list[Element] = []
    for each in path:
        if found and found[-1].to == each.to:
            last = found.pop()
            kind = each.kind if last.kind == each.kind else "logic and routing"
            found.append(Element(last.ns + each.ns, kind, each.to))
        else:
            found.append(each)
    return tuple(found)
