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


#: From ``sky130-small``: 8 lanes of 4-bit weights and 12-bit potentials. Energy of the core alone at its peak rate: the
#: least is its netlist with its macro by the LIB and without a clock tree, the most its layout with the macro's bit
#: lines and an output that falls to 0 before each read, rounded up. Glitches are in neither.
SKY130 = Bounds(
    (0.0047, 0.0195),
    (10.0, 22.0),
    "sky130-small at 50 MHz, 1.8 V, typical: 4,676 µm² for a lane alone, 0.156 mm² of cells for 8 lanes with all "
    "around them; a synaptic operation of the core alone, at its peak rate and without glitches, takes 10.0 to 16.3 pJ "
    "in its netlist and 15.0 to 21.5 pJ in its layout",
)
