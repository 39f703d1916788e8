# SPDX-License-Identifier: Apache-2.0
"""The ablation: what its figures count, what its variants change, and that finished runs are kept."""

from __future__ import annotations

import copy
import json
import statistics
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hysteron_data.sets import DataSet, load_data_set
from hysteron_golden import run, schedule
from hysteron_golden.schedule import activities
from hysteron_spec import Layer, Mode, Network, Potential, Readout, Reset, compile_network
from hysteron_train.recipe import Recipe
from hysteron_train.recipes import recipe_named
from support.train import NEEDS_DIGITS, NEEDS_TORCH, TOY, Run, toy_images

torch = pytest.importorskip("torch", reason=NEEDS_TORCH)

from hysteron_train.ablation import VARIANTS, Variant, ablate, cycles, measure, one  # noqa: E402 (it needs torch)

#: A recipe of which a run takes a second, as the command line would say it.
SMALL = {"epochs": "1", "hidden": "8", "batch": "256", "theta_high": "16", "theta_low": "5", "spread": "1.5"}
SEEDS = (1, 2)


def network(encoded: bool = True) -> Network:
    """16 inputs, 6 hidden neurons, 3 outputs."""
    rng = np.random.default_rng(4)
    hidden = Layer(rng.integers(-8, 8, (16, 6)), 12, 4, 4, rng.integers(-2, 4, 6))
    last = Layer(rng.integers(-8, 8, (6, 3)), 2047, 0, 6, mode=Mode.PLAIN, reset=Reset.NONE)
    return Network((hidden, last), Potential(12), TOY.encoder() if encoded else None, Readout.POTENTIAL)


# -- figures ---------------------------------------------------------------------------------------------------


def counted(net: Network, tests: DataSet) -> dict[str, float]:
    """The figures, one sample, step and neuron at a time."""
    assert tests.labels is not None
    total = dict.fromkeys(("accuracy", "input_events", "hidden_spikes", "flicker", "toggles"), 0)
    for sample, label in zip(tests.inputs, tests.labels, strict=True):
        result = run(replace(net, readout_every_step=True), sample[None], trace=True)
        assert result.step_values is not None and result.spikes is not None
        before: tuple[int | None, list[bool] | None] = (None, None)
        for values, fired, given in zip(result.step_values[0], result.spikes[0][0], result.inputs[0], strict=True):
            answer = max(range(3), key=lambda i: (values[i], -i))
            total["input_events"] += sum(map(int, given))
            total["hidden_spikes"] += sum(map(int, fired))
            if before[0] is not None and before[1] is not None:
                total["flicker"] += answer != before[0]
                total["toggles"] += sum(a != b for a, b in zip(fired, before[1], strict=True))
            before = answer, list(fired)
        total["accuracy"] += answer == label
    return {key: value / len(tests.inputs) for key, value in total.items()}


def test_figures_equal_a_plain_count() -> None:
    tests = toy_images(50)
    expected = counted(network(), tests)
    assert min(expected.values()) > 0.2
    assert measure(network(), tests) == pytest.approx(expected)


def test_figures_of_more_samples_than_are_run_at_once() -> None:
    """Only those after the first 1000 have a label that is right."""
    tests = toy_images(1015)
    labels = run(network(), tests.inputs).predictions
    labels[:1000] = (labels[:1000] + 1) % 3
    tests = replace(tests, labels=labels)
    expected = counted(network(), tests)
    assert expected["accuracy"] == 15 / 1015
    assert measure(network(), tests) == pytest.approx(expected)


def test_figures_do_not_depend_on_how_the_network_answers() -> None:
    tests = toy_images(50)
    assert measure(replace(network(), readout=Readout.COUNT), tests) == measure(network(), tests)


