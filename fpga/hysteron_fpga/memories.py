# SPDX-License-Identifier: Apache-2.0
"""What a synthesised design consists of, and whether its memories are in the primitives that are meant for them."""

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hysteron_base.errors import ToolError

from .families.family import Family
from .placement import readable

#: Parts of a component that are its memory: it is called as the component.
_PARTS = re.compile(r"\.(storage|words|bank_\d+)$")


@dataclass(frozen=True)
class Mapped:
    """A memory of a synthesised design.

    Attributes
    ----------
    kind
        The kind of RAM that it is in; kinds, joined by "and", if it is in more than one.
    primitives, bits
        How many primitives it takes, and how many bits they hold in all.
    """

    kind: str
    primitives: int
    bits: int


def logic(netlist: Path, family: Family) -> dict[str, int]:
    """Count the look-up tables and flip-flops of a synthesised design.

    Parameters
    ----------
    netlist
        The design, as JSON of yosys.
    family
        The family that it was synthesised for.

    Returns
    -------
    dict
        The counts ``luts`` and ``flip_flops``.
    """
    kinds = Counter(cell["type"] for cell in _cells(netlist).values())
    return {
        "luts": kinds[family.luts],
        "flip_flops": sum(count for kind, count in kinds.items() if kind.startswith(family.flip_flops)),
    }


def _cells(netlist: Path) -> dict[str, dict[str, str]]:
    cells: dict[str, dict[str, str]] = json.loads(netlist.read_text())["modules"]["top"]["cells"]
    return cells


def mapped(netlist: Path, family: Family) -> dict[str, Mapped]:
    """Find the memories of a synthesised design, by name; those that are in flip-flops are not among them.

    Parameters
    ----------
    netlist
        The design, as JSON of yosys.
    family
        The family that it was synthesised for.
    """
    counts: Counter[tuple[str, str]] = Counter()
    bits: Counter[str] = Counter()
    for name, cell in _cells(netlist).items():
        primitive = family.primitives.get(cell["type"])
        if primitive is not None:
            memory = _PARTS.sub("", readable(name, family))
            counts[memory, primitive.kind] += 1
            bits[memory] += primitive.bits
    found: dict[str, Mapped] = {}
    for (name, kind), count in sorted(counts.items()):
        before = found.get(name)
        found[name] = (
            Mapped(kind, count, bits[name])
            if before is None
            else Mapped(f"{before.kind} and {kind}", before.primitives + count, bits[name])
        )
    return found


def check(found: Mapping[str, Mapped], wanted: Mapping[str, tuple[str, int]]) -> None:
    """Refuse a design in which a memory is not in the kind of RAM, or has not the bits, that ``wanted`` says.

    Raises
    ------
    ToolError
        Naming the first memory that synthesis put elsewhere.
    """
    for name, (kind, bits) in wanted.items():
        got = found.get(name)
        if got is None or got.kind != kind:
            place = "flip-flops" if got is None else got.kind
            raise ToolError(f"memory {name!r} is in {place}, not in {kind}; see top.rpt")
        if got.bits < bits:
            raise ToolError(f"memory {name!r} has {got.bits:,} bits of {kind}, but needs {bits:,}; see top.rpt")
