# SPDX-License-Identifier: Apache-2.0
"""Kinds, places, rows, taps and pins, on a row of three cells that is drawn here."""

from pathlib import Path

import pytest

pytest.importorskip("klayout", reason="it comes with 'make gds-setup'")

import klayout.db as db

from hysteron_openlane.layout import placement
from hysteron_openlane.pdk import SKY130

INV, NOR, TAP = (f"sky130_fd_sc_hd__{name}" for name in ("nand2_2", "nor2_2", "tapvpwrvgnd_1"))
SIZES = {INV: (2.0, 2.0), NOR: (2.0, 2.0), TAP: (1.0, 2.0)}
DEF = f"""UNITS DISTANCE MICRONS 1000 ;
ROW ROW_0 unit 0 0 N DO 5 BY 1 STEP 1000 0 ;
COMPONENTS 3 ;
    - one {INV} + PLACED ( 0 0 ) N ;
    - tap {TAP} + FIXED ( 2000 0 ) N ;
    - two\\[1\\] {INV} + PLACED ( 3000 0 ) FS ;
END COMPONENTS
PINS 1 ;
    - a + NET a + DIRECTION INPUT + USE SIGNAL
      + PORT
        + LAYER met2 ( -100 -200 ) ( 100 200 )
        + PLACED ( 500 1000 ) N ;
END PINS
"""
NETLIST = {"cells": {"one": {"type": INV}, "tap": {"type": TAP}, "two[1]": {"type": INV}}}


def read(folder: Path, text: str = DEF) -> placement.Placement:
    (folder / "top.def").write_text(text)
    return placement.read_placement(folder / "top.def", (1.0, 2.0))


def drawn(*, tap: bool = True, turned: bool = False) -> db.Layout:
    layout = db.Layout()
    layout.dbu = 0.001
    top = layout.create_cell("top")
    cells = {name: layout.create_cell(name).cell_index() for name in SIZES}
    top.insert(db.CellInstArray(cells[INV], db.Trans()))
    if tap:
        top.insert(db.CellInstArray(cells[TAP], db.Trans(2000, 0)))
    place = db.Trans(2, False, 5000, 2000) if turned else db.Trans(0, True, 3000, 2000)
    top.insert(db.CellInstArray(cells[INV], place))
    top.shapes(layout.layer(69, 20)).insert(db.Box(300, 800, 700, 1200))
    top.shapes(layout.layer(69, 5)).insert(db.Text("a", db.Trans(500, 1000)))
    return layout


def test_a_layout_as_it_should_be(tmp_path: Path) -> None:
    found = read(tmp_path)
    assert placement.differing_kinds(found, NETLIST) == []
    assert placement.misplaced(SKY130, found, drawn(), "top", SIZES) == []
    assert placement.lost_pins(SKY130, found, drawn(), "top") == []
    assert (placement.gaps(found, SIZES), placement.far_from_taps(SKY130, found, SIZES)) == (0, 0)


def test_another_cell_of_the_same_pins_in_the_netlist_is_told(tmp_path: Path) -> None:
    swapped = {"cells": {**NETLIST["cells"], "one": {"type": NOR}}}
    assert placement.differing_kinds(read(tmp_path), swapped) == [f"one: {INV} in the DEF, {NOR} in the netlist"]
    # And in all of netlist and DEF: the GDS has another one.
    found = read(tmp_path, DEF.replace(f"one {INV}", f"one {NOR}"))
    assert placement.differing_kinds(found, swapped) == []
    assert len(placement.misplaced(SKY130, found, drawn(), "top", SIZES)) == 2


def test_taps_and_fills_that_are_removed_everywhere_are_told(tmp_path: Path) -> None:
    text = "\n".join(line for line in DEF.splitlines() if " tap " not in line)
    found = read(tmp_path, text)
    netlist = {"cells": {name: cell for name, cell in NETLIST["cells"].items() if name != "tap"}}
    assert placement.differing_kinds(found, netlist) == []
    assert placement.misplaced(SKY130, found, drawn(tap=False), "top", SIZES) == []
    assert placement.gaps(found, SIZES) == 1
    assert placement.far_from_taps(SKY130, found, SIZES) == 2


def test_a_cell_on_another_one_is_told(tmp_path: Path) -> None:
    assert placement.gaps(read(tmp_path, DEF.replace("( 3000 0 )", "( 2000 0 )")), SIZES) == 2


def test_a_tap_that_is_too_far_away_is_told(tmp_path: Path) -> None:
    assert placement.far_from_taps(SKY130, read(tmp_path, DEF.replace("( 3000 0 )", "( 17000 0 )")), SIZES) == 1


def test_a_cell_that_is_turned_is_told(tmp_path: Path) -> None:
    assert len(placement.misplaced(SKY130, read(tmp_path), drawn(turned=True), "top", SIZES)) == 2


def test_pins_on_the_other_side_are_told(tmp_path: Path) -> None:
    mirrored = read(tmp_path, DEF.replace("( 500 1000 )", "( 4500 1000 )"))
    assert placement.lost_pins(SKY130, mirrored, drawn(), "top") == [
        "a: no wire on met2 at (4400,800;4600,1200)",
        "a: no label where the DEF has the pin",
    ]
