# SPDX-License-Identifier: Apache-2.0
"""``hysteron gds`` and ``memories``: what they say of what they could not do, and wrong input."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("yaml", reason="the tools of silicon are not installed (extra 'silicon')")

from hysteron_cli import gds
from hysteron_openlane.flow import baseline, librelane, run
from hysteron_openlane.flow.chips import chip
from hysteron_openlane.flow.librelane import Way
from support.command import one_line
from support.silicon import need_pdk

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HYSTERON_BUILD", str(tmp_path / "build"))
    return tmp_path / "build"


@pytest.fixture
def pdk() -> None:
    need_pdk()


def test_a_wrong_chip_is_one_line(hysteron: Run, build: Path) -> None:
    status, _, errors = hysteron("gds", "sky90")
    assert status == 2
    one_line(errors, "a chip must be one of sky130-small, sky130, not 'sky90'")
    assert not build.exists()


@pytest.mark.parametrize("words", [("gds", "sky130-small"), ("memories",)])
def test_no_pdk_is_one_line(
    hysteron: Run, build: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.delenv("PDK_ROOT", raising=False)
    status, _, errors = hysteron(*words)
    assert status == 2
    assert "error: PDK_ROOT is not set; it is the folder of the process design kit sky130A" in errors
    assert "set PDK_ROOT to the folder that holds it" in errors
    assert not (build / "gds").exists()


def test_check_and_update_exclude_each_other(hysteron: Run, build: Path) -> None:
    status, _, errors = hysteron("gds", "sky130-small", "--check", "--update")
    assert status == 2
    one_line(errors, "--check and --update exclude each other")


@pytest.mark.usefixtures("pdk")
def test_memories_lists_every_way(hysteron: Run) -> None:
    status, out, _ = hysteron("memories")
    assert status == 0
    assert "4,096 rows of 256 bits, 1,048,576 in all" in out
    assert "32 × 4kbyte_1rw_64x512_8" in out
    assert "8.989" in out
    assert "flip-flops (estimate)" in out


@pytest.mark.usefixtures("pdk")
def test_the_plan_alone(hysteron: Run, build: Path) -> None:
    status, out, errors = hysteron("gds", "sky130-small", "--until", "plan")
    assert (status, "not done" in errors) == (0, False)
    folder = build / "gds" / "sky130-small"
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["ok"] is True
    assert summary["figures"]["weight_bits"]["value"] == 16384
    assert summary["figures"]["macro_count"]["value"] == 1
    assert (folder / "floorplan.svg").read_bytes().startswith(b"<?xml")
    page = (folder / "report.html").read_text()
    assert "every figure is within its limit" in page
    assert "data:image/svg+xml" in page
    assert "1 × 2kbyte_1rw_32x512_8" in "".join(out.split("\n")) or "2kbyte_1rw_32x512_8" in out


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A LibreLane that does nothing but fail."""
    monkeypatch.setattr(librelane, "way", lambda *_: Way("none", ("false",), "openroad is not there"))
    monkeypatch.setattr(librelane, "steps", lambda: ("Yosys.Synthesis", librelane.NETLIST, "OpenROAD.Floorplan"))
    monkeypatch.setattr(librelane, "_PERIOD", 0.01)


@pytest.mark.usefixtures("pdk", "failing")
def test_every_stage_that_was_not_done_is_told(hysteron: Run, build: Path) -> None:
    status, _, errors = hysteron("gds", "sky130-small")
    assert status == 1
    assert "not done: netlist: LibreLane ended with status 1" in errors
    assert "not done: timing: it needs the netlist" in errors
    assert "not done: gates: it needs the netlist" in errors
    assert "not done: layout: openroad is not there" in errors
    summary = json.loads((build / "gds" / "sky130-small" / "summary.json").read_text())
    assert summary["ok"] is False
    assert set(summary["undone"]) == {"netlist", "timing", "gates", "layout"}
    page = (build / "gds" / "sky130-small" / "report.html").read_text()
    assert "Not done: layout" in page


@pytest.mark.usefixtures("pdk", "failing")
def test_a_layout_ends_with_its_picture_and_its_energy(
    hysteron: Run, build: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("klayout", "pyosys"):
        pytest.importorskip(module, reason="it comes with 'make gds-setup'")
    from hysteron_openlane.layout import kept

    shipped = kept.unpack(chip("sky130-small"))
    final = build / "gds" / "sky130-small" / "runs" / "hysteron" / "final"
    for name, place in {
        kept.GDS: "gds/core.gds",
        kept.NETLIST: "nl/core.nl.v",
        kept.SPEF: "spef/nom/core.spef",
    }.items():
        (final / place).parent.mkdir(parents=True)
        (final / place).write_bytes((shipped.folder / name).read_bytes())
    (final / "metrics.json").write_text(json.dumps(shipped.record["metrics"]))
    monkeypatch.setattr(librelane, "way", lambda *_: Way("fake", ("true",)))
    monkeypatch.setattr(run, "_librelane", lambda flow, *_: run._ran(flow))
    status, _, errors = hysteron("gds", "sky130-small", "--images", "1")
    assert status == 1
    assert "error: DRC, KLayout is absent from" in errors
    assert "not done: layout" not in errors
    folder = build / "gds" / "sky130-small"
    figures = json.loads((folder / "summary.json").read_text())["figures"]
    assert figures["layout_mismatches"]["value"] == 0
    assert figures["layout_pj_per_sop"]["value"] > 5
    assert figures["magic_drc"]["value"] == 0
    assert (folder / "layout.png").read_bytes().startswith(b"\x89PNG")
    assert "data:image/png" in (folder / "report.html").read_text()


@pytest.mark.usefixtures("pdk", "failing")
def test_an_absent_figure_is_worse_than_the_baseline(
    hysteron: Run, build: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(baseline, "FILE", tmp_path / "baseline.json")
    baseline.FILE.write_text(json.dumps({"sky130-small": {"cells": 10}}))
    status, _, errors = hysteron("gds", "sky130-small", "--until", "plan", "--check")
    assert status == 1
    assert "error: cells was 10, and now there is none" in errors


def test_the_stages_are_the_flow_s() -> None:
    assert gds.STAGES == run.STAGES


def test_the_baseline_of_the_project_has_all_figures() -> None:
    kept = json.loads(baseline.FILE.read_text())
    assert set(kept["sky130-small"]) == set(baseline.TOLERANCES)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--tool", "openroad=1"), "--tool, --waive and --remainder go with --take"),
        (("--take", "."), "--take needs what made the layout: --tool NAME=VERSION"),
        (("--take", ".", "--tool", "openroad"), "--tool 'openroad' must be two texts with a '=' between"),
        (("--take", ".", "--tool", "openroad=1"), "must hold one klayout_gds/*.gds, not 0; is it LibreLane's 'final'?"),
    ],
)
def test_wrong_layout_options_are_one_line(hysteron: Run, build: Path, words: tuple[str, ...], told: str) -> None:
    pytest.importorskip("klayout", reason="it comes with 'make gds-setup'")
    status, _, errors = hysteron("layout", "sky130-small", *words)
    assert status == 2
    one_line(errors, told)
    assert not build.exists()
