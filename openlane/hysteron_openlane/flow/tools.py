# SPDX-License-Identifier: Apache-2.0
"""A PDK that LibreLane accepts: the one in ``PDK_ROOT``, or its data with as much configuration as synthesis needs."""

import gzip
from pathlib import Path

from hysteron_base.files import build_root, write_file

from ..pdk import Corner, Pdk

#: Files that LibreLane wants to exist, for tools that synthesis does not start.
_EMPTY = (
    *("magicrc", "magic.tech", "magic_setup.tcl", "netgen_setup.tcl"),
    *("klayout.lyt", "klayout.lyp", "klayout.map", "rcx.rules"),
)


def configured(pdk: Pdk) -> bool:
    """Tell whether the PDK has LibreLane's configuration, as one from ``ciel`` has: only that one makes layouts."""
    return any((pdk.root() / "libs.tech" / flow / "config.tcl").exists() for flow in ("librelane", "openlane"))


def pdk_for_librelane(pdk: Pdk) -> Path:
    """What LibreLane takes as ``PDK_ROOT``; made under ``build/pdk`` if the PDK is data only.

    Raises
    ------
    HysteronError
        If the PDK lacks a file.
    """
    if configured(pdk):
        return pdk.root().parent
    made = build_root() / "pdk"
    folder = made / pdk.name
    for path in sorted(pdk.tools.rglob("*")):
        if path.is_file() and path.suffix != ".md":
            write_file(folder / "libs.tech" / "librelane" / path.relative_to(pdk.tools), path.read_bytes())
    for name in _EMPTY:
        write_file(folder / "libs.tech" / "empty" / name, b"")
    cells = folder / "libs.ref" / pdk.cells.library
    for view in ("cdl", "gds", "lef", "techlef"):
        _link(cells / view, pdk.library(pdk.cells.library) / view)
    for corner in pdk.corners:
        liberty(pdk, corner)
    return made


def liberty(pdk: Pdk, corner: Corner) -> Path:
    """The LIB of the standard cells at a corner, as text: under ``build/pdk`` if the PDK has it gzipped.

    Raises
    ------
    HysteronError
        If the PDK lacks it.
    """
    name = pdk.cell_liberty(corner)
    packed = pdk.cell_file("lib", name)
    if packed.suffix != ".gz":
        return packed
    place = build_root() / "pdk" / pdk.name / "libs.ref" / pdk.cells.library / "lib" / name
    if not place.exists() or place.stat().st_mtime < packed.stat().st_mtime:
        write_file(place, gzip.decompress(packed.read_bytes()))
    return place


def _link(place: Path, target: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.is_symlink():
        place.unlink()
    place.symlink_to(target.resolve())
