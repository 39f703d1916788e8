# SPDX-License-Identifier: Apache-2.0
"""Ablation: one ingredient of a recipe changed at a time, over several seeds.

The figures of a variant are those of the stored integer network on the whole test set, so they are the
hardware's.
"""

import json
import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hysteron_base.errors import require
from hysteron_base.files import build_root, write_file
from hysteron_base.progress import Tell, quiet, stage
from hysteron_data.sets import DataSet, load_data_set
from hysteron_golden import run, schedule
from hysteron_golden.schedule import activities, sent_inputs
from hysteron_measure.ablation import Found
from hysteron_measure.score import accuracy
from hysteron_measure.timing import image_cycles
from hysteron_spec import Network, Readout, compile_network

from .recipe import Recipe
from .trainer import train

#: Samples whose cycles are counted.
CYCLE_SAMPLES = 500


@dataclass(frozen=True)
class Variant:
    """A change of the base recipe: what it is called, and the recipe's fields that differ."""

    name: str
    changes: dict[str, str]


#: Variants of the base recipe ``ablation``: every switch of the trainer, off or exchanged.
VARIANTS = (
    Variant("base", {}),
    Variant("hysteresis off (plain neuron)", {"mode": "plain"}),
    Variant("window instead of latch (OpenSpike)", {"mode": "window"}),
    Variant("gradient through the armed flag", {"armed_gradient": "true"}),
    Variant("threshold annealing off", {"annealing": "0"}),
    Variant("constant learning rate", {"schedule": "constant"}),
    Variant("cosine without restart", {"restarts": "0"}),
    Variant("weight clipping off", {"clipping": "false"}),
    Variant("activity regularisation off", {"activity": "0"}),
    Variant("learnable leak off", {"learn_leak": "false"}),
    Variant("augmentation off", {"shift": "0", "rotate": "0", "zoom": "0"}),
    Variant("latency coding", {"coding": "latency", "levels": "176,128,80,32"}),
    Variant("rate coding", {"coding": "rate", "levels": ""}),
    Variant(
        "direct coding",
        # A pixel is a current of up to 255 where a spike counts 1.
        {
            "coding": "direct",
            "levels": "",
            "settings": "direct=true",
            "theta_high": "3000",
            "theta_low": "1000",
            "slope_width": "1000",
        },
    ),
)


def measure(network: Network, tests: DataSet) -> dict[str, float]:
    """Figures of a classifier.

    Returns
    -------
    ``accuracy``; ``input_events`` and ``hidden_spikes`` an image; ``flicker``, the answers that differ from the step
    before, an image; ``toggles``, how often a hidden neuron begins or ends to fire, an image.
    """
    every = Network(network.layers, network.potential, network.encoder, Readout.POTENTIAL, readout_every_step=True)
    assert tests.labels is not None
    answers = toggles = 0
    winners = []
    events = np.zeros(2)
    for first in range(0, len(tests.inputs), 1000):
        result = run(every, tests.inputs[first : first + 1000], trace=True)
        assert result.step_values is not None and result.spikes is not None
        answer = result.step_values.argmax(-1)
        winners.append(answer)
        answers += int((answer[:, 1:] != answer[:, :-1]).sum())
        for hidden in result.spikes[:-1]:
            toggles += int((hidden[:, 1:] != hidden[:, :-1]).sum())
        events += [result.events[:, 0].sum(), result.events[:, 1:-1].sum()]
    n = len(tests.inputs)
    return {
        "accuracy": accuracy(tests.labels, np.concatenate(winners)),
        "input_events": float(events[0] / n),
        "hidden_spikes": float(events[1] / n),
        "flicker": answers / n,
        "toggles": toggles / n,
    }


def cycles(network: Network, recipe: Recipe, inputs: Any) -> float:
    """The median of the cycles of an image (:func:`hysteron_measure.timing.image_cycles`), by the exact schedule."""
    program = compile_network(network, recipe.core())
    result = run(network, inputs, trace=True)
    sent = sent_inputs(program, result, inputs)
    return float(np.median(image_cycles(schedule(program, activities(result, sent), reads=False))))


def one(recipe: Recipe, data: DataSet, tests: DataSet, cache: Path) -> dict[str, Any]:
    """Train and measure one recipe, or read what an earlier call found.

    The cache is keyed by the whole recipe, so an interrupted ablation goes on where it was.
    """
    path = cache / f"{recipe.digest()}.json"
    if path.exists():
        found: dict[str, Any] = json.loads(path.read_text())
        return found
    network = train(recipe, data).model.export()
    figures = measure(network, tests) | {"cycles": cycles(network, recipe, tests.inputs[:CYCLE_SAMPLES])}
    write_file(path, json.dumps(figures).encode())
    return figures


def _task(recipe: Recipe, cache: Path) -> dict[str, Any]:
    # In a process of its own, which loads the data itself.
    return one(recipe, load_data_set(recipe.dataset, "train"), load_data_set(recipe.dataset, "test"), cache)


def choose(words: Sequence[str]) -> list[Variant]:
    """The base, and the variants that have one of some words in their name; all without a word.

    Raises
    ------
    HysteronError
        If there is none.
    """
    chosen = [v for v in VARIANTS if not words or not v.changes or any(text in v.name for text in words)]
    require(
        len(chosen) > 1,
        f"no variant's name has {' or '.join(words)} in it; they are {', '.join(v.name for v in VARIANTS[1:])}",
    )
    return chosen


def ablate(
    base: Recipe, variants: Sequence[Variant], seeds: Sequence[int], *, jobs: int = 1, tell: Tell = quiet
) -> Found:
    """Train ``base`` with each variant's changes and each seed.

    Finished runs are kept in ``build/ablate/runs``, so an interrupted ablation goes on where it was.

    Parameters
    ----------
    base, variants, seeds
        The recipe, and what each run changes in it.
    jobs
        Processes that train at the same time.
    tell
        Told how many runs are finished.

    Returns
    -------
    ``base``, every field of the recipe, and ``variants``: for each its ``name``, its ``changes`` and ``runs``: the
    figures of :func:`measure` and ``cycles``, for each seed.
    """
    recipes = [base.override(v.changes | {"seed": str(seed)}) for v in variants for seed in seeds]
    cache = build_root() / "ablate" / "runs"
    results: dict[int, dict[str, Any]] = {}
    with (
        stage(tell, "training", len(recipes)) as step,
        ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool,
    ):
        waiting = {pool.submit(_task, recipe, cache): index for index, recipe in enumerate(recipes)}
        for done in as_completed(waiting):
            results[waiting[done]] = done.result()
            step(len(results))
    found = [
        {
            "name": variant.name,
            "changes": variant.changes,
            "runs": [{"seed": seed} | results[i * len(seeds) + j] for j, seed in enumerate(seeds)],
        }
        for i, variant in enumerate(variants)
    ]
    return {"base": base.as_dict(), "variants": found}
