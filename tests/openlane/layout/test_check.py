# SPDX-License-Identifier: Apache-2.0
"""The layout that comes with the project is right, and is not if something of it is changed."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("klayout", reason="it comes with 'make gds-setup'")
pytest.importorskip("pyosys", reason="it comes with 'make gds-setup'")

import klayout.db as db

from hysteron_openlane.flow.chips import chip
from hysteron_openlane.flow.figures import layout_lines
from hysteron_openlane.layout import check, kept
from hysteron_openlane.pdk import SKY130
from hysteron_openlane.report.pictures import draw_layout
from support.silicon import need_pdk


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> kept.Layout:
    """The layout of ``sky130-small`` that comes with the project."""
    need_pdk()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HYSTERON_BUILD", str(tmp_path_factory.mktemp("layout")))
        return kept.unpack(chip("sky130-small"))


def wrong(layout: kept.Layout) -> dict[str, float | None]:
    return {line.key: line.value for line in check.verify(layout) if not line.ok}


def test_the_layout_that_comes_with_the_project_is_right(shipped: kept.Layout) -> None:
    lines = {line.key: line for line in check.verify(shipped)}
    assert [key for key, line in lines.items() if not line.ok] == []
    assert lines["die_mm2"].value == pytest.approx(shipped.record["metrics"]["design__die__area"] / 1e6)
    assert lines["nets"].value > 10_000
    assert lines["net_pins"].value > 100_000
    assert lines["rules"].value >= 5 * (len(SKY130.wires) + len(SKY130.cuts))
    assert lines["crossings"].value > 1000
    assert lines["instances"].value > 70_000
    assert sum(path.stat().st_size for path in (kept.FOLDER / "sky130-small").iterdir()) < 5e6


def test_what_librelane_said_of_it_is_kept(shipped: kept.Layout) -> None:
    lines = {line.key: line for line in layout_lines(SKY130, shipped.record["metrics"], "record.json")}
    assert {key for key, line in lines.items() if not line.ok} == shipped.record["waived"].keys() == {"klayout_drc"}
    assert shipped.record["waived"]["klayout_drc"]["value"] is None
    found = check.Checked(shipped, (), tuple(lines.values()))
    assert found.wrong == []
    # The waiver is of a check that was not run, not of one that found something.
    worse = replace(lines["klayout_drc"], value=1)
    assert check.Checked(shipped, (), (worse,)).wrong == [worse]


def test_its_picture_is_of_it(shipped: kept.Layout) -> None:
    picture = kept.PICTURES / "sky130-small-layout.png"
    assert picture.read_bytes() == draw_layout(SKY130, shipped.folder / kept.GDS)


def test_a_netlist_with_two_wires_swapped_is_not_the_layout_s(shipped: kept.Layout, tmp_path: Path) -> None:
    shutil.copytree(shipped.folder, tmp_path / "layout")
    netlist = tmp_path / "layout" / kept.POWERED
    text = netlist.read_text()
    cell = re.search(r"sky130_fd_sc_hd__nand2_\d \S+ \(\.A\(([^()]+)\),\s*\.B\(([^()]+)\),", text)
    assert cell is not None
    swapped = cell[0].replace(f".A({cell[1]})", f".A({cell[2]})").replace(f".B({cell[2]})", f".B({cell[1]})")
    netlist.write_text(text.replace(cell[0], swapped))
    assert wrong(replace(shipped, folder=tmp_path / "layout")) == {"lvs": 2, "netlists": 4}


def test_a_layout_with_a_bridge_is_found(shipped: kept.Layout, tmp_path: Path) -> None:
    shutil.copytree(shipped.folder, tmp_path / "layout")
    gds = tmp_path / "layout" / kept.GDS
    layout = db.Layout()
    layout.read(str(gds))
    # A strip of met2 that is too narrow, across the wires in the middle of the cells.
    layout.cell("hysteron_core").shapes(layout.layer(69, 20)).insert(db.DBox(300, 200, 310, 200.1))
    layout.write(str(gds))
    found = wrong(replace(shipped, folder=tmp_path / "layout"))
    assert found.keys() == {"lvs", "drc", "spef_nets"}
