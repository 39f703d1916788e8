# SPDX-License-Identifier: Apache-2.0
"""Which macros a memory takes, how many, and what the alternatives would cost."""

from dataclasses import dataclass

from hysteron_spec.core import ceil_div

from ..pdk import Pdk
from ..pdk.cells import bit_area
from .macros import Macro
from .macros import macros as macros_of


@dataclass(frozen=True)
class Need:
    """What a memory needs.

    Attributes
    ----------
    width, depth
        Bits of a row, and number of rows.
    grain
        Bits that can be written by themselves; ``width`` if only whole rows are.
    readers
        Number of read ports.
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
        """Bits that it holds."""
        return self.width * self.depth


@dataclass(frozen=True)
class Choice:
    """A way to build a memory.

    Attributes
    ----------
    macro
        The macro that it is made of; None for flip-flops.
    columns, banks
        Macros beside each other for the width, and above each other for the depth.
    area
        Area in mm²; of flip-flops an estimate from the areas of the cells, without wires.
    """

    macro: Macro | None
    columns: int
    banks: int
    area: float

    @property
    def count(self) -> int:
        """Number of macros."""
        return self.columns * self.banks

    @property
    def leakage_mw(self) -> float | None:
        """Leakage in mW of all macros at the typical corner; None for flip-flops."""
        return None if self.macro is None else self.count * self.macro.timing.leakage_mw


def choices(pdk: Pdk, need: Need) -> list[Choice]:
    """All ways to build a memory in a PDK, the smallest first."""
    found = [Choice(None, 0, 0, need.bits * bit_area(pdk))]
    for macro in macros_of(pdk).values():
        if suits(macro, need):
            columns, banks = ceil_div(need.width, macro.width), ceil_div(need.depth, macro.words)
            found.append(Choice(macro, columns, banks, columns * banks * macro.area))
    return sorted(found, key=lambda choice: choice.area)


def choose(pdk: Pdk, need: Need, *, macros: bool = False) -> Choice:
    """The smallest way to build a memory in a PDK; with ``macros`` the smallest of macros, if there is one."""
    found = choices(pdk, need)
    return next((choice for choice in found if choice.macro is not None), found[0]) if macros else found[0]


def suits(macro: Macro, need: Need) -> bool:
    """Whether the macro's ports and write mask do for the memory."""
    if not (need.exclusive or need.distinct):
        return False
    ports = need.readers + (not need.exclusive)
    whole = need.grain == need.width
    return ports <= macro.ports and (whole or (need.grain % macro.mask == 0 and macro.width % need.grain == 0))
