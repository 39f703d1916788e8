# SPDX-License-Identifier: Apache-2.0
"""Images through a chip's netlist, and what they cost."""

from collections.abc import Sequence
from pathlib import Path

import hysteron_networks
from hysteron_base.errors import HysteronError
from hysteron_base.files import write_file
from hysteron_base.progress import Tell, quiet, stage
from hysteron_data.sets import load_data_set
from hysteron_golden import run
from hysteron_measure.timing import operations
from hysteron_spec import compile_network, load

from ..figures import Line
from ..flow.chips import Chip
from ..memory.macros import Macro
from . import simulation
from .activity import activity
from .power import Design, Power
from .simulation import Output

#: What macros' outputs do in the simulations that energy comes from.
OUTPUTS: tuple[Output, ...] = ("kept", "low")
#: Share of the time in which there are images, for the figures of a core that mostly waits.
DUTY = 0.1


def gate_figures(
    chip: Chip,
    macros: Sequence[Macro],
    netlist: Path,
    folder: Path,
    images: int,
    *,
    spef: Path | None = None,
    tell: Tell = quiet,
) -> list[Line]:
    """Simulate the first images of the chip's data set at gate level; compare with golden; power from what changed.

    There are three simulations: one that knows nothing of what is not loaded yet, for the comparison with golden, and
    two whose nets are all known, for the least and the most that a macro's output can change.

    Parameters
    ----------
    chip
        A core without a machine.
    macros, netlist
        Its netlist, and the macros in it.
    folder
        Folder for files of the simulation.
    images
        Number of images.
    spef
        Capacitance of a layout's wires.
    tell
        Takes what is being done.

    Raises
    ------
    HysteronError, SimulationError
        If a tool is missing, the chip has no network for it, or an output is unknown.
    """
    if chip.network is None or chip.data is None:
        raise HysteronError(f"{chip.name} is not simulated at gate level; sky130-small shows how its core fares")
    network = load(hysteron_networks.path(chip.network))
    samples = load_data_set(chip.data).inputs[:images]
    program, result = compile_network(network, chip.core), run(network, samples, trace=True)
    with stage(tell, f"{len(samples)} images through the netlist"):
        done = simulation.simulate(chip, netlist, macros, program, result, samples, folder)
    design = Design(chip.pdk, netlist, chip.top, macros, folder, spef=spef)
    powers: dict[Output, tuple[Power, Power]] = {}
    mismatches, unknown, seconds = len(done.mismatches), 0, 0.0
    for output in OUTPUTS:
        place = folder / output
        with stage(tell, f"energy from what changed, macros' output {output}"):
            one = simulation.simulate(chip, netlist, macros, program, result, samples, place, output=output)
            assert one.activity is not None
            active = activity(one.activity, simulation.SCOPE, one.windows, design.ports())
            one.activity.unlink()
            lost = [name for window in active.values() for name in design.unknown(window)]
            write_file(place / "unknown.txt", "\n".join([*lost, ""]).encode())
        mismatches += len(one.mismatches)
        unknown += len(lost)
        powers[output] = design.power(active["images"]), design.power(active["idle"])
        seconds = active["images"].seconds
    total = operations(program, result) * len(samples)
    return [
        *gate_lines(len(samples), done.cycles, mismatches, folder),
        Line("nets_annotated", "nets whose changes were counted", len(design.connected), source=str(folder)),
        Line("nets_unknown", "… that were not known at all times", unknown, most=0, source=str(folder)),
        *energy_lines(powers["kept"], powers["low"], seconds, len(samples), total, folder),
    ]


def gate_lines(images: int, cycles: int, mismatches: int, source: Path) -> list[Line]:
    """Figures of what a simulated netlist answered."""
    return [
        Line("images", "images through the netlist", images, source=str(source)),
        Line("cycles", "cycles", cycles, source=str(source)),
        Line("mismatches", "answers and cycles that differ from golden", mismatches, most=0, source=str(source)),
    ]


def energy_lines(
    least: tuple[Power, Power],
    most: tuple[Power, Power],
    seconds: float,
    images: int,
    operations: float,
    source: Path,
) -> list[Line]:
    """Figures of what a simulated netlist costs: the core alone, at its peak rate where they say nothing else.

    Parameters
    ----------
    least, most
        Mean power while images came one after the other, and without any: with a macro's output that holds its value
        until the next one, and with one that falls to 0 in between. At most its bit lines come on top.
    seconds, images, operations
        Time in s that the images took, their number, and their synaptic operations.
    source
        File or folder that the figures came from.
    """
    parts = (
        ("macros", "macros, by their LIB"),
        ("clock", "inside cells, at the clock's edges"),
        ("cells", "inside cells, at others"),
        ("switching", "nets"),
        ("leakage", "leakage of cells"),
    )
    (busy, idle), (busy_most, idle_most) = least, most
    lines = busy_most.bit_lines

    def line(key: str, label: str, watts: float | None, scale: float, unit: str) -> Line:
        return Line(key, label, None if watts is None else scale * watts, unit, source=str(source))

    def at_duty(active: float, still: float) -> float:
        """Power in the time that images take, and nine times as long without any."""
        return active + still * (1 / DUTY - 1)

    highest = None if lines is None else busy_most.total + lines
    waited = None if highest is None else at_duty(highest, idle_most.total)
    operation, image = 1e12 * seconds / operations, 1e9 * seconds / images
    duty = f"{100 * DUTY:g} %"
    return [
        line("power_mw", "power, images one after the other, at least", busy.total, 1e3, "mW"),
        *(line(f"power_{part}_mw", f"… {label}", getattr(busy, part), 1e3, "mW") for part, label in parts),
        line("power_low_mw", "… if macros' output falls to 0 before each read", busy_most.total, 1e3, "mW"),
        line("power_bit_lines_mw", "macros' bit lines, which their LIB leaves out", lines, 1e3, "mW"),
        line("power_most_mw", "power, images one after the other, at most", highest, 1e3, "mW"),
        line("idle_mw", "power without an image", idle.total, 1e3, "mW"),
        line("nj_per_image", "energy of an image, at least", busy.total, image, "nJ"),
        line("nj_per_image_most", "energy of an image, at most", highest, image, "nJ"),
        line("pj_per_sop", "energy of a synaptic operation, at least", busy.total, operation, "pJ"),
        line("pj_per_sop_low", "… if macros' output falls to 0", busy_most.total, operation, "pJ"),
        line("pj_per_sop_most", "energy of a synaptic operation, at most", highest, operation, "pJ"),
        line("pj_per_sop_duty", f"… at {duty} duty, at least", at_duty(busy.total, idle.total), operation, "pJ"),
        line("pj_per_sop_duty_most", f"… at {duty} duty, at most", waited, operation, "pJ"),
    ]
