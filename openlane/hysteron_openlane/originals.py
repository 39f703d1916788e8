"""Cells of a layout against those of the PDK: what a comparison by the cells' pins takes for granted."""

from collections.abc import Sequence

import klayout.db as db

from .macros import Macro
from .pdk import CELLS, MACROS, find, library

#: What a router makes of its own.
_VIA = "VIA_"

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
        that have others inside. Labels are not compared.
    """
    references = [db.Layout()]
    references[0].read(str(library(CELLS) / "gds" / f"{CELLS}.gds"))
    for macro in macros:
        references.append(db.Layout())
        references[-1].read(str(find(library(MACROS) / "gds", f"{macro.name}.gds")))
    wrong: dict[str, str] = {}
    for index in layout.cell(top).each_child_cell():
        cell = layout.cell(index)
        if cell.name.startswith(_VIA):
            continue
        original = next((found for each in references if (found := each.cell(cell.name)) is not None), None)
        _compare(cell, original, wrong)
    return len(wrong), [f"{name}: {what}" for name, what in wrong.items() if what]


def _compare(cell: db.Cell, original: db.Cell | None, wrong: dict[str, str]) -> None:
    if cell.name in wrong:
        return
    if original is None:
        wrong[cell.name] = "the PDK has no such cell"
        return
    wrong[cell.name] = _difference(cell, original)
    for index in cell.each_child_cell():
        inside = cell.layout().cell(index)
        _compare(inside, original.layout().cell(inside.name), wrong)


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
