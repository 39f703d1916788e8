# SPDX-License-Identifier: Apache-2.0
"""The trainable network: its input, the golden network it becomes, and how its answers are judged."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from hysteron_base.errors import HysteronError
from hysteron_data.sets import DataSet
from hysteron_golden import run
from hysteron_spec import Coding, Mode, Network, Readout, Reset
from hysteron_spec.encoder import encode
from hysteron_train.recipe import Recipe
from support.train import NEEDS_TORCH, TOY, spikes, toy_images, toy_spikes, toy_targets

torch = pytest.importorskip("torch", reason=NEEDS_TORCH)

from hysteron_train import model as module  # noqa: E402 (it needs torch)
from hysteron_train.model import SpikingNetwork, predict, score  # noqa: E402

CODINGS: dict[str, dict[str, Any]] = {
    "level": {},
    "latency": {"levels": (200, 120, 40), "steps": 3},
    "rate": {"steps": 5, "levels": ()},
    "direct": {"steps": 5, "levels": ()},
}


def network_of(recipe: Recipe, n_in: int = 16, n_out: int = 3, **rest: Any) -> SpikingNetwork:
    torch.manual_seed(1)
    return SpikingNetwork(recipe, n_in, n_out, **rest).eval()


# -- shape and input -------------------------------------------------------------------------------------------


def test_the_layers_are_those_of_the_recipe() -> None:
    recipe = replace(
        TOY, hidden=(20, 9), recurrent=(0.5, 0.0), leak=(0.25, 0.5), leak_to=(1.0, 0.5), theta_high=(30, 7),
        theta_low=(5, 2), mode="window", reset="none", output_leak=0.75, settings=("leak_bits=6",),
    )  # fmt: skip
    exported = network_of(recipe).export({"a": "b"})
    first, second, last = exported.layers
    assert exported.shape == "16-20-9-3" and exported.name == "toy" and exported.notes == {"a": "b"}
    assert exported.potential == recipe.core().potential and exported.encoder == recipe.encoder()
    assert exported.readout is Readout.POTENTIAL and not exported.readout_every_step
    assert [(layer.theta_high, layer.theta_low) for layer in (first, second)] == [(30, 5), (7, 2)]
    assert first.recurrent is not None and second.recurrent is last.recurrent is None
    assert first.leak_codes.tolist() == np.rint(np.linspace(16, 64, 20)).tolist()
    assert set(second.leak_codes) == {32} and set(last.leak_codes) == {48}
    assert {(layer.mode, layer.reset) for layer in (first, second)} == {(Mode.WINDOW, Reset.NONE)}
    assert (last.mode, last.reset, last.theta_high) == (Mode.PLAIN, Reset.NONE, exported.potential.high)
    assert all((layer.weight_bits, layer.leak_bits) == (4, 6) for layer in exported.layers)


@pytest.mark.parametrize("spread", ["spread", "output_spread"])
def test_initial_weights_have_the_spread_asked_for(spread: str) -> None:
    model = network_of(replace(TOY, hidden=(128,), recurrent=(0.0,), **{spread: 3.25}), 64, 40)
    hidden, last = model.layers
    assert (hidden if spread == "spread" else last).weights.std().item() == pytest.approx(3.25, rel=0.03)


@pytest.mark.parametrize("coding", ["level", "latency", "rate"])
def test_pixels_are_encoded_as_golden_does(coding: str) -> None:
    recipe = replace(TOY, coding=coding, **CODINGS[coding])
    encoder = recipe.encoder()
    assert encoder is not None
    pixels = toy_images(6).inputs
    # Images may come as rows and columns.
    given, steps = network_of(recipe).encoded(pixels.reshape(6, 2, 8))
    assert steps == encoder.steps and given.dtype == torch.float32
    assert np.array_equal(given.numpy(), encode(encoder, pixels))


def test_direct_pixels_are_currents() -> None:
    pixels = toy_images(6).inputs
    given, steps = network_of(replace(TOY, coding="direct", **CODINGS["direct"])).encoded(pixels)
    assert steps == 5 and given.shape == (6, 1, 16)
    assert np.array_equal(given[:, 0].numpy(), pixels)


def test_spikes_stay_spikes() -> None:
    inputs = spikes(1, 4, 7, 16)
    given, steps = network_of(replace(TOY, coding="spikes")).encoded(inputs)
    assert steps == 7 and np.array_equal(given.numpy(), inputs)


# -- the golden network ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("coding", [*CODINGS, "spikes"])
def test_the_exported_network_equals_the_trained_one(coding: str) -> None:
    recipe = replace(
        TOY,
        coding=coding,
        hidden=(12, 10),
        recurrent=(0.5, 0.5),
        leak=(0.5, 0.75),
        leak_to=(),
        theta_high=(900 if coding == "direct" else 8, 3),
        theta_low=(300 if coding == "direct" else 3, 1),
        **CODINGS.get(coding, {}),
    )
    inputs = spikes(1, 30, 7, 16) if coding == "spikes" else toy_images(30).inputs
    model = network_of(recipe)
    exported = model.export()
    model.check_equal(exported, inputs)
    result = run(replace(exported, readout_every_step=True), inputs, trace=True)
    assert result.step_values is not None and result.spikes is not None
    assert all(fired.any() for fired in result.spikes[:2])
    potentials = predict(model, DataSet("toy", inputs, None), batch=7)
    assert np.array_equal(potentials, result.step_values)


@pytest.mark.parametrize(
    ("layer", "what"),
    [(0, "weights"), (0, "bias"), (0, "leak"), (0, "theta_high"), (1, "weights"), (1, "bias"), (1, "leak")],
)
def test_check_equal_refuses_another_network(layer: int, what: str) -> None:
    model = network_of(TOY)
    inputs = toy_images(40).inputs
    exported = model.export()
    layers = list(exported.layers)
    changed = layers[layer]
    if what == "weights":
        weights = changed.weights.copy()
        weights[1, 2] = -8 if weights[1, 2] > 0 else 7
        layers[layer] = replace(changed, weights=weights)
    elif what == "bias":
        layers[layer] = replace(changed, bias=changed.biases + (np.arange(changed.n_out) == 1))
    elif what == "leak":
        layers[layer] = replace(changed, leak=changed.leak_codes - 1)
    else:
        layers[layer] = replace(changed, theta_high=changed.theta_high + 1)
    with pytest.raises(HysteronError, match="training and golden disagree, which is a bug of the trainer"):
        model.check_equal(replace(exported, layers=tuple(layers)), inputs)


def test_check_equal_refuses_a_difference_that_no_answer_shows() -> None:
    """A hidden neuron that nobody listens to."""
    model = network_of(TOY)
    with torch.no_grad():
        model.layers[1].weights[0] = 0
        model.layers[0].recurrent[0] = 0
    exported = model.export()
    first, last = exported.layers
    weights = first.weights.copy()
    weights[:, 0] = -weights[:, 0] - 1
    other = Network((replace(first, weights=weights), last), exported.potential, exported.encoder, exported.readout)
    inputs = toy_images(40).inputs
    assert np.array_equal(run(other, inputs).values, run(exported, inputs).values)
    with pytest.raises(HysteronError, match="training and golden disagree"):
        model.check_equal(other, inputs)


def test_check_equal_compares_every_potential() -> None:
    """As docs/training.md says; here by 1 in a neuron that never fires, nor does it in the other network."""
    model = network_of(replace(TOY, theta_high=(3000,)))
    exported = model.export()
    first, last = exported.layers
    other = replace(exported, layers=(replace(first, bias=first.biases + 1), last))
    with pytest.raises(HysteronError, match="training and golden disagree"):
        model.check_equal(other, toy_images(40).inputs)


def test_check_equal_leaves_training_aside() -> None:
    """It compares the network without dropout, with its thresholds at full height."""
    model = network_of(TOY).train()
    model.check_equal(model.export(), toy_images(40).inputs)
    model.anneal_(0.0)
    with pytest.raises(HysteronError, match="training and golden disagree"):
        model.check_equal(model.export(), toy_images(40).inputs)


def test_check_equal_takes_the_first_samples_only(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def spy(network: Network, inputs: Any, **rest: Any) -> Any:
        seen.append(len(inputs))
        return run(network, inputs, **rest)

    monkeypatch.setattr(module, "run", spy)
    model = network_of(TOY)
    model.check_equal(model.export(), toy_images(module.CHECKED + 3).inputs)
    assert seen == [module.CHECKED]


@pytest.mark.parametrize(("task", "every_step"), [("classify", False), ("classify-steps", True), ("regress", True)])
def test_tasks_of_steps_answer_at_every_step(task: str, every_step: bool) -> None:
    assert network_of(replace(TOY, task=task, coding="spikes")).export().readout_every_step == every_step


def test_a_network_for_samples_that_are_coded_already() -> None:
    model = network_of(replace(TOY, coded_as="toy-levels"))
    exported = model.export()
    assert exported.encoder is None
    pixels = toy_images(20).inputs
    coded = model.coded(pixels)
    encoder = TOY.encoder()
    assert encoder is not None and encoder.coding is Coding.LEVEL and coded.dtype == np.uint8
    assert np.array_equal(coded, encode(encoder, pixels))
    model.check_equal(exported, pixels)
    plain = network_of(TOY)
    assert plain.coded(pixels) is pixels
    assert np.array_equal(run(exported, coded).values, run(plain.export(), pixels).values)


# -- training and evaluation -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("annealing", "progress", "scale"),
    [(0.5, 0.0, 0.2), (0.5, 0.25, 0.6), (0.5, 0.5, 1.0), (0.5, 0.9, 1.0), (0.0, 0.0, 1.0), (1.0, 0.75, 0.8)],
)
def test_annealing_raises_the_hidden_thresholds(annealing: float, progress: float, scale: float) -> None:
    model = network_of(replace(TOY, hidden=(4, 4), recurrent=(0.0,) * 2, leak=(0.5,), leak_to=(), theta_high=(24,),
                               theta_low=(8,), annealing=annealing, anneal_from=0.2))  # fmt: skip
    model.anneal_(progress)
    assert [layer.theta_scale for layer in model.layers] == pytest.approx([scale, scale, 1.0])


def test_dropout_is_for_training_only() -> None:
    model = network_of(replace(TOY, dropout=0.5))
    inputs = toy_images(40).inputs
    first, second = (model(inputs)[0][-1] for _ in range(2))
    assert torch.equal(first, second)
    model.train()
    first, second = (model(inputs)[0][-1] for _ in range(2))
    assert not torch.equal(first, second)


def test_truncation_is_for_training_only() -> None:
    """A bias of the read-out adds to the last potential once for each step that the gradient goes back."""
    model = network_of(replace(TOY, coding="spikes", truncate=2, dropout=0.0))
    for training, steps in ((True, 1), (False, 7)):
        model.train(training).zero_grad()
        model(spikes(1, 1, 7, 16))[0][-1][0, -1, 0].backward()
        assert model.layers[-1].bias.grad[0].item() == steps


def test_the_float_twin_has_the_same_shape_and_no_integers() -> None:
    twin = network_of(TOY, exact=False)
    potentials = predict(twin, toy_images(20))
    assert potentials.shape == (20, 4, 3) and not np.array_equal(potentials, np.rint(potentials))


def test_predict_counts_without_dropout_and_gradients() -> None:
    model = network_of(TOY).train()
    data = toy_images(20)
    assert np.array_equal(predict(model, data, batch=20), predict(model, data, batch=3))
    assert not model.training


# -- score -----------------------------------------------------------------------------------------------------


def test_score_of_classes() -> None:
    """The last step counts; a tie goes to the lowest index."""
    potentials = np.array(
        [[[9, 0, 0], [0, 0, 5]], [[0, 0, 9], [4, 4, 0]], [[0, 9, 0], [1, 2, 2]], [[0, 9, 9], [7, 0, 0]]]
    )
    for labels, expected in (([2, 0, 1, 0], 1.0), ([0, 0, 1, 0], 0.75), ([2, 1, 2, 1], 0.25)):
        data = DataSet("toy", np.zeros((4, 2, 1)), np.array(labels))
        assert score(TOY, potentials, data) == expected


def test_score_of_steps_leaves_out_steps_without_label() -> None:
    recipe = replace(TOY, task="classify-steps", coding="spikes")
    potentials = np.array([[[1, 0], [0, 1], [0, 1]], [[0, 1], [1, 0], [5, 5]]])
    data = toy_spikes(2, 3)
    for labels, expected in (
        ([[0, 1, 1], [1, 0, 0]], 1.0),
        ([[0, -1, -1], [-1, -1, 1]], 0.5),
        ([[-1, -1, -1], [0, 0, -1]], 0.5),
        ([[1, 1, 1], [-1, 1, -1]], 0.5),
    ):
        assert score(recipe, potentials, replace(data, labels=np.array(labels))) == expected


def test_score_of_regression_is_the_rms_in_units_of_the_target() -> None:
    recipe = replace(TOY, task="regress", coding="spikes", temperature=32.0)
    data = toy_targets(2, 3)
    assert data.targets is not None
    assert score(recipe, 32 * data.targets, data) == 0
    wrong = data.targets + np.array([[3.0], [-4.0]])[:, None].astype(np.float32)
    assert score(recipe, 32 * wrong, data) == pytest.approx(np.sqrt((9 + 16) / 2))
