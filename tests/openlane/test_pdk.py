import gzip
from pathlib import Path

import pytest

from hysteron_base.errors import HysteronError
from hysteron_openlane import pdk


@pytest.mark.parametrize(
    ("corner", "name"),
    [("tt", "tt_025C_1v80"), ("ss", "ss_n40C_1v40"), ("ff", "ff_100C_1v95")],
)
def test_liberty_names(corner: str, name: str) -> None:
    assert pdk.CORNERS[corner].liberty == f"sky130_fd_sc_hd__{name}.lib"


def test_no_pdk_root_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PDK_ROOT", raising=False)
    with pytest.raises(HysteronError, match="PDK_ROOT is not set; get it with 'ciel enable"):
        pdk.root()


def test_a_pdk_root_that_leads_nowhere_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PDK_ROOT", str(tmp_path))
    with pytest.raises(HysteronError, match=f"no PDK sky130A in PDK_ROOT='{tmp_path}'"):
        pdk.root()


def test_a_library_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / pdk.NAME).mkdir()
    monkeypatch.setenv("PDK_ROOT", str(tmp_path))
    with pytest.raises(HysteronError, match="has no library sky130_sram_macros; enable it"):
        pdk.library(pdk.MACROS)


def test_files_plain_and_gzipped(tmp_path: Path) -> None:
    (tmp_path / "a.lib").write_text("plain")
    with gzip.open(tmp_path / "b.lib.gz", "wt") as file:
        file.write("packed")
    assert pdk.read(pdk.find(tmp_path, "a.lib")) == "plain"
    assert pdk.read(pdk.find(tmp_path, "b.lib")) == "packed"
    with pytest.raises(HysteronError, match=r"c\.lib"):
        pdk.find(tmp_path, "c.lib")
