"""Checks of a layout: on small ones that are drawn here, and on the one that comes with the project."""

import json
import lzma
import os
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("klayout", reason="it comes with 'make gds-setup'")
pytest.importorskip("pyosys", reason="it comes with 'make gds-setup'")

import klayout.db as db

from hysteron_base.errors import HysteronError
from hysteron_cli.silicon.pictures import draw_layout
from hysteron_openlane import connectivity, results, rules, summary
from hysteron_openlane.chips import chip
from hysteron_openlane.macros import macros
from hysteron_openlane.netlist import read_netlist

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
    powered = read_netlist(folder / "top.v", "top", folder)
    return connectivity.compare(gds, folder / "top.def", powered, "top", [], SIZES)


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


def boxes(folder: Path, *shapes: tuple[tuple[int, int], tuple[float, float, float, float]]) -> Path:
    layout = db.Layout()
    layout.dbu = 0.001
    cell = layout.create_cell("top")
    for layer, box in shapes:
        cell.shapes(layout.layer(*layer)).insert(db.DBox(*box))
    layout.write(str(folder / "rules.gds"))
    return folder / "rules.gds"


M1, M2, M3, M5, VIA = (68, 20), (69, 20), (70, 20), (72, 20), (68, 44)


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


MACRO = "sky130_sram_2kbyte_1rw_32x512_8"


@pytest.mark.usefixtures("pdk")
@pytest.mark.parametrize(
    ("wire", "broken"),
    [
        # The macro is 483.86 µm wide; what is in the way on met1 begins 0.62 µm inside.
        ((M1, (-1, 10, 0, 11)), set()),
        ((M1, (-1, 10, 1, 11)), {"m1 over a macro"}),
        ((M1, (-1, 10, 0.5, 11)), {"m1 space 0.14"}),
        ((M1, (-1, 10, 0.62, 11)), {"m1 over a macro"}),
        # The pin clk0 is at 0 to 0.38 µm on met3's left edge.
        ((M3, (-1, 0, -0.1, 330)), {"m3 space 0.3"}),
        ((M5, (-1, 10, 500, 12)), set()),
    ],
)
def test_a_macro_is_what_its_lef_says(
    tmp_path: Path, wire: tuple[tuple[int, int], tuple[float, float, float, float]], broken: set[str]
) -> None:
    layout = db.Layout()
    layout.dbu = 0.001
    top, cell = layout.create_cell("top"), layout.create_cell(MACRO)
    # Too narrow, but the foundry's.
    cell.shapes(layout.layer(*M1)).insert(db.DBox(5, 5, 5.01, 6))
    top.insert(db.DCellInstArray(cell.cell_index(), db.DTrans(0, 0)))
    top.shapes(layout.layer(*wire[0])).insert(db.DBox(*wire[1]))
    layout.write(str(tmp_path / "rules.gds"))
    found = rules.violations(tmp_path / "rules.gds", "top", [macros()[MACRO]])
    assert {rule for rule, count in found.items() if count} == broken


@pytest.mark.usefixtures("pdk")
def test_a_cut_to_the_inside_of_a_macro_is_found(tmp_path: Path) -> None:
    layout = db.Layout()
    layout.dbu = 0.001
    top, cell = layout.create_cell("top"), layout.create_cell(MACRO)
    top.insert(db.DCellInstArray(cell.cell_index(), db.DTrans(0, 0)))
    top.shapes(layout.layer(*M5)).insert(db.DBox(100, 100, 110, 110))
    top.shapes(layout.layer(71, 44)).insert(db.DBox(104, 104, 104.8, 104.8))
    layout.write(str(tmp_path / "rules.gds"))
    found = rules.violations(tmp_path / "rules.gds", "top", [macros()[MACRO]])
    assert {rule for rule, count in found.items() if count} == {"via4 metal below 0.19"}


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
    assert connectivity.layout_nets(resistor(tmp_path, kind), placement, "top", [], {}) == nets


def test_a_chip_without_a_layout_is_told() -> None:
    with pytest.raises(HysteronError, match=r"no layout of none comes with the project; make one with 'hysteron gds'"):
        results.unpack(replace(chip("sky130-small"), name="none"))


@pytest.mark.usefixtures("build")
def test_files_that_are_not_the_record_s_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "FOLDER", tmp_path / "results")
    contents = {name: name.encode() for name in results.FILES}
    results.pack(chip("sky130-small"), contents, {"macros": [], "tools": {}}, results.FOLDER)
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
    notes = {"tools": {"openroad": "1"}, "waived": {}, "remainder": ["nothing"]}
    results.take(chip("sky130-small"), final, notes, tmp_path / "taken")
    layout = results.unpack(chip("sky130-small"), tmp_path / "taken")
    assert not results.FOLDER.exists()
    results.keep(chip("sky130-small"), tmp_path / "taken")
    assert results.unpack(chip("sky130-small")) == layout
    assert [macro.name for macro in layout.macros] == ["sky130_sram_2kbyte_1rw_32x512_8"]
    assert layout.record["tools"] == {"openroad": "1"}
    assert layout.record["remainder"] == ["nothing"]
    assert layout.record["metrics"] == {"design__die__area": 50}
    assert (layout.folder / results.DEF).read_text() == PLACEMENT + "END DESIGN\n"
    assert (layout.folder / results.SPEF).read_text().count("*2") == 0
    assert (layout.folder / results.GDS).read_text() == "gds"


