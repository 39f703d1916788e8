# SPDX-License-Identifier: Apache-2.0
"""Taking a chip to its layout, as far as the tools at hand go: plan, netlist, timing, gates, layout."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from hysteron_base.errors import HysteronError, SimulationError, require
from hysteron_base.files import write_file
from hysteron_base.progress import Tell, quiet, stage

from ..figures import Line
from . import figures, librelane, sta
from .chips import Chip
from .librelane import Ran, Way, folder_of_step
from .project import Project, write_project

#: The stages that a run can end with.
STAGES = ("plan", "netlist", "gates", "layout")


@dataclass
class Flow:
    """What has been done for a chip.

    Attributes
    ----------
    chip, project
        The chip, and its project of LibreLane.
    images
        Number of images that go through the netlist.
    tell
        Takes what is being done.
    stages
        Figures of every stage that was done, by its name, in the order in which they were done.
    undone
        Why a stage was not done, by its name.
    slowest
        The slowest path at the typical corner: each pin's delay in ns, the pin and its cell.
    picture
        PNG of the layout, if there is one.
    """

    chip: Chip
    project: Project
    images: int = 20
    tell: Tell = quiet
    stages: list[tuple[str, list[Line]]] = field(default_factory=list)
    undone: dict[str, str] = field(default_factory=dict)
    slowest: tuple[tuple[float, str, str], ...] = ()
    picture: Path | None = None

    @property
    def lines(self) -> list[Line]:
        """All figures."""
        return [line for _, lines in self.stages for line in lines]

    @property
    def figures(self) -> dict[str, float | None]:
        """The values of all figures by their stable names."""
        return {line.key: line.value for line in self.lines}

    def attempt(self, name: str, work: Callable[[], list[Line]]) -> None:
        """Do a stage; what stops it stops no other."""
        try:
            self.stages.append((name, work()))
        except (HysteronError, SimulationError) as error:
            self.undone[name] = str(error)


def take_to_layout(
    chip: Chip, until: str = "layout", images: int = 20, *, dockerized: bool = False, tell: Tell = quiet
) -> Flow:
    """Take a chip to its layout; each stage goes on where it stopped before.

    Parameters
    ----------
    chip
        What is made.
    until
        The last stage, one of :data:`STAGES`.
    images
        Number of images that go through the netlist.
    dockerized
        Whether LibreLane's tools are run in its container.
    tell
        Takes what is being done.

    Raises
    ------
    HysteronError
        If the PDK or LibreLane is missing. What stops a stage after the plan is told in :attr:`Flow.undone`.
    """
    with stage(tell, f"generating {chip.name}"):
        flow = Flow(chip, write_project(chip), images, tell)
    flow.stages.append(("plan", figures.plan_lines(flow.project)))
    last = STAGES.index(until)
    if last >= STAGES.index("netlist"):
        how = librelane.way(chip.pdk, dockerized)
        flow.attempt("netlist", lambda: _netlist(flow, how))
        flow.attempt("timing", lambda: _timing(flow))
        if last >= STAGES.index("gates"):
            flow.attempt("gates", lambda: _gates(flow))
        if last >= STAGES.index("layout"):
            flow.attempt("layout", lambda: _layout(flow, how))
    return flow


def _netlist(flow: Flow, how: Way) -> list[Line]:
    ran = _librelane(flow, how, librelane.NETLIST)
    netlist = _netlist_file(flow, ran)
    wanted = [place.instance for place in flow.project.plan.places]
    return figures.netlist_lines(ran, wanted, flow.chip.cells_mm2, netlist.read_text())


def _timing(flow: Flow) -> list[Line]:
    netlist, folder = _netlist_file(flow, _ran(flow)), flow.project.folder / "sta"
    with stage(flow.tell, "static timing at every corner"):
        slacks = sta.slacks(flow.chip, netlist, flow.project.made.macros, folder)
    flow.slowest = slacks[flow.chip.pdk.typical.name].path
    return figures.timing_lines(flow.chip.pdk, slacks, folder)


def _gates(flow: Flow) -> list[Line]:
    from ..gate.figures import gate_figures

    netlist, folder = _netlist_file(flow, _ran(flow)), flow.project.folder / "gates"
    return gate_figures(flow.chip, flow.project.made.macros, netlist, folder, flow.images, tell=flow.tell)


def _layout(flow: Flow, how: Way) -> list[Line]:
    from ..gate.figures import gate_figures
    from ..layout import kept
    from ..report.pictures import draw_layout

    require(not how.missing, how.missing)
    chip, project = flow.chip, flow.project
    ran = _librelane(flow, how, librelane.steps()[-1])
    final = ran.folder / "final"
    for gds in final.glob("gds/*.gds"):
        flow.picture = project.folder / "layout.png"
        with stage(flow.tell, "drawing the layout"):
            write_file(flow.picture, draw_layout(chip.pdk, gds))
    lines = figures.layout_lines(chip.pdk, *figures.layout_metrics(ran))
    if ran.failure:
        flow.undone["layout"] = ran.failure
    elif chip.network is not None:
        netlist, spef = kept.view(final, kept.NETLIST), kept.view(final, kept.SPEF)
        folder = project.folder / "layout-gates"
        found = gate_figures(chip, project.made.macros, netlist, folder, flow.images, spef=spef, tell=flow.tell)
        lines += [replace(line, key=f"layout_{line.key}", label=f"{line.label}, layout") for line in found]
    return lines


def _librelane(flow: Flow, how: Way, last: str) -> Ran:
    ran = librelane.run(flow.chip.pdk, flow.project.config, how, last, flow.tell)
    if last == librelane.NETLIST:
        require(not ran.failure, ran.failure)
    return ran


def _ran(flow: Flow) -> Ran:
    folder = flow.project.folder / "runs" / librelane.TAG
    return Ran(folder, 0, (), tuple(librelane.finished_steps(folder)))


def _netlist_file(flow: Flow, ran: Ran) -> Path:
    require("netlist" not in flow.undone, "it needs the netlist")
    path = folder_of_step(ran.folder, "Yosys.Synthesis") / f"{flow.chip.top}.nl.v"
    require(path.exists(), f"synthesis left no netlist {str(path)!r}; see the logs there")
    return path
