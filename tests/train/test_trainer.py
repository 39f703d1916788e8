# SPDX-License-Identifier: Apache-2.0
"""The training loop: it learns, it is the same every time, and what interrupts it does not show."""

from __future__ import annotations

import hashlib
import io
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hysteron_base.errors import HysteronError
from hysteron_data.sets import DataSet, load_data_set
from hysteron_golden import run
from hysteron_train.recipe import Recipe
from hysteron_train.recipes import recipe_named
from support.train import NEEDS_DIGITS, NEEDS_TORCH, TOY, spikes, toy_images, toy_spikes, toy_targets

torch = pytest.importorskip("torch", reason=NEEDS_TORCH)

from hysteron_train.model import predict, score  # noqa: E402 (it needs torch)
from hysteron_train.trainer import Trained, hold_back, outputs, train  # noqa: E402

#: The toy without what makes a single update hard to foretell.
PLAIN = replace(TOY, dropout=0.0, noise=0.0, annealing=0.0, activity=0.0, restarts=0, recurrent=(0.0,), smoothing=0.0)
#: The data of each task, and what a recipe says of it.
TASKS: dict[str, tuple[DataSet, dict[str, Any]]] = {
    "classify": (toy_images(), {}),
    "classify-steps": (toy_spikes(), {"task": "classify-steps", "coding": "spikes", "noise": 0.0}),
    "regress": (toy_targets(), {"task": "regress", "coding": "spikes", "noise": 0.0, "truncate": 3}),
}


class StopTrainingError(Exception):
    pass


def state(trained: Trained) -> dict[str, Any]:
    return {name: values.numpy() for name, values in trained.model.state_dict().items()}


def same(one: Trained, other: Trained) -> bool:
    """Every parameter and, but for the seconds, every figure of every epoch."""
    mine, theirs = state(one), state(other)
    figures = [[each | {"seconds": 0} for each in trained.history] for trained in (one, other)]
    return all(np.array_equal(mine[name], theirs[name]) for name in mine | theirs) and figures[0] == figures[1]


# -- learning --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("exact", [True, False])
def test_digits_are_learnt(exact: bool) -> None:
    """In a few epochs, far beyond the 10 % of guessing; the exact network's figures are golden's."""
    pytest.importorskip("sklearn", reason=NEEDS_DIGITS)
    recipe = recipe_named("digits").override({"epochs": "6", "hidden": "32"})
    tests = load_data_set("digits", "test")
    trained = train(recipe, load_data_set("digits", "train"), exact=exact, held_back=tests)
    assert not trained.model.training
    accuracy = trained.history[-1]["held_back"]
    assert accuracy > 0.75 and trained.history[-1]["loss"] < trained.history[0]["loss"] / 2
    assert accuracy == score(recipe, predict(trained.model, tests), tests)
    if exact:
        network = trained.model.export()
        trained.model.check_equal(network, tests.inputs)
        assert accuracy == np.mean(run(network, tests.inputs).predictions == tests.labels)


@pytest.mark.parametrize(("task", "good"), [("classify", 0.85), ("classify-steps", 0.7), ("regress", 0.35)])
def test_every_task_is_learnt(task: str, good: float) -> None:
    """The worst of several seeds is well beyond these bounds."""
    data, changes = TASKS[task]
    recipe = replace(PLAIN, **changes, hidden=(24,), recurrent=(0.5,), epochs=20, rate=0.5, temperature=32.0)
    trained = train(replace(recipe, truncate=0, output_leak=0.5), data)
    first, last = trained.history[0], trained.history[-1]
    assert len(trained.history) == 20 and last["loss"] < 0.75 * first["loss"]
    assert last["score"] < good < first["score"] if task == "regress" else last["score"] > good > first["score"]
    trained.model.check_equal(trained.model.export(), data.inputs)


def test_figures_of_an_epoch() -> None:
    """Without updates worth the name they are those of the untrained network, averaged over batches of any size."""
    recipe = replace(PLAIN, rate=1e-9, epochs=1, batch=16, temperature=4.0)
    data = toy_images(40)
    trained = train(recipe, data, held_back=data.take(slice(10)))
    (figures,) = trained.history
    assert set(figures) == {"loss", "score", "activity", "rate", "seconds", "held_back"}
    potentials = predict(trained.model, data)
    logits = potentials[:, -1].astype(float) / 4
    assert data.labels is not None
    share = np.log(np.exp(logits).sum(1)) - logits[np.arange(40), data.labels]
    assert figures["loss"] == pytest.approx(share.mean(), rel=1e-4)
    assert figures["score"] == pytest.approx(score(recipe, potentials, data))
    result = run(trained.model.export(), data.inputs, trace=True)
    assert result.spikes is not None and result.spikes[0].any()
    assert figures["activity"] == pytest.approx(result.spikes[0].mean())
    assert figures["held_back"] == score(recipe, potentials[:10], data.take(slice(10)))


