# SPDX-License-Identifier: Apache-2.0
"""Runs through a machine as a library call; what the command makes of them is in tests/cli."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import hysteron_networks
from hysteron_base.progress import Progress
from hysteron_golden import run
from hysteron_host.campaign import CampaignReport, run_campaign
from hysteron_spec import load

DIGITS = hysteron_networks.path("digits")
INPUTS = np.random.default_rng(3).integers(0, 256, (12, 64), dtype=np.uint8)
LABELS = run(load(DIGITS), INPUTS).predictions.astype(np.int64)
LABELS[4] = (LABELS[4] + 1) % 10


def call(folder: Path, labels: np.ndarray | None = LABELS, **more: object) -> CampaignReport:
    return run_campaign(DIGITS, INPUTS, labels, data="noise", port="golden:", folder=folder, **more)  # type: ignore


def test_it_tells_how_far_it_is_and_prints_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told: list[Progress] = []
    report = call(tmp_path, tell=told.append)
    assert capsys.readouterr() == ("", "")
    assert [each.what for each in told if each.finished] == ["opening golden:", "loading digits (64-128-10)", "images"]
    counts = [each.done for each in told if each.what == "images" and not each.finished]
    assert counts == list(range(13)) and told[-1].total == 12
    assert (report.accuracy, report.images, report.port, report.options) == (11 / 12, 12, "golden:", {})
    assert set(json.loads((tmp_path / "settings.json").read_text())) == {"network", "data", "disturbances"}


def test_without_labels_there_is_no_accuracy(tmp_path: Path) -> None:
    report = call(tmp_path, None, images=5)
    assert (report.accuracy, report.images) == (None, 5)
    assert [line.split(",")[2] for line in (tmp_path / "results.csv").read_text().splitlines()] == ["label", *[""] * 5]


def test_it_goes_on(tmp_path: Path) -> None:
    whole = call(tmp_path)
    text = (tmp_path / "results.csv").read_text()
    (tmp_path / "results.csv").write_text("".join(text.splitlines(keepends=True)[:8]))
    again = call(tmp_path, resume=True)
    assert (tmp_path / "results.csv").read_text() == text
    assert again.accuracy == whole.accuracy and again.stats["golden"]["samples"] == 5
    done = call(tmp_path, resume=True)
    assert done.images_per_second is None and done.accuracy == whole.accuracy
