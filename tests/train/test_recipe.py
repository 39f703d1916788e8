# SPDX-License-Identifier: Apache-2.0
"""Recipes: the named ones fit together, and a wrong value is refused before anything is trained. No PyTorch needed."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hysteron_networks
from hysteron_base.errors import HysteronError
from hysteron_base.settings import text_of
from hysteron_data.sets import NAMES
from hysteron_measure.score import Task
from hysteron_spec import PRESETS, Coding, Encoder, compile_network
from hysteron_spec.network import Layer, Network
from hysteron_train.recipe import Recipe
from hysteron_train.recipes import RECIPES, recipe_named

ROOT = Path(__file__).parents[2]

#: Inputs and outputs of each data set that a recipe is for.
SHAPES = {
    "digits": (64, 10),
    "mnist": (784, 10),
    "mnist-14": (196, 10),
    "fashion-mnist": (784, 10),
    "nmnist": (578, 10),
    "fsdd": (128, 10),
    "qtdb": (4, 6),
    "yin-yang": (4, 3),
    "material": (34, 1),
    "materials": (34, 8),
}


def recipe(**changes: Any) -> Recipe:
    """A small valid recipe, with some fields changed."""
    settings: dict[str, Any] = {"name": "mine", "dataset": "digits", "preset": "digits", "hidden": (16, 8)}
    return Recipe(**(settings | changes))


def refused(**changes: Any) -> str:
    with pytest.raises(HysteronError) as caught:
        recipe(**changes)
    return str(caught.value)


# -- the named recipes -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", RECIPES)
def test_a_named_recipe_fits_its_core(name: str) -> None:
    """A network of its shape compiles for its core, and its data set is one that there is."""
    named = recipe_named(name)
    assert named.name == name and named.dataset in NAMES and (named.coded_as or "digits") in NAMES
    core, encoder = named.core(), named.encoder()
    assert (encoder is None) == (named.coding == "spikes")
    n_in, n_out = SHAPES[named.dataset]
    layers = []
    for index, neurons in enumerate((*named.hidden, n_out)):
        last = index == len(named.hidden)
        recurrent = 0.0 if last else named.recurrent[index]
        layers.append(
            Layer(
                weights=np.ones((n_in, neurons)),
                theta_high=core.potential.high if last else named.theta_high[index],
                theta_low=0 if last else named.theta_low[index],
                recurrent=np.ones((neurons, neurons)) if recurrent else None,
                weight_bits=core.weight_bits,
                leak_bits=core.leak_bits,
            )
        )
        n_in = neurons
    network = Network(tuple(layers), core.potential, None if named.coded_as else encoder)
    compile_network(network, core)


def test_every_shipped_network_has_a_recipe() -> None:
    """``make networks`` trains each by the name of its file."""
    shipped = {path.stem for path in hysteron_networks.FOLDER.glob("*.hyn")}
    assert shipped and shipped <= set(RECIPES)


def test_an_unknown_name() -> None:
    with pytest.raises(HysteronError, match=r"recipe must be one of digits, mnist, .*, not 'mnits'"):
        recipe_named("mnits")


def test_recipes_need_no_torch() -> None:
    """So that they can be listed and checked where there is none."""
    code = "import sys; sys.modules['torch'] = None; import hysteron_train.recipe, hysteron_train.recipes"
    subprocess.run([sys.executable, "-c", code], check=True)


# -- what a recipe makes ---------------------------------------------------------------------------------------


def test_one_value_serves_all_layers() -> None:
    made = recipe(recurrent=(0.5,), leak=(0.25,), theta_high=(30,), theta_low=(7,))
    assert (made.recurrent, made.leak, made.theta_high, made.theta_low) == (
        (0.5,) * 2,
        (0.25,) * 2,
        (30,) * 2,
        (7,) * 2,
    )
    assert recipe(leak=(0.25, 0.5)).leak == (0.25, 0.5)


def test_leaks_end_where_they_begin_unless_told() -> None:
    assert recipe(leak=(0.25, 0.5)).leak_to == (0.25, 0.5)
    assert recipe(leak=(0.25,), leak_to=(1.0,)).leak_to == (1.0, 1.0)


def test_core_with_settings() -> None:
    core = recipe(settings=("leak_bits=5", "weight_bits=8")).core()
    assert (core.leak_bits, core.weight_bits, core.max_neurons) == (5, 8, 128)


@pytest.mark.parametrize(
    ("changes", "encoder"),
    [
        ({"coding": "level", "levels": (9, 5, 7), "steps": 3}, Encoder(Coding.LEVEL, 3, (9, 5, 7))),
        ({"coding": "latency", "levels": (9, 5), "steps": 2}, Encoder(Coding.LATENCY, 2, (9, 5))),
        ({"coding": "rate", "steps": 6, "seed": 11}, Encoder(Coding.RATE, 6, seed=11)),
        ({"coding": "direct", "steps": 6, "seed": 11}, Encoder(Coding.DIRECT, 6)),
        ({"coding": "spikes"}, None),
    ],
)
def test_encoders(changes: dict[str, Any], encoder: Encoder | None) -> None:
    assert recipe(**changes).encoder() == encoder


def test_as_dict_is_a_recipe_again() -> None:
    made = recipe(grid=(2, 3, 4), coding="spikes", settings=("leak_bits=5",))
    stored = json.loads(json.dumps(made.as_dict()))
    assert set(stored) == {field.name for field in fields(Recipe)}
    assert Recipe(**{key: tuple(v) if isinstance(v, list) else v for key, v in stored.items()}) == made


# -- values from text ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("hidden", "12,34", (12, 34)),
        ("leak", "0.5,1", (0.5, 1.0)),
        ("leak_to", "", (0.5, 0.5)),
        ("settings", "leak_bits=5,direct=true", ("leak_bits=5", "direct=true")),
        ("settings", "", ()),
        ("rate", "1e-2", 0.01),
        ("epochs", "7", 7),
        ("flip", "true", True),
        ("clipping", "false", False),
        ("mode", "window", "window"),
        ("seed", "123456789012", 123456789012),
    ],
)
def test_override_from_text(key: str, text: str, value: object) -> None:
    base = recipe()
    changed = base.override({key: text})
    assert getattr(changed, key) == value and type(getattr(changed, key)) is type(value)
    assert {k: v for k, v in asdict(changed).items() if k != key} == {k: v for k, v in asdict(base).items() if k != key}


def test_override_of_several_fields_is_checked_as_a_whole() -> None:
    """Layers may come together with their values, in any order."""
    settings = {
        "theta_high": "5,6,7",
        "hidden": "8,8,8",
        "leak": "1",
        "leak_to": "1",
        "recurrent": "0",
        "theta_low": "0",
    }
    changed = recipe(theta_high=(1, 2), theta_low=(0,)).override(settings)
    assert changed.theta_high == (5, 6, 7) and changed.leak == (1.0,) * 3


@pytest.mark.parametrize(
    ("key", "text", "says"),
    [
        ("hiden", "3", r"a recipe has no parameter 'hiden'; it has name, dataset, preset, .*, seed$"),
        ("epochs", "x", r"epochs must be an integer, not 'x'"),
        ("epochs", "1.5", r"epochs must be an integer, not '1.5'"),
        ("rate", "fast", r"rate must be a number, not 'fast'"),
        ("flip", "yes", r"flip must be true or false, not 'yes'"),
        ("hidden", "3,x", r"hidden must be an integer, not 'x'"),
        ("leak", "0.5,a", r"leak must be a number, not 'a'"),
        ("rate", "nan", r"rate must be from 1e-09 to 1000, not nan"),
    ],
)
def test_wrong_text(key: str, text: str, says: str) -> None:
    with pytest.raises(HysteronError, match=says):
        recipe().override({key: text})


# -- wrong values ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "says"),
    [
        ("task", "task must be one of classify, classify-steps, regress, not 'x'"),
        ("mode", "mode must be one of plain, latch, window, not 'x'"),
        ("reset", "reset must be one of zero, subtract, none, not 'x'"),
        ("coding", "coding must be one of spikes, rate, level, latency, direct, not 'x'"),
        ("schedule", "schedule must be one of cosine, constant, not 'x'"),
    ],
)
def test_wrong_choices(field: str, says: str) -> None:
    assert refused(**{field: "x"}) == says


@pytest.mark.parametrize(
    ("field", "below", "least", "most", "above"),
    [
        ("truncate", -1, 0, 1 << 20, 1 << 21),
        ("output_leak", -0.1, 0, 1, 1.1),
        ("dropout", -0.1, 0, 0.99, 1.0),
        ("annealing", -0.1, 0, 1, 1.1),
        ("anneal_from", -0.1, 0, 1, 1.1),
        ("smoothing", -0.1, 0, 0.99, 1.0),
        ("epochs", 0, 1, 100_000, 100_001),
        ("batch", 0, 1, 1 << 20, 1 << 21),
        ("steps", 0, 1, 255, 256),
        ("restarts", -1, 0, 1000, 1001),
        ("rate", 0.0, 1e-9, 1e3, 1e4),
        ("temperature", 0.0, 1e-9, 1e9, 1e10),
        ("slope_width", 0.0, 1e-9, 1e9, 1e10),
        ("activity", -1.0, 0, 1e9, 1e10),
        ("zoom", -0.1, 0, 0.9, 1.0),
        ("delay", -1, 0, 254, 255),
        ("seed", -1, 0, 2**63 - 1, 2**63),
    ],
)
def test_ranges(field: str, below: float, least: float, most: float, above: float) -> None:
    for good in (least, most):
        assert getattr(recipe(**{field: good}), field) == good
    for bad in (below, above):
        assert refused(**{field: bad}) == f"{field} must be from {least:g} to {most:g}, not {bad!r}"


@pytest.mark.parametrize(
    ("field", "values", "bad", "span"),
    [
        ("hidden", (16, 0), 0, "1 to 8192"),
        ("hidden", (16, 8193), 8193, "1 to 8192"),
        ("recurrent", (0.5, 1.5), 1.5, "0 to 1"),
        ("recurrent", (-0.5,), -0.5, "0 to 1"),
        ("leak", (1.0, 1.25), 1.25, "0 to 1"),
        ("leak_to", (-1.0,), -1.0, "0 to 1"),
        ("grid", (2, 0, 4), 0, "1 to 65536"),
    ],
)
def test_ranges_of_each_of_several(field: str, values: tuple[float, ...], bad: float, span: str) -> None:
    changes = {"coding": "spikes"} if field == "grid" else {}
    assert refused(**{field: values}, **changes) == f"{field} must be from {span}, not {bad!r}"


@pytest.mark.parametrize("field", ["recurrent", "leak", "leak_to", "theta_high", "theta_low"])
def test_a_value_for_each_layer(field: str) -> None:
    says = f"{field} must have 1 or 2 values, one for each hidden layer, not 3"
    assert refused(**{field: (1, 1, 1)}) == says


@pytest.mark.parametrize("changes", [{"grid": (2, 32)}, {"grid": (64,), "coding": "spikes"}, {"grid": (1, 8, 8)}])
def test_a_grid_is_of_spikes(changes: dict[str, Any]) -> None:
    says = f"grid must be planes, rows and columns of inputs that are spikes, or empty, not {changes['grid']}"
    assert refused(**changes) == says
    assert recipe(grid=(1, 8, 8), coding="spikes").grid == (1, 8, 8)


def test_weights_of_1_bit_are_not_sparse() -> None:
    says = "1-bit weights cannot be 0: recurrence must be 0 or 1 with them, not (0.5, 0.5)"
    assert refused(preset="openspike", recurrent=(0.5,)) == says
    assert recipe(preset="openspike", recurrent=(0.0, 1.0)).recurrent == (0.0, 1.0)
    assert recipe(preset="digits", recurrent=(0.5,)).recurrent == (0.5, 0.5)


def test_a_core_that_is_not_there() -> None:
    with pytest.raises(HysteronError, match=f"preset must be one of {', '.join(PRESETS)}, not 'large'"):
        recipe(preset="large").core()
    with pytest.raises(HysteronError, match="a core has no parameter 'leek_bits'"):
        recipe(settings=("leek_bits=5",)).core()


def test_levels_that_do_not_suit_the_steps() -> None:
    with pytest.raises(HysteronError, match="level coding over 5 steps takes 5 thresholds, not 4"):
        replace(recipe(), steps=5).encoder()


@pytest.mark.parametrize(
    "changes",
    [
        {"hidden": ()},
        {"preset": "openspike", "recurrent": (0.0, 0.5)},
        {"theta_high": (-1,)},
        {"theta_high": (5,), "theta_low": (6,)},
        {"theta_high": (1 << 15,)},
        {"noise": -1.0},
        {"shift": -1.0, "coding": "spikes", "grid": (1, 8, 8)},
        {"rotate": float("nan")},
        {"spread": float("inf")},
        {"delay": 1, "coding": "spikes", "task": "classify-steps"},
    ],
)
def test_refused(changes: dict[str, Any]) -> None:
    refused(**changes)


def test_shipped_networks_are_of_the_recipes_of_today() -> None:
    """Their commands would make them again."""
    records = [json.loads(path.read_text()) for path in hysteron_networks.FOLDER.glob("*.json")]
    shipped = {record["name"]: record for record in records if "recipe" in record}
    assert set(shipped) == set(RECIPES) - {"ablation"}
    for name, record in shipped.items():
        assert record["recipe"] == json.loads(json.dumps(RECIPES[name].as_dict())), name
        assert record["command"] == f"hysteron train {name} --twin"


def test_a_value_and_its_text_say_the_same() -> None:
    recipe = recipe_named("ablation")
    for field in fields(recipe):
        value = getattr(recipe, field.name)
        assert recipe.override({field.name: text_of(value)}) == recipe, field.name
    assert recipe.override({"hidden": text_of([32, 8])}).hidden == (32, 8)


def test_a_digest_stands_for_every_field() -> None:
    recipe = recipe_named("digits")
    digests = {recipe.digest(), replace(recipe, seed=2).digest(), replace(recipe, epochs=3).digest()}
    assert len(digests) == 3 and all(len(text) == 16 for text in digests)
    assert replace(recipe, seed=2).digest() == recipe.override({"seed": "2"}).digest()


def test_tasks_are_those_of_the_scores() -> None:
    for task in Task:
        recipe = replace(recipe_named("digits"), task=task.recipe, temperature=16.0)
        assert recipe.wanted is task
        assert recipe.scale == (1 / 16 if task is Task.REGRESSION else None)
