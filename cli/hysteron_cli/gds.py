"""``hysteron gds`` and ``memories``: a chip on SkyWater 130."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hysteron_base.errors import HysteronError, SimulationError, require
from hysteron_base.files import write_file

from .output import console, live, table, waiting, write_json

if TYPE_CHECKING:
    from hysteron_openlane.chips import Chip
    from hysteron_openlane.librelane import Ran
    from hysteron_openlane.plan import Choice
    from hysteron_openlane.project import Project
    from hysteron_openlane.summary import Line

STAGES = ("plan", "netlist", "gates", "layout")
#: Energy of a synaptic operation that others report for 130 nm, in pJ.
_OTHERS = (("SYNtzulA, IHP 130 nm", 36.5), ("OpenSpike, sky130, its claim", 17.6))


@dataclass
class _Flow:
    """What has been done for a chip."""

    chip: "Chip"
    project: "Project"
    stages: list[tuple[str, list["Line"]]] = field(default_factory=list)
    undone: dict[str, str] = field(default_factory=dict)
    slowest: tuple[tuple[float, str, str], ...] = ()
    picture: Path | None = None

    @property
    def lines(self) -> list["Line"]:
        return [line for _, lines in self.stages for line in lines]

    def attempt(self, stage: str, work: Callable[[], list["Line"]]) -> None:
        """Do a stage; what stops it stops no other."""
        try:
            self.stages.append((stage, work()))
        except (HysteronError, SimulationError) as error:
            self.undone[stage] = str(error)


@click.command()
@click.argument("preset")
@click.option("--until", type=click.Choice(STAGES), default="layout", show_default=True, help="The last stage.")
@click.option("--images", type=click.IntRange(min=1), default=20, show_default=True, help="Through the netlist.")
@click.option("--dockerized", is_flag=True, help="Run LibreLane's tools in its container.")
@click.option("--check", is_flag=True, help="Compare with the baseline that comes with the project.")
@click.option("--update", is_flag=True, help="Make these figures the baseline.")
def gds(preset: str, until: str, images: int, dockerized: bool, check: bool, update: bool) -> None:
    """Take chip PRESET (sky130-small, sky130) to a layout; say what it is and whether every check passed.

    The stages: plan (memories, die), netlist (synthesis and timing), gates (images through the netlist, and energy),
    layout. Each goes on where it stopped. Exits with status 1 if a stage could not be done, or a figure is absent or
    beyond its limit.

    Example: hysteron gds sky130-small --until gates
    """
    from hysteron_openlane import baseline, librelane
    from hysteron_openlane.chips import chip
    from hysteron_openlane.project import write_project
    from hysteron_openlane.summary import as_json

    from .silicon.page import told

    if check and update:
        raise click.UsageError("--check and --update exclude each other")
    chosen = chip(preset)
    with waiting(f"generating {preset}"):
        flow = _Flow(chosen, write_project(chosen))
    flow.stages.append(("plan", _plan(flow)))
    last = STAGES.index(until)
    if last >= STAGES.index("netlist"):
        how = librelane.way(dockerized)
        _netlist(flow, how)
        if last >= STAGES.index("gates"):
            flow.attempt("gates", lambda: _gates(flow, images))
        if last >= STAGES.index("layout"):
            flow.attempt("layout", lambda: _layout(flow, how, images))
    folder = flow.project.folder
    summary = as_json(preset, flow.lines, flow.undone)
    write_json(folder / "summary.json", summary)
    _write_page(flow, folder / "report.html")
    _show(flow)
    console.print(f"page: {folder / 'report.html'}, figures: {folder / 'summary.json'}", soft_wrap=True)
    figures = {line.key: line.value for line in flow.lines}
    worse = baseline.compare(preset, figures) if check else []
    worse += [told(line) for line in flow.lines if not line.ok]
    for line in worse:
        click.echo(f"error: {line}", err=True)
    for stage, why in flow.undone.items():
        click.echo(f"not done: {stage}: {why}", err=True)
    if worse or flow.undone:
        sys.exit(1)
    if update:
        baseline.update(preset, figures)


def _plan(flow: _Flow) -> list["Line"]:
    from hysteron_openlane.summary import Line

    made, plan = flow.project.made, flow.project.plan
    source = str(flow.project.config)
    weights = max((pair for pair in made.memories if pair[1].macro), key=lambda pair: pair[0].bits)
    macros = [place.macro for place in plan.places]
    area = sum(macro.area for macro in macros)
    return [
        Line("weight_bits", "bits of the weight memory", weights[0].bits, source=source),
        Line("weight_memory_mm2", "its macros", weights[1].area, "mm²", source=source),
        Line("macro_count", "macros in all", len(macros), source=source),
        Line("macro_mm2", "their area", area, "mm²", source=source),
        Line(
            "macro_leakage_mw", "their leakage", sum(macro.timing.leakage_mw for macro in macros), "mW", source=source
        ),
        Line(
            "estimated_macros",
            "macros without a LIB, whose timing and energy are estimates",
            sum(macro.timing.estimated for macro in macros),
            source=source,
        ),
        Line("planned_die_mm2", "die", plan.area, "mm²", source=source),
    ]


def _netlist(flow: _Flow, how: Any) -> None:
    from hysteron_openlane import librelane, sta, summary

    def synthesis() -> list["Line"]:
        ran = _librelane(flow, how, librelane.NETLIST)
        netlist = _netlist_file(flow, ran)
        wanted = [place.instance for place in flow.project.plan.places]
        return summary.netlist_lines(ran, wanted, flow.chip.cells_mm2, netlist.read_text())

    def timing() -> list["Line"]:
        netlist = _netlist_file(flow, _ran(flow))
        folder = flow.project.folder / "sta"
        with waiting("static timing at three corners"):
            slacks = sta.slacks(flow.chip, netlist, flow.project.made.macros, folder)
        flow.slowest = slacks["tt"].path
        return summary.timing_lines(slacks, folder)

    flow.attempt("netlist", synthesis)
    flow.attempt("timing", timing)


def _gates(flow: _Flow, images: int) -> list["Line"]:
    from .silicon.gates import gate_figures

    netlist = _netlist_file(flow, _ran(flow))
    return gate_figures(flow.chip, flow.project.made.macros, netlist, flow.project.folder / "gates", images)


def _layout(flow: _Flow, how: Any, images: int) -> list["Line"]:
    from hysteron_openlane import librelane, summary

    from .silicon.gates import gate_figures
    from .silicon.pictures import draw_layout

    require(not how.missing, how.missing)
    ran = _librelane(flow, how, librelane.steps()[-1])
    final = ran.folder / "final"
    for gds in final.glob("gds/*.gds"):
        flow.picture = flow.project.folder / "layout.png"
        with waiting("drawing the layout"):
            write_file(flow.picture, draw_layout(gds))
    lines = summary.layout_lines(*summary.layout_metrics(ran))
    if ran.failure:
        flow.undone["layout"] = ran.failure
    elif flow.chip.network is not None:
        from hysteron_openlane import results

        netlist, spef = results.view(final, results.NETLIST), results.view(final, results.SPEF)
        folder = flow.project.folder / "layout-gates"
        found = gate_figures(flow.chip, flow.project.made.macros, netlist, folder, images, spef=spef)
        lines += [replace(line, key=f"layout_{line.key}", label=f"{line.label}, layout") for line in found]
    return lines


def _librelane(flow: _Flow, how: Any, last: str) -> "Ran":
    from hysteron_openlane import librelane

    with live(f"LibreLane, {how.name}", len(librelane.steps())) as tell:
        ran = librelane.run(flow.project.config, how, last, lambda done, _, name: tell(done, name))
    if last == librelane.NETLIST:
        require(not ran.failure, ran.failure)
    return ran


def _ran(flow: _Flow) -> "Ran":
    from hysteron_openlane import librelane

    folder = flow.project.folder / "runs" / librelane.TAG
    return librelane.Ran(folder, 0, (), tuple(librelane.finished_steps(folder)))


def _netlist_file(flow: _Flow, ran: "Ran") -> Path:
    from hysteron_openlane.librelane import folder_of_step

    require("netlist" not in flow.undone, "it needs the netlist")
    path = folder_of_step(ran.folder, "Yosys.Synthesis") / f"{flow.chip.top}.nl.v"
    require(path.exists(), f"synthesis left no netlist {str(path)!r}; see the logs there")
    return path


def _write_page(flow: _Flow, path: Path) -> None:
    from .report.style import svg
    from .silicon import pictures
    from .silicon.page import write_page

    write_file(flow.project.folder / "floorplan.svg", svg(pictures.floorplan(flow.project.plan, flow.chip.name)))
    write_page(
        path,
        preset=flow.chip.name,
        stages=flow.stages,
        undone=flow.undone,
        plan=flow.project.plan,
        layout=flow.picture,
        slowest=flow.slowest,
    )


def _show(flow: _Flow) -> None:
    from .silicon.page import lines_table

    console.print(_memories(flow.chip.name, flow.project.made.memories))
    for stage, lines in flow.stages:
        console.print(lines_table(f"{flow.chip.name}: {stage}", lines))
        energy = next((line for line in lines if line.key == "pj_per_sop"), None)
        if energy is not None:
            others = table("Energy of a synaptic operation", "<what", "pJ")
            for name, value in ((f"{flow.chip.name}, from activity, before layout", energy.value), *_OTHERS):
                others.add_row(name, f"{value:.1f}")
            console.print(others)


def _memories(title: str, memories: Any) -> Any:
    rows = table(f"{title}: memories", "bits", "<words", "<made of", "mm²", "leakage, µW", "access, ns")
    for need, choice in memories:
        rows.add_row(f"{need.bits:,}", f"{need.depth} × {need.width}", *_choice(choice))
    return rows


def _choice(choice: "Choice") -> tuple[str, str, str, str]:
    if choice.macro is None:
        return "flip-flops (estimate)", f"{choice.area:.3f}", "", ""
    timing = choice.macro.timing
    note = " (no LIB: an estimate)" if timing.estimated else ""
    name = choice.macro.name.removeprefix("sky130_sram_")
    assert choice.leakage_mw is not None
    return (
        f"{choice.count} × {name}",
        f"{choice.area:.3f}",
        f"{1e3 * choice.leakage_mw:.2f}",
        f"{timing.access_ns:.2f}{note}",
    )


@click.command()
@click.option("--width", type=click.IntRange(1), default=256, show_default=True, help="Bits of a row.")
@click.option("--depth", type=click.IntRange(1), default=4096, show_default=True, help="Rows.")
@click.option("--grain", type=click.IntRange(1), help="Bits that can be written by themselves.  [32, or the width]")
@click.option("--both", is_flag=True, help="Rows are read while others are written: two ports.")
def memories(width: int, depth: int, grain: int | None, both: bool) -> None:
    """All ways to make a memory of the PDK's macros: area, leakage, access time; the smallest first.

    The access time is from the falling edge of the clock to the data.

    Example: hysteron memories --width 256 --depth 4096
    """
    from hysteron_openlane.plan import Need, choices

    need = Need(width, depth, grain or (32 if width % 32 == 0 else width), exclusive=not both, distinct=both)
    rows = table(
        f"{depth:,} rows of {width} bits, {need.bits:,} in all", "<made of", "mm²", "leakage, µW", "access, ns"
    )
    for choice in choices(need):
        rows.add_row(*_choice(choice))
    console.print(rows)


@click.command()
@click.argument("macro", default="sky130_sram_16x16")
@click.option("--python", required=True, help="A Python with openram 1.2.48 and NumPy 1.")
@click.option("--cells", required=True, type=click.Path(path_type=Path), help="A checkout of sky130_fd_bd_sram.")
def openram(macro: str, python: str, cells: Path) -> None:
    """Generate MACRO with OpenRAM from its configuration in openlane/openram-configs: sky130_sram_16x16, in a minute.

    Nothing that it makes has been checked, and a larger one takes hours.

    Example: hysteron openram --python openram/bin/python --cells sky130_fd_bd_sram
    """
    from hysteron_base.files import build_root
    from hysteron_openlane.openram import generate

    with waiting(f"OpenRAM makes {macro}"):
        files = generate(macro, python, cells, build_root() / "openram")
    for path in files:
        console.print(f"{path} ({path.stat().st_size:,} bytes)", soft_wrap=True)
