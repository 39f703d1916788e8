# SPDX-License-Identifier: Apache-2.0
"""A benchmark from its recipe: the network, its record, and what both say of each other."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hysteron_base.errors import HysteronError
from hysteron_base.progress import Progress
from hysteron_data.sets import DataSet
from hysteron_golden import run
from hysteron_measure.record import load_record, read_record
from hysteron_spec import load
from hysteron_train.recipe import Recipe
from support.train import NEEDS_DIGITS, NEEDS_TORCH, TOY, toy_images, toy_spikes, toy_targets

torch = pytest.importorskip("torch", reason=NEEDS_TORCH)

from hysteron_train import benchmark  # noqa: E402 (it needs torch)
from hysteron_train.benchmark import folder, make, store, train_recipe  # noqa: E402
from hysteron_train.model import predict, score  # noqa: E402
from hysteron_train.trainer import hold_back, train  # noqa: E402

QUICK = replace(TOY, epochs=2)
#: Training and test part of each task's data, and what a recipe says of it.
TASKS: dict[str, tuple[DataSet, DataSet, dict[str, Any]]] = {
    "classify": (toy_images(40), toy_images(30, seed=8), {}),
    "classify-steps": (toy_spikes(20), toy_spikes(12, steps=5), {"coding": "spikes", "noise": 0.0}),
    "regress": (toy_targets(20), toy_targets(12, steps=5), {"coding": "spikes", "noise": 0.0, "temperature": 64.0}),
}


@pytest.fixture
def of_task(monkeypatch: pytest.MonkeyPatch, build: Path) -> Callable[..., tuple[Recipe, DataSet, DataSet]]:
    """Makes the data set ``toy`` that of a task; returns a recipe for it, and its two parts."""

    def choose(task: str, **changes: Any) -> tuple[Recipe, DataSet, DataSet]:
        train_part, test_part, settings = TASKS[task]
        parts = {("toy", "train"): train_part, ("toy", "test"): test_part}
        monkeypatch.setattr(benchmark, "load_data_set", lambda source, part, **_: parts[source, part])
        return replace(QUICK, task=task, **(settings | changes)), train_part, test_part

    return choose


def test_a_checkout_that_is_not_installed_has_no_version(of_task: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which is no reason to lose a network after hours of training."""
    version = importlib.metadata.version

    def without(name: str) -> str:
        if name == "hyn":
            raise importlib.metadata.PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(importlib.metadata, "version", without)
    _, record = make(of_task("classify")[0], twin=False)
    assert record.versions is not None and record.versions["hysteron"] == "not installed"
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "1.2" if name == "hyn" else version(name))
    _, record = make(of_task("classify")[0], twin=False)
    assert record.versions is not None and record.versions["hysteron"] == "1.2"


def test_a_recipe_by_name_and_values(monkeypatch: pytest.MonkeyPatch, build: Path) -> None:
    pytest.importorskip("sklearn", reason=NEEDS_DIGITS)
    network, record = train_recipe("digits", {"epochs": 1, "hidden": (8,), "clipping": False})
    assert network.shape == "64-8-10" and record.recipe["clipping"] is False
    assert record.command == "hysteron train digits --set epochs=1 --set hidden=8 --set clipping=false"
    with pytest.raises(HysteronError, match="a recipe has no parameter 'hiden'"):
        train_recipe("digits", {"hiden": 3})


@pytest.mark.parametrize("task", TASKS)
def test_the_record_of_a_run(of_task: Any, build: Path, task: str) -> None:
    recipe, _, tests = of_task(task)
    network, record = make(recipe, twin=False, command="what was typed")
    result = run(network, tests.inputs)
    if task == "classify":
        expected = {"accuracy_integer": np.mean(result.predictions == tests.labels), "accuracy_float": None}
    else:
        assert result.step_values is not None
        expected = {f"{'error' if task == 'regress' else 'accuracy'}_integer": score(recipe, result.step_values, tests)}
        expected |= {f"{'error' if task == 'regress' else 'accuracy'}_float": None}
    values = record.as_dict()
    assert {key: value for key, value in values.items() if key.startswith(("accuracy", "error"))} == expected
    assert record.judged_by == f"{len(tests.inputs)} test samples"
    assert record.events_per_image == [round(float(n), 2) for n in result.events.mean(0)]
    assert len(record.events_per_image) == 3 and record.events_per_image[1] > 0
    assert (record.name, record.dataset, record.preset, record.task) == ("toy", "toy", "digits", task)
    assert (record.settings, record.shape, record.weight_bits) == ({}, network.shape, 4)
    assert (record.seed, record.command) == (1, "what was typed")
    assert record.train_samples == len(TASKS[task][0].inputs)
    assert set(record.versions) == {"hysteron", "torch", "numpy"} and record.versions["numpy"] == np.__version__
    assert record.recipe == recipe.as_dict()
    assert record.readout_scale == (1 / 64 if task == "regress" else None)
    assert set(record.epochs) == {"exact"} and len(record.epochs["exact"]) == 2
    assert read_record(folder(recipe) / "record.json") == record


