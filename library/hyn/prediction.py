# SPDX-License-Identifier: Apache-2.0
"""What a network costs on a core, without simulating the hardware."""

from collections.abc import Mapping
from dataclasses import dataclass

from hysteron_base.errors import require
from hysteron_base.html import table_of
from hysteron_golden import activities, schedule
from hysteron_golden.schedule import Schedule, sent_inputs
from hysteron_measure.own import SKY130
from hysteron_measure.timing import image_cycles, mean_cycles, operations
from hysteron_spec import CoreConfig, Network, compile_network

from .runs import Samples, core_for, network_of, run, samples_of


@dataclass(frozen=True, eq=False)
class Prediction:
    """What samples cost a core.

    Attributes
    ----------
    network, core
        What was followed.
    samples
        How many samples.
    schedule
        Every predicted event; the generated hardware has the same in every cycle.
    cycles
        Mean clock cycles of a sample in a stream; exact.
    microseconds
        The same at the core's clock.
    events
        Mean weight rows read for a sample; exact.
    operations
        Mean synaptic operations of a sample (every event times the neurons it reaches); exact.
    utilisation
        Lane-cycles that no schedule can avoid, over the cycles taken, 0 to 1; exact.
    weight_bits
        Bits of the core's weight memory.
    cell_area_mm2
        Rough bounds of the area of the standard cells in SkyWater 130, without memories, in mm².
    energy_nj
        Rough bounds of the core's energy for a sample in SkyWater 130 while it works, in nJ.
    basis
        What area and energy rest on.
    """

    network: Network
    core: CoreConfig
    samples: int
    schedule: Schedule
    cycles: float
    microseconds: float
    events: float
    operations: float
    utilisation: float
    weight_bits: int
    cell_area_mm2: tuple[float, float]
    energy_nj: tuple[float, float]
    basis: str

    def _rows(self) -> dict[str, str]:
        area, energy = self.cell_area_mm2, self.energy_nj
        return {
            "network": f"{self.network.name} ({self.network.shape}) on core {self.core.name}",
            "samples": f"{self.samples:,}",
            "cycles a sample, exact": f"{self.cycles:,.1f}",
            f"µs at {self.core.clock_hz / 1e6:g} MHz": f"{self.microseconds:,.2f}",
            "weight rows read, exact": f"{self.events:,.1f}",
            "synaptic operations, exact": f"{self.operations:,.0f}",
            "utilisation, exact": f"{100 * self.utilisation:.2f} %",
            "weight memory": f"{self.weight_bits:,} bits",
            "cells in SkyWater 130, rough": f"{area[0]:.2g} to {area[1]:.2g} mm²",
            "energy in SkyWater 130, rough": f"{energy[0]:,.3g} to {energy[1]:,.3g} nJ",
            "rough figures rest on": self.basis,
        }

    def __repr__(self) -> str:
        return "Prediction(" + "; ".join(f"{name}: {value}" for name, value in self._rows().items()) + ")"

    def _repr_html_(self) -> str:
        return table_of("Prediction", self._rows())


def predict(
    network: Network,
    samples: Samples,
    *,
    core: CoreConfig | str | None = None,
    settings: Mapping[str, str] | None = None,
    images: int | None = None,
) -> Prediction:
    """Predict what samples cost: cycles exactly, area and energy roughly.

    Parameters
    ----------
    network, samples, core, settings
        See :func:`hyn.simulate`.
    images
        Only the first so many samples; None: all.

    Raises
    ------
    HysteronError
        If no core holds the network, or the samples do not suit it.
    """
    chosen = core_for(network_of(network), core, settings)
    program = compile_network(network, chosen)
    found = samples_of(samples).first(images)
    require(len(found.inputs) > 0, "there must be at least one sample, not 0; give samples")
    result = run(network, found, trace=True).result
    plan = schedule(program, activities(result, sent_inputs(program, result, found.inputs)))
    cycles = mean_cycles(plan)
    sops = operations(program, result)
    return Prediction(
        network=network,
        core=chosen,
        samples=len(image_cycles(plan)),
        schedule=plan,
        cycles=cycles,
        microseconds=cycles * 1e6 / chosen.clock_hz,
        events=plan.counters["EVENTS"] / len(found.inputs),
        operations=sops,
        utilisation=plan.utilisation,
        weight_bits=chosen.weight_rows * chosen.weight_row_bits,
        cell_area_mm2=(SKY130.lane_mm2[0] * chosen.lanes, SKY130.lane_mm2[1] * chosen.lanes),
        energy_nj=(sops * SKY130.operation_pj[0] / 1e3, sops * SKY130.operation_pj[1] / 1e3),
        basis=SKY130.basis,
    )
