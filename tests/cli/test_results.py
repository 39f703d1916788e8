# SPDX-License-Identifier: Apache-2.0
"""``hysteron results``: what the command measures, writes, prints and refuses."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from hysteron_cli.results import results
from hysteron_golden import run
from hysteron_measure import measurement
from hysteron_sim.simulator import Observed
from hysteron_spec import save
from support.command import one_line
from support.measured import (
    change,
    copied,
    entries,
    recurrent_network,
    ship,
    ship_three,
    spikes,
    step_data,
    tampered,
)

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project's folder with three measured networks: one label a sample, one a step, a regression."""
    root = tmp_path_factory.mktemp("shipped")
    ship_three(root / "networks")
    outcome = CliRunner().invoke(results, words(root), catch_exceptions=False)
    assert outcome.exit_code == 0, outcome.output
    assert "bare.hyn: left out, it has no training record" in outcome.output.replace("\n", "")
    return root


def words(root: Path) -> list[str]:
    return ["--out", str(root / "networks" / "results.json"), "--docs", str(root / "docs" / "networks.md")]


@pytest.fixture
def project(shipped: Path, tmp_path: Path) -> Path:
    """A copy of the measured project that a test may change."""
    return copied(shipped, tmp_path / "project")


def test_every_network_with_a_record_is_measured(shipped: Path) -> None:
    assert list(entries(shipped)) == ["digits", "regress", "steps"]
    assert "| digits | 99.00 % | " in (shipped / "docs" / "networks.md").read_text()


def test_figures_from_more_samples_stay(hysteron: Run, tmp_path: Path) -> None:
    network = replace(recurrent_network(3, "many"), readout_every_step=False)
    inputs = spikes(520, 2)
    path = ship(tmp_path, "many", network, {"inputs": inputs, "labels": run(network, inputs).predictions})
    out = tmp_path / "results.json"
    for options, count in (((), 500), (("--rtl", 510), 510), (("--all-rtl",), 520)):
        assert hysteron("results", path, "--out", out, *options)[0] == 0
        assert json.loads(out.read_text())["many"]["images_rtl"] == count
    status, text, _ = hysteron("results", path, "--out", out)
    assert status == 0
    assert "figures from 520 samples through the RTL stay, 500 were run now; --force" in text
    assert json.loads(out.read_text())["many"]["images_rtl"] == 520
    assert hysteron("results", path, "--out", out, "--rtl", "all")[0] == 0
    assert hysteron("results", path, "--out", out, "--force")[0] == 0
    assert json.loads(out.read_text())["many"]["images_rtl"] == 500


def test_what_was_not_compared_is_not_claimed(hysteron: Run, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measurement, "WATCHED_BITS", 0)
    status, text, _ = hysteron("results", project / "networks" / "steps.hyn", *words(project))
    assert status == 0
    assert "answers equal" in text


