# SPDX-License-Identifier: Apache-2.0
"""What ``hysteron bench`` puts together."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from hysteron_measure import bench
from hysteron_spec import PRESETS


def test_the_figures_have_the_cores_that_they_are_of(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("hysteron_sim.build")
    monkeypatch.setattr("hysteron_sim.build.build_model", lambda *_, **__: tmp_path)
    monkeypatch.setattr(bench, "activity_rows", lambda preset: iter([{"preset": preset}]))
    monkeypatch.setattr(bench, "golden_speed", lambda: {"golden_images_per_second": 1.0})
    monkeypatch.setattr(bench, "simulator_speed", lambda: {"rtl_cycles_per_second": 2.0})
    figures: dict[str, Any] = bench.measure_all()
    assert figures["cores"] == {name: asdict(PRESETS[name]) for name in ("mnist", "openspike")}
    assert [row["preset"] for row in figures["rows"]] == ["mnist", "openspike"]
    assert figures["golden_images_per_second"] == 1.0 and figures["rtl_cycles_per_second"] == 2.0
