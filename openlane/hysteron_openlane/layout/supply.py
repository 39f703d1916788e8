# SPDX-License-Identifier: Apache-2.0
"""The supply's wires: where a strap crosses a rail of its net, or another strap, there are the cuts that join them."""

from collections import defaultdict

import klayout.db as db

from ..pdk import Pdk
from .connectivity import Extracted


def unjoined(pdk: Pdk, extracted: Extracted) -> tuple[int, list[str]]:
    """Crossings of the supply that lack cuts.

    A net of the supply hangs together with one cut in a whole row, so that a comparison with the netlist does not see
    that the others are gone. A crossing has as many cuts of each layer as the one of its size that has most; one that
    is no full width of either wire is left out where no crossing of its size has any.

    Parameters
    ----------
    pdk
        The PDK that names the wires.
    extracted
        The layout's wires.

    Returns
    -------
    int, list of str
        Number of crossings, and those that lack cuts, a line each.
    """
    order = [wire.name for wire in pdk.wires]
    cuts = {wire: cut.name for wire, cut in zip(order, pdk.cuts, strict=False)}
    widths = {wire.name: _width(extracted, pdk, wire.name) for wire in pdk.wires}
    crossings = 0
    lacking: list[str] = []
    for net in extracted.circuit.each_net():
        if net.name not in (pdk.cells.power, pdk.cells.ground):
            continue
        for low, high in ((pdk.rail, pdk.strap), (pdk.strap, pdk.crossing)):
            between = [cuts[name] for name in order[order.index(low) : order.index(high)]]
            both = (_wires(extracted, net, low) & _wires(extracted, net, high)).merged()
            drawn = {cut: extracted.shapes(net, cut, inside=True).merged() for cut in between}
            by_size: dict[tuple[int, int], list[tuple[db.Box, tuple[int, ...]]]] = defaultdict(list)
            for crossing in both.each():
                box = crossing.bbox()
                count = tuple(int(drawn[cut].inside(db.Region(crossing)).count()) for cut in between)
                by_size[box.width(), box.height()].append((box, count))
            for size, found in by_size.items():
                most = tuple(max(count[number] for _, count in found) for number in range(len(between)))
                whole = min(size) >= min(widths[low], widths[high])
                if not any(most) and not whole:
                    continue
                crossings += len(found)
                wanted = tuple(max(each, 1) for each in most)
                lacking += [
                    f"{net.name}, {low} and {high} at {box}: {dict(zip(between, count, strict=True))}"
                    for box, count in found
                    if any(one < other for one, other in zip(count, wanted, strict=True))
                ]
    return crossings, lacking


def _wires(extracted: Extracted, net: db.Net, layer: str) -> db.Region:
    return extracted.shapes(net, layer, inside=True).merged()


def _width(extracted: Extracted, pdk: Pdk, layer: str) -> int:
    """The narrowest wire of the supply on a layer, in the layout's units; 0 without any."""
    found = [
        min(shape.bbox().width(), shape.bbox().height())
        for net in extracted.circuit.each_net()
        if net.name in (pdk.cells.power, pdk.cells.ground)
        for shape in extracted.shapes(net, layer, inside=False).each()
    ]
    return min(found, default=0)
