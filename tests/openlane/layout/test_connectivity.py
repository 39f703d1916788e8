# SPDX-License-Identifier: Apache-2.0
"""What wires connect, on small layouts that are drawn here."""

from pathlib import Path

import pytest

pytest.importorskip("klayout", reason="it comes with 'make gds-setup'")
pytest.importorskip("pyosys", reason="it comes with 'make gds-setup'")

import klayout.db as db

from hysteron_openlane.flow.netlist import read_netlist
from hysteron_openlane.layout import connectivity
from hysteron_openlane.pdk import SKY130
from support.silicon import NETLIST, PLACEMENT

SIZES = {"inv": (2.0, 3.0)}


def drawn(folder: Path, *, wire: bool = True, bridge: bool = False, moved: float = 0.0) -> Path:
    """Two inverters, the second one mirrored: pins on met1, one met1 wire between them."""
    layout = db.Layout()
    layout.dbu = 0.001
    top, cell = layout.create_cell("top"), layout.create_cell("inv")
    metal, label = layout.layer(68, 20), layout.layer(68, 5)
    for pin, x in (("A", 0.1), ("Y", 1.5)):
        cell.shapes(metal).insert(db.DBox(x, 1, x + 0.4, 1.4))
        cell.shapes(label).insert(db.DText(pin, db.DTrans(x + 0.2, 1.2)))
    top.insert(db.DCellInstArray(cell.cell_index(), db.DTrans(0, 0)))
    # FN: mirrored, so that its Y is at the left.
    top.insert(db.DCellInstArray(cell.cell_index(), db.DTrans(db.DTrans.M90, db.DVector(6 + moved, 0))))
    if wire:
        top.shapes(metal).insert(db.DPolygon([db.DPoint(*p) for p in WIRE]))
    top.shapes(metal).insert(db.DBox(-1, 1, 0.2, 1.4))
    top.shapes(label).insert(db.DText("a", db.DTrans(-0.5, 1.2)))
    top.shapes(metal).insert(db.DBox(4.2, 1.2, 4.4, 4))
    top.shapes(label).insert(db.DText("y", db.DTrans(4.3, 3.9)))
    if bridge:
        top.shapes(metal).insert(db.DBox(1.7, 1.2, 4.3, 1.4))
    path = folder / "top.gds"
    layout.write(str(path))
    return path


#: From the first one's Y below the second one's Y to its A.
WIRE = [(1.6, 1.2), (1.8, 1.2), (1.8, 0.4), (5.6, 0.4), (5.6, 1.2), (5.8, 1.2), (5.8, 0.2), (1.6, 0.2)]


def compared(folder: Path, gds: Path, netlist: str = NETLIST) -> connectivity.Comparison:
    (folder / "top.def").write_text(PLACEMENT)
    (folder / "top.v").write_text(netlist)
    powered = read_netlist(folder / "top.v", "top", folder)
    extracted = connectivity.Extracted(SKY130, gds, "top", [])
    nets = {pins for pins, _ in extracted.nets(folder / "top.def", SIZES)}
    return connectivity.compare(SKY130, powered, nets)


@pytest.mark.usefixtures("build")
def test_wires_that_are_the_netlist_s(tmp_path: Path) -> None:
    assert compared(tmp_path, drawn(tmp_path)) == connectivity.Comparison(3, 6, (), ())


@pytest.mark.usefixtures("build")
def test_an_open_is_found(tmp_path: Path) -> None:
    found = compared(tmp_path, drawn(tmp_path, wire=False))
    (line,) = found.missing
    assert line == "one.Y and 1 more: in 1 pieces, 2 pins lost, 0 too many"


@pytest.mark.usefixtures("build")
def test_a_short_is_found(tmp_path: Path) -> None:
    found = compared(tmp_path, drawn(tmp_path, bridge=True))
    assert len(found.missing) == 2
    assert all("0 pins lost, 2 too many" in line for line in found.missing)


@pytest.mark.usefixtures("build")
def test_pins_that_are_swapped_are_found(tmp_path: Path) -> None:
    swapped = NETLIST.replace("inv two (.A(n), .Y(y))", "inv two (.A(y), .Y(n))")
    assert len(compared(tmp_path, drawn(tmp_path), swapped).missing) == 2


@pytest.mark.usefixtures("build")
def test_a_cell_that_was_moved_is_found(tmp_path: Path) -> None:
    found = compared(tmp_path, drawn(tmp_path, moved=0.1))
    assert found.unplaced == ("two",)


@pytest.mark.usefixtures("build")
def test_a_bridge_between_what_nobody_reads_is_found(tmp_path: Path) -> None:
    gds = drawn(tmp_path)
    layout = db.Layout()
    layout.read(str(gds))
    layout.cell("top").shapes(layout.layer(68, 20)).insert(db.DBox(0, 8, 2, 9))
    for name, x in (("b", 0.5), ("c", 1.5)):
        layout.cell("top").shapes(layout.layer(68, 5)).insert(db.DText(name, db.DTrans(x, 8.5)))
    layout.write(str(gds))
    assert compared(tmp_path, gds).missing == (".b and 1 more: in the layout only",)


def resistor(folder: Path, kind: int | None) -> Path:
    """A strip of poly between two labelled pads of li1."""
    layout = db.Layout()
    layout.dbu = 0.001
    top = layout.create_cell("top")
    top.shapes(layout.layer(66, 20)).insert(db.DBox(0, 0, 3, 0.3))
    if kind is not None:
        top.shapes(layout.layer(66, kind)).insert(db.DBox(1, 0, 2, 0.3))
    for name, x in (("a", 0.0), ("y", 2.5)):
        top.shapes(layout.layer(66, 44)).insert(db.DBox(x + 0.1, 0.1, x + 0.27, 0.27))
        top.shapes(layout.layer(67, 20)).insert(db.DBox(x, 0, x + 0.4, 0.4))
        top.shapes(layout.layer(67, 5)).insert(db.DText(name, db.DTrans(x + 0.2, 0.2)))
    layout.write(str(folder / "resistor.gds"))
    return folder / "resistor.gds"


@pytest.mark.parametrize(("kind", "nets"), [(None, {frozenset({("", "a"), ("", "y")})}), (13, set()), (15, set())])
def test_a_resistor_parts_nets(tmp_path: Path, kind: int | None, nets: set[connectivity.Net]) -> None:
    placement = tmp_path / "top.def"
    placement.write_text(PLACEMENT)
    extracted = connectivity.Extracted(SKY130, resistor(tmp_path, kind), "top", [])
    assert {pins for pins, _ in extracted.nets(placement, {})} == nets
