# SPDX-License-Identifier: Apache-2.0
"""Checking a layout: is it what its netlist says, is it made of the PDK's cells, does it keep the wires' rules."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import klayout.db as db

from hysteron_base.errors import require
from hysteron_base.files import write_file
from hysteron_base.progress import Tell, quiet, stage

from ..figures import Line, as_json
from ..flow import sta
from ..flow.figures import layout_lines, timing_lines
from ..flow.netlist import read_netlist
from ..gate.figures import gate_figures
from ..pdk import Pdk
from ..pdk.cells import cell_sizes
from ..report.pictures import draw_layout
from .connectivity import Extracted, Net, compare, def_units, netlist_nets, netlist_ports
from .kept import DEF, GDS, NETLIST, POWERED, SPEF, Layout
from .originals import altered_cells
from .placement import differing_kinds, far_from_taps, gaps, lost_pins, misplaced, read_placement
from .rules import violations
from .supply import unjoined as lacking_cuts
from .wires import CAPACITANCE, RESISTANCE, compare_wires


@dataclass(frozen=True)
class Checked:
    """What was found of a layout.

    Attributes
    ----------
    layout
        The layout.
    lines
        Figures that were found here.
    said
        Figures of LibreLane's record.
    """

    layout: Layout
    lines: tuple[Line, ...]
    said: tuple[Line, ...]

    @property
    def wrong(self) -> list[Line]:
        """Figures that are not as they must be; only LibreLane's may be waived, and some of ours have their names."""
        waived = self.layout.record["waived"]
        ours = [line for line in self.lines if not line.ok]
        # A waiver is of one value: another one is wrong again.
        return ours + [
            line
            for line in self.said
            if not line.ok and not (line.key in waived and waived[line.key]["value"] == line.value)
        ]

    def as_dict(self) -> dict[str, Any]:
        """The figures that were found here as plain values; a file ``verified.json`` holds them."""
        return as_json(self.layout.chip.name, self.lines, {})

    @property
    def picture(self) -> Path:
        """PNG of the layout, in its folder."""
        return self.layout.folder / "layout.png"


def check(layout: Layout, images: int = 0, tell: Tell = quiet) -> Checked:
    """Check a layout, draw it, and write ``verified.json``, all in the layout's folder.

    Parameters
    ----------
    layout
        A layout from :func:`~hysteron_openlane.layout.kept.unpack`.
    images
        Number of images that go through its netlist; without any there is no timing either.
    tell
        Takes what is being done.

    Raises
    ------
    HysteronError, SimulationError
        If a tool is missing, or a file of the layout cannot be read.
    """
    # First what needs other tools, so that it is told at once if one is missing.
    simulated = _with_wires(layout, images, tell) if images else []
    lines = (*verify(layout, tell), *simulated)
    said = layout_lines(layout.chip.pdk, layout.record["metrics"], "record.json")
    found = Checked(layout, lines, tuple(said))
    with stage(tell, "drawing it"):
        write_file(found.picture, draw_layout(layout.chip.pdk, layout.folder / GDS))
    write_file(layout.folder / "verified.json", (json.dumps(found.as_dict(), indent=2) + "\n").encode())
    return found


def _with_wires(layout: Layout, images: int, tell: Tell) -> list[Line]:
    """Timing, answers and energy, with the wires' resistance and capacitance."""
    chip, folder = layout.chip, layout.folder
    netlist, spef = folder / NETLIST, folder / SPEF
    with stage(tell, "static timing at every corner"):
        slacks = sta.slacks(chip, netlist, layout.macros, folder / "sta", spef=spef)
    return [
        *timing_lines(chip.pdk, slacks, folder / "sta", layout=True),
        *gate_figures(chip, layout.macros, netlist, folder / "gates", images, spef=spef, tell=tell),
    ]


def verify(layout: Layout, tell: Tell = quiet) -> list[Line]:
    """Check outline, pins, cells against the PDK's, wires against the netlist, and design rules of the wires.

    Parameters
    ----------
    layout
        A layout from :func:`~hysteron_openlane.layout.kept.unpack`.
    tell
        Takes what is being done.
    """
    name, gds = layout.chip.name, layout.folder / GDS
    with stage(tell, f"{name}: outline and pins"):
        plan = db.Layout()
        plan.read(str(gds))
        require(plan.cell(layout.chip.top) is not None, f"the layout of {name} has no cell {layout.chip.top}")
        lines = _outline(layout, plan)
    with stage(tell, f"{name}: cells and macros against the PDK's"):
        lines += _cells(layout, plan)
    with stage(tell, f"{name}: what the wires connect"):
        lines += _connections(layout, plan)
    with stage(tell, f"{name}: design rules of the wires"):
        lines += _rules(layout)
    return lines


def _outline(layout: Layout, plan: db.Layout) -> list[Line]:
    outline = plan.cell(layout.chip.top).dbbox_per_layer(plan.layer(*layout.chip.pdk.outline))
    width, height = _die(layout.folder / DEF)
    off = round(abs(outline.width() - width) + abs(outline.height() - height), 3)
    return [
        Line("die_mm2", "die", round(width * height / 1e6, 6), "mm²", source=DEF),
        Line("outline_um", "outline against the die", off, "µm", most=0, source=GDS),
    ]


def _cells(layout: Layout, plan: db.Layout) -> list[Line]:
    cells, altered = altered_cells(layout.chip.pdk, plan, layout.chip.top, layout.macros)
    write_file(layout.folder / "cells.txt", "\n".join([*altered, ""]).encode())
    return [
        Line("kinds", "kinds of cells, those inside macros included", cells, source=GDS),
        Line("altered", "… that are not as the PDK has them", len(altered), most=0, source=GDS),
    ]


