# SPDX-License-Identifier: Apache-2.0
"""Design rules of the wires, on small layouts that are drawn here."""

from pathlib import Path

import pytest

pytest.importorskip("klayout", reason="it comes with 'make gds-setup'")

import klayout.db as db

from hysteron_openlane.layout import rules
from hysteron_openlane.pdk import SKY130
from support.silicon import pdk_macro


def boxes(folder: Path, *shapes: tuple[tuple[int, int], tuple[float, float, float, float]]) -> Path:
    layout = db.Layout()
    layout.dbu = 0.001
    cell = layout.create_cell("top")
    for layer, box in shapes:
        cell.shapes(layout.layer(*layer)).insert(db.DBox(*box))
    layout.write(str(folder / "rules.gds"))
    return folder / "rules.gds"


M1, M2, M3, M4, M5, VIA = (68, 20), (69, 20), (70, 20), (71, 20), (72, 20), (68, 44)
Shape = tuple[tuple[int, int], tuple[float, float, float, float]]


@pytest.mark.parametrize(
    ("shapes", "broken"),
    [
        ([(M1, (0, 0, 0.14, 1))], set()),
        ([(M1, (0, 0, 0.13, 1))], {"m1 width 0.14"}),
        ([(M1, (0, 0, 0.3, 1)), (M1, (0.44, 0, 1, 1))], set()),
        ([(M1, (0, 0, 0.3, 1)), (M1, (0.43, 0, 1, 1))], {"m1 space 0.14"}),
        ([(M1, (0, 0, 0.28, 0.28))], {"m1 area 0.083"}),
        ([(M1, (0, 0, 1, 1)), (M2, (0, 0, 1, 1)), (VIA, (0.1, 0.1, 0.25, 0.25))], set()),
        ([(M1, (0, 0, 1, 1)), (M2, (0, 0, 1, 1)), (VIA, (0.1, 0.1, 0.26, 0.25))], {"via size 0.15"}),
        ([(M1, (0, 0, 1, 1)), (VIA, (0.1, 0.1, 0.25, 0.25))],
         {"via metal above 0.055", "via metal above 0.085 at two sides"}),
        ([(M1, (0, 0, 1, 1)), (M2, (0, 0, 1, 1)), (VIA, (0.05, 0.1, 0.2, 0.25))],
         {f"via metal {where} {margin}" for where in ("below", "above") for margin in ("0.055", "0.085 at two sides")}),
    ],
)  # fmt: skip
def test_rules_of_the_wires(
    tmp_path: Path, shapes: list[tuple[tuple[int, int], tuple[float, float, float, float]]], broken: set[str]
) -> None:
    found = rules.violations(SKY130, boxes(tmp_path, *shapes), "top", [])
    assert {rule for rule, count in found.items() if count} == broken


def with_hole(side: float) -> list[Shape]:
    """A frame of met2 around a hole."""
    far = side + 0.5
    return [(M2, (0, 0, 0.5, far + 0.5)), (M2, (far, 0, far + 0.5, far + 0.5)), (M2, (0, 0, far, 0.5)),
            (M2, (0, far, far, far + 0.5))]  # fmt: skip


@pytest.mark.parametrize(
    ("shapes", "broken"),
    [
        ([(M1, (0, 0, 0.202, 1))], {"m1 grid 0.005"}),
        # Met1 reaches 0.055 beyond the via on all sides, but on no two opposite ones 0.085 (via.5a), then met2 (m2.5).
        ([(M1, (0.045, 0.045, 0.305, 0.305)), (M2, (0, 0, 1, 1)), (VIA, (0.1, 0.1, 0.25, 0.25))],
         {"m1 area 0.083", "via metal below 0.085 at two sides"}),
        ([(M1, (0, 0, 1, 1)), (M2, (0.045, 0.045, 0.305, 0.305)), (VIA, (0.1, 0.1, 0.25, 0.25))],
         {"via metal above 0.085 at two sides"}),
        ([(M1, (0, 0, 1, 1)), (M2, (0.015, 0.045, 0.335, 0.305)), (VIA, (0.1, 0.1, 0.25, 0.25))], set()),
        (with_hole(0.38), set()),
        (with_hole(0.37), {"m2 hole 0.14"}),
        ([(M4, (0, 0, 3.1, 5)), (M4, (3.45, 0, 4, 5))], {"m4 space of wider than 3 0.4"}),
        ([(M4, (0, 0, 3, 5)), (M4, (3.35, 0, 4, 5))], set()),
        ([(M4, (0, 0, 3.1, 5)), (M4, (3.5, 0, 4, 5))], set()),
    ],
    ids=["off grid", "via.5a", "m2.5", "m2.5 kept", "a hole that is large", "a hole", "wide met4", "3 um", "kept"],
)  # fmt: skip
def test_grid_holes_wide_wires_and_sides_of_cuts(tmp_path: Path, shapes: list[Shape], broken: set[str]) -> None:
    found = rules.violations(SKY130, boxes(tmp_path, *shapes), "top", [])
    assert {rule for rule, count in found.items() if count} == broken


MACRO = "sky130_sram_2kbyte_1rw_32x512_8"


@pytest.mark.usefixtures("pdk")
@pytest.mark.parametrize(
    ("wire", "broken"),
    [
        # The macro is 483.86 µm wide; what is in the way on met1 begins 0.62 µm inside.
        ((M1, (-1, 10, 0, 11)), set()),
        ((M1, (-1, 10, 1, 11)), {"m1 over a macro"}),
        ((M1, (-1, 10, 0.5, 11)), {"m1 space 0.14"}),
        ((M1, (-1, 10, 0.62, 11)), {"m1 over a macro"}),
        # The pin clk0 is at 0 to 0.38 µm on met3's left edge.
        ((M3, (-1, 0, -0.1, 330)), {"m3 space 0.3"}),
        ((M5, (-1, 10, 500, 12)), set()),
    ],
)
def test_a_macro_is_what_its_lef_says(
    tmp_path: Path, wire: tuple[tuple[int, int], tuple[float, float, float, float]], broken: set[str]
) -> None:
    layout = db.Layout()
    layout.dbu = 0.001
    top, cell = layout.create_cell("top"), layout.create_cell(MACRO)
    # Too narrow, but the foundry's.
    cell.shapes(layout.layer(*M1)).insert(db.DBox(5, 5, 5.01, 6))
    top.insert(db.DCellInstArray(cell.cell_index(), db.DTrans(0, 0)))
    top.shapes(layout.layer(*wire[0])).insert(db.DBox(*wire[1]))
    layout.write(str(tmp_path / "rules.gds"))
    found = rules.violations(SKY130, tmp_path / "rules.gds", "top", [pdk_macro(MACRO)])
    assert {rule for rule, count in found.items() if count} == broken


@pytest.mark.usefixtures("pdk")
def test_a_cut_to_the_inside_of_a_macro_is_found(tmp_path: Path) -> None:
    layout = db.Layout()
    layout.dbu = 0.001
    top, cell = layout.create_cell("top"), layout.create_cell(MACRO)
    top.insert(db.DCellInstArray(cell.cell_index(), db.DTrans(0, 0)))
    top.shapes(layout.layer(*M5)).insert(db.DBox(100, 100, 110, 110))
    top.shapes(layout.layer(71, 44)).insert(db.DBox(104, 104, 104.8, 104.8))
    layout.write(str(tmp_path / "rules.gds"))
    found = rules.violations(SKY130, tmp_path / "rules.gds", "top", [pdk_macro(MACRO)])
    assert {rule for rule, count in found.items() if count} == {"via4 metal below 0.19"}
