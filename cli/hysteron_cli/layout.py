"""``hysteron layout``: check the layout that comes with the project."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hysteron_golden.files import write_file
from hysteron_wire.errors import require

from .output import console, table, waiting, write_json

if TYPE_CHECKING:
    from hysteron_openlane.summary import Line


@click.command()
@click.argument("preset", default="sky130-small")
@click.option("--images", type=click.IntRange(min=0), default=0, help="Through its netlist, with its wires.  [0]")
@click.option(
    "--take",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="First put the layout in this folder, LibreLane's 'final', into the project.",
)
@click.option("--tool", "tools", multiple=True, metavar="NAME=VERSION", help="With --take: what made it; repeatable.")
@click.option("--remainder", multiple=True, metavar="TEXT", help="With --take: what is left to explain; repeatable.")
def layout(preset: str, images: int, take: Path | None, tools: tuple[str, ...], remainder: tuple[str, ...]) -> None:
    """Check PRESET's layout that comes with the project: outline, pins, cells, wires against netlist, rules of wires.

    With --images also what the netlist of the layout answers and what that costs, and its timing, both with the wires'
    resistance and capacitance. The files are unpacked to build/layout/PRESET. Exits with status 1 if a check fails.

    Example: hysteron layout sky130-small
    """
    from hysteron_openlane import results, sta, summary
    from hysteron_openlane.chips import chip

    from .silicon.gates import gate_figures
    from .silicon.page import value_text
    from .silicon.pictures import draw_layout

    if take is not None:
        versions = dict(tool.partition("=")[::2] for tool in tools)
        require(bool(versions) and all(versions.values()), "--take needs what made the layout: --tool NAME=VERSION")
        with waiting(f"packing the layout of {preset}"):
            results.take(chip(preset), take, versions, remainder)
    else:
        require(not tools and not remainder, "--tool and --remainder go with --take")
    with waiting(f"unpacking the layout of {preset}"):
        found = results.unpack(chip(preset))
    lines = results.verify(found, lambda text: click.echo(f"{preset}: {text}", err=True))
    if images:
        netlist, spef = found.folder / results.NETLIST, found.folder / results.SPEF
        slacks = sta.slacks(found.chip, netlist, found.macros, found.folder / "sta", spef=spef)
        lines += summary.timing_lines(slacks, found.folder / "sta", layout=True)
        lines += gate_figures(found.chip, found.macros, netlist, found.folder / "gates", images, spef=spef)
    with waiting("drawing it"):
        write_file(found.folder / "layout.png", draw_layout(found.folder / results.GDS))
    write_json(found.folder / "verified.json", summary.as_json(preset, lines, {}))
    _print(f"Layout of {preset}, checked here", lines)
    _print("What LibreLane said of it", summary.layout_lines(found.record["metrics"], "record.json"))
    made = table("Made by", "<tool", "<version")
    for tool, version in found.record["tools"].items():
        made.add_row(tool, version)
    console.print(made)
    for text in found.record["remainder"]:
        console.print(f"Left to explain: {text}")
    console.print(f"GDS and picture: {found.folder}", soft_wrap=True)
    wrong = [line for line in lines if not line.ok]
    for line in wrong:
        click.echo(f"error: {line.label}: {value_text(line)}, must be {line.limit}", err=True)
    if wrong:
        sys.exit(1)


def _print(title: str, lines: "list[Line]") -> None:
    from .silicon.page import value_text

    rows = table(title, "<figure", "value", "<unit", "limit")
    for line in lines:
        rows.add_row(line.label, value_text(line), line.unit, line.limit if line.ok else f"{line.limit}  ✗")
    console.print(rows)
