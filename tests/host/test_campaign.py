# SPDX-License-Identifier: Apache-2.0
"""Runs through a machine as a library call; what the command makes of them is in tests/cli."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

import hysteron_networks
from hysteron_base.errors import DeviceError, HysteronError, SimulationError, ToolError
from hysteron_base.progress import Progress
from hysteron_golden import run
from hysteron_golden.machine import GoldenAccelerator
from hysteron_golden.run import winner
from hysteron_host.campaign import CampaignReport, _with_check, run_campaign
from hysteron_spec import PRESETS, Layer, Network, Potential, load, save
from hysteron_spec.answers import Answer
from support.refusal import refusal

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
    assert set(json.loads((tmp_path / "settings.json").read_text())) == {"network", "data", "disturbances", "judge"}


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


def lines(folder: Path) -> list[str]:
    return (folder / "results.csv").read_text().splitlines(keepends=True)


#: What becomes of a row of results.csv; row 5 is looked at.
DAMAGE: dict[str, Callable[[str], str]] = {
    "a digit is missing": lambda row: row.replace(row.split(",")[3], row.split(",")[3][:-1] or "1", 1),
    "another digit": lambda row: row[:-3] + ("0" if row[-3] != "0" else "1") + row[-2:],
    "a word": lambda row: ",".join([*row.split(",")[:3], "abc", *row.split(",")[4:]]),
    "a wrong prediction": lambda row: ",".join([row.split(",")[0], "3", *row.split(",")[2:]]),
    "prediction 993": lambda row: _with_check(",".join([row.split(",")[0], "993", *row.split(",")[2:-1]])) + "\n",
    "a huge value": lambda row: _with_check(",".join([*row.split(",")[:3], "9" * 5000, *row.split(",")[4:-1]])) + "\n",
    "a cell is missing": lambda row: row.replace(",", "", 1),
    "a cell too many": lambda row: row[:-1] + ",1\n",
    "cut short": lambda row: row[:-4],
    "no text": lambda row: "\0\x1b\ufffd\n" + row[:0],
    "quoted": lambda row: '"' + row[:-1] + '"\n',
    "the index of another": lambda row: "3" + row[1:],
    "not there": lambda row: row[:0],
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_row_is_done_again(tmp_path: Path, damage: Callable[[str], str]) -> None:
    call(tmp_path)
    whole = lines(tmp_path)
    changed = [*whole[:6], damage(whole[6]), *whole[7:]]
    assert changed != whole
    (tmp_path / "results.csv").write_text("".join(changed))
    told: list[Progress] = []
    report = call(tmp_path, resume=True, tell=told.append)
    assert lines(tmp_path) == whole and report.accuracy == 11 / 12
    again = int(damage(whole[6]) != "")
    # A row without its end takes the next one with it.
    done = 2 if damage(whole[6])[-1:] not in ("", "\n") else 1
    assert report.stats["golden"]["samples"] == done and report.done_again == again
    assert any(each.what == "images (1 damaged rows are done again)" for each in told) == bool(again)


def test_rows_far_apart_are_done_again(tmp_path: Path) -> None:
    call(tmp_path)
    whole = lines(tmp_path)
    rows = [row if k in (0, 2, 3, 7, 9) else "x" + row for k, row in enumerate(whole)]
    (tmp_path / "results.csv").write_text("".join([*rows[:5], rows[2], *rows[5:-1]]))
    report = call(tmp_path, resume=True)
    assert lines(tmp_path) == whole and report.accuracy == 11 / 12
    assert (report.done_again, report.stats["golden"]["samples"]) == (8, 8), "row 2 twice, seven broken, one missing"


def test_labels_are_those_of_now(tmp_path: Path) -> None:
    call(tmp_path, None)
    report = call(tmp_path, resume=True)
    assert report.accuracy == 11 / 12 and report.images_per_second is None
    assert [int(row.split(",")[2]) for row in lines(tmp_path)[1:]] != []


@pytest.mark.parametrize("text", ["[]", "3", "null", '"text"', "{", "", "[" * 100_000, "\ufffd"])
def test_settings_that_are_none(tmp_path: Path, text: str) -> None:
    call(tmp_path)
    (tmp_path / "settings.json").write_text(text)
    before = lines(tmp_path)
    message = refusal(lambda: call(tmp_path, resume=True))
    assert "damaged" in message and "another --out" in message
    assert lines(tmp_path) == before


@pytest.mark.parametrize("kind", [HysteronError, DeviceError, SimulationError])
def test_what_goes_wrong_keeps_its_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type[Exception]) -> None:
    """The command's status follows it; the results so far are kept."""
    infer = GoldenAccelerator.infer

    def failing(self: GoldenAccelerator, samples: np.ndarray, *, first: int = 0) -> Iterator[Answer]:
        for answer in infer(self, samples, first=first):
            if answer.index == 7:
                raise kind("it broke")
            yield answer

    with monkeypatch.context() as patch:
        patch.setattr(GoldenAccelerator, "infer", failing)
        message = refusal(lambda: call(tmp_path), ToolError if kind is SimulationError else kind)
    assert message == "it broke (7 of 12 results are kept; --resume goes on)"
    assert call(tmp_path, resume=True).stats["golden"]["samples"] == 5


