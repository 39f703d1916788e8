# SPDX-License-Identifier: Apache-2.0
"""Figures of a chip's plan, of its netlist and of its layout, by what LibreLane and OpenSTA say of them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hysteron_base.errors import require

from ..figures import Line
from ..pdk import Pdk
from .librelane import Ran, folder_of_step
from .project import Project, nominal
from .sta import Slack

#: LibreLane's metrics after synthesis: its name, ours, label, unit, most.
_NETLIST = (
    ("design__lint_error__count", "lint_errors", "lint errors", "", 0),
    ("design__inferred_latch__count", "inferred_latches", "latches that nobody asked for", "", 0),
    ("synthesis__check_error__count", "synthesis_errors", "errors of synthesis", "", 0),
    ("design__instance_unmapped__count", "unmapped_cells", "cells that are not mapped", "", 0),
    ("design__instance__count", "cells", "cells and macros", "", None),
)
#: One of LibreLane's metrics of a layout: its name, ours, label, unit, least, most.
Metric = tuple[str, str, str, str, float | None, float | None]
_DIE: tuple[Metric, ...] = (
    ("design__die__area", "die_um2", "die", "µm²", None, None),
    (
        "design__instance__utilization",
        "utilisation",
        "utilisation of the core, macros and decoupling included",
        "",
        None,
        1,
    ),
    ("design__instance__count__stdcell", "layout_cells", "standard cells, decoupling included", "", None, None),
    ("design__instance__area__stdcell", "layout_cell_area_um2", "their area", "µm²", None, None),
    ("route__wirelength", "wire_um", "wires", "µm", None, None),
)
_CHECKS: tuple[Metric, ...] = (
    ("route__drc_errors", "route_drc", "DRC, router", "", None, 0),
    ("magic__drc_error__count", "magic_drc", "DRC, Magic", "", None, 0),
    ("klayout__drc_error__count", "klayout_drc", "DRC, KLayout", "", None, 0),
    ("design__xor_difference__count", "xor", "differences between Magic's layout and KLayout's", "", None, 0),
    ("design__lvs_error__count", "lvs", "LVS errors", "", None, 0),
    ("antenna__violating__nets", "antenna_nets", "nets that violate the antenna rule", "", None, 0),
    ("design__disconnected_pin__count", "disconnected_pins", "pins without a wire", "", None, None),
    ("design__critical_disconnected_pin__count", "critical_disconnected_pins", "… that matter", "", None, 0),
    ("design__power_grid_violation__count", "power_grid", "breaks of the power grid", "", None, 0),
    ("power__total", "librelane_power_w", "power, by LibreLane's guess of the activity", "W", None, None),
)


def plan_lines(project: Project) -> list[Line]:
    """Figures of a chip's memories and of its die, before anything is synthesised."""
    made, plan = project.made, project.plan
    source = str(project.config)
    weights = max((pair for pair in made.memories if pair[1].macro), key=lambda pair: pair[0].bits)
    macros = [place.macro for place in plan.places]
    leakage = sum(macro.timing.leakage_mw for macro in macros)
    estimated = sum(macro.timing.estimated for macro in macros)
    return [
        Line("weight_bits", "bits of the weight memory", weights[0].bits, source=source),
        Line("weight_memory_mm2", "its macros", weights[1].area, "mm²", source=source),
        Line("macro_count", "macros in all", len(macros), source=source),
        Line("macro_mm2", "their area", sum(macro.area for macro in macros), "mm²", source=source),
        Line("macro_leakage_mw", "their leakage", leakage, "mW", source=source),
        Line(
            "estimated_macros", "macros without a LIB, whose timing and energy are estimates", estimated, source=source
        ),
        Line("planned_die_mm2", "die", plan.area, "mm²", source=source),
    ]