def test_a_difference_is_told_and_the_status(hysteron: Run, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even if older figures stay."""
    change(project, "digits", images_rtl=41)

    def lying(observed: Observed) -> Observed:
        observed.spikes[0, 0] ^= True
        return observed

    tampered(monkeypatch, lying)
    status, text, errors = hysteron("results", project / "networks" / "digits.hyn", *words(project))
    assert status == 1
    assert "mismatch: digits: spike differs at sample 0, step 0, layer 0, neuron 0" in errors
    assert "figures from 41 samples" in text and "1 difference" in text
    assert entries(project)["digits"]["mismatches"] == 0


def test_check_measures_nothing_and_notices_what_is_stale(
    hysteron: Run, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("nothing may be measured")

    monkeypatch.setattr(measurement, "measure", refuse)
    check = ("results", "--check", *words(project))
    assert hysteron("results", "--redraw", *words(project))[0] == 0
    assert hysteron(*check)[0] == 0
    page, network = project / "docs" / "networks.md", project / "networks" / "steps.hyn"
    before = page.read_bytes()
    page.write_bytes(before + b" ")
    status, _, errors = hysteron(*check)
    assert status == 1 and "networks.md" in errors and "--redraw" in errors
    assert hysteron("results", "--redraw", *words(project))[0] == 0
    assert page.read_bytes() == before
    shutil.copyfile(project / "networks" / "regress.hyn", network)
    status, _, errors = hysteron(*check)
    assert status == 1 and "steps.hyn" in errors and "changed since" in errors and "hysteron results" in errors


def test_without_docs_the_page_goes_beside_the_figures(hysteron: Run, project: Path) -> None:
    out = project / "networks" / "results.json"
    assert hysteron("results", "--redraw", "--out", out)[0] == 0
    assert "[digits](./digits.hyn)" in (project / "networks" / "networks.md").read_text()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["{steps}", "--rtl", "20"], ["at least 500", "'20'"]),
        (["{steps}", "--rtl", "many"], ["'many'"]),
        (["{steps}", "--rtl", "-600"], ["'-600'"]),
        (["{steps}", "--check"], ["give none"]),
        (["{steps}", "--redraw"], ["give none"]),
        (["--redraw", "--check"], ["not both"]),
        (["--judge", "max"], ["name some"]),
        (["{bare}"], ["bare.hyn", "no training record", "bare.json"]),
        (["{far}"], ["far.hyn", "must lie beside", "--out"]),
        (["{missing}"], ["missing.hyn", "does not exist"]),
    ],
    ids=lambda value: " ".join(value),
)
def test_wrong_input_is_one_line_and_status_2(
    hysteron: Run, project: Path, options: list[str], told: list[str]
) -> None:
    folder = project / "networks"
    files = {name: folder / f"{name}.hyn" for name in ("steps", "bare", "missing")}
    files["far"] = ship(project / "elsewhere", "far", recurrent_network(3, "far"), step_data())
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    status, _, errors = hysteron("results", *(word.format(**files) for word in options), *words(project))
    assert status == 2
    one_line(errors, *told)
    assert {path: path.read_bytes() for path in project.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(("content", "told"), [("{", "no JSON"), ("[]", "JSON object"), ("{}", "lacks 'dataset'")])
def test_a_damaged_record_is_refused(hysteron: Run, tmp_path: Path, content: str, told: str) -> None:
    path = ship(tmp_path, "wrong", recurrent_network(3, "wrong"), step_data())
    path.with_suffix(".json").write_text(content)
    before = set(tmp_path.rglob("*"))
    status, _, errors = hysteron("results", path, "--out", path.with_name("results.json"))
    assert status == 2
    one_line(errors, "wrong.json", told)
    assert set(tmp_path.rglob("*")) == before


def test_a_folder_without_records(hysteron: Run, tmp_path: Path) -> None:
    for option in ((), ("--check",)):
        status, _, errors = hysteron("results", "--out", tmp_path / "results.json", *option)
        assert status == 2
        one_line(errors, "no network with a training record", tmp_path.name)


def test_answers_are_judged_as_is_said(hysteron: Run, tmp_path: Path) -> None:
    """A population code of three classes: whole, on golden and through the hardware."""
    network = replace(recurrent_network(6, "groups"), readout_every_step=False)
    inputs = spikes(30)
    labels = run(network, inputs).values.reshape(30, 3, 2).sum(axis=2).argmax(axis=1)
    assert (labels != run(network, inputs).predictions).any() and len(set(labels)) > 1
    labels[7] = (labels[7] + 1) % 3
    path = ship(tmp_path, "groups", network, {"inputs": inputs, "labels": labels})
    out = tmp_path / "results.json"
    status, text, errors = hysteron("results", path, "--out", out, "--judge", "groups:3")
    assert status == 0, errors
    entry = json.loads(out.read_text())["groups"]
    assert (entry["judge"], entry["mismatches"]) == ("groups:3", 0)
    assert entry["accuracy_integer"] == entry["accuracy_rtl"] == 29 / 30
    assert np.sum(entry["confusion"]) == 30 and np.trace(entry["confusion"]) == 29
    assert np.shape(entry["confusion"]) == (3, 3)
    assert "judged by groups:3" in text and "judged by groups:3" in (tmp_path / "networks.md").read_text()


@pytest.mark.parametrize(
    ("judge", "told"), [("groups:4", "which 4 does not divide"), ("max", "readout_every_step"), ("best", "must be one")]
)
def test_a_judge_that_does_not_suit(hysteron: Run, tmp_path: Path, judge: str, told: str) -> None:
    network = replace(recurrent_network(6, "groups"), readout_every_step=False)
    path = ship(tmp_path, "groups", network, {"inputs": spikes(9), "labels": np.arange(9) % 3})
    before = set(tmp_path.rglob("*"))
    status, _, errors = hysteron("results", path, "--out", tmp_path / "results.json", "--judge", judge)
    assert status == 2 and set(tmp_path.rglob("*")) == before
    one_line(errors, told)


def test_run_counts_labelled_steps(hysteron: Run, shipped: Path, tmp_path: Path) -> None:
    """``hysteron run`` judges by the same rules."""
    network, data = shipped / "networks" / "steps.hyn", shipped / "networks" / "steps-data.npz"
    status, text, errors = hysteron("run", network, "--data", data, "--out", tmp_path)
    assert status == 0 and "note" not in text, errors
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["accuracy"] == entries(shipped)["steps"]["accuracy_integer"]


@pytest.mark.parametrize("command", ["run", "sim", "soc-sim"])
def test_labels_of_steps_that_nothing_answers(hysteron: Run, tmp_path: Path, command: str) -> None:
    save(replace(recurrent_network(3, "once"), readout_every_step=False), tmp_path / "once.hyn")
    np.savez(tmp_path / "steps.npz", **step_data())
    words = (command, tmp_path / "once.hyn", "--data", tmp_path / "steps.npz", "--out", tmp_path / "out")
    status, text, errors = hysteron(*words)
    assert status == 2 and not text and not (tmp_path / "out").exists()
    one_line(errors, "'steps' has a label at every step", "'once' answers once a sample", "readout_every_step")


def test_sim_counts_labelled_steps(hysteron: Run, shipped: Path, tmp_path: Path) -> None:
    """``hysteron sim`` judges by the same rules."""
    network, data = shipped / "networks" / "steps.hyn", shipped / "networks" / "steps-data.npz"
    status, _, errors = hysteron("sim", network, "--data", data, "--preset", "tiny", "--out", tmp_path)
    assert status == 0, errors
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["accuracy"] == entries(shipped)["steps"]["accuracy_integer"]
