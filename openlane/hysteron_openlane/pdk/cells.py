# SPDX-License-Identifier: Apache-2.0
"""Sizes of a PDK's standard cells, by their LEF."""

import re
from functools import cache

from .kit import Pdk, read


@cache
def cell_sizes(pdk: Pdk) -> dict[str, tuple[float, float]]:
    """Width and height in µm of all standard cells, by their whole names."""
    pattern = r"^MACRO (\S+)\n.*?^\s*SIZE\s+([\d.]+)\s+BY\s+([\d.]+)"
    found = re.findall(pattern, read(pdk.cell_file("lef")), re.M | re.S)
    return {name: (float(width), float(height)) for name, width, height in found}


@cache
def bit_area(pdk: Pdk) -> float:
    """Area in mm² of a bit that is kept in a flip-flop, without wires."""
    sizes = cell_sizes(pdk)
    areas = (share * sizes[pdk.cells.full(cell)][0] * sizes[pdk.cells.full(cell)][1] for cell, share in pdk.cells.bit)
    return sum(areas) / 1e6
