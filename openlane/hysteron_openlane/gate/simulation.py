# SPDX-License-Identifier: Apache-2.0
"""A core's netlist of standard cells and macros, simulated with real samples and compared with golden.

Icarus Verilog simulates four states, so what depends on a memory's or a flip-flop's state before the reset shows as X.
Cells are the functional models that a Python package brings, with a unit of delay in what holds a state.
"""

import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hysteron_base.errors import SimulationError, require
from hysteron_base.files import write_file
from hysteron_golden import Result
from hysteron_golden.schedule import activities, schedule, sent_inputs
from hysteron_sim.build import HERE as HARNESS
from hysteron_sim.build import parameters
from hysteron_sim.simulator import Script, read_runs, write_script
from hysteron_sim.verify import Mismatch, compare, stimulus_of
from hysteron_spec import Program

from ..flow.chips import Chip
from ..memory.macros import Macro
from ..memory.models import models
from ..pdk import Pdk

#: The test bench around a netlist.
BENCH = Path(str(files("hysteron_openlane.gate") / "gate.v"))
#: What the netlist's names begin with in the file of changes.
SCOPE = "gate.harness.core.chip."
#: What a macro's output does from a rising edge of its clock to the next data: it stays, or falls to 0.
Output = Literal["kept", "low"]
#: Cycles without an image at the end of a simulation that keeps changes.
IDLE = 200


@dataclass(frozen=True)
class Run:
    """What a netlist did.

    Attributes
    ----------
    samples, cycles
        Number of samples, and of cycles from the first input word to the last answer word.
    mismatches
        Differences from golden, in answers and in the cycle of every word; none is what is wanted.
    activity
        File of what changed; None if it was not asked for.
    windows
        Begin and end in it, in ps, of the images and of a time without any.
    """

    samples: int
    cycles: int
    mismatches: tuple[Mismatch, ...]
    activity: Path | None
    windows: dict[str, tuple[int, int]]


def simulate(
    chip: Chip,
    netlist: Path,
    macros: Sequence[Macro],
    program: Program,
    result: Result,
    samples: NDArray[np.generic],
    folder: Path,
    *,
    output: Output | None = None,
) -> Run:
    """Load a network into a chip's netlist, stream samples, compare with golden.

    Parameters
    ----------
    chip
        A core without a machine.
    netlist
        Verilog of cells and macros, its top module as the chip's.
    macros
        The macros in it.
    program, result, samples
        What to run: a network compiled for the chip's core, what golden says of it with its trace, and what it takes.
    folder
        Folder for files of the simulation.
    output
        What macros say while their clock is high; changes of nets are kept then, and every flip-flop, latch and word of
        a memory begins with 0, as real ones begin with something. None: nothing is known of all these, as is right for
        a proof.

    Raises
    ------
    HysteronError
        If a tool or the cells' models are missing.
    SimulationError
        If the simulation fails, or an output is unknown after the reset.
    """
    require(chip.machine is None, f"chip {chip.name} has a processor: only cores are simulated at gate level")
    active = activities(result, sent_inputs(program, result, samples))
    predicted = schedule(program, active, reads=False)
    script = Script()
    script.load(program)
    script.run(stimulus_of(active, predicted))
    folder.mkdir(parents=True, exist_ok=True)
    stem = folder / "0"
    write_script(stem, script)
    text, found = re.subn(rf"\bmodule {chip.top}\b", "module chip_netlist", netlist.read_text(), count=1)
    require(found == 1, f"{str(netlist)!r} has no module {chip.top}; synthesise chip {chip.name} first")
    write_file(folder / "netlist.v", text.encode())
    write_file(folder / "macros.v", models(chip.pdk, macros).encode())
    write_file(folder / "cells.v", cells(chip.pdk, text, known=output is not None).encode())
    defines = {
        **parameters(chip.core),
        "PERIOD": round(chip.period_ns),
        "UNIT_DELAY": "#0.1",
        "MOST": 20 * len(script.operations) + script.runs[0].limit + 1000,
    }
    if output is not None:
        defines |= {"IDLE": IDLE, f"OUTPUT_{output.upper()}": 1}
    windows = _windows(_icarus(chip.pdk, folder, defines))
    observed = read_runs(stem, script, chip.core)[0]
    mismatches = compare(program, result, predicted, observed, detail=False)
    if output is not None:
        begin = windows["images"][0]
        cycles = int(observed.beat_cycles[-1] - observed.accept_cycles[0]) + 1
        windows["images"] = (begin, begin + 1000 * cycles * round(chip.period_ns))
    return Run(
        len(samples),
        int(predicted.beat_cycles[-1]),
        mismatches,
        folder / "activity.vcd" if output is not None else None,
        windows,
    )