def test_steps_without_label_teach_nothing() -> None:
    """Neither the loss nor a parameter depends on what else is in the data where there is no label."""
    data, changes = TASKS["classify-steps"]
    assert data.labels is not None
    recipe = replace(PLAIN, **changes, epochs=2, batch=100)
    labels, inputs = data.labels.copy(), data.inputs.copy()
    labels[5:], inputs[5:] = -1, 0
    one = train(recipe, replace(data, labels=labels))
    other = train(recipe, replace(data, labels=labels, inputs=inputs))
    for mine, theirs in zip(one.history, other.history, strict=True):
        assert mine["loss"] == pytest.approx(theirs["loss"], rel=1e-4) and mine["score"] == theirs["score"]
    for name, values in state(one).items():
        assert np.allclose(values, state(other)[name], atol=1e-4), name


# -- the same every time ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("task", TASKS)
def test_the_seed_decides(task: str) -> None:
    data, changes = TASKS[task]
    recipe = replace(TOY, **changes, epochs=2)
    first = train(recipe, data)
    torch.rand(5)  # what others draw makes no difference
    assert same(first, train(recipe, data))
    assert not same(first, train(replace(recipe, seed=2), data))


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("exact", [True, False])
def test_an_interrupted_run_ends_with_the_same_network(task: str, exact: bool, tmp_path: Path) -> None:
    data, changes = TASKS[task]
    recipe = replace(TOY, **changes)
    held_back = data.take(slice(7))
    whole = train(recipe, data, exact=exact, held_back=held_back)
    seen: list[int] = []

    def watch(epoch: int, figures: dict[str, float]) -> None:
        assert figures["rate"] > 0
        seen.append(epoch)
        if seen in ([0], [0, 1, 2]):
            raise StopTrainingError

    path = tmp_path / "a" / "checkpoint.pt"
    for _ in range(2):
        with pytest.raises(StopTrainingError):
            train(recipe, data, exact=exact, held_back=held_back, checkpoint=path, watch=watch)
        torch.rand(5)
    parts = train(recipe, data, exact=exact, held_back=held_back, checkpoint=path, watch=watch)
    assert seen == [0, 1, 2, 3] and same(whole, parts)
    # A finished run has nothing left to do.
    assert same(whole, train(recipe, data, exact=exact, held_back=held_back, checkpoint=path, watch=watch))
    assert seen == [0, 1, 2, 3] and [file.name for file in path.parent.iterdir()] == ["checkpoint.pt"]


