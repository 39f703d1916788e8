# SPDX-License-Identifier: Apache-2.0
"""The page of a build: whole in one file, and it claims nothing that the report does not."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("amaranth_boards", reason="boards are not installed (extra 'fpga')")
pytest.importorskip("jinja2", reason="pages are not installed (extra 'fpga')")

from hysteron_fpga.board import board
from hysteron_fpga.memories import Mapped
from hysteron_fpga.placement import Element, Placed
from hysteron_fpga.report.figures import BuildReport
from hysteron_fpga.report.page import write_page
from hysteron_measure.literature import FPGAS

PATH = (Element(1.5, "clk-to-q", "core.a"), Element(2.0, "routing", "core.<b>"), Element(0.5, "setup", "core.<b>"))
FAST = Placed(20.0, {"logic_cells": 5149, "bram": 20}, {"logic_cells": 5280, "bram": 30}, PATH)
REPORT = BuildReport(
    board=board("icebreaker"),
    placements={1: replace(FAST, fmax_mhz=17.0), 2: FAST},
    logic={"luts": 4351, "flip_flops": 1828},
    memories={"core.engine.weights": Mapped("single-port RAM", 2, 524288)},
    network="mnist-164",
    data="mnist",
    accuracy=0.9845,
    cycles_per_image=18000.0,
    unmeasured="",
    bitstream=Path("build/top.bin"),
    tools={"yosys": "0.60", "icepack": "not told"},
)


def page(folder: Path, report: BuildReport) -> str:
    """Its text, with spaces for what is between words."""
    write_page(folder / "report.html", report)
    text = (folder / "report.html").read_text()
    assert not re.search(r'(src|href)="(?!https://)', text), "it refers to another file"
    return " ".join(text.split())


def words(text: str) -> str:
    """What a reader sees of a page."""
    return " ".join(re.sub(r"<[^>]*>", " ", re.sub(r"<wbr>", "", text)).split())


def test_what_a_good_build_shows(tmp_path: Path) -> None:
    text = page(tmp_path, REPORT)
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in text
    assert '<div class="verdict good"' in text and 'class="verdict bad"' not in text
    seen = words(text)
    assert "The machine fits and reaches 18 MHz 20.0 MHz after routing are 11 % more than the clock needs." in seen
    assert "baseline" not in seen, "it was not compared with"
    for told in (
        "logic cells 5,149 of 5,280 97.5 %",
        "look-up tables 4,351 flip-flops 1,828",
        "block RAMs 20 of 30 66.7 %",
        "seed 1 17.0 MHz seed 2 20.0 MHz in the bitstream",
        "core.a clk-to-q 1.50 core.&lt;b&gt; logic and routing 2.50 in all 4.00",
        "core.engine.weights single-port RAM 2 524,288",
        "1,000.0 µs the core at 18 MHz",
        "Accuracy 98.45 %",
        "yosys 0.60 icepack not told",
    ):
        assert told in seen, told
    assert text.count('class="bar full"') == 1, "only of the logic cells hardly any is left"
    assert text.count('class="bar short"') == 1, "only the first placement is too slow"
    for other in FPGAS:
        assert f'<a href="{other.address}">{other.source}</a>' in text


def test_a_build_that_was_compared(tmp_path: Path) -> None:
    assert "No figure is worse than the baseline allows." in words(page(tmp_path, replace(REPORT, checked=True)))


@pytest.mark.parametrize(
    ("mhz", "head"), [(17.9, "No placement reaches 18 MHz"), (18.0, "Worse than the baseline")], ids=["slow", "worse"]
)
def test_a_build_that_failed(tmp_path: Path, mhz: float, head: str) -> None:
    report = replace(REPORT, placements={1: replace(FAST, fmax_mhz=mhz)}, failures=("one is <worse>", "another"))
    text = page(tmp_path, report)
    assert 'class="verdict bad"' in text and 'class="verdict good"' not in text
    assert f"{head} one is &lt;worse&gt; another" in words(text)


def test_what_was_not_measured_is_no_number(tmp_path: Path) -> None:
    report = replace(REPORT, accuracy=None, cycles_per_image=None, unmeasured="there are no images")
    seen = words(page(tmp_path, report))
    assert "Speed and accuracy: not measured there are no images" in seen
    for name in ("Throughput", "Time of an image", "Accuracy"):
        assert f"{name} – not measured" in seen
    assert "5,149 LC 18 not measured not measured" in seen
    assert "An image takes" not in seen


def test_another_data_set_is_not_compared_with_others(tmp_path: Path) -> None:
    seen = words(page(tmp_path, replace(REPORT, data="digits", accuracy=None)))
    assert "Beside others" not in seen and "Spiker" not in seen
    assert "Accuracy – no record beside the network" in seen
