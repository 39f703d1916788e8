"""Which macros a memory takes, how many, and what the alternatives would cost."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from hysteron_spec.core import ceil_div

from .macros import Macro, macros
from .pdk import CELLS, find, library, read

#: Standard cells of a bit that is kept in a flip-flop: itself, what holds or loads it, and its share of the read
#: multiplexer, a tree of fours.
_BIT_CELLS = (("dfxtp_1", 1.0), ("mux2_1", 1.0), ("mux4_1", 1 / 3))


@dataclass(frozen=True)
class Need:
    """A memory.

    Attributes
    ----------
    width, depth
        Bits of a row, rows.
    grain
        Bits that can be written by themselves; ``width`` if only whole rows are.
    readers
        Read ports.
    exclusive
        Whether nothing is read in a cycle in which something is written, so that one port does for both.
    distinct
        Whether no row is read in the cycle in which it is written. What a macro with two ports says of such a row is
        unknown, and of a memory without this promise it is what was there before.
    """

    width: int
    depth: int
    grain: int
    readers: int = 1
    exclusive: bool = False
    distinct: bool = False

    @property
    def bits(self) -> int:
        """That it holds."""
        return self.width * self.depth


@dataclass(frozen=True)
class Choice:
    """A way to build a memory.

    Attributes
    ----------
    macro
        Of which it is made; None: of flip-flops.
    columns, banks
        Macros beside each other for the width, and above each other for the depth.
    area
        In mm²; of flip-flops an estimate from the areas of the cells, without wires.
    """

    macro: Macro | None
    columns: int
    banks: int
    area: float

    @property
    def count(self) -> int:
        """Macros."""
        return self.columns * self.banks

    @property
    def leakage_mw(self) -> float | None:
        """Of all macros at the typical corner; None of flip-flops."""
        return None if self.macro is None else self.count * self.macro.timing.leakage_mw


def choices(need: Need) -> list[Choice]:
    """All ways to build a memory, the smallest first."""
    found = [Choice(None, 0, 0, need.bits * bit_area())]
    for macro in macros().values():
        if suits(macro, need):
            columns, banks = ceil_div(need.width, macro.width), ceil_div(need.depth, macro.words)
            found.append(Choice(macro, columns, banks, columns * banks * macro.area))
    return sorted(found, key=lambda choice: choice.area)


def choose(need: Need, *, macros: bool = False) -> Choice:
    """The smallest way; with ``macros`` the smallest of macros, if there is one."""
    found = choices(need)
    return next((choice for choice in found if choice.macro is not None), found[0]) if macros else found[0]


def suits(macro: Macro, need: Need) -> bool:
    """Whether the macro's ports and write mask do for the memory."""
    if not (need.exclusive or need.distinct):
        return False
    ports = need.readers + (not need.exclusive)
    whole = need.grain == need.width
    return ports <= macro.ports and (whole or (need.grain % macro.mask == 0 and macro.width % need.grain == 0))


@cache
def bit_area() -> float:
    """Area in mm² of a bit in a flip-flop."""
    return sum(share * cell_area(f"{CELLS}__{name}") for name, share in _BIT_CELLS) / 1e6


@cache
def cell_sizes() -> dict[str, tuple[float, float]]:
    """Width and height in µm of all standard cells."""
    text = read(find(library() / "lef", f"{CELLS}.lef"))
    pattern = r"^MACRO (\S+)\n.*?^\s*SIZE\s+([\d.]+)\s+BY\s+([\d.]+)"
    return {name: (float(width), float(height)) for name, width, height in re.findall(pattern, text, re.M | re.S)}


def cell_area(name: str) -> float:
    """Area of a standard cell in µm²."""
    width, height = cell_sizes()[name]
    return width * height


def total_area(needs: Iterable[Need]) -> float:
    """In mm²."""
    return sum(choose(need).area for need in needs)
