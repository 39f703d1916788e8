# SPDX-License-Identifier: Apache-2.0
"""Samples through a whole simulated machine as a library call; what the command makes of it is in tests/cli."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("ziglang", reason="the compiler is not installed (extra 'machine')")

import hysteron_networks
from hysteron_base.progress import Progress
from hysteron_sim.system import stream_images
from hysteron_spec import CoreConfig, load
from support.refusal import refusal

ROOT = Path(__file__).parents[2]
DIGITS = hysteron_networks.path("digits")
IMAGES = np.random.default_rng(5).integers(0, 256, (9, 64), dtype=np.uint8)


def test_it_tells_how_far_it_is_and_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    told: list[Progress] = []
    done = stream_images(load(DIGITS), IMAGES, CoreConfig.preset("digits"), data="noise", tell=told.append)
    assert capsys.readouterr() == ("", "")
    stages = [each.what for each in told if each.finished]
    # Others are of a build, if there was one.
    assert [each for each in stages if " " not in each] == ["golden", "loading", "images"]
    counts = [each.done for each in told if each.what == "images" and not each.finished]
    assert counts == list(range(10)) and told[-1].total == 9
    report = done.as_dict()
    assert (report["network"], report["data"], report["core"]["name"], report["images"]) == (
        "digits",
        "noise",
        "digits",
        9,
    )
    assert (report["mismatches"], report["first_mismatch"]) == (0, None)
    table = (ROOT / "docs/machine.md").read_text().split("## Simulated")[1].split("## ")[0]
    rows = [row for row in table.splitlines() if row.startswith("| `")]
    assert set(re.findall(r"`(\w+)`", "".join(row.split("|")[1] for row in rows))) <= set(report)


def test_a_core_that_cannot_hold_the_network() -> None:
    tiny = CoreConfig.preset("tiny")
    assert "choose another preset" in refusal(lambda: stream_images(load(DIGITS), IMAGES, tiny, data="noise"))
