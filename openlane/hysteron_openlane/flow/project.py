# SPDX-License-Identifier: Apache-2.0
"""A chip as a project of LibreLane: sources, macros' places, and the configuration of its flow ``Classic``."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from hysteron_base.files import build_root, write_file

from ..memory.lef import abstract, magic_view
from ..memory.macros import Macro
from ..memory.models import header, latch_map
from ..memory.timing import library_of
from ..pdk import Corner
from .chips import Chip, Source, source
from .constraints import sdc_of_flow
from .floorplan import Floorplan, floorplan


@dataclass(frozen=True)
class Project:
    """Files of a project.

    Attributes
    ----------
    folder
        The project's folder.
    config
        LibreLane's configuration file.
    made
        The chip's Verilog and memories.
    plan
        Floorplan of the die.
    """

    folder: Path
    config: Path
    made: Source
    plan: Floorplan


def folder_of(chip: Chip) -> Path:
    """The folder of a chip's project."""
    return build_root() / "gds" / chip.name


def write_project(chip: Chip) -> Project:
    """Write a chip's project.

    Raises
    ------
    HysteronError
        If the PDK lacks something.
    """
    made = source(chip)
    plan = floorplan(instances(made), chip.cells_mm2, chip.density)
    folder = folder_of(chip)
    write_file(folder / "chip.v", made.verilog.encode())
    write_file(folder / "latch_map.v", latch_map(chip.pdk).encode())
    write_file(folder / "chip.sdc", sdc_of_flow(chip).encode())
    for macro in made.macros:
        write_file(folder / "macros" / f"{macro.name}.v", header(macro).encode())
        write_file(folder / "macros" / f"{macro.name}.lef", abstract(macro.pdk, macro.name).encode())
        write_file(folder / "macros" / f"{macro.name}.mag", magic_view(macro.pdk, macro.name).encode())
    text = yaml.safe_dump(configuration(chip, made, plan, folder), sort_keys=False)
    write_file(folder / "config.yaml", text.encode())
    return Project(folder, folder / "config.yaml", made, plan)


def instances(made: Source) -> list[tuple[str, Macro]]:
    """Every macro in a chip by the name that it has after the hierarchy is gone, in the order of the Verilog."""
    macros = {macro.name: macro for macro in made.macros}
    modules = dict(re.findall(r"^module (\\\S+|\w+) *\((.*?)^endmodule", made.verilog, re.M | re.S))
    found: list[tuple[str, Macro]] = []

    def visit(module: str, path: str) -> None:
        for kind, name in re.findall(r"^  (\\\S+|\w+) +(\\\S+|\w+) +\($", modules[module], re.M):
            inside = path + name.lstrip("\\")
            if kind in macros:
                found.append((inside, macros[kind]))
            elif kind in modules:
                visit(kind, inside + ".")

    visit(next(name for name in ("hysteron_machine", "hysteron_core") if name in modules), "")
    return found


def configuration(chip: Chip, made: Source, plan: Floorplan, project: Path) -> dict[str, Any]:
    """LibreLane's variables; its own definitions are what they are checked against."""
    of: dict[str, dict[str, Any]] = {}
    for place in plan.places:
        of.setdefault(place.macro.name, {})[place.instance] = {"location": [place.x, place.y], "orientation": "N"}
    pdk, cells = chip.pdk, chip.pdk.cells
    gate = cells.clock_gate
    macros = {}
    for macro in made.macros:
        macros[macro.name] = {
            "gds": [str(pdk.macro_file("gds", macro.name))],
            "lef": [f"dir::macros/{macro.name}.lef"],
            "vh": [f"dir::macros/{macro.name}.v"],
            # The PDK has them for the typical corner only; that is taken for the others too.
            "lib": {"*": [f"dir::{library_of(macro, project).relative_to(project)}"]},
            "instances": of[macro.name],
        }
    return {
        "meta": {"version": 2, "flow": "Classic"},
        "DESIGN_NAME": chip.top,
        "VERILOG_FILES": ["dir::chip.v"],
        # Not every PDK says how latches are mapped, and yosys makes flip-flops with set and reset of them then.
        "SYNTH_LATCH_MAP": "dir::latch_map.v",
        # Most flip-flops are memories and pipelines that rarely change; their clock is most of the energy.
        # Without, a net of a thousand gates looks slow until the layout's buffers are in.
        "SYNTH_ABC_BUFFERING": True,
        "SYNTH_CLOCKGATE_MIN_WIDTH": 8,
        "SYNTH_CLOCKGATE_POSEDGE_ICG": "/".join((cells.full(gate.cell), gate.enable, gate.clock, gate.gated)),
        "MAX_TRANSITION_CONSTRAINT": pdk.macros.transition_ns,
        # What the layout is made for. At the other corners no wire may meet the limit; they are reported.
        "RSZ_CORNERS": [nominal(corner) for corner in pdk.judged],
        "CTS_CORNERS": [nominal(pdk.typical)],
        "SETUP_VIOLATION_CORNERS": [f"*{corner.name}*" for corner in pdk.judged],
        "HOLD_VIOLATION_CORNERS": ["*"],
        # For all steps, the last timing analysis included.
        "PNR_SDC_FILE": "dir::chip.sdc",
        "SIGNOFF_SDC_FILE": "dir::chip.sdc",
        "CLOCK_PORT": "clk",
        "CLOCK_PERIOD": chip.period_ns,
        "FP_SIZING": "absolute",
        "DIE_AREA": [0, 0, plan.width, plan.height],
        "PL_TARGET_DENSITY_PCT": round(100 * chip.density) + 10,
        "MACROS": macros,
        "MAGIC_DRC_MAGLEFS": [f"dir::macros/{name}.mag" for name in macros],
        "PDN_MACRO_CONNECTIONS": [
            f"{re.escape(place.instance)} {cells.power} {cells.ground} {place.macro.power} {place.macro.ground}"
            for place in plan.places
        ],
    }


def nominal(corner: Corner) -> str:
    """LibreLane's name of a corner, with wires at theirs: nominal."""
    return f"nom_{corner.label}"
