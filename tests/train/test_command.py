# SPDX-License-Identifier: Apache-2.0
"""``hysteron train``: what it writes, prints and refuses."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from hysteron_data.sets import load_data_set
from hysteron_golden import run
from hysteron_spec import PRESETS, load
from hysteron_train.recipes import RECIPES
from support.train import NEEDS_DIGITS, NEEDS_TORCH, Run

torch = pytest.importorskip("torch", reason=NEEDS_TORCH)

#: A run of a second.
#: Learns something within an epoch.
SHORT = ("digits", "--epochs", 1, "--set", "hidden=16", "--set", "theta_high=16", "--set", "spread=1.5")


def refused(result: tuple[int, str, str], build: Path) -> str:
    """The one line of a refusal after which nothing was written."""
    status, output, errors = result
    assert status == 2 and output == "" and not build.exists()
    (line,) = errors.splitlines()
    assert line.startswith("error: ")
    return line.removeprefix("error: ")


@pytest.mark.parametrize("twin", [False, True])
def test_train_writes_the_network_and_its_record(hysteron: Run, build: Path, tmp_path: Path, twin: bool) -> None:
    pytest.importorskip("sklearn", reason=NEEDS_DIGITS)
    status, output, errors = hysteron("train", *SHORT, *["--twin"] * twin, "--out", "net/a.hyn")
    assert (status, errors) == (0, "training digits, seed 1\n")
    network = load(tmp_path / "net/a.hyn")
    assert network.shape == "64-16-10" and network.name == "digits"
    record = json.loads((tmp_path / "net/a.json").read_text())
    (folder,) = (build / "train/digits").iterdir()
    whole = json.loads((folder / "record.json").read_text())
    assert record == whole and record["recipe"]["hidden"] == [16]
    command = "hysteron train digits --set hidden=16 --set theta_high=16 --set spread=1.5 --epochs 1" + " --twin" * twin
    assert record["command"] == network.notes["command"] == command
    tests = load_data_set("digits", "test")
    accuracy = np.mean(run(network, tests.inputs).predictions == tests.labels)
    assert record["accuracy_integer"] == accuracy > 0.2
    assert re.search(rf"accuracy in the hardware's integers +│ +{100 * accuracy:.2f} +│ %", output)
    assert "450 test samples" in output and "net/a.hyn" in output and str(folder / "record.json") in output
    if twin:
        assert 0.2 < record["accuracy_float"] <= 1
        assert re.search(rf"accuracy of the float twin +│ +{100 * record['accuracy_float']:.2f} +│ %", output)
    else:
        assert record["accuracy_float"] is None and "twin" not in output


def test_what_was_typed_makes_the_same_network_again(hysteron: Run, build: Path, tmp_path: Path) -> None:
    pytest.importorskip("sklearn", reason=NEEDS_DIGITS)
    words = ["digits", "--set", "hidden=8", "--set", "settings=leak_bits=5,lanes=16", "--set", "epochs=1", "--seed", 7]
    hysteron("train", *words, "--held-back", 0.25, "--out", "a.hyn")
    record = json.loads((tmp_path / "a.json").read_text())
    assert record["judged_by"] == "336 held-back samples" and record["train_samples"] == 1347 - 336
    assert record["settings"] == {"leak_bits": "5", "lanes": "16"} and record["seed"] == 7
    assert record["command"].endswith("--seed 7 --held-back 0.25")
    status, _, _ = hysteron(*shlex.split(record["command"])[1:], "--restart", "--out", "b.hyn")
    assert status == 0 and (tmp_path / "a.hyn").read_bytes() == (tmp_path / "b.hyn").read_bytes()


def test_another_seed_is_another_run(hysteron: Run, build: Path) -> None:
    pytest.importorskip("sklearn", reason=NEEDS_DIGITS)
    places = []
    for words in (SHORT, (*SHORT, "--seed", 2), (*SHORT, "--held-back", 0.25), SHORT):
        status, output, errors = hysteron("train", *words)
        assert status == 0, errors
        places.append(Path(re.findall(r"record: (\S+)", output)[-1]))
        assert json.loads(places[-1].read_text())["seed"] == (2 if "--seed" in words else 1)
    assert len(set(places)) == 3 and places[0] == places[3]
    assert {path.parent.parent for path in places} == {build / "train/digits"}


def test_without_a_name_the_recipes_are_listed(hysteron: Run, build: Path) -> None:
    status, output, errors = hysteron("train")
    assert (status, errors) == (0, "") and not build.exists()
    rows = {line.split()[1]: line for line in output.splitlines() if line.startswith("│")}
    assert set(rows) == set(RECIPES)
    cells = [cell.strip() for cell in rows["mnist-fast"].strip("│").split("│")]
    assert cells == ["mnist-fast", "mnist-14", "mnist", "256", "plain", "level, 3 steps", "100"]
    assert "256-64" in rows["timescales"] and "│ spikes" in rows["timescales"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["mnits"], "recipe must be one of digits, mnist, "),
        (["digits", "--set", "hiden=3"], "a recipe has no parameter 'hiden'; it has name, "),
        (["digits", "--set", "epochs"], "--set takes NAME=VALUE, not 'epochs'"),
        (["digits", "--set", "epochs=many"], "epochs must be an integer, not 'many'"),
        (["digits", "--set", "mode=bistable"], "mode must be one of plain, latch, window, not 'bistable'"),
        (["digits", "--set", "dropout=1"], "dropout must be from 0 to 0.99, not 1.0"),
        (["digits", "--set", "theta_high=1,2"], "theta_high must have 1 or 1 values"),
        (["digits", "--set", "steps=5"], "level coding over 5 steps takes 5 thresholds, not 4"),
        (["digits", "--set", "preset=big"], f"preset must be one of {', '.join(PRESETS)}, not 'big'"),
        (["digits", "--set", "dataset=mnits"], "data must be one of digits, "),
        (["digits", "--epochs", "0"], "Invalid value for '--epochs': 0 is not in the range x>=1."),
        (["digits", "--seed", "-1"], "Invalid value for '--seed': -1 is not in the range x>=0."),
        (["digits", "--held-back", "0.95"], "Invalid value for '--held-back': 0.95 is not in the range 0<=x<=0.9."),
    ],
)
def test_refused(hysteron: Run, build: Path, words: list[str], says: str) -> None:
    pytest.importorskip("sklearn", reason=NEEDS_DIGITS)
    assert refused(hysteron("train", *words), build).startswith(says)


def own(path: Path, *parts: str) -> str:
    """A file of 60 samples a part, of whole numbers of 64 bits."""
    rng = np.random.default_rng(0)
    arrays = {}
    for part in parts:
        arrays |= {f"{part}inputs": rng.integers(0, 256, (60, 4)), f"{part}labels": np.arange(60) % 3}
    np.savez(path / "mine.npz", **arrays)
    return f"dataset={path / 'mine.npz'}"


def test_own_samples_are_never_judged_by_themselves(hysteron: Run, build: Path, tmp_path: Path) -> None:
    words = ("train", "yin-yang", "--epochs", 1, "--set", own(tmp_path, ""), "--set", "hidden=8")
    assert "not divided into samples to train with and samples to judge by" in refused(hysteron(*words), build)
    status, output, _ = hysteron(*words, "--held-back", 0.25)
    assert status == 0 and "15 held-back samples" in output
    assert "to train with: 45 samples of 4 pixels, 0 to 255 of 255; labels 0 to 2" in output
    assert "to judge by: 15 samples of 4 pixels" in output


def test_own_samples_in_two_parts(hysteron: Run, tmp_path: Path) -> None:
    words = ("train", "yin-yang", "--epochs", 1, "--set", own(tmp_path, "train_", "test_"), "--set", "hidden=8")
    status, output, errors = hysteron(*words)
    assert status == 0, errors
    assert "60 test samples" in output
