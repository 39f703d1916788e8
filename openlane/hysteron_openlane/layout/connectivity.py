# SPDX-License-Identifier: Apache-2.0
"""Layout versus netlist, cell by cell: what the wires of a GDS connect, beside what a netlist says.

Cells and macros are black boxes with their pins as they are labelled; LEF has those of the macros. A net is the set of
pins that it connects, by the names that DEF gives to the places of cells. Of the tools that made the layout nothing
takes part in this but the files that they wrote.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import klayout.db as db

from hysteron_base.errors import require

from ..memory.lef import obstructions, pin_shapes
from ..memory.macros import Macro
from ..pdk import Layer, Pdk, Wire

#: Our datatype for what is in the way inside a macro.
_OBSTRUCTION = 99

#: A net: pins of instances, or of the top with an empty name for the instance.
Net = frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Comparison:
    """What a comparison of a layout with a netlist found.

    Attributes
    ----------
    nets, pins
        Nets and pins of the netlist that were compared.
    missing
        Nets of the netlist that the layout has not as they are, and the layout's own, a line each.
    unplaced
        Instances of the netlist that are not where DEF says.
    """

    nets: int
    pins: int
    missing: tuple[str, ...]
    unplaced: tuple[str, ...]


class Extracted:
    """What the wires of a layout connect.

    Parameters
    ----------
    pdk
        The PDK that says what connects what.
    gds
        The layout.
    top
        Name of the cell.
    macros
        The macros in it.
    """

    def __init__(self, pdk: Pdk, gds: Path, top: str, macros: Sequence[Macro]) -> None:
        layout = db.Layout()
        layout.read(str(gds))
        for macro in macros:
            only_pins(layout, macro)
        self.layout = layout
        self.extraction = db.LayoutToNetlist(db.RecursiveShapeIterator(layout, layout.cell(top), []))
        self.layers = _connect(pdk, self.extraction, layout)
        self.extraction.extract_netlist()
        self.circuit = self.extraction.netlist().circuit_by_name(top)
        require(self.circuit is not None, f"{str(gds)!r} has no cell {top}")

    def nets(
        self, placement: Path, sizes: Mapping[str, tuple[float, float]]
    ) -> Iterator[tuple[frozenset[tuple[str, str]], db.Net]]:
        """The nets with at least two pins.

        Parameters
        ----------
        placement
            DEF with the places of all instances.
        sizes
            Width and height in µm of every cell.
        """
        dbu = self.layout.dbu
        names = places(placement, dbu)
        for net in self.circuit.each_net():
            pins = {("", name) for name in net.name.split(",") if name}
            for link in net.each_subcircuit_pin():
                cell = link.subcircuit().circuit_ref().name
                if cell not in sizes:
                    continue
                box = link.subcircuit().trans * db.DBox(0, 0, *sizes[cell])
                corner = (round(box.left / dbu), round(box.bottom / dbu))
                instance = names.get((cell, *corner), f"{cell} at {corner}")
                pins.add((instance, link.pin().expanded_name()))
            if len(pins) > 1:
                yield frozenset(pins), net

    def shapes(self, net: db.Net, layer: str, *, inside: bool) -> db.Region:
        """A net's shapes on a layer of wires, or of cuts (``met1``, ``via``), with those inside cells or without."""
        return self.extraction.shapes_of_net(net, self.layers[layer], inside)


def obstruction(wire: Wire) -> Layer:
    """Our layer for what is in the way of a wire inside a macro."""
    return wire.drawing[0], _OBSTRUCTION


def _connect(pdk: Pdk, extraction: db.LayoutToNetlist, layout: db.Layout) -> dict[str, db.Region]:
    """Say what connects what; wires and cuts by their names are what is told."""

    def drawn(layer: Layer, name: str) -> db.Region:
        return extraction.make_polygon_layer(layout.layer(*layer), name)

    below = drawn(pdk.poly, "poly")
    for number, resistor in enumerate(pdk.resistors):
        below = below - drawn(resistor, f"resistor_{number}")
    extraction.register(below, "parted_poly")
    extraction.connect(below)
    # The cut below each wire: between it and poly, or the next lower wire.
    cuts = [("contact", pdk.contact), *((cut.name, cut.drawing) for cut in pdk.cuts)]
    layers: dict[str, db.Region] = {}
    for wire, (name, layer) in zip(pdk.wires, cuts, strict=True):
        cut, metal = drawn(layer, f"{name}_cut"), drawn(wire.drawing, wire.name)
        extraction.connect(metal)
        extraction.connect(below, cut)
        extraction.connect(cut, metal)
        extraction.connect(metal, extraction.make_text_layer(layout.layer(*wire.label), f"{wire.name}_label"))
        layers |= {name: cut, wire.name: metal}
        below = metal
    return layers


