"""Layouts that come with the project: their files, and checking that they are what is said of them.

A layout is made where OpenROAD is, and kept in ``openlane/results/<chip>`` compressed, with ``record.json``: what made
it, the SHA-256 of every file as it is uncompressed, LibreLane's metrics, which of its figures may be absent or beyond
their limits and why, and what else is left to explain. The DEF is kept without its wires, which the GDS has, and the
SPEF as :mod:`hysteron_openlane.spef` makes it.
"""

import hashlib
import json
import lzma
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import klayout.db as db

from hysteron_base.errors import HysteronError, require
from hysteron_base.files import build_root, write_file

from .chips import Chip
from .connectivity import LABEL, METALS, OUTLINE, PIN, Net, compare, def_units, netlist_nets, netlist_ports
from .macros import Macro, macros
from .netlist import read_netlist
from .originals import altered_cells
from .plan import cell_sizes
from .project import GROUND, POWER
from .rules import violations
from .spef import lumped
from .summary import Line

FOLDER = Path(__file__).parents[1] / "results"
#: Where the pictures of layouts are.
PICTURES = Path(__file__).parents[2] / "docs" / "images"
#: Files of a layout.
GDS, DEF, POWERED, NETLIST, SPEF = "layout.gds", "layout.def", "powered.v", "netlist.v", "wires.spef"
FILES = (GDS, DEF, POWERED, NETLIST, SPEF)
#: Where in LibreLane's folder of a finished run they are. KLayout writes cells under their own names, Magic does not.
_VIEWS = {
    GDS: "klayout_gds/*.gds",
    DEF: "def/*.def",
    POWERED: "pnl/*.v",
    NETLIST: "nl/*.v",
    SPEF: "spef/nom*/*.spef",
}


@dataclass(frozen=True)
class Layout:
    """A layout that comes with the project, unpacked.

    Attributes
    ----------
    chip
        Of which it is one.
    folder
        Where its files are.
    record
        What ``record.json`` says.
    macros
        Those in it.
    """

    chip: Chip
    folder: Path
    record: dict[str, Any]
    macros: tuple[Macro, ...]


def unpack(chip: Chip, results: Path | None = None) -> Layout:
    """Unpack a chip's layout under ``build/layout``.

    Parameters
    ----------
    chip
        Of which it is one.
    results
        Where it is kept; None for :data:`FOLDER`.

    Raises
    ------
    HysteronError
        If there is none, a file is not the one that the record is about, or the PDK lacks a macro of it.
    """
    source = (FOLDER if results is None else results) / chip.name
    record_file = source / "record.json"
    require(record_file.exists(), f"no layout of {chip.name} comes with the project; make one with 'hysteron gds'")
    record = json.loads(record_file.read_text())
    folder = build_root() / "layout" / chip.name
    for name in FILES:
        try:
            content = lzma.decompress((source / f"{name}.xz").read_bytes())
        except (OSError, lzma.LZMAError) as error:
            raise HysteronError(f"{name}.xz of the layout of {chip.name} cannot be read: {error}") from error
        found = hashlib.sha256(content).hexdigest()
        if found != record["sha256"].get(name):
            raise HysteronError(
                f"{name} of the layout of {chip.name} is another than the record's (SHA-256 {found[:12]}…)"
            )
        write_file(folder / name, content)
    known = macros()
    lacking = [name for name in record["macros"] if name not in known]
    require(not lacking, f"the PDK has no macro {', '.join(lacking)}, which is in the layout of {chip.name}")
    return Layout(chip, folder, record, tuple(known[name] for name in record["macros"]))


def view(final: Path, name: str) -> Path:
    """Where in LibreLane's folder ``final`` one of a layout's :data:`FILES` is.

    Raises
    ------
    HysteronError
        If it is not there.
    """
    found = sorted(final.glob(_VIEWS[name]))
    require(
        len(found) == 1, f"{str(final)!r} must hold one {_VIEWS[name]}, not {len(found)}; is it LibreLane's 'final'?"
    )
    return found[0]


def take(chip: Chip, final: Path, notes: Mapping[str, Any], results: Path) -> None:
    """Pack a layout that LibreLane made.

    Parameters
    ----------
    chip
        Of which it is one.
    final
        LibreLane's folder of that name.
    notes
        Of the record what LibreLane does not say: ``tools`` and their versions; ``waived``, of LibreLane's figures
        those that may be beyond their limits or absent, and why; ``remainder``, a sentence each.
    results
        Where to.

    Raises
    ------
    HysteronError
        If the folder lacks a file; nothing is written then.
    """
    paths = {name: view(final, name) for name in FILES}
    metrics = final / "metrics.json"
    require(metrics.exists(), f"{str(final)!r} must hold metrics.json; is it LibreLane's 'final'?")
    contents = {name: path.read_bytes() for name, path in paths.items()}
    contents[DEF] = re.sub(rb"^(SPECIALNETS|NETS) \d+ ;\n.*?^END \1\n", b"", contents[DEF], flags=re.M | re.S)
    contents[SPEF] = lumped(contents[SPEF].decode()).encode()
    inside = [name for name in macros() if re.search(rf"^ *{name} ", contents[NETLIST].decode(), re.M)]
    pack(chip, contents, {"macros": inside, **notes, "metrics": json.loads(metrics.read_text())}, results)


