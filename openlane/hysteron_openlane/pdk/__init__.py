# SPDX-License-Identifier: Apache-2.0
"""Process design kits: what a process, its standard cells and its memory macros are; one file for each.

A second PDK is a file ``pdk/<name>.py`` with one :class:`Pdk`, named in :data:`PDKS`, and the chips of
:mod:`hysteron_openlane.flow.chips` that are made in it. Nothing outside this package names a layer, a cell, a corner or
a folder of a PDK.
"""

from .kit import Corner, Cut, Layer, Pdk, Wire
from .sky130 import SKY130

#: All PDKs by their name.
PDKS = {pdk.name: pdk for pdk in (SKY130,)}

__all__ = ["PDKS", "SKY130", "Corner", "Cut", "Layer", "Pdk", "Wire"]
