# SPDX-License-Identifier: Apache-2.0
"""``--judge``, and what commands say of samples and labels before they begin."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from hysteron_spec import Layer, Network, Potential, Readout, save
from support.command import one_line

from .conftest import Run

#: Three classes of two outputs; of each group the second fires.
WEIGHTS = np.kron(np.eye(3, dtype=int), [[0, 7]])
LABELS = np.random.default_rng(0).integers(0, 3, 30)
SPIKES = np.repeat(np.eye(3, dtype=np.uint8)[LABELS][:, None], 4, axis=1)


@pytest.fixture
def population(tmp_path: Path) -> Path:
    network = Network((Layer(WEIGHTS, 3),), Potential(12), readout=Readout.COUNT, name="population")
    save(network, tmp_path / "population.hyn")
    return tmp_path / "population.hyn"


def data(folder: Path, **arrays: np.ndarray) -> Path:
    np.savez(folder / "mine.npz", **arrays)
    return folder / "mine.npz"


def test_run_judges_a_population(hysteron: Run, population: Path, tmp_path: Path) -> None:
    source = data(tmp_path, inputs=SPIKES, labels=LABELS)
    words = ("run", population, "--data", source, "--out", tmp_path / "out")
    status, text, _ = hysteron(*words)
    assert status == 0
    assert text.splitlines()[:2] == [
        "data mine: 30 samples of 4 steps of 3 inputs, 33.3 % spikes; labels 0 to 2",
        "note: labels go from 0 to 2, but the network has 6 outputs: answers 3 to 5 are never right; "
        "if they are a population code of 3 groups of 2, judge by groups:3",
    ]
    assert json.loads((tmp_path / "out/report.json").read_text())["accuracy"] == 0.0
    status, text, _ = hysteron(*words, "--judge", "groups:3")
    assert status == 0 and "note:" not in text and "accuracy, judged by groups:3" in text
    report = json.loads((tmp_path / "out/report.json").read_text())
    assert (report["judge"], report["accuracy"]) == ("groups:3", 1.0)


def test_sim_judges_a_population(hysteron: Run, population: Path, tmp_path: Path) -> None:
    source = data(tmp_path, inputs=SPIKES[:9], labels=LABELS[:9])
    words = ("sim", population, "--data", source, "--preset", "tiny", "--judge", "groups:3", "--out", tmp_path / "out")
    status, text, errors = hysteron(*words, "--show", "wrong")
    assert status == 0, errors
    assert "accuracy through the RTL, judged by groups:3" in text
    report = json.loads((tmp_path / "out/report.json").read_text())
    assert (report["judge"], report["accuracy"], report["mismatches"]) == ("groups:3", 1.0, 0)
    page = (tmp_path / "out/report.html").read_text()
    assert "0 of 9 answers are wrong" in page and "No answer of these 9 images is wrong" in page


@pytest.mark.parametrize("command", ["sim", "run", "soc-sim"])
@pytest.mark.parametrize("label", [6, 60000, 10**12])
def test_labels_beyond_the_outputs_are_refused_at_the_door(
    hysteron: Run, population: Path, tmp_path: Path, command: str, label: int
) -> None:
    labels = LABELS.copy()
    labels[4] = label
    out = tmp_path / "out"
    status, text, errors = hysteron(
        command, population, "--data", data(tmp_path, inputs=SPIKES, labels=labels), "--out", out
    )
    assert status == 2 and not out.exists()
    one_line(errors, str(label), "mine")
    assert "images" not in text


@pytest.mark.parametrize("command", ["sim", "run", "soc-sim"])
def test_a_judge_that_the_read_out_cannot_have(hysteron: Run, population: Path, tmp_path: Path, command: str) -> None:
    source = data(tmp_path, inputs=SPIKES, labels=LABELS)
    for judge, told in (
        ("max", "give it readout_every_step"),
        ("threshold:3", "for one output"),
        ("no", "must be one"),
    ):
        status, _, errors = hysteron(command, population, "--data", source, "--judge", judge)
        assert status == 2
        one_line(errors, told)


def test_a_core_is_not_taken_for_another(hysteron: Run, tmp_path: Path) -> None:
    """Fewer lanes than the first preset that holds the network can do with."""
    source = data(tmp_path, inputs=np.full((3, 64), 9, np.uint8))
    status, _, errors = hysteron("sim", "digits", "--data", source, "--set", "lanes=16", "--out", tmp_path / "out")
    assert status == 2 and not (tmp_path / "out").exists()
    one_line(errors, "preset digits holds the network 64-128-10, but not with lanes=16", "--set weight_rows=640")


def test_no_new_figures_beside_an_old_page(
    hysteron: Run, population: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that cannot be made."""

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("no page")

    monkeypatch.setattr("hysteron_report.run.write_run", fail)
    source = data(tmp_path, inputs=SPIKES[:9], labels=LABELS[:9])
    with pytest.raises(RuntimeError, match="no page"):
        hysteron("sim", population, "--data", source, "--preset", "tiny", "--out", tmp_path / "out")
    assert not (tmp_path / "out/report.json").exists()
