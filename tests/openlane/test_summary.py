import json
from pathlib import Path

import pytest

from hysteron_base.errors import HysteronError
from hysteron_openlane import librelane, summary
from hysteron_openlane.librelane import Ran
from hysteron_openlane.power import Power
from hysteron_openlane.sta import Slack
from hysteron_openlane.summary import Line


@pytest.mark.parametrize(
    ("line", "ok"),
    [
        (Line("a", "a", 0, most=0), True),
        (Line("a", "a", 1, most=0), False),
        (Line("a", "a", None, most=0), False),
        (Line("a", "a", None), False),
        (Line("a", "a", 0.0, least=0.0), True),
        (Line("a", "a", -0.1, least=0.0), False),
    ],
)
def test_a_figure_is_there_and_within_its_limits(line: Line, ok: bool) -> None:
    assert line.ok is ok


def test_a_layout_that_says_nothing_is_a_failure(tmp_path: Path) -> None:
    lines = summary.layout_lines(*summary.layout_metrics(Ran(tmp_path, 0, (), ())))
    assert lines
    assert not any(line.ok for line in lines)
    report = summary.as_json("x", lines, {})
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


CLEAN = {name: 0 for name, *_ in summary._LAYOUT}


def with_metrics(folder: Path, metrics: dict[str, float]) -> list[Line]:
    (folder / "final").mkdir()
    (folder / "final" / "metrics.json").write_text(json.dumps(metrics))
    return summary.layout_lines(*summary.layout_metrics(Ran(folder, 0, (), ())))


def test_a_clean_layout(tmp_path: Path) -> None:
    lines = with_metrics(tmp_path, CLEAN)
    assert all(line.ok for line in lines)
    assert summary.as_json("x", lines, {})["ok"] is True
    assert summary.as_json("x", lines, {"gates": "why"})["ok"] is False


@pytest.mark.parametrize("name", [name for name, *_, least, most in summary._LAYOUT if (least, most) != (None, None)])
def test_every_check_of_a_layout_can_fail(tmp_path: Path, name: str) -> None:
    low = "slack" in next(label for key, _, label, *_ in summary._LAYOUT if key == name)
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


SYNTHESIS = {name: 0 for name, *_ in summary._NETLIST} | {"design__instance__area": 900.0}


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
    lines = {line.key: line for line in summary.netlist_lines(ran, ["ram"], 0.001, text)}
    assert lines["missing_macros"].value == missing
    assert lines["missing_macros"].ok is (missing == 0)


def test_escaped_instances_are_found(tmp_path: Path) -> None:
    ran = run_folder(tmp_path, SYNTHESIS)
    lines = summary.netlist_lines(ran, ["a.b$1.ram"], 0.001, "  sram \\a.b$1.ram  (\n")
    assert all(line.ok for line in lines)


@pytest.mark.parametrize("name", [name for name, *_, most in summary._NETLIST if most is not None])
def test_every_check_of_a_netlist_can_fail(tmp_path: Path, name: str) -> None:
    bad = {key: value for key, value in SYNTHESIS.items() if key != name}
    for number, metrics in enumerate((bad, {**SYNTHESIS, name: 1})):
        ran = run_folder(tmp_path / str(number), metrics)
        assert [line.ok for line in summary.netlist_lines(ran, [], 0.001, "")].count(False) == 1


def test_more_cells_than_the_die_is_for_is_a_failure(tmp_path: Path) -> None:
    ran = run_folder(tmp_path, {**SYNTHESIS, "design__instance__area": 1001.0})
    (bad,) = (line for line in summary.netlist_lines(ran, [], 0.001, "") if not line.ok)
    assert (bad.key, bad.limit) == ("cell_area_um2", "≤ 1,000")


def test_a_synthesis_that_did_not_run_is_told(tmp_path: Path) -> None:
    with pytest.raises(HysteronError, match=r"step OpenROAD\.CheckSDCFiles has not run"):
        summary.netlist_lines(Ran(tmp_path, 0, (), ()), [], 1.0, "")


def test_slack_is_judged_where_it_means_something() -> None:
    slow = Slack(-1.0, -1.0, ())
    lines = summary.timing_lines({"tt": slow, "ss": slow, "ff": slow}, Path("sta"))
    assert [line.key for line in lines if not line.ok] == ["setup_tt_ns", "setup_ff_ns"]
    lines = summary.timing_lines({"tt": slow, "ss": slow, "ff": slow}, Path("sta"), layout=True)
    assert [line.key for line in lines if line.ok] == ["setup_ss_ns"]


def test_energy_of_an_operation() -> None:
    busy, idle = Power(1e-3, 2e-3, 3e-3, 4e-3, 5e-3), Power(0, 0, 1e-3, 0, 0)
    lines = {line.key: line.value for line in summary.energy_lines(busy, idle, 1e-6, 2, 1000, Path("x"))}
    assert lines["power_mw"] == pytest.approx(15)
    assert lines["idle_mw"] == pytest.approx(1)
    assert lines["nj_per_image"] == pytest.approx(7.5)
    assert lines["pj_per_sop"] == pytest.approx(15)
