# SPDX-License-Identifier: Apache-2.0
"""Cells of a layout against the PDK's."""

import pytest

pytest.importorskip("klayout", reason="it comes with 'make gds-setup'")

import klayout.db as db

from hysteron_openlane.layout.originals import altered_cells
from hysteron_openlane.pdk import SKY130
from support.silicon import pdk_macro

pytestmark = pytest.mark.usefixtures("pdk")

INVERTER = SKY130.cells.full("inv_2")
MACRO = "sky130_sram_1kbyte_1rw_32x256_8"


@pytest.fixture
def layout() -> db.Layout:
    """An inverter, a macro and a via."""
    found = db.Layout()
    found.read(str(SKY130.cell_file("gds")))
    found.read(str(SKY130.macro_file("gds", MACRO)))
    top = found.create_cell("top")
    for cell in (found.cell(INVERTER), found.cell(MACRO), found.create_cell("VIA_1")):
        top.insert(db.CellInstArray(cell.cell_index(), db.Trans()))
    return found


def altered(layout: db.Layout) -> list[str]:
    return altered_cells(SKY130, layout, "top", [pdk_macro(MACRO)])[1]


def test_the_pdk_s_cells_are_compared_with_all_that_is_inside(layout: db.Layout) -> None:
    count, wrong = altered_cells(SKY130, layout, "top", [pdk_macro(MACRO)])
    assert count > 100
    assert wrong == []


def test_a_cell_that_is_drawn_otherwise_is_told(layout: db.Layout) -> None:
    layout.cell(INVERTER).shapes(layout.layer(68, 20)).insert(db.Box(0, 1200, 200, 1400))
    assert altered(layout) == [f"{INVERTER}: drawn otherwise on layer 68/20"]


def test_a_shape_that_is_missing_deep_inside_a_macro_is_told(layout: db.Layout) -> None:
    name = next(cell.name for cell in layout.each_cell() if cell.name.endswith("sram_sp_cell_opt1"))
    layout.cell(name).shapes(layout.layer(68, 20)).clear()
    assert altered(layout) == [f"{name}: drawn otherwise on layer 68/20"]


def test_a_cell_that_is_moved_inside_a_macro_is_told(layout: db.Layout) -> None:
    instance = next(iter(layout.cell(MACRO).each_inst()))
    instance.transform(db.Trans(5, 0))
    assert altered(layout) == [f"{MACRO}: other cells inside"]


def test_a_cell_of_one_s_own_is_told(layout: db.Layout) -> None:
    layout.cell("top").insert(db.CellInstArray(layout.create_cell("own").cell_index(), db.Trans()))
    assert altered(layout) == ["own: the PDK has no such cell"]


@pytest.mark.parametrize("cell", ["top", "VIA_1"])
def test_what_a_router_does_not_draw_is_told(layout: db.Layout, cell: str) -> None:
    layout.cell(cell).shapes(layout.layer(68, 20)).insert(db.Box(0, 0, 1000, 1000))
    assert altered(layout) == []
    layout.cell(cell).shapes(layout.layer(65, 20)).insert(db.Box(0, 0, 1000, 1000))
    assert altered(layout) == [f"{cell}: drawn on layer 65/20"]


def test_a_cell_that_hides_in_a_via_is_told(layout: db.Layout) -> None:
    layout.cell("VIA_1").insert(db.CellInstArray(layout.cell(INVERTER).cell_index(), db.Trans()))
    assert altered(layout) == ["VIA_1: has cells inside"]


def test_a_macro_that_is_not_asked_for_is_told(layout: db.Layout) -> None:
    assert f"{MACRO}: the PDK has no such cell" in altered_cells(SKY130, layout, "top", [])[1]