@pytest.mark.parametrize("encoded", [True, False])
def test_cycles_are_the_median_of_a_stream(encoded: bool) -> None:
    recipe = replace(TOY, preset="tiny")
    images = toy_images(30).inputs
    inputs = images if encoded else (images[:, None] > np.array(TOY.levels)[:, None]).astype(np.uint8)
    net = network(encoded)
    result = run(net, inputs, trace=True)
    program = compile_network(net, recipe.core())
    raw = images if encoded else result.inputs
    plan = schedule(program, activities(result, raw), reads=False).sample_cycles
    # From the end of one image to that of the next; the first begins with the stream.
    took, end = [], plan[0][0]
    for _, done in plan:
        took.append(int(done - end))
        end = done
    assert cycles(net, recipe, inputs) == statistics.median(took)
    assert min(took) < max(took)


def test_fewer_events_take_fewer_cycles() -> None:
    recipe = replace(TOY, preset="tiny")
    dark, bright = np.zeros((9, 16), np.uint8), np.full((9, 16), 255, np.uint8)
    assert cycles(network(), recipe, dark) < cycles(network(), recipe, bright)


# -- variants --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda v: v.name)
def test_a_variant_is_the_base_but_for_its_changes(variant: Variant) -> None:
    base = recipe_named("ablation")
    changed = base.override(variant.changes)
    before, after = asdict(base), asdict(changed)
    assert {key for key in before if before[key] != after[key]} == set(variant.changes)
    assert changed.core().max_neurons >= base.hidden[0] and changed.encoder() is not None
    for key, value in variant.changes.items():
        shown = after[key]
        text = ",".join(map(str, shown)) if isinstance(shown, tuple) else str(shown)
        assert text.lower() == value or float(text) == float(value)


def test_variants_have_names_of_their_own_and_the_base_is_first() -> None:
    assert VARIANTS[0] == Variant("base", {})
    assert len({v.name for v in VARIANTS}) == len({json.dumps(v.changes) for v in VARIANTS}) == len(VARIANTS)


def test_variants_do_what_they_are_called() -> None:
    """The switches that the base has on are off; the exchanged ones are others."""
    changed = {v.name: recipe_named("ablation").override(v.changes) for v in VARIANTS}
    base = changed["base"]
    assert base.mode == "latch" and base.coding == "level" and base.schedule == "cosine"
    assert changed["hysteresis off (plain neuron)"].mode == "plain"
    assert changed["threshold annealing off"].annealing == 0 < base.annealing
    assert changed["cosine without restart"].restarts == 0 < base.restarts
    assert changed["weight clipping off"].clipping is False
    assert changed["activity regularisation off"].activity == 0 < base.activity
    assert changed["learnable leak off"].learn_leak is False
    still = changed["augmentation off"]
    assert still.shift == still.rotate == still.zoom == still.noise == 0 and not still.flip
    for coding in ("latency", "rate", "direct"):
        assert changed[f"{coding} coding"].coding == coding
    assert changed["direct coding"].core().direct


# -- runs ------------------------------------------------------------------------------------------------------


def test_a_finished_run_is_read_again(build: Path) -> None:
    data, tests = toy_images(40), toy_images(30, seed=8)
    recipe = replace(TOY, epochs=1)
    first = one(recipe, data, tests, build)
    assert set(first) == {"accuracy", "input_events", "hidden_spikes", "flicker", "toggles", "cycles"}
    assert one(recipe, toy_images(3), toy_images(3), build) == first
    (file,) = build.iterdir()
    file.write_text('{"accuracy": 0.5}')
    assert one(recipe, data, tests, build) == {"accuracy": 0.5}
    # Another recipe is another run, whatever its name.
    assert one(replace(recipe, seed=2), data, tests, build).keys() == first.keys()
    assert len(list(build.iterdir())) == 2