def test_a_pipe_is_no_network_file(tmp_path: Path) -> None:
    """It would be read twice, the second time for ever."""
    os.mkfifo(tmp_path / "net.hyn")
    message = refusal(
        lambda: run_campaign(tmp_path / "net.hyn", INPUTS, None, data="", port="golden:", folder=tmp_path)
    )
    assert "net.hyn" in message and "is a pipe" in message


def test_labels_that_no_output_can_match_are_refused_before_anything_is_sent(tmp_path: Path) -> None:
    labels = LABELS.copy()
    labels[3] = 10
    with pytest.raises(HysteronError, match="label 10 cannot be answered by 10 outputs"):
        call(tmp_path, labels)
    assert not list(tmp_path.iterdir())


def test_samples_without_a_label_are_not_judged(tmp_path: Path) -> None:
    labels = LABELS.copy()
    labels[:6] = -1
    assert call(tmp_path, labels).accuracy == 1.0
    assert call(tmp_path, np.full(12, -1)).accuracy is None


def test_answers_can_be_judged_in_another_way(tmp_path: Path) -> None:
    """What the host makes of an answer is what is kept, and no run in another way goes on from there."""
    report = call(tmp_path, np.full(12, 7), judge="seven", judged=lambda _: np.array([7]), images=5)
    assert (report.judge, report.accuracy) == ("seven", 1.0)
    assert [line.split(",")[1] for line in (tmp_path / "results.csv").read_text().splitlines()[1:]] == ["7"] * 5
    with pytest.raises(HysteronError, match=r"of another run .*judge"):
        call(tmp_path, resume=True)


# -- labels of steps ---------------------------------------------------------------------------------------------

STEPS = 5
STEP_INPUTS = (np.random.default_rng(4).random((8, STEPS, 6)) < 0.5).astype(np.uint8)


def step_network(*, every_step: bool = True) -> Network:
    weights = np.random.default_rng(5).integers(-8, 8, (6, 3))
    return Network((Layer(weights, 9, 3),), Potential(12), readout_every_step=every_step, name="steps")


def step_labels(network: Network) -> np.ndarray:
    """Each step's answer, but four: two wrong and two without a label."""
    result = run(network, STEP_INPUTS)
    assert result.step_values is not None
    labels = winner(network.readout, result.step_values).astype(np.int64)
    labels[0, 1] = (labels[0, 1] + 1) % 3
    labels[6, 0] = (labels[6, 0] + 1) % 3
    labels[2, 2:4] = -1
    return labels


def call_steps(folder: Path, network: Network, labels: np.ndarray, **more: object) -> CampaignReport:
    folder.mkdir(exist_ok=True)
    save(network, folder / "steps.hyn")

    def judged(answer: Answer) -> np.ndarray:
        return winner(network.readout, answer.steps)

    more = {"data": "steps", "port": "golden:", "folder": folder / "out", "judged": judged, **more}
    return run_campaign(folder / "steps.hyn", STEP_INPUTS, labels, **more)  # type: ignore[arg-type]


def test_labels_of_steps_are_judged(tmp_path: Path) -> None:
    network = step_network()
    labels = step_labels(network)
    known = 8 * STEPS - 2
    assert call_steps(tmp_path, network, labels).accuracy == (known - 2) / known
    head, *rows = (tmp_path / "out/results.csv").read_text().splitlines()
    assert head == "index,prediction,right,labels,value0,value1,value2,check"
    assert [tuple(map(int, row.split(",")[2:4])) for row in rows[:3]] == [(4, 5), (5, 5), (3, 3)]
    whole = lines(tmp_path / "out")
    for damaged in (whole[:5], [*whole[:2], "x" + whole[2], *whole[3:]]):
        (tmp_path / "out/results.csv").write_text("".join(damaged))
        assert call_steps(tmp_path, network, labels, resume=True).accuracy == (known - 2) / known
        assert lines(tmp_path / "out") == whole
    labels[0, 1] = -1
    with pytest.raises(HysteronError, match=r"of another run \(other labels\)"):
        call_steps(tmp_path, network, labels, resume=True)


def test_labels_of_steps_that_nothing_answers_are_refused(tmp_path: Path) -> None:
    network = step_network()
    labels = step_labels(network)
    for made, given, told in (
        (step_network(every_step=False), labels, "labels of steps need a network that answers at each.*readout_every"),
        (network, labels[:, 1:], "labels of 4 steps do not suit 5 answers to sample 0"),
    ):
        with pytest.raises(HysteronError, match=told):
            call_steps(tmp_path, made, given)
        assert not (tmp_path / "out").exists()


def test_the_report_has_the_core(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole, of a machine that tells it."""
    assert call(tmp_path).core is None
    monkeypatch.setattr(GoldenAccelerator, "core", PRESETS["digits"], raising=False)
    report = call(tmp_path).as_dict()
    assert report["core"] == asdict(PRESETS["digits"])