# -- checkpoints that do not suit ------------------------------------------------------------------------------


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """Of a finished run of one epoch."""
    path = tmp_path / "checkpoint.pt"
    train(replace(PLAIN, epochs=1), toy_images(), checkpoint=path)
    return path


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"epochs": 3}, "epochs = 1, not 3"),
        ({"seed": 5}, "seed = 1, not 5"),
        ({"hidden": (13,)}, r"hidden = \[12\], not \[13\]"),
        ({"learn_leak": False}, "learn_leak = True, not False"),
    ],
)
def test_a_checkpoint_of_another_recipe(checkpoint: Path, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(HysteronError, match=rf"'.*checkpoint.pt' is of a run with {says}; begin anew"):
        train(replace(PLAIN, **({"epochs": 1} | changes)), toy_images(), checkpoint=checkpoint)


def test_a_checkpoint_of_the_other_arithmetic(checkpoint: Path, tmp_path: Path) -> None:
    recipe = replace(PLAIN, epochs=1)
    with pytest.raises(HysteronError, match=r"'.*checkpoint.pt' is of a run of the exact network; begin anew"):
        train(recipe, toy_images(), exact=False, checkpoint=checkpoint)
    train(recipe, toy_images(), exact=False, checkpoint=tmp_path / "float.pt")
    with pytest.raises(HysteronError, match=r"'.*float.pt' is of a run of the float network; begin anew"):
        train(recipe, toy_images(), checkpoint=tmp_path / "float.pt")


def entries(**changes: Any) -> bytes:
    """A whole checkpoint with these entries."""
    buffer = io.BytesIO()
    torch.save(changes, buffer)
    return hashlib.sha256(buffer.getvalue()).digest() + buffer.getvalue()


@pytest.mark.parametrize("content", [b"", b"PK", b"no checkpoint at all\n" * 9, entries(), entries(meta="{")])
def test_a_damaged_checkpoint(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "checkpoint.pt"
    path.write_bytes(content)
    with pytest.raises(
        HysteronError,
        match=r"checkpoint '.*checkpoint.pt' (is damaged|cannot be read).*; begin anew",
    ):
        train(replace(PLAIN, epochs=1), toy_images(), checkpoint=path)
    assert path.read_bytes() == content


def test_too_little_memory_is_no_damage(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(torch, "load", fail)
    with pytest.raises(MemoryError):
        train(replace(PLAIN, epochs=1), toy_images(), checkpoint=checkpoint)


@pytest.mark.parametrize("damage", ["half", "a bit", "no entries", "no optimiser", "other shape", "other fields"])
def test_a_checkpoint_damaged_in_its_middle(checkpoint: Path, damage: str) -> None:
    content = checkpoint.read_bytes()
    if damage == "half":
        content = content[: len(content) // 2]
    elif damage == "a bit":
        content = content[:5000] + bytes([content[5000] ^ 4]) + content[5001:]
    else:
        held = torch.load(io.BytesIO(content[32:]))
        meta = json.loads(held["meta"])
        if damage == "no entries":
            held["meta"] = "{}"
        elif damage == "no optimiser":
            del held["optimiser"]
        elif damage == "other shape":
            held["model"]["layers.0.bias"] = torch.zeros(3)
        else:
            held["meta"] = json.dumps(meta | {"recipe": meta["recipe"] | {"of_another_version": 1}})
        content = entries(**held)
    checkpoint.write_bytes(content)
    with pytest.raises(HysteronError, match=r"checkpoint '.*checkpoint.pt' .*begin anew with --restart, or delete it"):
        train(replace(PLAIN, epochs=1), toy_images(), checkpoint=checkpoint)


# -- data that do not suit ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "changes"),
    [
        (toy_images(), {"task": "regress"}),
        (toy_images(), {"task": "classify-steps"}),
        (toy_images(), {"shift": 1.0}),
        (toy_images(), {"coding": "spikes", "noise": 0.0}),
        (toy_targets(), {"coding": "spikes", "noise": 0.0}),
    ],
)
def test_data_that_do_not_suit_the_recipe(data: DataSet, changes: dict[str, Any]) -> None:
    with pytest.raises(HysteronError):
        train(replace(PLAIN, epochs=1, **changes), data)


# -- divergence ------------------------------------------------------------------------------------------------


def test_divergence_is_reported() -> None:
    recipe = replace(PLAIN, output_spread=1e38)
    with pytest.raises(HysteronError, match=r"training diverged in epoch 1: its loss is (nan|inf); lower rate"):
        train(recipe, toy_images(), exact=False)


# -- what the recipe switches ----------------------------------------------------------------------------------


def rates(**changes: Any) -> list[float]:
    """Of each epoch's last update; an epoch has 3."""
    recipe = replace(PLAIN, rate=0.2, batch=16, **changes)
    return [each["rate"] for each in train(recipe, toy_images(40)).history]


def cosine(update: int, period: int) -> float:
    return 0.1 * (1 + math.cos(math.pi * (update % period) / period))


def test_a_constant_rate() -> None:
    assert rates(schedule="constant", epochs=4) == [0.2] * 4


@pytest.mark.parametrize(("epochs", "restarts", "period"), [(4, 0, 12), (4, 1, 6), (5, 1, 8), (4, 3, 3), (2, 50, 1)])
def test_a_cosine_that_starts_again(epochs: int, restarts: int, period: int) -> None:
    expected = [cosine(3 * epoch + 2, period) for epoch in range(epochs)]
    assert rates(schedule="cosine", restarts=restarts, epochs=epochs) == pytest.approx(expected)


def test_leaks_learn_in_smaller_steps() -> None:
    """Adam's first update moves every parameter by its rate, whatever the gradient."""
    recipe = replace(PLAIN, epochs=1, batch=100, rate=0.2, schedule="constant")
    before = state(train(replace(recipe, rate=1e-9), toy_images()))
    after = state(train(recipe, toy_images()))
    moved = {name: float(np.abs(after[name] - before[name]).max()) for name in after}
    assert moved["layers.0.weights"] == pytest.approx(0.2, rel=1e-2)
    assert moved["layers.1.bias"] == pytest.approx(0.2, rel=1e-2)
    assert moved["layers.0.leak"] == pytest.approx(0.01, rel=1e-2)
    assert moved["layers.1.leak"] == 0
    fixed = state(train(replace(recipe, learn_leak=False), toy_images()))
    assert set(fixed["layers.0.leak"]) == {0.5}


def test_activity_regularisation_lowers_activity() -> None:
    recipe = replace(PLAIN, epochs=8, rate=0.2)
    free, quiet = (train(replace(recipe, activity=a), toy_images()).history[-1]["activity"] for a in (0.0, 20.0))
    assert free > 0.05 and quiet < free / 2


@pytest.mark.parametrize("clipping", [True, False])
def test_clipping_keeps_weights_in_range(clipping: bool) -> None:
    trained = train(replace(PLAIN, rate=4.0, clipping=clipping, recurrent=(1.0,)), toy_images())
    for name, values in state(trained).items():
        if name.endswith(("weights", "recurrent")):
            assert (values.min() >= -8 and values.max() <= 7) == clipping, name


def test_annealing_begins_with_low_thresholds_and_ends_with_the_true_ones() -> None:
    recipe = replace(PLAIN, rate=1e-9, epochs=4, annealing=0.5, anneal_from=0.1)
    data = toy_images()
    trained = train(recipe, data, held_back=data)
    activity = [each["activity"] for each in trained.history]
    assert activity[0] > 1.2 * activity[1] and activity[1] > 1.2 * activity[2]
    assert activity[2] == pytest.approx(activity[3])
    # What is held back is judged by the true thresholds from the start.
    assert len({each["held_back"] for each in trained.history}) == 1
    assert [layer.theta_scale for layer in trained.model.layers] == [1.0, 1.0]


@pytest.mark.parametrize("coding", ["level", "spikes"])
def test_every_epoch_has_samples_of_its_own(coding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Augmented from the samples themselves, not from those of the epoch before."""
    from hysteron_train import trainer

    given: list[Any] = []

    def spy(recipe: Recipe, inputs: Any, rng: Any) -> Any:
        given.append(inputs)
        return np.zeros_like(inputs)

    monkeypatch.setattr(trainer, "augment", spy)
    data = toy_images() if coding == "level" else replace(toy_images(), inputs=spikes(3, 40, 4, 16))
    trained = train(replace(PLAIN, coding=coding, epochs=3), data)
    assert [inputs is data.inputs for inputs in given] == [True] * 3
    # Zeros came out, so nothing fired.
    assert [each["activity"] for each in trained.history] == [0.0] * 3


def test_what_is_held_back_is_not_trained_on() -> None:
    data = toy_images()
    with_it = train(TOY, data, held_back=toy_images(10, seed=9))
    without = train(TOY, data)
    assert all(np.array_equal(a, b) for a, b in zip(state(with_it).values(), state(without).values(), strict=True))


# -- parts of data ---------------------------------------------------------------------------------------------


def test_hold_back_splits_without_overlap() -> None:
    data = DataSet("toy", np.arange(100)[:, None], np.arange(100) * 2, np.arange(100)[:, None, None] * np.float32(3))
    rest, held = hold_back(data, 0.3, 5)
    assert (len(rest.inputs), len(held.inputs)) == (70, 30)
    assert sorted([*rest.inputs[:, 0], *held.inputs[:, 0]]) == list(range(100))
    for part in (rest, held):
        assert part.labels is not None and part.targets is not None and part.name == "toy"
        assert np.array_equal(part.labels, 2 * part.inputs[:, 0])
        assert np.array_equal(part.targets[:, 0, 0], 3 * part.inputs[:, 0])
    assert not np.array_equal(np.sort(held.inputs[:, 0]), np.arange(30))


def test_hold_back_is_seeded() -> None:
    data = toy_images(100)
    one, again, other = (hold_back(data, 0.3, seed)[1].inputs for seed in (5, 5, 6))
    assert np.array_equal(one, again) and not np.array_equal(one, other)


def test_take_of_data_without_labels() -> None:
    part = DataSet("toy", np.arange(10)[:, None], None).take(slice(2, 4))
    assert part.inputs.ravel().tolist() == [2, 3] and part.labels is None and part.targets is None


def test_outputs() -> None:
    assert outputs(toy_images(40)) == 3
    assert outputs(toy_spikes()) == 2
    assert outputs(toy_targets()) == 2
    with pytest.raises(HysteronError, match="data set 'toy' has neither labels nor targets; training needs them"):
        outputs(DataSet("toy", np.zeros((3, 4)), None))
