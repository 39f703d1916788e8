"""``hysteron layout``: check the layout that comes with the project."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hysteron_base.errors import require
from hysteron_base.files import build_root, write_file

from .output import console, table, waiting, write_json

if TYPE_CHECKING:
    from hysteron_openlane.results import Layout
    from hysteron_openlane.summary import Line


@click.command()
@click.argument("preset", default="sky130-small")
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
    preset: str,
    images: int,
    take: Path | None,
    tools: tuple[str, ...],
    waived: tuple[str, ...],
    remainder: tuple[str, ...],
) -> None:
    """Check PRESET's layout that comes with the project: outline, pins, cells, wires against netlist, rules of wires.

    With --images also what the netlist of the layout answers and what that costs, and its timing, both with the wires'
    resistance and capacitance. LibreLane's own figures are checked too, but those that the record waives. The files are
    unpacked to build/layout/PRESET. Exits with status 1 if a check fails.

    Example: hysteron layout sky130-small
    """
    from hysteron_openlane import results, summary
    from hysteron_openlane.chips import chip

    from .silicon.page import lines_table, told
    from .silicon.pictures import draw_layout

    kept = results.FOLDER
    if take is not None:
        notes = {"tools": _pairs("--tool", tools), "waived": _pairs("--waive", waived), "remainder": list(remainder)}
        require(bool(notes["tools"]), "--take needs what made the layout: --tool NAME=VERSION")
        kept = build_root() / "taken"
        with waiting(f"packing the layout of {preset}"):
            results.take(chip(preset), take, notes, kept)
    else:
        require(not tools and not waived and not remainder, "--tool, --waive and --remainder go with --take")
    with waiting(f"unpacking the layout of {preset}"):
        found = results.unpack(chip(preset), kept)
    # First what needs other tools, so that it is told at once if one is missing.
    simulated = _with_wires(found, images) if images else []
    lines = results.verify(found, lambda text: click.echo(f"{preset}: {text}", err=True)) + simulated
    said = summary.layout_lines(found.record["metrics"], "record.json")
    with waiting("drawing it"):
        write_file(found.folder / "layout.png", draw_layout(found.folder / results.GDS))
    write_json(found.folder / "verified.json", summary.as_json(preset, lines, {}))
    console.print(lines_table(f"Layout of {preset}, checked here", lines))
    console.print(lines_table("What LibreLane said of it", said))
    made = table("Made by", "<tool", "<version")
    for tool, version in found.record["tools"].items():
        made.add_row(tool, version)
    console.print(made)
    for text in (*found.record["waived"].values(), *found.record["remainder"]):
        console.print(f"Left to explain: {text}")
    console.print(f"GDS and picture: {found.folder}", soft_wrap=True)
    # Only LibreLane's may be waived; some of ours have the same names.
    wrong = [line for line in lines if not line.ok]
    wrong += [line for line in said if not line.ok and line.key not in found.record["waived"]]
    for line in wrong:
        click.echo(f"error: {told(line)}", err=True)
    if wrong:
        sys.exit(1)
    if take is not None:
        results.keep(found.chip, kept)
        write_file(results.PICTURES / f"{preset}-layout.png", (found.folder / "layout.png").read_bytes())


def _with_wires(found: "Layout", images: int) -> "list[Line]":
    """Timing, answers and energy, with the wires' resistance and capacitance."""
    from hysteron_openlane import results, sta, summary

    from .silicon.gates import gate_figures

    netlist, spef = found.folder / results.NETLIST, found.folder / results.SPEF
    with waiting("static timing at three corners"):
        slacks = sta.slacks(found.chip, netlist, found.macros, found.folder / "sta", spef=spef)
    return [
        *summary.timing_lines(slacks, found.folder / "sta", layout=True),
        *gate_figures(found.chip, found.macros, netlist, found.folder / "gates", images, spef=spef),
    ]


def _pairs(option: str, texts: tuple[str, ...]) -> dict[str, str]:
    pairs = dict(text.partition("=")[::2] for text in texts)
    for name, value in pairs.items():
        require(bool(value), f"{option} {name!r} must be two texts with a '=' between")
    return pairs
