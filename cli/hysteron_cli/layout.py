# SPDX-License-Identifier: Apache-2.0
"""``hysteron layout``: check the layout that comes with the project."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hysteron_base.errors import require
from hysteron_base.files import build_root
from hysteron_base.progress import stage

from .gds import lines_table
from .names import CHIP
from .output import console, table, watching

if TYPE_CHECKING:
    from hysteron_openlane.layout.check import Checked


@click.command(short_help="Check the layout that comes with the project.")
@click.argument("name", metavar="CHIP", type=CHIP, default="sky130-small")
@click.option("--images", type=click.IntRange(min=0), default=0, help="Through its netlist, with its wires.  [0]")
@click.option(
    "--take",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Check the layout in this folder, LibreLane's 'final', and put it into the project if nothing is wrong.",
)
@click.option("--tool", "tools", multiple=True, metavar="NAME=VERSION", help="With --take: what made it; repeatable.")
@click.option(
    "--waive",
    "waived",
    multiple=True,
    metavar="FIGURE=WHY",
    help="With --take: a figure of LibreLane's that is not as it must be; repeatable.",
)
@click.option("--remainder", multiple=True, metavar="TEXT", help="With --take: what is left to explain; repeatable.")
def layout(
    name: str,
    images: int,
    take: Path | None,
    tools: tuple[str, ...],
    waived: tuple[str, ...],
    remainder: tuple[str, ...],
) -> None:
    """Check CHIP's layout that comes with the project: outline, pins, cells, wires against netlist, rules of wires.

    With --images also what the netlist of the layout answers and what that costs, and its timing, both with the wires'
    resistance and capacitance. LibreLane's own figures are checked too, but those that the record waives. The files are
    unpacked to build/layout/CHIP. Exits with status 1 if a check fails.

    Example: hysteron layout sky130-small
    """
    from hysteron_openlane.flow.chips import chip

    # A wrong name is told before a package that is missing.
    chosen = chip(name)
    from hysteron_openlane.layout import kept
    from hysteron_openlane.layout.check import check

    place = kept.FOLDER
    notes = {"tools": _pairs("--tool", tools), "waived": _pairs("--waive", waived), "remainder": list(remainder)}
    if take is None:
        require(not tools and not waived and not remainder, "--tool, --waive and --remainder go with --take")
    else:
        require(bool(tools), "--take needs what made the layout: --tool NAME=VERSION")
        place = build_root() / "taken"
    with watching() as tell:
        if take is not None:
            with stage(tell, f"packing the layout of {name}"):
                kept.take(chosen, take, notes, place)
        with stage(tell, f"unpacking the layout of {name}"):
            unpacked = kept.unpack(chosen, place)
        found = check(unpacked, images, tell)
    _show(found)
    console.result(found.as_dict())
    for line in found.wrong:
        console.error(f"error: {line.wrong}")
    if found.wrong:
        raise SystemExit(1)
    if take is not None:
        kept.keep(unpacked.chip, place, found.picture)


def _show(found: "Checked") -> None:
    layout = found.layout
    console.print(lines_table(f"Layout of {layout.chip.name}, checked here", found.lines))
    console.print(lines_table("What LibreLane said of it", found.said))
    made = table("Made by", "<tool", "<version")
    for tool, version in layout.record["tools"].items():
        made.add_row(tool, version)
    console.print(made)
    for text in (*(each["why"] for each in layout.record["waived"].values()), *layout.record["remainder"]):
        console.print(f"Left to explain: {text}")
    console.print(f"GDS and picture: {layout.folder}", soft_wrap=True)


def _pairs(option: str, texts: tuple[str, ...]) -> dict[str, str]:
    pairs = dict(text.partition("=")[::2] for text in texts)
    for name, value in pairs.items():
        require(bool(value), f"{option} {name!r} must be two texts with a '=' between")
    return pairs
