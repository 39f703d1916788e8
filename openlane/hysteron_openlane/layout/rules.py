# SPDX-License-Identifier: Apache-2.0
"""Design rules of the wires, checked on a GDS without a deck: grid, width, spacing, area, holes, cuts and their metal.

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

    def raw(layer: Layer) -> db.Region:
        return db.Region(cell.begin_shapes_rec(layout.layer(*layer)))

    def off_grid(region: db.Region) -> int:
        return int(region.grid_check(units(pdk.grid), units(pdk.grid)).count())

    metals = []
    found: dict[str, int] = {}
    for metal in pdk.wires:
        wires, obstructions = raw(metal.drawing).merged(), raw(obstruction(metal)).merged()
        metals.append(wires)
        found[f"{metal.rule} grid {pdk.grid}"] = off_grid(wires)
        # A wire that only touches one would be lost among them.
        found[f"{metal.rule} over a macro"] = wires.interacting(obstructions).count()
        if metal.hole:
            found[f"{metal.rule} hole {metal.hole}"] = (
                wires.holes().with_area(0, round(metal.hole / layout.dbu**2), False).count()
            )
        if metal.wide:
            wide = wires.sized(-units(metal.wide / 2)).sized(units(metal.wide / 2))
            others = wires.not_interacting(wide)
            gaps = wide.separation_check(others, units(metal.wide_space)).count()
            gaps += wide.space_check(units(metal.wide_space)).count()
            found[f"{metal.rule} space of wider than {metal.wide:g} {metal.wide_space}"] = gaps
        wires = (wires + obstructions).merged()
        # Of edges: by whole polygons a power rail is compared with all that lies along it, for minutes.
        edges = wires.edges()
        found[f"{metal.rule} width {metal.width}"] = edges.width_check(units(metal.width)).count()
        found[f"{metal.rule} space {metal.space}"] = edges.space_check(units(metal.space)).count()
        least = round(metal.area / layout.dbu**2)
        found[f"{metal.rule} area {metal.area}"] = wires.with_area(0, least, False).count()
    for number, cut in enumerate(pdk.cuts):
        cuts = raw(cut.drawing).merged()
        size = units(cut.size)
        exact = cuts.rectangles().with_bbox_width(size, False).with_bbox_height(size, False)
        found[f"{cut.rule} grid {pdk.grid}"] = off_grid(cuts)
        found[f"{cut.rule} size {cut.size}"] = (cuts - exact).count()
        found[f"{cut.rule} space {cut.space}"] = cuts.edges().space_check(units(cut.space)).count()
        for where, plane, margin, pair in (
            ("below", metals[number], cut.below, cut.below_pair),
            ("above", metals[number + 1], cut.above, cut.above_pair),
        ):
            found[f"{cut.rule} metal {where} {margin}"] = (exact.sized(units(margin)) - plane).count()
            if pair > margin:
                # By what the metal leaves of the grown cuts: whole polygons of it are slow to compare with.
                poor = exact
                for wide, high in ((pair, margin), (margin, pair)):
                    grown = exact.sized(units(wide), units(high), 2)
                    grown.merged_semantics = False
                    poor = poor.inside(grown.overlapping(grown - plane))
                found[f"{cut.rule} metal {where} {pair} at two sides"] = poor.count()
    return found