def test_the_network_is_that_of_the_training(of_task: Any) -> None:
    recipe, data, _ = of_task("classify")
    network, record = make(recipe, twin=False)
    trained = train(recipe, data)
    for mine, theirs in zip(network.layers, trained.model.export().layers, strict=True):
        assert np.array_equal(mine.weights, theirs.weights) and np.array_equal(mine.biases, theirs.biases)
    for mine, theirs in zip(record.epochs["exact"], trained.history, strict=True):
        assert mine["loss"] == pytest.approx(theirs["loss"], rel=1e-3)


@pytest.mark.parametrize("task", ["classify", "regress"])
def test_a_twin_is_judged_too(of_task: Any, build: Path, task: str) -> None:
    recipe, data, tests = of_task(task)
    epochs: list[int] = []
    _, record = make(recipe, twin=True, watch=lambda epoch, _: epochs.append(epoch))
    assert epochs == [0, 1, 0, 1] and set(record.epochs) == {"exact", "float"}
    twin = train(recipe, data, exact=False).model
    what = "error" if task == "regress" else "accuracy"
    assert getattr(record, f"{what}_float") == score(recipe, predict(twin, tests), tests)
    assert sorted(file.name for file in folder(recipe).iterdir()) == ["exact.pt", "float.pt", "record.json"]


def test_held_back_samples_are_the_judges(of_task: Any, build: Path) -> None:
    recipe, data, _ = of_task("classify")
    network, record = make(recipe, twin=False, held_back=0.25)
    rest, held = hold_back(data, 0.25, recipe.seed)
    assert record.judged_by == "10 held-back samples" and record.train_samples == len(rest.inputs) == 30
    assert record.accuracy_integer == np.mean(run(network, held.inputs).predictions == held.labels)
    assert np.array_equal(network.layers[0].weights, train(recipe, rest).model.export().layers[0].weights)


def test_other_samples_begin_anew(of_task: Any) -> None:
    """Else a network would be judged by samples that it was trained on."""
    recipe, data, _ = of_task("classify")
    make(recipe, twin=False)
    rest, _ = hold_back(data, 0.25, recipe.seed)
    network, _ = make(recipe, twin=False, held_back=0.25)
    assert np.array_equal(network.layers[0].weights, train(recipe, rest).model.export().layers[0].weights)


