"""What a synthesised design consists of, and whether its memories are in the primitives that are meant for them."""

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hysteron_base.errors import require

from .report import readable

#: Memory primitives: what they are called here, and their bits.
KINDS = {
    "DP16KD": ("block RAM", 18432),
    "SB_RAM40_4K": ("block RAM", 4096),
    "SB_RAM40_4KNR": ("block RAM", 4096),
    "SB_SPRAM256KA": ("single-port RAM", 262144),
    "TRELLIS_DPR16X4": ("LUT RAM", 64),
}
#: Parts of a component that are its memory: it is called as the component.
_PARTS = re.compile(r"\.(storage|words|bank_\d+)$")


@dataclass(frozen=True)
class Mapped:
    """A memory: its primitives and their bits in all."""

    kind: str
    primitives: int
    bits: int


def logic(netlist: Path) -> dict[str, int]:
    """Look-up tables and flip-flops of a synthesised design.

    Parameters
    ----------
    netlist
        JSON of yosys.
    """
    kinds = Counter(cell["type"] for cell in _cells(netlist).values())
    return {
        "luts": sum(count for kind, count in kinds.items() if kind in ("LUT4", "SB_LUT4")),
        "flip_flops": sum(count for kind, count in kinds.items() if kind == "TRELLIS_FF" or kind.startswith("SB_DFF")),
    }


def _cells(netlist: Path) -> dict[str, dict[str, str]]:
    cells: dict[str, dict[str, str]] = json.loads(netlist.read_text())["modules"]["top"]["cells"]
    return cells


def mapped(netlist: Path) -> dict[str, Mapped]:
    """Memories of a synthesised design by name; what is in flip-flops has none.

    Parameters
    ----------
    netlist
        JSON of yosys.
    """
    counts: Counter[tuple[str, str]] = Counter()
    bits: Counter[str] = Counter()
    for name, cell in _cells(netlist).items():
        if cell["type"] in KINDS:
            kind, size = KINDS[cell["type"]]
            memory = _PARTS.sub("", readable(name))
            counts[memory, kind] += 1
            bits[memory] += size
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
    """Whether every memory of ``wanted`` is in the kind of RAM and as large as that says.

    Raises
    ------
    HysteronError
        Naming the first that is not.
    """
    for name, (kind, bits) in wanted.items():
        got = found.get(name)
        place = "flip-flops" if got is None else got.kind
        require(got is not None and got.kind == kind, f"memory {name!r} is in {place}, not in {kind}; see top.rpt")
        assert got is not None
        require(got.bits >= bits, f"memory {name!r} has {got.bits:,} bits of {kind}, but needs {bits:,}; see top.rpt")
