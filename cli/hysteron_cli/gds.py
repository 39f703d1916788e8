# SPDX-License-Identifier: Apache-2.0
"""``hysteron gds``, ``memories`` and ``openram``: a chip on SkyWater 130."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.table import Table

from .names import CHIP
from .output import console, table, watching

if TYPE_CHECKING:
    from hysteron_openlane.figures import Line
    from hysteron_openlane.flow.run import Flow
    from hysteron_openlane.memory.plan import Choice, Need

#: As :data:`hysteron_openlane.flow.run.STAGES`, which needs the packages of the flow.
STAGES = ("plan", "netlist", "gates", "layout")


@click.command(short_help="Take a chip to a layout, as far as tools go.")
@click.argument("name", metavar="CHIP", type=CHIP)
@click.option("--until", type=click.Choice(STAGES), default="layout", show_default=True, help="The last stage.")
@click.option("--images", type=click.IntRange(min=1), default=20, show_default=True, help="Through the netlist.")
@click.option("--dockerized", is_flag=True, help="Run LibreLane's tools in its container.")
@click.option("--check", is_flag=True, help="Compare with the baseline that comes with the project.")
@click.option("--update", is_flag=True, help="Make these figures the baseline.")
def gds(name: str, until: str, images: int, dockerized: bool, check: bool, update: bool) -> None:
    """Take CHIP (sky130-small, sky130) to a layout; say what it is and whether every check passed.

    The stages: plan (memories, die), netlist (synthesis and timing), gates (images through the netlist, and energy),
    layout. Each goes on where it stopped. Exits with status 1 if a stage could not be done, or a figure is absent or
    beyond its limit.

    Example: hysteron gds sky130-small --until gates
    """
    from hysteron_openlane.flow import baseline
    from hysteron_openlane.flow.chips import chip
    from hysteron_openlane.flow.run import take_to_layout
    from hysteron_openlane.report.page import write_report

    if check and update:
        raise click.UsageError("--check and --update exclude each other")
    with watching() as tell:
        flow = take_to_layout(chip(name), until, images, dockerized=dockerized, tell=tell)
    page = write_report(flow)
    _show(flow)
    console.print(f"page: {page}, figures: {page.with_name('summary.json')}", soft_wrap=True)
    console.result(json.loads(page.with_name("summary.json").read_text()))
    worse = baseline.compare(name, flow.figures) if check else []
    worse += [line.wrong for line in flow.lines if not line.ok]
    for line in worse:
        console.error(f"error: {line}")
    for stage, why in flow.undone.items():
        console.error(f"not done: {stage}: {why}")
    if worse or flow.undone:
        raise SystemExit(1)
    if update:
        baseline.update(name, flow.figures)


def _show(flow: "Flow") -> None:
    from hysteron_measure.literature import OPERATIONS

    name = flow.chip.name
    console.print(_memories(f"{name}: memories", flow.project.made.memories))
    for stage, lines in flow.stages:
        console.print(lines_table(f"{name}: {stage}", lines))
        energies = {line.key: line.text for line in lines}
        if "pj_per_sop" in energies:
            others = table("Energy of a synaptic operation", "<what", "pJ")
            for key, where in (
                ("pj_per_sop", "core only, at peak rate"),
                ("pj_per_sop_duty", "core only, at 10 % duty"),
            ):
                interval = f"{energies[key]} to {energies[f'{key}_most']}"
                others.add_row(f"{name}, {where}, before layout", interval)
            for other in OPERATIONS:
                others.add_row(f"{other.name}: {other.source}", f"{other.picojoules:.1f}")
            console.print(others)


def lines_table(title: str, lines: Iterable["Line"]) -> Table:
    """Figures with their limits."""
    rows = table(title, "<figure", "value", "<unit", "limit")
    for line in lines:
        rows.add_row(line.label, line.text, line.unit, line.limit if line.ok else f"{line.limit}  ✗")
    return rows


def _memories(title: str, memories: Iterable[tuple["Need", "Choice"]]) -> Table:
    rows = table(title, "bits", "<words", "<made of", "mm²", "leakage, µW", "access, ns")
    for need, choice in memories:
        rows.add_row(f"{need.bits:,}", f"{need.depth} × {need.width}", *_choice(choice))
    return rows


def _choice(choice: "Choice") -> tuple[str, str, str, str]:
    macro = choice.macro
    if macro is None:
        return "flip-flops (estimate)", f"{choice.area:.3f}", "", ""
    note = " (no LIB: an estimate)" if macro.timing.estimated else ""
    assert choice.leakage_mw is not None
    return (
        f"{choice.count} × {macro.pdk.macros.short(macro.name)}",
        f"{choice.area:.3f}",
        f"{1e3 * choice.leakage_mw:.2f}",
        f"{macro.timing.access_ns:.2f}{note}",
    )


@click.command(short_help="Compare memories made of the PDK's macros.")
@click.option("--width", type=click.IntRange(1), default=256, show_default=True, help="Bits of a row.")
@click.option("--depth", type=click.IntRange(1), default=4096, show_default=True, help="Rows.")
@click.option("--grain", type=click.IntRange(1), help="Bits that can be written by themselves.  [32, or the width]")
@click.option("--both", is_flag=True, help="Rows are read while others are written: two ports.")
def memories(width: int, depth: int, grain: int | None, both: bool) -> None:
    """All ways to make a memory of the PDK's macros: area, leakage, access time; the smallest first.

    The access time is from the falling edge of the clock to the data.

    Example: hysteron memories --width 256 --depth 4096
    """
    from hysteron_openlane.memory.plan import Need, choices
    from hysteron_openlane.pdk import SKY130

    need = Need(width, depth, grain or (32 if width % 32 == 0 else width), exclusive=not both, distinct=both)
    rows = table(
        f"{depth:,} rows of {width} bits, {need.bits:,} in all", "<made of", "mm²", "leakage, µW", "access, ns"
    )
    found = choices(SKY130, need)
    for choice in found:
        rows.add_row(*_choice(choice))
    console.print(rows)
    console.result(
        [
            {
                "made_of": None if choice.macro is None else choice.macro.name,
                "count": choice.count,
                "mm2": choice.area,
                "leakage_mw": choice.leakage_mw,
                "access_ns": None if choice.macro is None else choice.macro.timing.access_ns,
                "estimated": choice.macro is None or choice.macro.timing.estimated,
            }
            for choice in found
        ]
    )


@click.command(short_help="Generate a macro with OpenRAM.")
@click.argument("macro", default="sky130_sram_16x16")
@click.option("--python", required=True, help="A Python with openram 1.2.48 and NumPy 1.")
@click.option("--cells", required=True, type=click.Path(path_type=Path), help="A checkout of sky130_fd_bd_sram.")
def openram(macro: str, python: str, cells: Path) -> None:
    """Generate MACRO with OpenRAM from its configuration: sky130_sram_16x16, in a minute.

    Nothing that it makes has been checked, and a larger one takes hours.

    Example: hysteron openram --python openram/bin/python --cells sky130_fd_bd_sram
    """
    from hysteron_base.files import build_root
    from hysteron_base.progress import stage
    from hysteron_openlane.memory.openram import generate
    from hysteron_openlane.pdk import SKY130

    with watching() as tell, stage(tell, f"OpenRAM makes {macro}"):
        files = generate(SKY130, macro, python, cells, build_root() / "openram")
    for path in files:
        console.print(f"{path} ({path.stat().st_size:,} bytes)", soft_wrap=True)
    console.result([str(path) for path in files])
