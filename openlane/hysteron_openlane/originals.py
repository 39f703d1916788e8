"""Cells of a layout against those of the PDK: what a comparison by the cells' pins takes for granted."""

from collections.abc import Sequence

import klayout.db as db

from .connectivity import CUT, DRAWING, LABEL, METALS, OUTLINE, PIN
from .macros import Macro
from .pdk import CELLS, MACROS, find, library

#: Cells that a router makes of its own.
_VIA = "VIA_"
#: What a router and a floorplan draw: wires, cuts and labels from li1 up, and the outline.
_ROUTED = {(layer, kind) for _, layer in METALS for kind in (DRAWING, CUT, LABEL, PIN)} | {OUTLINE}

#: Layer and datatype.
Layer = tuple[int, int]


def altered_cells(layout: db.Layout, top: str, macros: Sequence[Macro]) -> tuple[int, list[str]]:
    """Compare every cell below the top, standard cells and the insides of macros, with the PDK's of that name.

    Parameters
    ----------
    layout
        As KLayout writes it, which keeps the names of cells.
    top
        Name of the chip's cell.
    macros
        Those that are in it.

    Returns
    -------
    int, list of str
        How many were compared, and what is wrong, a line each: cells that the PDK has not, that are drawn otherwise, or
        that have others inside; and what the top or a via has on other layers than wires'. Labels are not compared.
    """
    references = [db.Layout()]
    references[0].read(str(find(library(CELLS) / "gds", f"{CELLS}.gds")))
    for macro in macros:
        references.append(db.Layout())
        references[-1].read(str(find(library(MACROS) / "gds", f"{macro.name}.gds")))
    compared: dict[str, str] = {}
    routed = [f"{top}: {what}" for what in _not_routed(layout.cell(top))]
    for index in layout.cell(top).each_child_cell():
        cell = layout.cell(index)
        if cell.name.startswith(_VIA):
            routed += [f"{cell.name}: {what}" for what in _not_routed(cell)]
            routed += [f"{cell.name}: has cells inside"] * (cell.child_instances() > 0)
            continue
        original = next((found for each in references if (found := each.cell(cell.name)) is not None), None)
        _compare(cell, original, compared)
    return len(compared), routed + [f"{name}: {what}" for name, what in compared.items() if what]


def _not_routed(cell: db.Cell) -> list[str]:
    return [f"drawn on layer {layer}/{kind}" for layer, kind in sorted(_shapes(cell).keys() - _ROUTED)]


def _compare(cell: db.Cell, original: db.Cell | None, compared: dict[str, str]) -> None:
    if cell.name in compared:
        return
    if original is None:
        compared[cell.name] = "the PDK has no such cell"
        return
    compared[cell.name] = _difference(cell, original)
    for index in cell.each_child_cell():
        inside = cell.layout().cell(index)
        _compare(inside, original.layout().cell(inside.name), compared)


def _difference(cell: db.Cell, original: db.Cell) -> str:
    one, other = _shapes(cell), _shapes(original)
    for layer in sorted(one.keys() | other.keys()):
        if not (one.get(layer, db.Region()) ^ other.get(layer, db.Region())).is_empty():
            return f"drawn otherwise on layer {layer[0]}/{layer[1]}"
    return "" if _inside(cell) == _inside(original) else "other cells inside"


def _shapes(cell: db.Cell) -> dict[Layer, db.Region]:
    layout = cell.layout()
    found = {}
    for index in layout.layer_indexes():
        region = db.Region(cell.shapes(index))
        if not region.is_empty():
            info = layout.get_info(index)
            found[info.layer, info.datatype] = region
    return found


def _inside(cell: db.Cell) -> list[tuple[str, str]]:
    return sorted(
        (each.cell.name, f"{each.cplx_trans} {each.na} {each.nb} {each.a} {each.b}") for each in cell.each_inst()
    )
