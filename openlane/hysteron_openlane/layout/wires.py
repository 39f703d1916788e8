# SPDX-License-Identifier: Apache-2.0
"""An extraction of wires (SPEF) against the layout's geometry: each net's capacitance and resistance, within a factor.

The layout's wires have an area and an edge on each layer; the PDK's LEF says what capacitance both have over the
ground, and the resistance of a square. The extraction knows the neighbours of each wire as well, so the
two are not equal; it is the factor between them that must be about the same for all nets.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import median

import klayout.db as db

from hysteron_base.errors import require

from ..pdk import Pdk
from ..pdk.kit import find, read
from .connectivity import Extracted, Net

#: The sums over a whole layout must be within these factors of what its geometry says. LEF knows no neighbours, which
#: in a dense layout have about as much capacitance again; cuts, which are not counted, have most of the resistance.
CAPACITANCE, RESISTANCE = (1.4, 2.8), (1.7, 3.9)
#: A net's capacitance must be within this factor of its geometry's, beside that of the median net. Small nets are left
#: out: below :data:`SMALL` pF their ends and neighbours decide.
ONE, SMALL = 3.0, 0.01


@dataclass(frozen=True)
class Parasitics:
    """Capacitance of a layer of wires in pF/µm² and pF/µm of edge, resistance of a square in Ω."""

    area: float
    edge: float
    square: float


@cache
def parasitics(pdk: Pdk) -> dict[str, Parasitics]:
    """What the PDK's technology LEF says of each layer of wires.

    Raises
    ------
    HysteronError
        If it says nothing of one.
    """
    found = {}
    for name, body in re.findall(r"^LAYER (\S+)\n(.*?)^END \1", _lef(pdk), re.M | re.S):
        values = [
            re.search(rf"^\s*{key} ([\d.E+-]+) ;", body, re.M)
            for key in ("CAPACITANCE CPERSQDIST", "EDGECAPACITANCE", "RESISTANCE RPERSQ")
        ]
        if all(values):
            found[name] = Parasitics(*(float(value[1]) for value in values if value is not None))
    lacking = [wire.name for wire in pdk.wires if wire.name not in found]
    require(not lacking, f"the PDK's technology LEF has no capacitance of {', '.join(lacking)}")
    return found


def _lef(pdk: Pdk) -> str:
    return read(find(pdk.library(pdk.cells.library) / "techlef", f"{pdk.cells.library}__nom.tlef"))


@dataclass(frozen=True)
class Wired:
    """Capacitance in pF and resistance in Ω of a net's wires."""

    farads: float
    ohms: float


@dataclass(frozen=True)
class Compared:
    """What a comparison of an extraction with the geometry found.

    Attributes
    ----------
    nets
        Nets compared.
    capacitance, resistance
        Sum over all nets by the extraction, over that by the geometry.
    wrong
        Nets that are in one of both only, or whose factor is far from that of the others, a line each.
    """

    nets: int
    capacitance: float
    resistance: float
    wrong: tuple[str, ...]


def extracted_nets(path: Path) -> dict[Net, Wired]:
    """The nets of a SPEF by the pins that they connect.

    Raises
    ------
    HysteronError
        If it counts in something else than pF and Ω.
    """
    text = path.read_text()
    for unit in ("*C_UNIT 1 PF", "*R_UNIT 1 OHM"):
        require(unit in text.upper(), f"{str(path)!r} must count in {unit.split()[-1]}")
    names = dict(re.findall(r"^(\*\d+) (\S+)$", text, re.M))
    found = {}
    for each in re.split(r"^\*D_NET ", text, flags=re.M)[1:]:
        head, _, rest = each.partition("\n")
        pins = set()
        for kind, place in re.findall(r"^\*([PI]) (\S+)", rest, re.M):
            instance, _, pin = place.rpartition(":")
            plain = names.get(instance, instance) if kind == "I" else ""
            pins.add((plain.replace("\\", ""), (pin if kind == "I" else names.get(place, place)).replace("\\", "")))
        _, _, resistances = rest.partition("*RES\n")
        ohms = sum(float(line.split()[3]) for line in resistances.splitlines() if line[:1].isdigit())
        found[frozenset(pins)] = Wired(float(head.split()[1]), ohms)
    return found


def drawn_net(pdk: Pdk, extracted: Extracted, net: db.Net) -> Wired:
    """What a net's wires outside cells have, by their area, their edge, and their squares."""
    dbu = extracted.layout.dbu
    farads = ohms = 0.0
    for wire in pdk.wires:
        region = extracted.shapes(net, wire.name, inside=False)
        if region.is_empty():
            continue
        known = parasitics(pdk)[wire.name]
        merged = region.merged()
        farads += merged.area() * dbu**2 * known.area + merged.perimeter() * dbu * known.edge
        for shape in region.each():
            box = shape.bbox()
            long, short = max(box.width(), box.height()), min(box.width(), box.height())
            ohms += known.square * (long - short) / short
    return Wired(farads, ohms)


def compare_wires(pdk: Pdk, extracted: Extracted, nets: Iterable[tuple[Net, db.Net]], spef: Path) -> Compared:
    """Compare the nets of a layout (:meth:`~.connectivity.Extracted.nets`) with a SPEF; the supply is left out."""
    said = extracted_nets(spef)
    drawn = {
        pins: drawn_net(pdk, extracted, net)
        for pins, net in nets
        if net.name not in (pdk.cells.power, pdk.cells.ground)
    }
    both = said.keys() & drawn.keys()
    wrong = [f"{'.'.join(min(pins))}: in the extraction only" for pins in said.keys() - both if len(pins) > 1]
    wrong += [f"{'.'.join(min(pins))}: in the layout only" for pins in drawn.keys() - both]
    factors = {pins: said[pins].farads / drawn[pins].farads for pins in both if drawn[pins].farads > SMALL}
    middle = median(factors.values()) if factors else 1.0
    wrong += [
        f"{'.'.join(min(pins))}: {said[pins].farads:g} pF, by its wires {middle * drawn[pins].farads:.3g} pF"
        for pins, factor in factors.items()
        if not 1 / ONE <= factor / middle <= ONE
    ]
    sums = [[sum(getattr(nets[pins], kind) for pins in both) for nets in (said, drawn)] for kind in ("farads", "ohms")]
    capacitance, resistance = (one / other if other else 0.0 for one, other in sums)
    return Compared(len(both), capacitance, resistance, tuple(sorted(wrong)))