def _connections(layout: Layout, plan: db.Layout) -> list[Line]:
    pdk, top, folder = layout.chip.pdk, layout.chip.top, layout.folder
    powered, netlist = (read_netlist(folder / name, top, folder) for name in (POWERED, NETLIST))
    ports = netlist_ports(powered)
    sizes = {**cell_sizes(pdk), **{macro.name: macro.size for macro in layout.macros}}
    extracted = Extracted(pdk, folder / GDS, top, layout.macros)
    nets = list(extracted.nets(folder / DEF, sizes))
    found = compare(pdk, powered, {pins for pins, _ in nets})
    lost = ports - _labels(pdk, plan.cell(top), plan)
    only = _signals(pdk, powered) ^ _signals(pdk, netlist)
    wired = compare_wires(pdk, extracted, nets, folder / SPEF)
    crossings, unjoined = lacking_cuts(pdk, extracted)
    write_file(folder / "lvs.txt", "\n".join([*found.missing, *found.unplaced, *wired.wrong, *unjoined, ""]).encode())
    unplaced = len(found.unplaced)
    farads, ohms = (
        Line(key, f"{label} of the extraction over that of the geometry", value, "", least, most, SPEF)
        for key, label, value, (least, most) in (
            ("spef_capacitance", "capacitance", wired.capacitance, CAPACITANCE),
            ("spef_resistance", "resistance", wired.resistance, RESISTANCE),
        )
    )
    return [
        Line("ports", "pins of the top", len(ports), source=POWERED),
        Line("lost_ports", "… without a label in the layout", len(lost), most=0, source=GDS),
        Line("nets", "nets compared", found.nets, source=POWERED),
        Line("net_pins", "pins compared", found.pins, source=POWERED),
        Line("lvs", "nets that the layout has not as they are", len(found.missing), most=0, source=GDS),
        Line("unplaced", "instances that are not where they should be", unplaced, most=0, source=GDS),
        Line("netlists", "nets in one only of the netlists with supply and without", len(only), most=0, source=NETLIST),
        *_placed(layout, plan, powered, sizes),
        farads,
        ohms,
        Line("spef_nets", "nets whose wires are not the extraction's", len(wired.wrong), most=0, source=SPEF),
        Line("crossings", "crossings of the supply", crossings, least=1, source=GDS),
        Line("unjoined", "… that lack cuts", len(unjoined), most=0, source=GDS),
    ]


def _placed(
    layout: Layout, plan: db.Layout, powered: Mapping[str, Any], sizes: Mapping[str, tuple[float, float]]
) -> list[Line]:
    """Kinds and places of cells, rows, taps and pins: GDS, DEF and netlist beside each other."""
    pdk, top = layout.chip.pdk, layout.chip.top
    placement = read_placement(layout.folder / DEF, pdk.site)
    kinds = differing_kinds(placement, powered)
    moved = misplaced(pdk, placement, plan, top, sizes)
    pins = lost_pins(pdk, placement, plan, top)
    write_file(layout.folder / "placement.txt", "\n".join([*kinds, *moved, *pins, ""]).encode())
    said = layout.record["metrics"].get("design__instance__count")
    count = len(placement.instances)
    return [
        Line("instances", "instances, fill and taps included", count, source=DEF),
        Line("kinds_differ", "… that are another cell in the netlist", len(kinds), most=0, source=POWERED),
        Line("misplaced", "… that are not so in the GDS", len(moved), most=0, source=GDS),
        Line("record_count", "… more or fewer than the record says", abs(count - (said or 0)), most=0, source=DEF),
        Line("lost_pins", "pins of the DEF that the GDS has not there", len(pins), most=0, source=GDS),
        Line("rows", "rows of cells", len(placement.rows), least=1, source=DEF),
        Line("gaps", "sites in rows without a cell, or with two", gaps(placement, sizes), most=0, source=DEF),
        Line("untapped", "cells too far from a tap", far_from_taps(pdk, placement, sizes), most=0, source=DEF),
    ]


def _rules(layout: Layout) -> list[Line]:
    broken = violations(layout.chip.pdk, layout.folder / GDS, layout.chip.top, layout.macros)
    write_file(layout.folder / "drc.json", json.dumps(broken, indent=1).encode())
    return [
        Line("rules", "rules of the wires that were checked", len(broken), source="hysteron_openlane.layout.rules"),
        Line("drc", "places that break one", sum(broken.values()), most=0, source=GDS),
    ]


def _signals(pdk: Pdk, module: Mapping[str, Any]) -> set[Net]:
    """Nets of a netlist, and what each instance is, without the supply."""
    supply = {("", pdk.cells.power), ("", pdk.cells.ground)}
    return {net for net in netlist_nets(pdk, module) if not net & supply} | {
        frozenset({(name, cell["type"])}) for name, cell in module["cells"].items()
    }


def _labels(pdk: Pdk, cell: db.Cell, layout: db.Layout) -> set[str]:
    """Texts on the wires of the top itself."""
    layers = [layout.layer(*layer) for wire in pdk.wires for layer in (wire.label, wire.pin)]
    return {shape.text_string for layer in layers for shape in cell.each_shape(layer) if shape.is_text()}


def _die(placement: Path) -> tuple[float, float]:
    text = placement.read_text()
    area = re.search(r"^DIEAREA \( (-?\d+) (-?\d+) \) \( (-?\d+) (-?\d+) \)", text, re.M)
    require(area is not None, f"{str(placement)!r} has no die")
    assert area is not None
    left, low, right, high = (int(number) / def_units(text) for number in area.groups())
    return right - left, high - low
