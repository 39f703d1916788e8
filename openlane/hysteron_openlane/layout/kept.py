# SPDX-License-Identifier: Apache-2.0
"""Layouts that come with the project: their files, how they are packed and unpacked.

A layout is made where OpenROAD is, and kept in the folder ``results/<chip>`` beside this file, compressed, with
``record.json``: what made it, the SHA-256 of every file as it is uncompressed, LibreLane's metrics, which of its
figures may be absent or beyond their limits and why, and what else is left to explain. The DEF is kept without its
wires, which the GDS has, and the SPEF as :mod:`hysteron_openlane.gate.spef` makes it.

The record has a sum of its own, in :data:`SUMS` beside the chips' folders: no metric, tool or waiver of it changes
without a change there.
"""

import hashlib
import json
import lzma
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from hysteron_base.errors import HysteronError, require
from hysteron_base.files import build_root, write_file

from ..flow.chips import Chip
from ..flow.figures import layout_lines
from ..gate.spef import lumped
from ..memory.macros import Macro, macros

#: The layouts that come with the project, a folder for each chip.
FOLDER = Path(str(files("hysteron_openlane.layout") / "results"))
#: Where the documentation's pictures of layouts are, in a checkout of the project.
PICTURES = Path(__file__).parents[3] / "docs" / "images"
#: Files of a layout.
GDS, DEF, POWERED, NETLIST, SPEF = "layout.gds", "layout.def", "powered.v", "netlist.v", "wires.spef"
#: SHA-256 of every chip's record, in the folder that the layouts are kept in.
SUMS = "records.json"
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
        The chip that it is a layout of.
    folder
        Folder of its unpacked files.
    record
        What ``record.json`` says.
    macros
        The macros in it.
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
        The chip that it is a layout of.
    results
        Folder that it is kept in; None for :data:`FOLDER`.

    Raises
    ------
    HysteronError
        If there is none, a file is not the one that the record is about, or the PDK lacks a macro of it.
    """
    source = (FOLDER if results is None else results) / chip.name
    record_file = source / "record.json"
    require(record_file.exists(), f"no layout of {chip.name} comes with the project; make one with 'hysteron gds'")
    written = hashlib.sha256(record_file.read_bytes()).hexdigest()
    wanted = _sums(record_file.parents[1]).get(chip.name)
    require(
        written == wanted,
        f"record.json of the layout of {chip.name} is not what {SUMS} is about (SHA-256 {written[:12]}…): a figure, a "
        "tool, a waiver or a sum in it was changed; take the layout again with 'hysteron layout --take'",
    )
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
    known = macros(chip.pdk)
    lacking = [name for name in record["macros"] if name not in known]
    require(not lacking, f"the PDK has no macro {', '.join(lacking)}, which is in the layout of {chip.name}")
    return Layout(chip, folder, record, tuple(known[name] for name in record["macros"]))


def view(final: Path, name: str) -> Path:
    """The path of one of a layout's :data:`FILES` in LibreLane's folder ``final``.

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
        The chip that it is a layout of.
    final
        LibreLane's folder of that name.
    notes
        What LibreLane does not say, for the record: ``tools`` and their versions; ``waived``, why those of LibreLane's
        figures may be beyond their limits or absent that are, of which the record keeps the value too;
        ``remainder``, a sentence for each thing that is left to explain.
    results
        Folder that it is packed into.

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
    inside = [name for name in macros(chip.pdk) if re.search(rf"^ *{name} ", contents[NETLIST].decode(), re.M)]
    said = json.loads(metrics.read_text())
    values = {line.key: line.value for line in layout_lines(chip.pdk, said, metrics.name)}
    waived = {key: {"value": values.get(key), "why": why} for key, why in notes.get("waived", {}).items()}
    pack(chip, contents, {"macros": inside, **notes, "waived": waived, "metrics": said}, results)


def pack(chip: Chip, contents: Mapping[str, bytes], record: Mapping[str, Any], results: Path) -> None:
    """Write a layout's files and record.

    Parameters
    ----------
    chip
        The chip that it is a layout of.
    contents
        Contents of its files, by their names here.
    record
        The record without the files' SHA-256.
    results
        Folder that it is packed into.
    """
    require(set(contents) == set(FILES), f"a layout has the files {', '.join(FILES)}, not {', '.join(contents)}")
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    for name, content in contents.items():
        write_file(results / chip.name / f"{name}.xz", lzma.compress(content, preset=9 | lzma.PRESET_EXTREME))
    text = json.dumps({**record, "sha256": sums}, indent=1, ensure_ascii=False) + "\n"
    write_file(results / chip.name / "record.json", text.encode())
    _write_sum(results, chip, text.encode())


def _sums(results: Path) -> dict[str, str]:
    path = results / SUMS
    found: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    return found


def _write_sum(results: Path, chip: Chip, record: bytes) -> None:
    sums = {**_sums(results), chip.name: hashlib.sha256(record).hexdigest()}
    write_file(results / SUMS, (json.dumps(sums, indent=1, sort_keys=True) + "\n").encode())


def keep(chip: Chip, results: Path, picture: Path) -> None:
    """Put a layout that was packed elsewhere, and its picture, into a checkout of the project.

    Raises
    ------
    HysteronError
        If this is no checkout; nothing is written then.
    """
    require(PICTURES.is_dir(), f"a layout is put into a checkout of the project, and {str(FOLDER)!r} is in none")
    for path in sorted((results / chip.name).iterdir()):
        write_file(FOLDER / chip.name / path.name, path.read_bytes())
    _write_sum(FOLDER, chip, (results / chip.name / "record.json").read_bytes())
    write_file(PICTURES / f"{chip.name}-layout.png", picture.read_bytes())
