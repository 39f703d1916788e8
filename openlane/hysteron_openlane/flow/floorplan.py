# SPDX-License-Identifier: Apache-2.0
"""Where the macros go: rows of them from the top of the die, the standard cells below.

OpenRAM's macros have data pins at their lower edge and address, select and clock at their left one, so every row keeps
a channel below it and every macro one to its left.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, sqrt

from ..memory.macros import Macro

#: Between macros and around them, in µm: room for wires and for the power grid's halo.
CHANNEL = 40.0
#: From the die's edge to the first row of cells, in µm, and what the die's sides are multiples of.
MARGIN = 12.0
GRID = 10.0


@dataclass(frozen=True)
class Place:
    """A macro's lower left corner in µm."""

    instance: str
    macro: Macro
    x: float
    y: float


@dataclass(frozen=True)
class Floorplan:
    """A die.

    Attributes
    ----------
    width, height
        Sides of the die in µm.
    places
        Places of all macros, none rotated or mirrored.
    """

    width: float
    height: float
    places: tuple[Place, ...]

    @property
    def area(self) -> float:
        """Area of the die in mm²."""
        return self.width * self.height / 1e6

    @property
    def cells(self) -> float:
        """Area in mm² that the macros and their channels leave to standard cells."""
        taken = sum((place.macro.size[0] + CHANNEL) * (place.macro.size[1] + CHANNEL) for place in self.places)
        return (self.width - 2 * MARGIN) * (self.height - 2 * MARGIN) / 1e6 - taken / 1e6


def floorplan(macros: Sequence[tuple[str, Macro]], cells: float, density: float) -> Floorplan:
    """A die as square as the macros allow.

    Parameters
    ----------
    macros
        Instances and their macros.
    cells
        Area of the standard cells in mm².
    density
        Share of the cells' region that they may take.
    """
    room = cells / density
    widest = max((macro.size[0] for _, macro in macros), default=0.0) + CHANNEL
    whole = room + sum((macro.size[0] + CHANNEL) * (macro.size[1] + CHANNEL) for _, macro in macros) / 1e6
    best: Floorplan | None = None
    # A few widths around the square's: whole numbers of the widest macro, and the square's own.
    square = 1000 * sqrt(whole)
    for inside in (square, *(widest * count for count in range(1, ceil(square / widest) + 2) if macros)):
        if inside < widest:
            continue
        found = _rows(macros, _up(inside + 2 * MARGIN), room)
        if best is None or (_squareness(found), found.area) < (_squareness(best), best.area):
            best = found
    assert best is not None
    return best


def _squareness(plan: Floorplan) -> float:
    """How much longer the longer side is, in tenths."""
    return round(10 * max(plan.width, plan.height) / min(plan.width, plan.height))


def _rows(macros: Sequence[tuple[str, Macro]], width: float, room: float) -> Floorplan:
    """Macros in rows from the top right, tall ones first; what they leave at the left of a row cells may have."""
    rows: list[list[tuple[str, Macro]]] = []
    left = 0.0
    for instance, macro in sorted(macros, key=lambda one: -one[1].size[1]):
        if macro.size[0] + CHANNEL > left:
            rows.append([])
            left = width - 2 * MARGIN
        left -= macro.size[0] + CHANNEL
        rows[-1].append((instance, macro))
    heights = [max(macro.size[1] for _, macro in row) + CHANNEL for row in rows]
    taken = sum((macro.size[0] + CHANNEL) * (macro.size[1] + CHANNEL) for _, macro in macros) / 1e6
    inside = max(sum(heights), 1e6 * (room + taken) / (width - 2 * MARGIN))
    height = _up(inside + 2 * MARGIN)
    places = []
    top = height - MARGIN - CHANNEL / 2
    for row, tall in zip(rows, heights, strict=True):
        right = width - MARGIN - CHANNEL / 2
        for instance, macro in row:
            right -= macro.size[0]
            places.append(Place(instance, macro, round(right, 2), round(top - macro.size[1], 2)))
            right -= CHANNEL
        top -= tall
    return Floorplan(width, height, tuple(places))


def _up(length: float) -> float:
    return GRID * ceil(length / GRID)
