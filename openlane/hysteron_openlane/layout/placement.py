# SPDX-License-Identifier: Apache-2.0
"""Where cells and pins are: GDS, DEF and netlist say the same, rows are full, and a tap is near every cell."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import klayout.db as db

from hysteron_base.errors import require

from ..pdk import Pdk
from .connectivity import def_units

#: DEF's orientations as KLayout counts them: quarter turns, and 4 more if mirrored first.
_TURNS = {"N": 0, "W": 1, "S": 2, "E": 3, "FS": 4, "FW": 5, "FN": 6, "FE": 7}


@dataclass(frozen=True)
class Instance:
    """A cell and its place: the lower left corner in units of the DEF, and the orientation as DEF names it."""

    cell: str
    x: int
    y: int
    orientation: str


@dataclass(frozen=True)
class Pin:
    """A pin of the top on one layer: its rectangle in units of the DEF."""

    name: str
    layer: str
    box: db.Box


@dataclass(frozen=True)
class Placement:
    """What a DEF says: its units a micrometre, instances by their names, pins, and rows of sites."""

    units: int
    instances: dict[str, Instance]
    pins: tuple[Pin, ...]
    rows: tuple[tuple[db.Box, int], ...]


def read_placement(path: Path, site: tuple[float, float]) -> Placement:
    """Read a DEF.

    Parameters
    ----------
    path
        The file.
    site
        Width and height in µm of a site in its rows.

    Raises
    ------
    HysteronError
        If it lacks its units, or a pin has no place.
    """
    text = path.read_text()
    units = def_units(text)
    instances = {
        name.replace("\\", ""): Instance(cell, int(x), int(y), turn)
        for name, cell, x, y, turn in re.findall(
            r"^\s*- (\S+) (\S+) .*?\( (-?\d+) (-?\d+) \) (\w+) ;", _section(text, "COMPONENTS"), re.M
        )
    }
    wide, high = (round(length * units) for length in site)
    rows = tuple(
        (db.Box(int(x), int(y), int(x) + int(count) * wide, int(y) + high), wide)
        for x, y, count in re.findall(r"^ROW \S+ \S+ (\d+) (\d+) \w+ DO (\d+) BY 1 ", text, re.M)
    )
    return Placement(units, instances, tuple(_pins(_section(text, "PINS"))), rows)


def _section(text: str, name: str) -> str:
    found = re.search(rf"^{name} \d+ ;\n(.*?)^END {name}", text, re.M | re.S)
    return found[1] if found else ""


def _pins(text: str) -> Iterator[Pin]:
    for entry in re.split(r"^\s*- ", text, flags=re.M)[1:]:
        name = entry.split()[0].replace("\\", "")
        # A port's rectangles come before its place.
        boxes: list[tuple[str, db.Box]] = []
        placed = 0
        for layer, left, low, right, high, x, y, turn in re.findall(
            r"\+ LAYER (\S+) \( (-?\d+) (-?\d+) \) \( (-?\d+) (-?\d+) \)"
            r"|\+ (?:PLACED|FIXED) \( (-?\d+) (-?\d+) \) (\w+)",
            entry,
        ):
            if layer:
                boxes.append((layer, db.Box(int(left), int(low), int(right), int(high))))
                continue
            require(turn in _TURNS, f"pin {name} of a DEF has an orientation {turn!r} that DEF has not")
            place = db.Trans(_TURNS[turn] % 4, _TURNS[turn] > 3, db.Vector(int(x), int(y)))
            yield from (Pin(name, layer, place * box) for layer, box in boxes)
            placed += len(boxes)
            boxes = []
        require(placed > 0 and not boxes, f"pin {name} of a DEF must have a place")


def differing_kinds(placement: Placement, netlist: Mapping[str, Any]) -> list[str]:
    """Instances that are not the same cell in DEF and netlist, a line each; also those that only one of them has."""
    kinds = {name: cell["type"] for name, cell in netlist["cells"].items()}
    placed = {name: one.cell for name, one in placement.instances.items()}
    return [
        f"{name}: {placed.get(name, 'nothing')} in the DEF, {kinds.get(name, 'nothing')} in the netlist"
        for name in sorted(kinds.keys() | placed.keys())
        if placed.get(name) != kinds.get(name)
    ]


def misplaced(
    pdk: Pdk, placement: Placement, layout: db.Layout, top: str, sizes: Mapping[str, tuple[float, float]]
) -> list[str]:
    """Cells of the GDS that are not where DEF says, or not as it turns them, and the other way round, a line each."""
    scale = 1 / (placement.units * layout.dbu)
    names = {turn: name for name, turn in _TURNS.items()}
    kinds = {index: layout.cell(index).name for index in layout.cell(top).each_child_cell()}
    wanted = Counter(
        (one.cell, round(one.x * scale), round(one.y * scale), one.orientation) for one in placement.instances.values()
    )
    found: Counter[tuple[str, int, int, str]] = Counter()
    for each in layout.cell(top).each_inst():
        cell = kinds[each.cell_index]
        if cell.startswith(pdk.via_prefix):
            continue
        width, height = (round(length / layout.dbu) for length in sizes.get(cell, (0.0, 0.0)))
        for column in range(max(each.na, 1)):
            for row in range(max(each.nb, 1)):
                place = db.Trans(each.a * column + each.b * row) * each.trans
                box = place * db.Box(0, 0, width, height)
                found[cell, box.left, box.bottom, names[each.trans.rot]] += 1
    return [f"{where} in the DEF only" for where in (wanted - found).elements()] + [
        f"{where} in the GDS only" for where in (found - wanted).elements()
    ]


def lost_pins(pdk: Pdk, placement: Placement, layout: db.Layout, top: str) -> list[str]:
    """Pins that have no wire, or no label of that name, in the GDS where DEF places them, a line each."""
    scale = 1 / (placement.units * layout.dbu)
    cell = layout.cell(top)
    wires = {wire.name: wire for wire in pdk.wires}
    labels = {
        wire.name: [
            (shape.text_string, shape.text_trans.disp)
            for layer in (wire.label, wire.pin)
            for shape in cell.each_shape(layout.layer(*layer))
            if shape.is_text()
        ]
        for wire in pdk.wires
    }
    named: dict[str, bool] = {}
    lost = []
    for pin in placement.pins:
        if pin.layer not in wires:
            lost.append(f"{pin.name}: there is no layer {pin.layer}")
            continue
        box = db.Box(*(round(edge * scale) for edge in (pin.box.left, pin.box.bottom, pin.box.right, pin.box.top)))
        touching = db.Region(cell.begin_shapes_rec_touching(layout.layer(*wires[pin.layer].drawing), box)).merged()
        if not (db.Region(box) - touching).is_empty():
            lost.append(f"{pin.name}: no wire on {pin.layer} at {box}")
        here = any(text == pin.name and box.contains(at.x, at.y) for text, at in labels[pin.layer])
        named[pin.name] = named.get(pin.name, False) or here
    return lost + [f"{name}: no label where the DEF has the pin" for name, here in named.items() if not here]


def gaps(placement: Placement, sizes: Mapping[str, tuple[float, float]]) -> int:
    """Area in sites of the rows that no cell covers, or that two do: wells and supply must go through all of a row."""
    rows = db.Region([row for row, _ in placement.rows])
    cells = db.Region()
    for one in placement.instances.values():
        cells.insert(_box(placement, one, sizes))
    cells.merged_semantics = False
    twice = cells.merged(2)
    site = placement.rows[0][0].height() * placement.rows[0][1] if placement.rows else 1
    return -(-int((rows.merged() - cells.merged(1)).area() + twice.area()) // site)


def far_from_taps(pdk: Pdk, placement: Placement, sizes: Mapping[str, tuple[float, float]]) -> int:
    """Number of standard cells that are not wholly within the PDK's distance of a tap."""
    reach = round(pdk.tap_um * placement.units)
    taps, cells = db.Region(), db.Region()
    kinds = {pdk.cells.full(name) for name in pdk.taps}
    prefix = pdk.cells.full("")
    for one in placement.instances.values():
        if one.cell.startswith(prefix):
            cells.insert(_box(placement, one, sizes))
        if one.cell in kinds:
            taps.insert(_box(placement, one, sizes))
    near = taps.sized(reach).merged()
    cells.merged_semantics = False
    return int(cells.not_inside(near).count())


def _box(placement: Placement, one: Instance, sizes: Mapping[str, tuple[float, float]]) -> db.Box:
    width, height = (round(length * placement.units) for length in sizes[one.cell])
    if one.orientation in ("W", "E", "FW", "FE"):
        width, height = height, width
    return db.Box(one.x, one.y, one.x + width, one.y + height)
