# SPDX-License-Identifier: Apache-2.0
"""Comparing a build with the baseline of its board."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hysteron_fpga import baseline


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A board's report that is its baseline."""
    monkeypatch.setattr(baseline, "FILE", tmp_path / "baseline.json")
    report = {"board": "b", "logic_cells": 5000, "bram": 29, "fmax_mhz": 20.0, "images_per_second": 700.0}
    baseline.update(report)
    return report


def test_a_build_like_the_baseline_passes(kept: dict[str, Any]) -> None:
    assert baseline.compare(kept) == []
    assert baseline.compare({**kept, "logic_cells": 5100, "fmax_mhz": 18.0, "bram": 3}) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"logic_cells": 5101}, "logic_cells is 5,101, was 5,000, may be 5,100"),
        ({"bram": 30}, "bram is 30, was 29, may be 29"),
        ({"fmax_mhz": 17.9}, "fmax_mhz is 17.9, was 20, may be 18"),
        ({"images_per_second": 690.0}, "images_per_second is 690"),
        ({"fmax_mhz": None}, "fmax_mhz was 20, and now there is none"),
    ],
)
def test_a_worse_build_does_not(kept: dict[str, Any], change: dict[str, Any], told: str) -> None:
    (line,) = baseline.compare({**kept, **change})
    assert told in line


def test_a_board_without_a_baseline_is_told(kept: dict[str, Any]) -> None:
    assert baseline.compare({**kept, "board": "other"}) == ["there is no baseline for other; make it with --update"]


def test_the_baseline_of_the_project_has_all_figures() -> None:
    boards = json.loads(baseline.FILE.read_text())
    assert "icebreaker" in boards and "ulx3s" in boards
    for name, figures in boards.items():
        needed = set(baseline.TOLERANCES) - ({"spram"} if name != "icebreaker" else set())
        assert set(figures) == needed, name
