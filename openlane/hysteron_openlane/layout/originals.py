# SPDX-License-Identifier: Apache-2.0
"""Cells of a layout against those of the PDK: what a comparison by the cells' pins takes for granted."""

from collections.abc import Sequence

import klayout.db as db

from ..memory.macros import Macro
from ..pdk import Layer, Pdk


def altered_cells(pdk: Pdk, layout: db.Layout, top: str, macros: Sequence[Macro]) -> tuple[int, list[str]]:
    """Compare every cell below the top, standard cells and the insides of macros, with the PDK's of that name.

    Parameters
    ----------
    pdk
        The PDK.
    layout
        A layout as KLayout writes it, which keeps the names of cells.
    top
        Name of the chip's cell.
    macros
        The macros in it.

    Returns
    -------
    int, list of str
        Number of cells compared; what is wrong, a line each: cells that the PDK has not, that are drawn otherwise, or
        that have others inside; and what the top or a via has on other layers than wires'. Labels are not compared.
    """
    references = [db.Layout()]
    references[0].read(str(pdk.cell_file("gds")))
    for macro in macros:
        references.append(db.Layout())
        references[-1].read(str(pdk.macro_file("gds", macro.name)))
    compared: dict[str, str] = {}
    drawn = routed_layers(pdk)
    routed = [f"{top}: {what}" for what in _not_routed(layout.cell(top), drawn)]
    for index in layout.cell(top).each_child_cell():
        cell = layout.cell(index)
        if cell.name.startswith(pdk.via_prefix):
            routed += [f"{cell.name}: {what}" for what in _not_routed(cell, drawn)]
            routed += [f"{cell.name}: has cells inside"] * (cell.child_instances() > 0)
            continue
        original = next((found for each in references if (found := each.cell(cell.name)) is not None), None)
        _compare(cell, original, compared)
    return len(compared), routed + [f"{name}: {what}" for name, what in compared.items() if what]


def routed_layers(pdk: Pdk) -> set[Layer]:
    """What a router and a floorplan draw: wires with their labels, cuts between them, and the outline."""
    wires = {layer for wire in pdk.wires for layer in (wire.drawing, wire.label, wire.pin)}
    return wires | {cut.drawing for cut in pdk.cuts} | {pdk.outline}


def _not_routed(cell: db.Cell, drawn: set[Layer]) -> list[str]:
    return [f"drawn on layer {layer}/{kind}" for layer, kind in sorted(_shapes(cell).keys() - drawn)]


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
