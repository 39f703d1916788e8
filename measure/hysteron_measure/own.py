# SPDX-License-Identifier: Apache-2.0
"""Figures of this project's own layouts and netlists in SkyWater 130 from which rough predictions are made."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Bounds:
    """What a lane and a synaptic operation cost, from the least to the most that was found.

    Attributes
    ----------
    lane_mm2
        Area of the standard cells for each lane, in mm²: a lane alone, and a small core with all around its lanes.
    operation_pj
        Energy of a synaptic operation in pJ, while the core works.
    basis
        What the bounds rest on.
    """

    lane_mm2: tuple[float, float]
    operation_pj: tuple[float, float]
    basis: str


#: From ``sky130-small``: 8 lanes of 4-bit weights and 12-bit potentials. Energy: the netlist with its macro, without a
#: clock tree, and half as much again as its layout is told to take, which is how far glitches and unknown values that
#: the layout's figure does not count may reach.
SKY130 = Bounds(
    (0.0047, 0.0195),
    (9.2, 23.0),
    "sky130-small at 50 MHz, 1.8 V, typical: 4,676 µm² for a lane alone, 0.156 mm² of cells for 8 lanes with all "
    "around them; 9.2 pJ a synaptic operation in its netlist, 13.9 in its layout, up to 23 with everything counted",
)