@pytest.fixture(scope="module")
def ablated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Recipe, list[dict[str, Any]], list[int]]]:
    """Two variants with two seeds each: the build folder, the base, the results, and what was told of the progress."""
    pytest.importorskip("sklearn", reason=NEEDS_DIGITS)
    base = recipe_named("digits").override(SMALL)
    told: list[int] = []
    with pytest.MonkeyPatch.context() as patch:
        place = tmp_path_factory.mktemp("ablation")
        patch.setenv("HYSTERON_BUILD", str(place))
        found = ablate(base, VARIANTS[:2], SEEDS, tell=lambda message: told.append(int(message.done)))
        assert found["base"] == base.as_dict()
        yield place, base, found["variants"], told


def test_every_variant_is_run_with_every_seed(ablated: Any) -> None:
    place, base, results, told = ablated
    assert told == [0, 1, 2, 3, 4, 4]
    assert [(each["name"], each["changes"]) for each in results] == [(v.name, v.changes) for v in VARIANTS[:2]]
    assert [[each["seed"] for each in variant["runs"]] for variant in results] == [[1, 2], [1, 2]]
    assert len({each["hidden_spikes"] for variant in results for each in variant["runs"]}) == 4
    files = list((place / "ablate/runs").iterdir())
    assert len(files) == 4
    # Each figure is that of its own recipe, whichever run was done first.
    data, tests = (load_data_set("digits", part) for part in ("train", "test"))
    fresh = one(base.override({"mode": "plain", "seed": "1"}), data, tests, place / "elsewhere")
    assert results[1]["runs"][0] == fresh | {"seed": 1}


def test_the_command_uses_finished_runs(ablated: Any, hysteron: Run) -> None:
    """It writes the table and the figures, mean and spread of which are those of the runs."""
    pytest.importorskip("matplotlib", reason="matplotlib draws the picture")
    place, base, results, _ = copy.deepcopy(ablated)
    # Figures that no training would find.
    accuracies = iter((0.5, 0.52, 0.25, 0.75))
    for variant in results:
        for each in variant["runs"]:
            (file,) = (
                path
                for path in (place / "ablate/runs").iterdir()
                if json.loads(path.read_text()) | {"seed": each["seed"]} == each
            )
            each["accuracy"] = next(accuracies)
            file.write_text(json.dumps({key: value for key, value in each.items() if key != "seed"}))
    settings = [word for key, value in SMALL.items() for word in ("--set", f"{key}={value}")]
    status, output, errors = hysteron(
        "ablate", "--base", "digits", *settings, "--only", "hysteresis", "--seeds", "1,2", "--jobs", 1
    )
    assert (status, errors) == (0, "training\n")
    rows = {cells[0].strip(): cells[1:] for line in output.splitlines() if len(cells := line.strip("│").split("│")) > 6}
    assert rows["base"][0].strip() == "51.00 ± 1.41"
    assert rows["hysteresis off (plain neuron)"][0].strip() == "50.00 ± 35.36"
    spikes = [each["hidden_spikes"] for each in results[0]["runs"]]
    assert rows["base"][1].strip() == f"{statistics.mean(spikes):.2f} ± {statistics.stdev(spikes):.2f}"
    found = json.loads((place / "ablate/ablation.json").read_text())
    assert found["base"] == base.as_dict() and found["variants"] == results


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--base", "mnits"], "recipe must be one of digits, "),
        (["--only", "nothing"], "no variant's name has nothing in it; they are hysteresis off"),
        (["--seeds", "1,x"], "--seeds takes whole numbers with commas, not '1,x'"),
        (["--seeds", ""], "--seeds takes whole numbers with commas, not ''"),
        (["--set", "epochs"], "--set takes NAME=VALUE, not 'epochs'"),
        (["--set", "epochs=0"], "epochs must be from 1 to 100000, not 0"),
        (["--jobs", "0"], "Invalid value for '--jobs'"),
    ],
)
def test_refused(hysteron: Run, build: Path, words: list[str], says: str) -> None:
    status, output, errors = hysteron("ablate", *words)
    assert (status, output) == (2, "") and not build.exists()
    (line,) = errors.splitlines()
    assert line.startswith(f"error: {says}")