def _windows(told: str) -> dict[str, tuple[int, int]]:
    lines = [line.split() for line in told.splitlines() if line.startswith("WINDOW")]
    return {name: (int(times[0]), int(times[-1])) for _, name, *times in lines}


def cells(pdk: Pdk, netlist: str, *, known: bool = False) -> str:
    """Verilog with the model of every standard cell in a netlist.

    Parameters
    ----------
    pdk, netlist
        The PDK, and the netlist's text.
    known
        Whether flip-flops and latches begin with 0; otherwise their state is unknown until they are loaded.

    Raises
    ------
    HysteronError
        If the package with the models is missing, or lacks one.
    """
    folder = pdk.cell_models()
    lines = _known_states(folder) if known else []
    for name in pdk.cells.names_in(netlist):
        path = folder / re.sub(r"_\d+$", "", name) / f"{pdk.cells.full(name)}.functional.v"
        told = f"there is no model {str(path)!r}; another version of package {pdk.cells.models} may have it"
        require(path.exists(), told)
        lines.append(f'`include "{path}"\n')
    return "".join(lines)


def _known_states(folder: Path) -> list[str]:
    """The primitives that hold a state, with one to begin with. Their own files keep from being read twice."""
    found = []
    for path in sorted((folder.parent / "models").glob("udp_*/*.v")):
        text, count = re.subn(r"^(\s*reg (\w+);)$", r"\1\n    initial \2 = 1'b0;", path.read_text(), flags=re.M)
        if count and re.search(r"^primitive ", text, re.M) and "_pp_" not in path.name and ".tb" not in path.name:
            found.append(text + "\n")
    require(bool(found), f"there are no primitives with a state in {str(folder.parent / 'models')!r}")
    return found


def _icarus(pdk: Pdk, folder: Path, defines: dict[str, object]) -> str:
    for tool in ("iverilog", "vvp"):
        require(shutil.which(tool) is not None, f"{tool} is missing; on Debian run 'apt install iverilog'")
    sources = [
        HARNESS / "harness.sv",
        BENCH,
        *(folder / f"{name}.v" for name in ("netlist", "macros", "cells")),
    ]
    # Models include others by a path from their own folder, wherever that is.
    include = pdk.cell_models() / "inv"
    command = ["iverilog", "-g2012", "-s", "gate", "-I", str(include), "-o", str(folder / "gate.vvp")]
    command += [f"-D{name}={value}" for name, value in defines.items()]
    _run([*command, *map(str, sources)], folder / "compile.log")
    told = _run(["vvp", "-n", str(folder / "gate.vvp"), f"+folder={folder}"], folder / "run.log")
    unknown = [line for line in told.splitlines() if line.startswith("UNKNOWN")]
    if unknown:
        raise SimulationError(f"the netlist has unknown values: {unknown[0]} (and {len(unknown) - 1} more)")
    return told


def _run(command: list[str], log: Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    write_file(log, (done.stdout + done.stderr).encode())
    if done.returncode:
        first = next((line for line in done.stderr.splitlines() if "error" in line.lower()), "no reason was told")
        raise SimulationError(f"{command[0]} failed: {first.strip()}; see {log}")
    return done.stdout
