# SPDX-License-Identifier: Apache-2.0
"""Images through a chip's netlist, and what they cost."""

from collections.abc import Sequence
from pathlib import Path

import hysteron_networks
from hysteron_base.errors import HysteronError, require
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
        done = simulation.simulate(chip, netlist, macros, program, result, samples, folder, activity=True)
    assert done.activity is not None
    with stage(tell, "energy from what changed"):
        design = Design(chip.pdk, netlist, chip.top, macros, folder, spef=spef)
        active = activity(done.activity, simulation.SCOPE, done.windows, design.ports())
        unknown = design.unknown(active["images"])
        require(not unknown, f"the energy of {len(unknown)} nets is not known: {unknown[:3]}")
        busy, idle = design.power(active["images"]), design.power(active["idle"])
    total = operations(program, result) * len(samples)
    seconds = active["images"].seconds
    return [
        *gate_lines(len(samples), done.cycles, len(done.mismatches), folder),
        *energy_lines(busy, idle, seconds, len(samples), total, done.activity),
    ]


def gate_lines(images: int, cycles: int, mismatches: int, source: Path) -> list[Line]:
    """Figures of what a simulated netlist answered."""
    return [
        Line("images", "images through the netlist", images, source=str(source)),
        Line("cycles", "cycles", cycles, source=str(source)),
        Line("mismatches", "answers and cycles that differ from golden", mismatches, most=0, source=str(source)),
    ]


def energy_lines(busy: Power, idle: Power, seconds: float, images: int, operations: float, source: Path) -> list[Line]:
    """Figures of what a simulated netlist costs.

    Parameters
    ----------
    busy, idle
        Mean power while images came one after the other, and without any.
    seconds, images, operations
        Time in s that the images took, their number, and their synaptic operations.
    source
        File that the figures came from.
    """
    parts = (
        ("macros", "macros"),
        ("clock", "inside cells, at the clock's edges"),
        ("cells", "inside cells, at others"),
        ("switching", "nets"),
        ("leakage", "leakage of cells"),
    )
    energy = busy.total * seconds
    return [
        Line("power_mw", "power, images one after the other", 1e3 * busy.total, "mW", source=str(source)),
        *(
            Line(f"power_{part}_mw", f"… {label}", 1e3 * getattr(busy, part), "mW", source=str(source))
            for part, label in parts
        ),
        Line("idle_mw", "power without an image", 1e3 * idle.total, "mW", source=str(source)),
        Line("nj_per_image", "energy of an image", 1e9 * energy / images, "nJ", source=str(source)),
        Line("pj_per_sop", "energy of a synaptic operation", 1e12 * energy / operations, "pJ", source=str(source)),
    ]
