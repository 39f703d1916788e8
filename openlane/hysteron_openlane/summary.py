"""The figures of a flow to silicon, each with its limit and the file that it came from.

LibreLane ends well where nothing was done. So a figure that is wanted and not there is a failure here.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .librelane import Ran, folder_of_step
from .power import Power
from .sta import Slack


@dataclass(frozen=True)
class Line:
    """A figure.

    Attributes
    ----------
    key
        Its stable name.
    label
        For people.
    value
        None if it is not there.
    unit
        Of the value; may be empty.
    least, most
        Limits; None: there is none.
    source
        File that it came from.
    """

    key: str
    label: str
    value: float | None
    unit: str = ""
    least: float | None = None
    most: float | None = None
    source: str = ""

    @property
    def ok(self) -> bool:
        """Whether it is there and within its limits."""
        if self.value is None:
            return False
        return (self.least is None or self.value >= self.least) and (self.most is None or self.value <= self.most)

    @property
    def limit(self) -> str:
        """The limits as text."""
        if self.least is not None:
            return f"≥ {self.least:g}"
        return "" if self.most is None else f"≤ {self.most:,.6g}"


#: LibreLane's metrics after synthesis: its name, ours, label, unit, most.
_NETLIST = (
    ("design__lint_error__count", "lint_errors", "lint errors", "", 0),
    ("design__inferred_latch__count", "inferred_latches", "latches that nobody asked for", "", 0),
    ("synthesis__check_error__count", "synthesis_errors", "errors of synthesis", "", 0),
    ("design__instance_unmapped__count", "unmapped_cells", "cells that are not mapped", "", 0),
    ("design__instance__count", "cells", "cells and macros", "", None),
)
#: Of the layout: its name, ours, label, unit, least, most.
_LAYOUT: tuple[tuple[str, str, str, str, float | None, float | None], ...] = (
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
    ("timing__setup__ws__corner:nom_tt_025C_1v80", "layout_setup_tt_ns", "setup slack, tt", "ns", 0, None),
    ("timing__setup__ws__corner:nom_ff_100C_1v95", "layout_setup_ff_ns", "setup slack, ff", "ns", 0, None),
    (
        "timing__setup__ws__corner:nom_ss_n40C_1v40",
        "layout_setup_ss_ns",
        "setup slack, ss (1.40 V, −40 °C)",
        "ns",
        None,
        None,
    ),
    ("timing__hold__ws__corner:nom_tt_025C_1v80", "layout_hold_tt_ns", "hold slack, tt", "ns", 0, None),
    ("timing__hold__ws__corner:nom_ff_100C_1v95", "layout_hold_ff_ns", "hold slack, ff", "ns", 0, None),
    (
        "timing__hold__ws__corner:nom_ss_n40C_1v40",
        "layout_hold_ss_ns",
        "hold slack, ss (1.40 V, −40 °C)",
        "ns",
        0,
        None,
    ),
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


def netlist_lines(ran: Ran, wanted: Sequence[str], cells_mm2: float, text: str) -> list[Line]:
    """Of synthesis.

    Parameters
    ----------
    ran
        LibreLane's run.
    wanted
        Instances of macros that the floorplan has.
    cells_mm2
        Area of standard cells that the die is made for.
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


def timing_lines(slacks: Mapping[str, Slack], source: Path, *, layout: bool = False) -> list[Line]:
    """Of a netlist, or of a ``layout``. Told and not judged: before a layout hold times, which its clock tree decides
    and its buffers mend, and setup at the slow corner, 1.40 V and −40 °C, which this PDK's data have for a slow one."""
    lines = []
    for corner, slack in slacks.items():
        for key, label, value, least in (
            ("setup", "setup slack", slack.setup_ns, None if corner == "ss" else 0.0),
            ("hold", "hold slack", slack.hold_ns, 0.0 if layout else None),
        ):
            lines.append(Line(f"{key}_{corner}_ns", f"{label}, {corner}", value, "ns", least=least, source=str(source)))
    return lines


def gate_lines(images: int, cycles: int, mismatches: int, source: Path) -> list[Line]:
    """Of the simulated netlist."""
    return [
        Line("images", "images through the netlist", images, source=str(source)),
        Line("cycles", "cycles", cycles, source=str(source)),
        Line("mismatches", "answers and cycles that differ from golden", mismatches, most=0, source=str(source)),
    ]


def energy_lines(busy: Power, idle: Power, seconds: float, images: int, operations: float, source: Path) -> list[Line]:
    """Of what was simulated; ``seconds`` is how long the images took, ``operations`` their synaptic operations."""
    parts = (
        ("macros", "macros"),
        ("clock", "inside cells, at the clock's edges"),
        ("cells", "inside cells, at others"),
        ("switching", "nets"),
        ("leakage", "leakage of cells"),
    )
    return [
        Line("power_mw", "power, images one after the other", 1e3 * busy.total, "mW", source=str(source)),
        *(
            Line(f"power_{part}_mw", f"… {label}", 1e3 * getattr(busy, part), "mW", source=str(source))
            for part, label in parts
        ),
        Line("idle_mw", "power without an image", 1e3 * idle.total, "mW", source=str(source)),
        Line("nj_per_image", "energy of an image", 1e9 * busy.total * seconds / images, "nJ", source=str(source)),
        Line(
            "pj_per_sop",
            "energy of a synaptic operation",
            1e12 * busy.total * seconds / operations,
            "pJ",
            source=str(source),
        ),
    ]


def layout_metrics(ran: Ran) -> tuple[dict[str, Any], str]:
    """LibreLane's metrics of a layout, none where the flow did not get so far, and the file that they are in."""
    path = ran.folder / "final" / "metrics.json"
    return json.loads(path.read_text()) if path.exists() else {}, str(path)


def layout_lines(metrics: Mapping[str, Any], source: str) -> list[Line]:
    """Of the layout, by LibreLane's metrics; a line without one lacks its value."""
    return [
        Line(key, label, _number(metrics.get(name)), unit, least, most, source)
        for name, key, label, unit, least, most in _LAYOUT
    ]


def _number(value: Any) -> float | None:
    return value if isinstance(value, int | float) else None


def as_json(preset: str, lines: Sequence[Line], undone: Mapping[str, str]) -> dict[str, Any]:
    """What ``summary.json`` holds: ``undone`` says for every stage that was not done why."""
    return {
        "preset": preset,
        "ok": not undone and all(line.ok for line in lines),
        "undone": dict(undone),
        "figures": {line.key: {**asdict(line), "ok": line.ok} for line in lines},
    }