def netlist_lines(ran: Ran, wanted: Sequence[str], cells_mm2: float, text: str) -> list[Line]:
    """Figures of a synthesised netlist.

    Parameters
    ----------
    ran
        LibreLane's run.
    wanted
        Instances of macros that the floorplan has.
    cells_mm2
        Area of standard cells in mm² that the die is made for.
    text
        The netlist.

    Raises
    ------
    HysteronError
        If synthesis has not run.
    """
    path = folder_of_step(ran.folder, "OpenROAD.CheckSDCFiles") / "state_out.json"
    metrics = json.loads(path.read_text())["metrics"]
    lines = [
        Line(key, label, metrics.get(name), unit, most=most, source=str(path))
        for name, key, label, unit, most in _NETLIST
    ]
    area = metrics.get("design__instance__area")
    lines.append(
        Line("cell_area_um2", "area of the standard cells", area, "µm²", most=1e6 * cells_mm2, source=str(path))
    )
    missing = [instance for instance in wanted if f" {instance} (" not in text and f" \\{instance}  (" not in text]
    netlist = str(folder_of_step(ran.folder, "Yosys.Synthesis"))
    lines.append(Line("macros", "macros of the floorplan", len(wanted), source=netlist))
    lines.append(Line("missing_macros", "… that are not in the netlist", len(missing), most=0, source=netlist))
    return lines


def timing_lines(pdk: Pdk, slacks: Mapping[str, Slack], source: Path, *, layout: bool = False) -> list[Line]:
    """Slacks of a netlist, or of a ``layout``, and its fastest clock, by the names of the PDK's corners.

    Told and not judged are hold times before there is a layout, whose clock tree decides them and whose buffers mend
    them; setup times, and hold times of pins, at corners that are not judged
    (:attr:`~hysteron_openlane.pdk.Corner.judged`).
    """
    lines = []
    for corner in (*pdk.corners, *pdk.signoff):
        slack = slacks.get(corner.name)
        if slack is None:
            require(corner in pdk.signoff, f"there is no timing at corner {corner.name}")
            continue
        judged = 0.0 if corner.judged else None
        for key, label, value, least in (
            ("setup", "setup slack", slack.setup_ns, judged),
            ("hold", "hold slack", slack.hold_ns, 0.0 if layout else None),
            ("input_hold", "hold slack of pins", slack.input_hold_ns, judged if layout else None),
        ):
            name = f"{key}_{corner.name}_ns"
            lines.append(Line(name, f"{label}, {corner.text}", value, "ns", least=least, source=str(source)))
        clock = 1000 / slack.period_ns
        lines.append(
            Line(f"clock_{corner.name}_mhz", f"fastest clock, {corner.text}", clock, "MHz", source=str(source))
        )
    run = sum(corner.name in slacks for corner in (pdk.typical, *pdk.signoff))
    wanted = f"corners of sign-off whose LIBs are there, of {len(pdk.signoff) + 1}"
    lines.append(Line("signoff_corners", wanted, run, source=str(source)))
    return lines


def layout_metrics(ran: Ran) -> tuple[dict[str, Any], str]:
    """LibreLane's metrics of a layout, none where the flow did not get so far, and the file that they are in."""
    path = ran.folder / "final" / "metrics.json"
    return json.loads(path.read_text()) if path.exists() else {}, str(path)


def metrics_of(pdk: Pdk) -> list[Metric]:
    """LibreLane's metrics of a layout that are told: setup slack is judged at some corners, hold slack at all."""
    corners = sorted(pdk.corners, key=lambda corner: not corner.judged)
    slacks: Iterable[Metric] = (
        (
            f"timing__{kind}__ws__corner:{nominal(corner)}",
            f"layout_{kind}_{corner.name}_ns",
            f"{kind} slack, {corner.text}",
            "ns",
            0 if corner.judged or kind == "hold" else None,
            None,
        )
        for kind in ("setup", "hold")
        for corner in corners
    )
    return [*_DIE, *slacks, *_CHECKS]


def layout_lines(pdk: Pdk, metrics: Mapping[str, Any], source: str) -> list[Line]:
    """Figures of a layout by LibreLane's metrics; a line without one lacks its value."""
    return [
        Line(key, label, _number(metrics.get(name)), unit, least, most, source)
        for name, key, label, unit, least, most in metrics_of(pdk)
    ]


def _number(value: Any) -> float | None:
    return value if isinstance(value, int | float) else None
