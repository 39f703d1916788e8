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
from .constraints import sdc
from .tools import liberty

#: Shortest and longest period in ns that a netlist's own is looked for between, and how often that is halved.
PERIODS, HALVINGS = (1.0, 257.0), 14

_SLACK = re.compile(r"^\s*(-?[\d.]+)\s+slack \((?:MET|VIOLATED)\)", re.M)
#: A line of a path: … delay, time, edge, pin, cell.
_PIN = re.compile(r"^(?:.*\s)?(-?[\d.]+)\s+-?[\d.]+ [v^] (\S+) \((\S+)\)$", re.M)


@dataclass(frozen=True)
class Slack:
    """Slack of a netlist at a corner.

    Attributes
    ----------
    setup_ns
        Slack in ns of the slowest path; negative if violated.
    hold_ns, input_hold_ns
        Slack in ns of the fastest path inside, from a flip-flop, latch or macro, and of that from a pin.
    period_ns
        The shortest period with which the slowest path is in time, to 0.02 ns.
    path
        The slowest path: each pin's delay in ns, the pin and its cell.
    """

    setup_ns: float
    hold_ns: float
    input_hold_ns: float
    period_ns: float
    path: tuple[tuple[float, str, str], ...]


def slacks(
    chip: Chip, netlist: Path, macros: Sequence[Macro], folder: Path, *, spef: Path | None = None
) -> dict[str, Slack]:
    """Slack at every corner of the chip's PDK that its files have, by the corner's name.

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
    return {corner.name: _slack(chip, netlist, macros, folder, spef, corner) for corner in chip.pdk.timed()}


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
    parts = text.split("hysteron: ")[1:]
    found = [_SLACK.search(part) for part in parts[:3]]
    shortest = re.match(r"period (\S+)", parts[-1]) if parts else None
    require(
        len(parts) == 4 and all(found) and shortest is not None, f"OpenSTA found no path at {corner.name}; see {log}"
    )
    assert shortest is not None
    setup, hold, input_hold = (float(match[1]) for match in found if match is not None)
    path = tuple((float(delay), pin, cell) for delay, pin, cell in _PIN.findall(parts[0].split("clock clk", 2)[1]))
    return Slack(setup, hold, input_hold, float(shortest[1]), path)


def _script(chip: Chip, netlist: Path, libraries: Sequence[Path], spef: Path | None) -> str:
    # An ideal clock comes from no cell; one with a tree begins at the outside, as the data do.
    wires = [f"read_spef {spef}"] if spef else []
    tree = "set_propagated_clock [all_clocks]" if spef else "unset_propagated_clock [all_clocks]"
    low, high = PERIODS
    return "\n".join(
        [
            *(f"read_liberty {path}" for path in libraries),
            f"read_verilog {netlist}",
            f"link_design {chip.top}",
            *wires,
            sdc(chip),
            tree,
            'puts "hysteron: slowest path"',
            "report_checks -path_delay max -digits 4",
            'puts "hysteron: fastest path"',
            "report_checks -path_delay min -digits 4 -from [all_registers -clock_pins]",
            'puts "hysteron: fastest path from a pin"',
            "report_checks -path_delay min -digits 4 -from $inputs",
            f"set low {low:g}",
            f"set high {high:g}",
            f"for {{set turn 0}} {{$turn < {HALVINGS}}} {{incr turn}} {{",
            "set period [expr ($low + $high) / 2.0]",
            sdc(chip, "$period"),
            tree,
            "if {[worst_slack -max] < 0} {set low $period} else {set high $period}",
            "}",
            'puts "hysteron: period $high"',
            "",
        ]
    )
