# SPDX-License-Identifier: Apache-2.0
"""Static timing of a netlist with OpenSTA: slack at every corner, and the slowest path with the macros in it.

Debian's version (it calls itself 2.0.17) reads these libraries and netlists; docs/silicon.md says what it lacks.
"""

import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hysteron_base.errors import HysteronError, require
from hysteron_base.files import write_file

from ..memory.macros import Macro
from ..memory.timing import library_of
from ..pdk import Corner
from .chips import Chip
from .tools import liberty

#: As LibreLane constrains a design: share of the period that the outside has at each pin, uncertainty and slope of the
#: clock in ns, share by which delays may be off, load of an output in pF.
IO_SHARE, UNCERTAINTY, SLOPE, DERATE, LOAD = 0.2, 0.25, 0.15, 0.05, 0.033442

_SLACK = re.compile(r"^\s*(-?[\d.]+)\s+slack \((?:MET|VIOLATED)\)", re.M)
#: A line of a path: … delay, time, edge, pin, cell.
_PIN = re.compile(r"^(?:.*\s)?(-?[\d.]+)\s+-?[\d.]+ [v^] (\S+) \((\S+)\)$", re.M)


@dataclass(frozen=True)
class Slack:
    """Slack of a netlist at a corner.

    Attributes
    ----------
    setup_ns, hold_ns
        Slack in ns of the slowest and of the fastest path; negative if violated.
    path
        The slowest path: each pin's delay in ns, the pin and its cell.
    """

    setup_ns: float
    hold_ns: float
    path: tuple[tuple[float, str, str], ...]


def slacks(
    chip: Chip, netlist: Path, macros: Sequence[Macro], folder: Path, *, spef: Path | None = None
) -> dict[str, Slack]:
    """Slack at every corner of the chip's PDK, by the corner's name.

    Parameters
    ----------
    chip
        The chip whose clock it is.
    netlist
        Verilog of cells and macros. Without a layout its clock arrives everywhere at once and wires have no load.
    macros
        The macros in it. Their LIB is of the typical corner, or an estimate: it is taken for all corners, so that
        only the cells around them are slow or fast there.
    folder
        Folder for scripts and logs.
    spef
        Resistance and capacitance of a layout's wires; the clock then goes through its tree.

    Raises
    ------
    HysteronError
        If OpenSTA is missing or says that something is wrong, or there is no path.
    """
    require(shutil.which("sta") is not None, "OpenSTA is missing; on Debian run 'apt install opensta'")
    return {corner.name: _slack(chip, netlist, macros, folder, spef, corner) for corner in chip.pdk.corners}


def _slack(
    chip: Chip, netlist: Path, macros: Sequence[Macro], folder: Path, spef: Path | None, corner: Corner
) -> Slack:
    script = folder / f"sta-{corner.name}.tcl"
    libraries = [liberty(chip.pdk, corner), *(library_of(macro, folder) for macro in macros)]
    write_file(script, _script(chip, netlist, libraries, spef).encode())
    done = subprocess.run(["sta", "-no_splash", "-exit", str(script)], capture_output=True, text=True)
    text = done.stdout + done.stderr
    log = script.with_suffix(".log")
    write_file(log, text.encode())
    # It goes on after an error, and its status is 0 then.
    wrong = next((line for line in text.splitlines() if line.startswith("Error")), None)
    if wrong or done.returncode:
        raise HysteronError(f"OpenSTA failed at corner {corner.name}: {wrong or done.returncode}; see {log}")
    slowest, _, fastest = text.partition("hysteron: fastest path")
    found = [_SLACK.search(part) for part in (slowest, fastest)]
    require(all(found), f"OpenSTA found no path at corner {corner.name}; see {log}")
    setup, hold = (float(match[1]) for match in found if match is not None)
    path = tuple((float(delay), pin, cell) for delay, pin, cell in _PIN.findall(slowest.split("clock clk", 2)[1]))
    return Slack(setup, hold, path)


def _script(chip: Chip, netlist: Path, libraries: Sequence[Path], spef: Path | None) -> str:
    outside, cells = IO_SHARE * chip.period_ns, chip.pdk.cells
    driver = f"-lib_cell {cells.full(cells.driver)} -pin {cells.driver_pin}"
    wires = [f"read_spef {spef}", "set_propagated_clock [all_clocks]"] if spef else []
    return "\n".join(
        [
            *(f"read_liberty {path}" for path in libraries),
            f"read_verilog {netlist}",
            f"link_design {chip.top}",
            f"create_clock -name clk -period {chip.period_ns:g} [get_ports clk]",
            "set inputs [all_inputs]",
            "set clock [lsearch $inputs [get_ports clk]]",
            "set inputs [lreplace $inputs $clock $clock]",
            f"set_input_delay {outside:g} -clock clk $inputs",
            f"set_output_delay {outside:g} -clock clk [all_outputs]",
            # An ideal clock needs none; one with a tree begins at the outside, as the data do.
            f"set_driving_cell {driver} {'[all_inputs]' if spef else '$inputs'}",
            f"set_load {LOAD:g} [all_outputs]",
            f"set_clock_uncertainty {UNCERTAINTY:g} clk",
            f"set_clock_transition {SLOPE:g} clk",
            f"set_timing_derate -early {1 - DERATE:g}",
            f"set_timing_derate -late {1 + DERATE:g}",
            *wires,
            "report_checks -path_delay max -digits 4",
            'puts "hysteron: fastest path"',
            "report_checks -path_delay min -digits 4",
            "",
        ]
    )
