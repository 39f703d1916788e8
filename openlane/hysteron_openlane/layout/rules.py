# SPDX-License-Identifier: Apache-2.0
"""Design rules of the wires, checked on a GDS without a deck: width, spacing, area, cuts, and metal around cuts.

The values and the names of the rules are the PDK's. Inside macros are the foundry's memory cells, for which other rules
hold: they are taken for what their LEF says, pins and obstructions. What is below the wires is inside cells, and not
checked.
"""

from collections.abc import Sequence
from pathlib import Path

import klayout.db as db

from hysteron_base.errors import require

from ..memory.macros import Macro
from ..pdk import Layer, Pdk
from .connectivity import obstruction, only_pins


def violations(pdk: Pdk, gds: Path, top: str, macros: Sequence[Macro]) -> dict[str, int]:
    """How often each rule is broken, by the rule.

    Parameters
    ----------
    pdk
        The PDK whose rules hold.
    gds
        The layout.
    top
        Name of the cell.
    macros
        The macros in it.
    """
    layout = db.Layout()
    layout.read(str(gds))
    cell = layout.cell(top)
    require(cell is not None, f"{str(gds)!r} has no cell {top}")
    for macro in macros:
        only_pins(layout, macro)

    def units(length: float) -> int:
        return round(length / layout.dbu)

    def drawn(layer: Layer) -> db.Region:
        return db.Region(cell.begin_shapes_rec(layout.layer(*layer))).merged()

    metals = []
    found: dict[str, int] = {}
    for metal in pdk.wires:
        wires, obstructions = drawn(metal.drawing), drawn(obstruction(metal))
        metals.append(wires)
        # A wire that only touches one would be lost among them.
        found[f"{metal.rule} over a macro"] = wires.interacting(obstructions).count()
        wires = (wires + obstructions).merged()
        # Of edges: by whole polygons a power rail is compared with all that lies along it, for minutes.
        edges = wires.edges()
        found[f"{metal.rule} width {metal.width}"] = edges.width_check(units(metal.width)).count()
        found[f"{metal.rule} space {metal.space}"] = edges.space_check(units(metal.space)).count()
        least = round(metal.area / layout.dbu**2)
        found[f"{metal.rule} area {metal.area}"] = wires.with_area(0, least, False).count()
    for number, cut in enumerate(pdk.cuts):
        cuts = drawn(cut.drawing)
        size = units(cut.size)
        exact = cuts.rectangles().with_bbox_width(size, False).with_bbox_height(size, False)
        found[f"{cut.rule} size {cut.size}"] = (cuts - exact).count()
        found[f"{cut.rule} space {cut.space}"] = cuts.edges().space_check(units(cut.space)).count()
        for where, plane, margin in (("below", metals[number], cut.below), ("above", metals[number + 1], cut.above)):
            found[f"{cut.rule} metal {where} {margin}"] = (exact.sized(units(margin)) - plane).count()
    return found