def test_a_checkpoint_of_other_data_is_not_gone_on_with(of_task: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same recipe, but the data have changed since."""
    recipe, data, tests = of_task("classify")
    make(recipe, twin=False)
    parts = {"train": replace(data, inputs=data.inputs ^ 1), "test": tests}
    monkeypatch.setattr(benchmark, "load_data_set", lambda _, part, **__: parts[part])
    with pytest.raises(HysteronError, match=r"on other samples .* begin anew with --restart"):
        make(recipe, twin=False)


def test_a_network_the_core_cannot_hold_is_refused_before_training(of_task: Any, build: Path) -> None:
    recipe, _, _ = of_task("classify")
    epochs: list[int] = []
    with pytest.raises(HysteronError, match="neurons"):
        make(replace(recipe, hidden=(500,)), twin=False, watch=lambda epoch, _: epochs.append(epoch))
    assert epochs == [] and not build.exists()


def test_runs_with_other_settings_do_not_meet(of_task: Any, build: Path) -> None:
    """Each has its own folder below the recipe's name, goes on from there, and leaves the others' alone."""
    recipe, _, _ = of_task("classify")
    runs = [(recipe, 0.0), (replace(recipe, seed=2), 0.0), (replace(recipe, batch=10), 0.0), (recipe, 0.25)]
    epochs: list[int] = []
    records = [make(each, twin=False, held_back=part, watch=lambda k, _: epochs.append(k))[1] for each, part in runs]
    assert epochs == [0, 1] * 4
    folders = [folder(each, part) for each, part in runs]
    assert len(set(folders)) == 4 and {path.parent for path in folders} == {build / "train/toy"}
    for (each, part), record, path in zip(runs, records, folders, strict=True):
        assert read_record(path / "record.json") == record
        assert make(each, twin=False, held_back=part, watch=lambda k, _: epochs.append(k))[1] == record
    assert epochs == [0, 1] * 4


def test_a_twin_goes_on_from_the_network_that_is_there(of_task: Any) -> None:
    recipe, _, _ = of_task("classify")
    make(recipe, twin=False)
    epochs: list[int] = []
    make(recipe, twin=True, watch=lambda epoch, _: epochs.append(epoch))
    assert epochs == [0, 1]


def test_restart_forgets_checkpoints(of_task: Any) -> None:
    recipe, _, _ = of_task("classify")
    make(recipe, twin=False)
    epochs: list[int] = []
    make(recipe, twin=False, watch=lambda epoch, _: epochs.append(epoch))
    assert epochs == []
    make(recipe, twin=False, restart=True, watch=lambda epoch, _: epochs.append(epoch))
    assert epochs == [0, 1]


def test_training_tells_how_far_it_is(of_task: Any, capfd: pytest.CaptureFixture[str]) -> None:
    told: list[Progress] = []
    make(of_task("classify")[0], twin=True, tell=told.append)
    assert {(message.what, message.total) for message in told} == {("training toy, seed 1", 4)}
    assert [message.done for message in told] == [0, 1, 2, 3, 4, 4] and told[-1].finished
    assert told[1].figures.startswith("accuracy 0.")
    assert capfd.readouterr() == ("", "")


def test_samples_that_are_coded_already(of_task: Any) -> None:
    """The record names the set that the network takes, and its accuracy is that on its spikes."""
    recipe, _, tests = of_task("classify", coded_as="toy-levels", settings=("encoder=false", "direct=false"))
    network, record = make(recipe, twin=False)
    assert network.encoder is None and record.dataset == "toy-levels"
    assert record.settings == {"encoder": "false", "direct": "false"}
    spikes = (tests.inputs[:, None] > np.array(recipe.levels)[:, None]).astype(np.uint8)
    assert record.accuracy_integer == np.mean(run(network, spikes).predictions == tests.labels)


def test_a_core_that_cannot_hold_the_network(of_task: Any, build: Path) -> None:
    recipe, _, _ = of_task("classify", settings=("max_neurons=8", "max_outputs=8"))
    with pytest.raises(HysteronError, match="neurons"):
        make(recipe, twin=False)
    assert not (folder(recipe) / "record.json").exists()


# -- storing ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("task", ["classify", "regress"])
def test_a_stored_network_and_its_record(of_task: Any, tmp_path: Path, task: str) -> None:
    recipe, _, tests = of_task(task, seed=3)
    network, record = make(recipe, twin=False, command="what was typed")
    store(network, record, tmp_path / "nets/a.hyn")
    stored = load(tmp_path / "nets/a.hyn")
    notes = {"data": "toy", "seed": "3", "command": "what was typed"}
    assert stored.notes == (notes | {"read-out scale": "0.015625"} if task == "regress" else notes)
    assert (stored.name, stored.shape, stored.readout) == ("toy", network.shape, network.readout)
    assert stored.readout_every_step == (task == "regress")
    assert np.array_equal(run(stored, tests.inputs).values, run(network, tests.inputs).values)
    assert load_record(tmp_path / "nets/a.hyn") == replace(record, epochs={"exact": record.epochs["exact"][-1:]})


def test_a_network_file_has_its_suffix(of_task: Any, tmp_path: Path) -> None:
    network, record = make(of_task("classify")[0], twin=False)
    with pytest.raises(HysteronError, match=r"a network file must end in .hyn, not '.*a.json'"):
        store(network, record, tmp_path / "a.json")
    assert not (tmp_path / "a.json").exists()