def pack(chip: Chip, contents: Mapping[str, bytes], record: Mapping[str, Any], results: Path) -> None:
    """Write a layout's files and record.

    Parameters
    ----------
    chip
        Of which it is one.
    contents
        Of its files, by their names here.
    record
        All but the sums.
    results
        Where to.
    """
    require(set(contents) == set(FILES), f"a layout has the files {', '.join(FILES)}, not {', '.join(contents)}")
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    for name, content in contents.items():
        write_file(results / chip.name / f"{name}.xz", lzma.compress(content, preset=9 | lzma.PRESET_EXTREME))
    text = json.dumps({**record, "sha256": sums}, indent=1, ensure_ascii=False) + "\n"
    write_file(results / chip.name / "record.json", text.encode())


def keep(chip: Chip, results: Path) -> None:
    """Put a layout that was packed elsewhere into the project."""
    for path in sorted((results / chip.name).iterdir()):
        write_file(FOLDER / chip.name / path.name, path.read_bytes())


def verify(layout: Layout, tell: Callable[[str], None]) -> list[Line]:
    """Check a layout: outline, pins, cells against the PDK's, wires against the netlist, design rules of the wires.

    Parameters
    ----------
    layout
        From :func:`unpack`.
    tell
        Takes what is being done.
    """
    top, folder = layout.chip.top, layout.folder
    gds = folder / GDS
    tell("outline and pins")
    plan = db.Layout()
    plan.read(str(gds))
    cell = plan.cell(top)
    require(cell is not None, f"the layout of {layout.chip.name} has no cell {top}")
    outline = cell.dbbox_per_layer(plan.layer(*OUTLINE))
    width, height = _die(folder / DEF)
    lines = [
        Line("die_mm2", "die", round(width * height / 1e6, 6), "mm²", source=DEF),
        Line(
            "outline_um",
            "outline against the die",
            round(abs(outline.width() - width) + abs(outline.height() - height), 3),
            "µm",
            most=0,
            source=GDS,
        ),
    ]
    tell("cells and macros against the PDK's")
    cells, altered = altered_cells(plan, top, layout.macros)
    write_file(folder / "cells.txt", "\n".join([*altered, ""]).encode())
    lines += [
        Line("kinds", "kinds of cells, those inside macros included", cells, source=GDS),
        Line("altered", "… that are not as the PDK has them", len(altered), most=0, source=GDS),
    ]
    tell("what the wires connect")
    powered, netlist = (read_netlist(folder / name, top, folder) for name in (POWERED, NETLIST))
    ports = netlist_ports(powered)
    sizes = {**cell_sizes(), **{macro.name: macro.size for macro in layout.macros}}
    found = compare(gds, folder / DEF, powered, top, layout.macros, sizes)
    signals = _signals(powered) ^ _signals(netlist)
    lines += [
        Line("ports", "pins of the top", len(ports), source=POWERED),
        Line("lost_ports", "… without a label in the layout", len(ports - _labels(cell, plan)), most=0, source=GDS),
        Line("nets", "nets compared", found.nets, source=POWERED),
        Line("net_pins", "pins compared", found.pins, source=POWERED),
        Line("lvs", "nets that the layout has not as they are", len(found.missing), most=0, source=GDS),
        Line("unplaced", "instances that are not where they should be", len(found.unplaced), most=0, source=GDS),
        Line(
            "netlists",
            "nets in one only of the netlists with supply and without",
            len(signals),
            most=0,
            source=NETLIST,
        ),
    ]
    write_file(folder / "lvs.txt", "\n".join([*found.missing, *found.unplaced, ""]).encode())
    tell("design rules of the wires")
    broken = violations(gds, top, layout.macros)
    write_file(folder / "drc.json", json.dumps(broken, indent=1).encode())
    lines.append(Line("rules", "rules of the wires that were checked", len(broken), source="hysteron_openlane.rules"))
    lines.append(Line("drc", "places that break one", sum(broken.values()), most=0, source=GDS))
    return lines


def _signals(module: Mapping[str, Any]) -> set[Net]:
    """Nets of a netlist, and what each instance is, without the supply."""
    return {net for net in netlist_nets(module) if not net & {("", POWER), ("", GROUND)}} | {
        frozenset({(name, cell["type"])}) for name, cell in module["cells"].items()
    }


def _labels(cell: db.Cell, layout: db.Layout) -> set[str]:
    """Texts on the wires of the top itself."""
    layers = [layout.layer(number, kind) for _, number in METALS for kind in (LABEL, PIN)]
    return {shape.text_string for layer in layers for shape in cell.each_shape(layer) if shape.is_text()}


def _die(placement: Path) -> tuple[float, float]:
    text = placement.read_text()
    area = re.search(r"^DIEAREA \( (-?\d+) (-?\d+) \) \( (-?\d+) (-?\d+) \)", text, re.M)
    require(area is not None, f"{str(placement)!r} has no die")
    assert area is not None
    left, low, right, high = (int(number) / def_units(text) for number in area.groups())
    return right - left, high - low
