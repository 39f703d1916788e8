"""Design rules of the wires, checked on a GDS without a deck: width, spacing, area, cuts, and metal around cuts.

The values are those of SkyWater's documentation of the process ("Periphery rules", skywater-pdk.readthedocs.io); the
names of the rules are its. Inside macros are the foundry's memory cells, for which other rules hold: they are taken for
what their LEF says, pins and obstructions. What is below li1 is inside cells, and not checked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import klayout.db as db

from hysteron_base.errors import require

from .connectivity import CUT, DRAWING, OBSTRUCTION, only_pins
from .macros import Macro


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


def violations(gds: Path, top: str, macros: Sequence[Macro]) -> dict[str, int]:
    """How often each rule is broken, by the rule.

    Parameters
    ----------
    gds
        The layout.
    top
        Name of the cell.
    macros
        Those that are in it.
    """
    layout = db.Layout()
    layout.read(str(gds))
    cell = layout.cell(top)
    require(cell is not None, f"{str(gds)!r} has no cell {top}")
    for macro in macros:
        only_pins(layout, macro)

    def units(length: float) -> int:
        return round(length / layout.dbu)

    def drawn(number: int, kind: int) -> db.Region:
        return db.Region(cell.begin_shapes_rec(layout.layer(number, kind))).merged()

    metals = {}
    found: dict[str, int] = {}
    for metal in METALS:
        wires, obstructions = drawn(metal.layer, DRAWING), drawn(metal.layer, OBSTRUCTION)
        metals[metal.layer] = wires
        # A wire that only touches one would be lost among them.
        found[f"{metal.rule} over a macro"] = wires.interacting(obstructions).count()
        wires = (wires + obstructions).merged()
        # Of edges: by whole polygons a power rail is compared with all that lies along it, for minutes.
        edges = wires.edges()
        found[f"{metal.rule} width {metal.width}"] = edges.width_check(units(metal.width)).count()
        found[f"{metal.rule} space {metal.space}"] = edges.space_check(units(metal.space)).count()
        least = round(metal.area / layout.dbu**2)
        found[f"{metal.rule} area {metal.area}"] = wires.with_area(0, least, False).count()
    for cut in CUTS:
        cuts = drawn(cut.layer, CUT)
        size = units(cut.size)
        exact = cuts.rectangles().with_bbox_width(size, False).with_bbox_height(size, False)
        found[f"{cut.rule} size {cut.size}"] = (cuts - exact).count()
        found[f"{cut.rule} space {cut.space}"] = cuts.edges().space_check(units(cut.space)).count()
        for where, layer, margin in (("below", cut.layer, cut.below), ("above", cut.layer + 1, cut.above)):
            found[f"{cut.rule} metal {where} {margin}"] = (exact.sized(units(margin)) - metals[layer]).count()
    return found
