# SPDX-License-Identifier: Apache-2.0
"""Cuts where straps of the supply cross its rails, on straps that are drawn here."""

from collections.abc import Set
from pathlib import Path

import pytest

pytest.importorskip("klayout", reason="it comes with 'make gds-setup'")

import klayout.db as db

from hysteron_openlane.layout.connectivity import Extracted
from hysteron_openlane.layout.supply import unjoined
from hysteron_openlane.pdk import SKY130

LAYERS = {"met1": (68, 20), "met2": (69, 20), "met3": (70, 20), "met4": (71, 20), "met5": (72, 20)}
CUTS = {"via": (68, 44), "via2": (69, 44), "via3": (70, 44), "via4": (71, 44)}
ROWS = (0.0, 10.0, 20.0)


def drawn(folder: Path, lost: Set[tuple[str, float]] = frozenset()) -> Extracted:
    """A strap of met4 over three rails and under one of met5 with their cuts, but ``lost`` ones by layer and row."""
    layout = db.Layout()
    layout.dbu = 0.001
    top = layout.create_cell("top")

    def add(layer: tuple[int, int], *box: float) -> None:
        top.shapes(layout.layer(*layer)).insert(db.DBox(*box))

    for row in ROWS:
        add(LAYERS["met1"], -5, row, 10, row + 0.48)
        for layer in ("met2", "met3"):
            add(LAYERS[layer], 0, row, 1.6, row + 0.48)
        for number, cut in enumerate(("via", "via2", "via3")):
            if (cut, row) not in lost:
                for x in (0.2, 1.0):
                    add(CUTS[cut], x, row + 0.1 + 0.01 * number, x + 0.2, row + 0.3)
    add(LAYERS["met4"], 0, -5, 1.6, 30)
    add(LAYERS["met5"], -5, 25, 10, 26.6)
    if ("via4", 25.0) not in lost:
        add(CUTS["via4"], 0.4, 25.4, 1.2, 26.2)
    # The rails hang together at their ends too, as in a chip: no net is open without the cuts.
    add(LAYERS["met1"], -5, 0, -4, 27)
    top.shapes(layout.layer(71, 5)).insert(db.DText("VPWR", db.DTrans(0.8, -3)))
    top.shapes(layout.layer(68, 5)).insert(db.DText("VPWR", db.DTrans(-4.5, 5)))
    top.shapes(layout.layer(72, 5)).insert(db.DText("VPWR", db.DTrans(5, 26)))
    layout.write(str(folder / "supply.gds"))
    return Extracted(SKY130, folder / "supply.gds", "top", [])


def test_crossings_with_all_their_cuts(tmp_path: Path) -> None:
    assert unjoined(SKY130, drawn(tmp_path)) == (4, [])


@pytest.mark.parametrize("cut", ["via", "via2", "via3"])
def test_crossings_without_cuts_are_told(tmp_path: Path, cut: str) -> None:
    """Two thirds of them, and the net still hangs together."""
    count, lacking = unjoined(SKY130, drawn(tmp_path, {(cut, 10.0), (cut, 20.0)}))
    assert count == 4
    assert len(lacking) == 2
    assert all(f"'{cut}': 0" in line for line in lacking)
