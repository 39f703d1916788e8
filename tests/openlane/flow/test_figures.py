# SPDX-License-Identifier: Apache-2.0
import json
from pathlib import Path

import pytest

from hysteron_base.errors import HysteronError
from hysteron_openlane.figures import Line, as_json
from hysteron_openlane.flow import figures, librelane
from hysteron_openlane.flow.librelane import Ran
from hysteron_openlane.flow.sta import Slack
from hysteron_openlane.pdk import SKY130

METRICS = figures.metrics_of(SKY130)


def test_a_layout_that_says_nothing_is_a_failure(tmp_path: Path) -> None:
    lines = figures.layout_lines(SKY130, *figures.layout_metrics(Ran(tmp_path, 0, (), ())))
    assert lines
    assert not any(line.ok for line in lines)
    report = as_json("x", lines, {})
    assert report["ok"] is False
    assert report["figures"]["lvs"] == {
        "key": "lvs",
        "label": "LVS errors",
        "value": None,
        "unit": "",
        "least": None,
        "most": 0,
        "source": str(tmp_path / "final" / "metrics.json"),
        "ok": False,
    }


CLEAN = {name: 0 for name, *_ in METRICS}


def with_metrics(folder: Path, metrics: dict[str, float]) -> list[Line]:
    (folder / "final").mkdir()
    (folder / "final" / "metrics.json").write_text(json.dumps(metrics))
    return figures.layout_lines(SKY130, *figures.layout_metrics(Ran(folder, 0, (), ())))


def test_a_clean_layout(tmp_path: Path) -> None:
    lines = with_metrics(tmp_path, CLEAN)
    assert all(line.ok for line in lines)
    assert as_json("x", lines, {})["ok"] is True
    assert as_json("x", lines, {"gates": "why"})["ok"] is False


@pytest.mark.parametrize("name", [name for name, *_, least, most in METRICS if (least, most) != (None, None)])
def test_every_check_of_a_layout_can_fail(tmp_path: Path, name: str) -> None:
    low = "slack" in next(label for key, _, label, *_ in METRICS if key == name)
    lines = with_metrics(tmp_path, {**CLEAN, name: -1 if low else 2})
    assert [line.ok for line in lines].count(False) == 1


def run_folder(folder: Path, metrics: dict[str, float], netlist: str = "") -> Ran:
    for number, step in ((6, "yosys-synthesis"), (10, "openroad-checksdcfiles")):
        place = folder / f"{number:02}-{step}"
        place.mkdir(parents=True)
        (place / "state_out.json").write_text(json.dumps({"metrics": metrics}))
    (folder / "06-yosys-synthesis" / "top.nl.v").write_text(netlist)
    return Ran(folder, 0, (), ())


@pytest.fixture
def known_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("Yosys.Synthesis", "OpenROAD.CheckSDCFiles", "OpenROAD.Floorplan")
    monkeypatch.setattr(librelane, "steps", lambda: names)


SYNTHESIS = {name: 0 for name, *_ in figures._NETLIST} | {"design__instance__area": 900.0}


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        (" sram ram (", 0),
        (" sram \\a.b$1.ram  (", 1),
        ("", 1),
    ],
)
def test_macros_are_looked_for_in_the_netlist(tmp_path: Path, text: str, missing: int) -> None:
    ran = run_folder(tmp_path, SYNTHESIS)
    lines = {line.key: line for line in figures.netlist_lines(ran, ["ram"], 0.001, text)}
    assert lines["missing_macros"].value == missing
    assert lines["missing_macros"].ok is (missing == 0)


def test_escaped_instances_are_found(tmp_path: Path) -> None:
    ran = run_folder(tmp_path, SYNTHESIS)
    lines = figures.netlist_lines(ran, ["a.b$1.ram"], 0.001, "  sram \\a.b$1.ram  (\n")
    assert all(line.ok for line in lines)


@pytest.mark.parametrize("name", [name for name, *_, most in figures._NETLIST if most is not None])
def test_every_check_of_a_netlist_can_fail(tmp_path: Path, name: str) -> None:
    bad = {key: value for key, value in SYNTHESIS.items() if key != name}
    for number, metrics in enumerate((bad, {**SYNTHESIS, name: 1})):
        ran = run_folder(tmp_path / str(number), metrics)
        assert [line.ok for line in figures.netlist_lines(ran, [], 0.001, "")].count(False) == 1


def test_more_cells_than_the_die_is_for_is_a_failure(tmp_path: Path) -> None:
    ran = run_folder(tmp_path, {**SYNTHESIS, "design__instance__area": 1001.0})
    (bad,) = (line for line in figures.netlist_lines(ran, [], 0.001, "") if not line.ok)
    assert (bad.key, bad.limit) == ("cell_area_um2", "≤ 1,000")


def test_a_synthesis_that_did_not_run_is_told(tmp_path: Path) -> None:
    with pytest.raises(HysteronError, match=r"step OpenROAD\.CheckSDCFiles has not run"):
        figures.netlist_lines(Ran(tmp_path, 0, (), ()), [], 1.0, "")


SLOW = Slack(-1.0, -1.0, -1.0, 25.0, ())
CORNERS = {"tt": SLOW, "ss": SLOW, "ff": SLOW}


def test_slack_is_judged_where_it_means_something() -> None:
    lines = figures.timing_lines(SKY130, CORNERS, Path("sta"))
    assert [line.key for line in lines if not line.ok] == ["setup_tt_ns", "setup_ff_ns"]
    lines = figures.timing_lines(SKY130, CORNERS, Path("sta"), layout=True)
    judged = [f"{kind}_{corner}_ns" for corner in ("tt", "ff") for kind in ("setup", "hold", "input_hold")]
    assert {line.key for line in lines if not line.ok} == {*judged, "hold_ss_ns"}


def test_the_clock_is_stated_at_each_corner_and_those_of_sign_off_are_counted() -> None:
    lines = {line.key: line for line in figures.timing_lines(SKY130, CORNERS, Path("sta"))}
    assert [lines[f"clock_{corner}_mhz"].value for corner in ("tt", "ss", "ff")] == [40.0] * 3
    assert lines["signoff_corners"].value == 1
    lines = {line.key: line for line in figures.timing_lines(SKY130, {**CORNERS, "signoff_ss": SLOW}, Path("sta"))}
    assert lines["signoff_corners"].value == 2
    assert lines["clock_signoff_ss_mhz"].label == "fastest clock, ss (1.60 V, 100 °C)"


def test_a_corner_that_was_not_run_is_told() -> None:
    with pytest.raises(HysteronError, match="no timing at corner ss"):
        figures.timing_lines(SKY130, {"tt": SLOW, "ff": SLOW}, Path("sta"))