@pytest.mark.parametrize(
    ("file", "told"),
    [
        ("spef/nom/top.nom.spef", r"must hold one spef/nom\*/\*\.spef, not 0; is it LibreLane's 'final'"),
        ("metrics.json", r"must hold metrics\.json; is it LibreLane's 'final'"),
    ],
)
def test_a_folder_that_is_no_run_s_is_told(final: Path, tmp_path: Path, file: str, told: str) -> None:
    (final / file).unlink()
    with pytest.raises(HysteronError, match=told):
        results.take(chip("sky130-small"), final, {"tools": {}}, tmp_path / "taken")
    assert not (tmp_path / "taken").exists()


@pytest.mark.usefixtures("build", "pdk")
def test_a_macro_that_the_pdk_has_not_is_told(final: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results.take(chip("sky130-small"), final, {"tools": {}}, tmp_path / "taken")
    monkeypatch.setattr(results, "macros", dict)
    with pytest.raises(HysteronError, match="the PDK has no macro sky130_sram_2kbyte_1rw_32x512_8, which is in the"):
        results.unpack(chip("sky130-small"), tmp_path / "taken")


@pytest.mark.usefixtures("build", "pdk")
def test_a_damaged_file_is_told(final: Path, tmp_path: Path) -> None:
    results.take(chip("sky130-small"), final, {"tools": {}}, tmp_path / "taken")
    (tmp_path / "taken" / "sky130-small" / f"{results.SPEF}.xz").write_bytes(b"none")
    with pytest.raises(HysteronError, match=r"wires\.spef\.xz of the layout of sky130-small cannot be read"):
        results.unpack(chip("sky130-small"), tmp_path / "taken")


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> results.Layout:
    """The layout of ``sky130-small`` that comes with the project."""
    if not os.environ.get("PDK_ROOT"):
        pytest.skip("PDK_ROOT is not set")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HYSTERON_BUILD", str(tmp_path_factory.mktemp("layout")))
        return results.unpack(chip("sky130-small"))


def wrong(layout: results.Layout) -> dict[str, float | None]:
    return {line.key: line.value for line in results.verify(layout, lambda _: None) if not line.ok}


def test_the_layout_that_comes_with_the_project_is_right(shipped: results.Layout) -> None:
    lines = {line.key: line for line in results.verify(shipped, lambda _: None)}
    assert [key for key, line in lines.items() if not line.ok] == []
    assert lines["die_mm2"].value == pytest.approx(shipped.record["metrics"]["design__die__area"] / 1e6)
    assert lines["nets"].value > 10_000
    assert lines["net_pins"].value > 100_000
    assert lines["rules"].value == sum(1 for _ in rules.METALS) * 4 + sum(1 for _ in rules.CUTS) * 4
    assert sum(path.stat().st_size for path in (results.FOLDER / "sky130-small").iterdir()) < 5e6


def test_what_librelane_said_of_it_is_kept(shipped: results.Layout) -> None:
    lines = {line.key: line for line in summary.layout_lines(shipped.record["metrics"], "record.json")}
    assert {key for key, line in lines.items() if not line.ok} == shipped.record["waived"].keys() == {"klayout_drc"}


def test_its_picture_is_of_it(shipped: results.Layout) -> None:
    picture = results.PICTURES / "sky130-small-layout.png"
    assert picture.read_bytes() == draw_layout(shipped.folder / results.GDS)


def test_a_netlist_with_two_wires_swapped_is_not_the_layout_s(shipped: results.Layout, tmp_path: Path) -> None:
    shutil.copytree(shipped.folder, tmp_path / "layout")
    netlist = tmp_path / "layout" / results.POWERED
    text = netlist.read_text()
    cell = re.search(r"sky130_fd_sc_hd__nand2_\d \S+ \(\.A\(([^()]+)\),\s*\.B\(([^()]+)\),", text)
    assert cell is not None
    swapped = cell[0].replace(f".A({cell[1]})", f".A({cell[2]})").replace(f".B({cell[2]})", f".B({cell[1]})")
    netlist.write_text(text.replace(cell[0], swapped))
    assert wrong(replace(shipped, folder=tmp_path / "layout")) == {"lvs": 2, "netlists": 4}


def test_a_layout_with_a_bridge_is_found(shipped: results.Layout, tmp_path: Path) -> None:
    shutil.copytree(shipped.folder, tmp_path / "layout")
    gds = tmp_path / "layout" / results.GDS
    layout = db.Layout()
    layout.read(str(gds))
    # A strip of met2 that is too narrow, across the wires in the middle of the cells.
    layout.cell("hysteron_core").shapes(layout.layer(*M2)).insert(db.DBox(300, 200, 310, 200.1))
    layout.write(str(gds))
    found = wrong(replace(shipped, folder=tmp_path / "layout"))
    assert found.keys() == {"lvs", "drc"}
