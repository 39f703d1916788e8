"""Checks of a layout: on small ones that are drawn here, and on the one that comes with the project."""

import json
import lzma
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("klayout", reason="it comes with 'make gds-setup'")
pytest.importorskip("pyosys", reason="it comes with 'make gds-setup'")

import klayout.db as db

from hysteron_openlane import connectivity, results, rules
from hysteron_openlane.chips import chip
from hysteron_wire.errors import HysteronError

SIZES = {"inv": (2.0, 3.0)}
NETLIST = """
module top (input a, output y);
  wire n;
  inv one (.A(a), .Y(n));
  inv two (.A(n), .Y(y));
endmodule
"""
PLACEMENT = """UNITS DISTANCE MICRONS 1000 ;
DIEAREA ( 0 0 ) ( 10000 5000 ) ;
COMPONENTS 2 ;
    - one inv + PLACED ( 0 0 ) N ;
    - two inv + PLACED ( 4000 0 ) FN ;
END COMPONENTS
"""


WIRES = """SPECIALNETS 1 ;
- VPWR ;
END SPECIALNETS
NETS 1 ;
- n ;
END NETS
"""


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
    return connectivity.compare(gds, folder / "top.def", folder / "top.v", "top", [], SIZES, folder)


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


def boxes(folder: Path, *shapes: tuple[tuple[int, int], tuple[float, float, float, float]]) -> Path:
    layout = db.Layout()
    layout.dbu = 0.001
    cell = layout.create_cell("top")
    for layer, box in shapes:
        cell.shapes(layout.layer(*layer)).insert(db.DBox(*box))
    layout.write(str(folder / "rules.gds"))
    return folder / "rules.gds"


M1, M2, VIA = (68, 20), (69, 20), (68, 44)


@pytest.mark.parametrize(
    ("shapes", "broken"),
    [
        ([(M1, (0, 0, 0.14, 1))], set()),
        ([(M1, (0, 0, 0.13, 1))], {"m1 width 0.14"}),
        ([(M1, (0, 0, 0.3, 1)), (M1, (0.44, 0, 1, 1))], set()),
        ([(M1, (0, 0, 0.3, 1)), (M1, (0.43, 0, 1, 1))], {"m1 space 0.14"}),
        ([(M1, (0, 0, 0.28, 0.28))], {"m1 area 0.083"}),
        ([(M1, (0, 0, 1, 1)), (M2, (0, 0, 1, 1)), (VIA, (0.1, 0.1, 0.25, 0.25))], set()),
        ([(M1, (0, 0, 1, 1)), (M2, (0, 0, 1, 1)), (VIA, (0.1, 0.1, 0.26, 0.25))], {"via size 0.15"}),
        ([(M1, (0, 0, 1, 1)), (VIA, (0.1, 0.1, 0.25, 0.25))], {"via metal above 0.055"}),
        ([(M1, (0, 0, 1, 1)), (M2, (0, 0, 1, 1)), (VIA, (0.05, 0.1, 0.2, 0.25))],
         {"via metal below 0.055", "via metal above 0.055"}),
    ],
)  # fmt: skip
def test_rules_of_the_wires(
    tmp_path: Path, shapes: list[tuple[tuple[int, int], tuple[float, float, float, float]]], broken: set[str]
) -> None:
    found = rules.violations(boxes(tmp_path, *shapes), "top", [])
    assert {rule for rule, count in found.items() if count} == broken


def test_inside_macros_other_rules_hold(tmp_path: Path) -> None:
    gds = boxes(tmp_path, (M1, (0, 0, 0.1, 1)))
    assert sum(rules.violations(gds, "top", [(0, 0, 1, 1)]).values()) == 0
    assert sum(rules.violations(gds, "top", [(0.05, 0, 1, 1)]).values()) > 0


def test_a_chip_without_a_layout_is_told() -> None:
    with pytest.raises(HysteronError, match=r"no layout of none comes with the project; make one with 'hysteron gds'"):
        results.unpack(replace(chip("sky130-small"), name="none"))


@pytest.mark.usefixtures("build")
def test_files_that_are_not_the_record_s_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "FOLDER", tmp_path / "results")
    results.pack(chip("sky130-small"), {name: name.encode() for name in results.FILES}, {"macros": [], "tools": {}})
    packed = tmp_path / "results" / "sky130-small"
    (packed / f"{results.GDS}.xz").write_bytes(lzma.compress(b"other"))
    with pytest.raises(HysteronError, match=r"layout\.gds of the layout of sky130-small is another than the record's"):
        results.unpack(chip("sky130-small"))
    assert json.loads((packed / "record.json").read_text())["sha256"].keys() == set(results.FILES)


@pytest.fixture
def final(tmp_path: Path) -> Path:
    """What LibreLane leaves, in small."""
    folder = tmp_path / "final"
    for name, text in {
        "klayout_gds/top.klayout.gds": "gds",
        "def/top.def": PLACEMENT
        + "SPECIALNETS 1 ;\n- VPWR ;\nEND SPECIALNETS\nNETS 1 ;\n- n ;\nEND NETS\nEND DESIGN\n",
        "pnl/top.pnl.v": NETLIST,
        "nl/top.nl.v": NETLIST + " sky130_sram_2kbyte_1rw_32x512_8 macro (.clk0(n));\n",
        "spef/nom/top.nom.spef": "*D_NET *1 1\n*CONN\n*P a I\n*CAP\n1 a *2:1 1\n*END\n",
        "metrics.json": '{"design__die__area": 50}',
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.mark.usefixtures("build", "pdk")
def test_a_run_s_layout_is_taken_without_its_wires_twice(
    final: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "FOLDER", tmp_path / "results")
    results.take(chip("sky130-small"), final, {"openroad": "1"}, ["nothing"])
    layout = results.unpack(chip("sky130-small"))
    assert [macro.name for macro in layout.macros] == ["sky130_sram_2kbyte_1rw_32x512_8"]
    assert layout.record["tools"] == {"openroad": "1"}
    assert layout.record["remainder"] == ["nothing"]
    assert layout.record["metrics"] == {"design__die__area": 50}
    assert (layout.folder / results.DEF).read_text() == PLACEMENT + "END DESIGN\n"
    assert (layout.folder / results.SPEF).read_text().count("*2") == 0
    assert (layout.folder / results.GDS).read_text() == "gds"


@pytest.mark.usefixtures("build")
def test_a_folder_that_is_no_run_s_is_told(final: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "FOLDER", tmp_path / "results")
    (final / "spef" / "nom" / "top.nom.spef").unlink()
    with pytest.raises(HysteronError, match=r"must hold one spef/nom\*/\*\.spef, not 0; is it LibreLane's 'final'"):
        results.take(chip("sky130-small"), final, {"openroad": "1"}, [])
    assert not (tmp_path / "results").exists()
