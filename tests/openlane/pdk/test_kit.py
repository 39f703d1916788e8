# SPDX-License-Identifier: Apache-2.0
import gzip
from pathlib import Path

import pytest

from hysteron_base.errors import HysteronError
from hysteron_openlane.pdk import SKY130
from hysteron_openlane.pdk.kit import find, read


@pytest.mark.parametrize(
    ("corner", "name"),
    [("tt", "tt_025C_1v80"), ("ss", "ss_n40C_1v40"), ("ff", "ff_100C_1v95")],
)
def test_liberty_names(corner: str, name: str) -> None:
    (found,) = (each for each in SKY130.corners if each.name == corner)
    assert SKY130.cell_liberty(found) == f"sky130_fd_sc_hd__{name}.lib"


def test_no_pdk_root_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PDK_ROOT", raising=False)
    with pytest.raises(
        HysteronError, match=r"PDK_ROOT is not set; it is the folder of .* sky130A, .* set PDK_ROOT to the folder"
    ):
        SKY130.root()


def test_a_pdk_root_that_leads_nowhere_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PDK_ROOT", str(tmp_path))
    with pytest.raises(HysteronError, match=f"no PDK sky130A in PDK_ROOT='{tmp_path}'"):
        SKY130.root()


def test_a_library_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / SKY130.name).mkdir()
    monkeypatch.setenv("PDK_ROOT", str(tmp_path))
    with pytest.raises(HysteronError, match=r"has no library sky130_sram_macros; docs/silicon\.md says"):
        SKY130.library(SKY130.macros.library)


def test_files_plain_and_gzipped(tmp_path: Path) -> None:
    (tmp_path / "a.lib").write_text("plain")
    with gzip.open(tmp_path / "b.lib.gz", "wt") as file:
        file.write("packed")
    assert read(find(tmp_path, "a.lib")) == "plain"
    assert read(find(tmp_path, "b.lib")) == "packed"
    with pytest.raises(HysteronError, match=r"c\.lib"):
        find(tmp_path, "c.lib")


def test_a_corner_that_is_not_judged_says_its_conditions() -> None:
    assert [corner.text for corner in SKY130.corners] == ["tt", "ss (1.40 V, −40 °C)", "ff"]
    assert [corner.name for corner in SKY130.judged] == ["tt", "ff"]
    assert SKY130.typical.name == "tt"


@pytest.mark.parametrize(
    ("name", "clock"),
    [
        ("sky130_fd_sc_hd__clkbuf_4", True),
        ("sky130_fd_sc_hd__dlclkp_1", True),
        ("sky130_fd_sc_hd__dfxtp_1", False),
        ("sky130_fd_sc_hd__mux2_1", False),
        ("clkbuf_4", False),
    ],
)
def test_cells_that_are_there_for_the_clock(name: str, clock: bool) -> None:
    assert SKY130.cells.is_for_clock(name) is clock


def test_each_cut_is_between_two_wires() -> None:
    assert len(SKY130.cuts) == len(SKY130.wires) - 1
    layers = [wire.drawing for wire in SKY130.wires] + [cut.drawing for cut in SKY130.cuts]
    assert len(set(layers)) == len(layers)


def test_shapes_are_in_the_names_of_macros() -> None:
    assert SKY130.macros.shape("sky130_sram_4kbyte_1rw_64x512_8") == (1, 64, 512, 8)
    assert SKY130.macros.shape("sky130_sram_1kbyte_1rw1r_32x256_8") == (2, 32, 256, 8)
