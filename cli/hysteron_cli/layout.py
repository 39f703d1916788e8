"""``hysteron layout``: check the layout that comes with the project."""

import sys

import click

from hysteron_golden.files import write_file

from .output import console, table, waiting, write_json


@click.command()
@click.argument("preset", default="sky130-small")
@click.option("--images", type=click.IntRange(min=0), default=0, help="Through its netlist, with its wires.  [0]")
def layout(preset: str, images: int) -> None:
    """Check PRESET's layout that comes with the project: outline, pins, wires against netlist, rules of the wires.

    With --images also what the netlist of the layout answers and what that costs, and its timing, both with the wires'
    resistance and capacitance. The files are unpacked to build/layout/PRESET. Exits with status 1 if a check fails.

    Example: hysteron layout sky130-small
    """
    from hysteron_openlane import results, sta, summary
    from hysteron_openlane.chips import chip

    from .silicon.gates import gate_figures
    from .silicon.page import value_text
    from .silicon.pictures import draw_layout

    with waiting(f"unpacking the layout of {preset}"):
        found = results.unpack(chip(preset))
    lines = results.verify(found, lambda text: click.echo(f"{preset}: {text}", err=True))
    if images:
        netlist, spef = found.folder / results.NETLIST, found.folder / results.SPEF
        slacks = sta.slacks(found.chip, netlist, found.macros, found.folder / "sta", spef=spef)
        lines += summary.timing_lines(slacks, found.folder / "sta")
        lines += gate_figures(found.chip, found.macros, netlist, found.folder / "gates", images, spef=spef)
    with waiting("drawing it"):
        write_file(found.folder / "layout.png", draw_layout(found.folder / results.GDS))
    write_json(found.folder / "verified.json", summary.as_json(preset, lines, {}))
    rows = table(f"Layout of {preset}", "<figure", "value", "<unit", "limit")
    for line in lines:
        rows.add_row(line.label, value_text(line), line.unit, line.limit if line.ok else f"{line.limit}  ✗")
    console.print(rows)
    made = table("Made by", "<tool", "<version")
    for tool, version in found.record["versions"].items():
        made.add_row(tool, version)
    console.print(made)
    console.print(f"GDS and picture: {found.folder}", soft_wrap=True)
    wrong = [line for line in lines if not line.ok]
    for line in wrong:
        click.echo(f"error: {line.label}: {value_text(line)}, must be {line.limit}", err=True)
    if wrong:
        sys.exit(1)
