"""Images through a chip's netlist, and what they cost."""

from collections.abc import Sequence
from pathlib import Path

from hysteron_base.errors import HysteronError, require
from hysteron_data.sets import load_data_set
from hysteron_golden import run
from hysteron_openlane import gate, summary
from hysteron_openlane.activity import activity
from hysteron_openlane.chips import Chip
from hysteron_openlane.macros import Macro
from hysteron_openlane.power import Design
from hysteron_spec import compile_network, load

from ..measure.measurement import operations
from ..output import waiting

#: Networks that come with the project.
NETWORKS = Path(__file__).resolve().parents[3] / "networks"


def gate_figures(
    chip: Chip, macros: Sequence[Macro], netlist: Path, folder: Path, images: int, *, spef: Path | None = None
) -> list[summary.Line]:
    """Simulate the first images of the chip's data set at gate level; compare with golden; power from what changed.

    Parameters
    ----------
    chip
        A core without a machine.
    macros, netlist
        Its netlist, and the macros in it.
    folder
        For files of the simulation.
    images
        How many.
    spef
        Of a layout, for the wires' capacitance.

    Raises
    ------
    HysteronError, SimulationError
        If a tool is missing, the chip has no network for it, or an output is unknown.
    """
    if chip.network is None or chip.data is None:
        raise HysteronError(f"{chip.name} is not simulated at gate level; sky130-small shows how its core fares")
    network = load(NETWORKS / f"{chip.network}.hyn")
    samples = load_data_set(chip.data).inputs[:images]
    program, result = compile_network(network, chip.core), run(network, samples, trace=True)
    with waiting(f"{len(samples)} images through the netlist"):
        done = gate.simulate(chip, netlist, macros, program, result, samples, folder, activity=True)
    assert done.activity is not None
    with waiting("energy from what changed"):
        design = Design(netlist, chip.top, macros, folder, spef=spef)
        active = activity(done.activity, gate.SCOPE, done.windows, design.ports())
        unknown = design.unknown(active["images"])
        require(not unknown, f"the energy of {len(unknown)} nets is not known: {unknown[:3]}")
        busy, idle = design.power(active["images"]), design.power(active["idle"])
    total = operations(program, result) * len(samples)
    seconds = active["images"].seconds
    return [
        *summary.gate_lines(len(samples), done.cycles, len(done.mismatches), folder),
        *summary.energy_lines(busy, idle, seconds, len(samples), total, done.activity),
    ]
