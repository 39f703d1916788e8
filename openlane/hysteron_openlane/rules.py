"""Design rules of the wires, checked on a GDS without a deck: width, spacing, area, cuts, and metal around cuts.

The values are those of SkyWater's documentation of the process ("Periphery rules", skywater-pdk.readthedocs.io); the
names of the rules are its. Wires inside macros are the foundry's memory cells, for which other rules hold, and are left
out, as is everything below li1: that is inside cells.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import klayout.db as db

from hysteron_wire.errors import require


@dataclass(frozen=True)
class Metal:
    """Of a layer of wires, in µm and µm²: prefix of its rules, layer number, least width, spacing and area."""

    rule: str
    name: str
    layer: int
    width: float
    space: float
    area: float


@dataclass(frozen=True)
class Cut:
    """Of the cuts between a layer of wires and the next: their size, spacing, and how far metal goes beyond them."""

    rule: str
    name: str
    layer: int
    size: float
    space: float
    below: float
    above: float


METALS = (
    Metal("li", "li1", 67, 0.17, 0.17, 0.0561),
    Metal("m1", "met1", 68, 0.14, 0.14, 0.083),
    Metal("m2", "met2", 69, 0.14, 0.14, 0.0676),
    Metal("m3", "met3", 70, 0.3, 0.3, 0.24),
    Metal("m4", "met4", 71, 0.3, 0.3, 0.24),
    Metal("m5", "met5", 72, 1.6, 1.6, 4.0),
)
CUTS = (
    Cut("ct", "mcon", 67, 0.17, 0.19, 0.0, 0.03),
    Cut("via", "via", 68, 0.15, 0.17, 0.055, 0.055),
    Cut("via2", "via2", 69, 0.2, 0.2, 0.04, 0.065),
    Cut("via3", "via3", 70, 0.2, 0.2, 0.06, 0.065),
    Cut("via4", "via4", 71, 0.8, 0.8, 0.19, 0.31),
)
DRAWING, CUT = 20, 44


def violations(gds: Path, top: str, boxes: Sequence[tuple[float, float, float, float]]) -> dict[str, int]:
    """How often each rule is broken outside ``boxes``, by the rule.

    Parameters
    ----------
    gds
        The layout.
    top
        Name of the cell.
    boxes
        Left, lower, right and upper edge in µm of every macro.
    """
    layout = db.Layout()
    layout.read(str(gds))
    cell = layout.cell(top)
    require(cell is not None, f"{str(gds)!r} has no cell {top}")
    inside = db.Region([db.DBox(*box).to_itype(layout.dbu) for box in boxes])

    def units(length: float) -> int:
        return round(length / layout.dbu)

    def drawn(number: int, kind: int) -> db.Region:
        return db.Region(cell.begin_shapes_rec(layout.layer(number, kind))).merged()

    def outside(found: db.Region | db.EdgePairs) -> int:
        polygons = found.polygons() if isinstance(found, db.EdgePairs) else found
        return int(polygons.not_inside(inside).count()) if inside.count() else int(polygons.count())

    metals = {metal.layer: drawn(metal.layer, DRAWING) for metal in METALS}
    found: dict[str, int] = {}
    for metal in METALS:
        wires = metals[metal.layer]
        found[f"{metal.rule} width {metal.width}"] = outside(wires.width_check(units(metal.width)))
        found[f"{metal.rule} space {metal.space}"] = outside(wires.space_check(units(metal.space)))
        least = round(metal.area / layout.dbu**2)
        found[f"{metal.rule} area {metal.area}"] = outside(wires.with_area(0, least, False))
    for cut in CUTS:
        cuts = drawn(cut.layer, CUT)
        size = units(cut.size)
        exact = cuts.rectangles().with_bbox_width(size, False).with_bbox_height(size, False)
        found[f"{cut.rule} size {cut.size}"] = outside(cuts - exact)
        found[f"{cut.rule} space {cut.space}"] = outside(cuts.space_check(units(cut.space)))
        for where, layer, margin in (("below", cut.layer, cut.below), ("above", cut.layer + 1, cut.above)):
            found[f"{cut.rule} metal {where} {margin}"] = outside(exact.sized(units(margin)) - metals[layer])
    return found