def only_pins(layout: db.Layout, macro: Macro) -> None:
    """Put what its LEF says in the place of a macro's inside: pins, labelled, and on :func:`obstruction` the rest."""
    cell = layout.cell(macro.name)
    require(cell is not None, f"the layout has no macro {macro.name}")
    cell.clear()
    wires = {wire.name: wire for wire in macro.pdk.wires}
    for pin, layer, box in pin_shapes(macro.pdk, macro.name):
        shape = db.DBox(*box)
        cell.shapes(layout.layer(*wires[layer].drawing)).insert(shape)
        label = db.DText(pin, db.DTrans(shape.center() - db.DPoint()))
        cell.shapes(layout.layer(*wires[layer].label)).insert(label)
    for layer, box in obstructions(macro.pdk, macro.name):
        cell.shapes(layout.layer(*obstruction(wires[layer]))).insert(db.DBox(*box))


def def_units(text: str) -> int:
    """How many units a micrometre has in a DEF.

    Raises
    ------
    HysteronError
        If it does not say.
    """
    found = re.search(r"^UNITS DISTANCE MICRONS (\d+)", text, re.M)
    require(found is not None, "a DEF must say its UNITS DISTANCE MICRONS")
    assert found is not None
    return int(found[1])


def places(placement: Path, dbu: float) -> dict[tuple[str, int, int], str]:
    """Instances by their cell and the lower left corner of their place, from a DEF; in units of ``dbu`` µm."""
    text = placement.read_text()
    scale = 1 / (def_units(text) * dbu)
    found = {}
    for name, cell, x, y in re.findall(r"^\s*- (\S+) (\S+) .*?\( (-?\d+) (-?\d+) \) \w+ ;", text, re.M):
        found[cell, round(int(x) * scale), round(int(y) * scale)] = name.replace("\\", "")
    return found


def netlist_nets(pdk: Pdk, module: Mapping[str, Any]) -> set[Net]:
    """The nets of a netlist, as :func:`~hysteron_openlane.flow.netlist.read_netlist` has it, with at least two pins.

    Wells are left out: they are no wires.
    """
    nets: dict[int, set[tuple[str, str]]] = defaultdict(set)

    def add(instance: str, pin: str, bits: list[object]) -> None:
        for number, bit in enumerate(bits):
            if isinstance(bit, int):
                nets[bit].add((instance, f"{pin}[{number}]" if len(bits) > 1 else pin))

    for name, port in module["ports"].items():
        add("", name, port["bits"])
    for instance, cell in module["cells"].items():
        for pin, bits in cell["connections"].items():
            if pin not in pdk.cells.wells:
                add(instance, pin, bits)
    return {frozenset(pins) for pins in nets.values() if len(pins) > 1}


def netlist_ports(module: Mapping[str, Any]) -> set[str]:
    """The pins of a netlist's top, one for each bit."""
    return {
        f"{name}[{bit}]" if len(port["bits"]) > 1 else name
        for name, port in module["ports"].items()
        for bit in range(len(port["bits"]))
    }


def compare(pdk: Pdk, powered: Mapping[str, Any], found: Set[Net]) -> Comparison:
    """Compare the nets of a layout, by :meth:`Extracted.nets`, with its powered netlist (:func:`netlist_nets`)."""
    wanted = netlist_nets(pdk, powered)
    known = {instance for net in found for instance, _ in net}
    of_pin = {pin: net for net in found for pin in net}
    missing = []
    for net in sorted(wanted - found, key=sorted):
        parts = {of_pin.get(pin) for pin in net}
        more = {pin for part in parts if part for pin in part} - net
        lost = sum(pin not in of_pin for pin in net)
        some = ".".join(min(net))
        missing.append(
            f"{some} and {len(net) - 1} more: in {len(parts)} pieces, {lost} pins lost, {len(more)} too many"
        )
    told = {pin for net in wanted - found for pin in net}
    for net in sorted(found - wanted, key=sorted):
        # Of pins that the netlist connects to nothing.
        if not net & told:
            missing.append(f"{'.'.join(min(net))} and {len(net) - 1} more: in the layout only")
    return Comparison(
        len(wanted), sum(map(len, wanted)), tuple(missing), tuple(sorted(powered["cells"].keys() - known))
    )
