# SPDX-License-Identifier: Apache-2.0
"""Layouts as they are kept: packed, unpacked, and what is wrong with a file."""

import json
import lzma
from dataclasses import replace
from pathlib import Path

import pytest

from hysteron_base.errors import HysteronError
from hysteron_openlane.flow.chips import chip
from hysteron_openlane.layout import kept
from support.silicon import NETLIST, PLACEMENT


def test_a_chip_without_a_layout_is_told() -> None:
    with pytest.raises(HysteronError, match=r"no layout of none comes with the project; make one with 'hysteron gds'"):
        kept.unpack(replace(chip("sky130-small"), name="none"))


@pytest.mark.usefixtures("build")
def test_files_that_are_not_the_record_s_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "FOLDER", tmp_path / "results")
    contents = {name: name.encode() for name in kept.FILES}
    kept.pack(chip("sky130-small"), contents, {"macros": [], "tools": {}}, kept.FOLDER)
    packed = tmp_path / "results" / "sky130-small"
    (packed / f"{kept.GDS}.xz").write_bytes(lzma.compress(b"other"))
    with pytest.raises(HysteronError, match=r"layout\.gds of the layout of sky130-small is another than the record's"):
        kept.unpack(chip("sky130-small"))
    assert json.loads((packed / "record.json").read_text())["sha256"].keys() == set(kept.FILES)


@pytest.mark.usefixtures("build")
@pytest.mark.parametrize(
    ("part", "value"), [("metrics", {"drc": 1}), ("tools", {"magic": "9"}), ("waived", {"lvs": {"value": 3}})]
)
def test_a_record_that_was_changed_is_told(tmp_path: Path, part: str, value: object) -> None:
    """Any metric, tool or waiver, and with them the files' sums."""
    contents = {name: name.encode() for name in kept.FILES}
    record = {"macros": [], "tools": {"magic": "8"}, "waived": {}, "metrics": {"drc": 0}}
    kept.pack(chip("sky130-small"), contents, record, tmp_path)
    path = tmp_path / "sky130-small" / "record.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), part: value}, indent=1) + "\n")
    with pytest.raises(HysteronError, match=r"record\.json of the layout of sky130-small is not what records\.json"):
        kept.unpack(chip("sky130-small"), tmp_path)


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
    monkeypatch.setattr(kept, "FOLDER", tmp_path / "results")
    notes = {"tools": {"openroad": "1"}, "waived": {}, "remainder": ["nothing"]}
    kept.take(chip("sky130-small"), final, notes, tmp_path / "taken")
    layout = kept.unpack(chip("sky130-small"), tmp_path / "taken")
    assert not kept.FOLDER.exists()
    picture = tmp_path / "layout.png"
    picture.write_bytes(b"picture")
    monkeypatch.setattr(kept, "PICTURES", tmp_path / "images")
    with pytest.raises(HysteronError, match="a layout is put into a checkout of the project"):
        kept.keep(chip("sky130-small"), tmp_path / "taken", picture)
    assert not kept.FOLDER.exists()
    kept.PICTURES.mkdir()
    kept.keep(chip("sky130-small"), tmp_path / "taken", picture)
    assert (kept.PICTURES / "sky130-small-layout.png").read_bytes() == b"picture"
    assert kept.unpack(chip("sky130-small")) == layout
    assert [macro.name for macro in layout.macros] == ["sky130_sram_2kbyte_1rw_32x512_8"]
    assert layout.record["tools"] == {"openroad": "1"}
    assert layout.record["remainder"] == ["nothing"]
    assert layout.record["metrics"] == {"design__die__area": 50}
    assert (layout.folder / kept.DEF).read_text() == PLACEMENT + "END DESIGN\n"
    assert (layout.folder / kept.SPEF).read_text().count("*2") == 0
    assert (layout.folder / kept.GDS).read_text() == "gds"


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
        kept.take(chip("sky130-small"), final, {"tools": {}}, tmp_path / "taken")
    assert not (tmp_path / "taken").exists()


@pytest.mark.usefixtures("build", "pdk")
def test_a_macro_that_the_pdk_has_not_is_told(final: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.take(chip("sky130-small"), final, {"tools": {}}, tmp_path / "taken")
    monkeypatch.setattr(kept, "macros", lambda _: {})
    with pytest.raises(HysteronError, match="the PDK has no macro sky130_sram_2kbyte_1rw_32x512_8, which is in the"):
        kept.unpack(chip("sky130-small"), tmp_path / "taken")


@pytest.mark.usefixtures("build", "pdk")
def test_a_damaged_file_is_told(final: Path, tmp_path: Path) -> None:
    kept.take(chip("sky130-small"), final, {"tools": {}}, tmp_path / "taken")
    (tmp_path / "taken" / "sky130-small" / f"{kept.SPEF}.xz").write_bytes(b"none")
    with pytest.raises(HysteronError, match=r"wires\.spef\.xz of the layout of sky130-small cannot be read"):
        kept.unpack(chip("sky130-small"), tmp_path / "taken")
