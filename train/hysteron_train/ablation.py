"""Ablation: one ingredient of a recipe changed at a time, over several seeds.

The figures of a variant are those of the stored integer network on the whole test set, so they are the
hardware's.
"""

import hashlib
import json
import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hysteron_base.files import build_root, write_file
from hysteron_data.sets import DataSet, load_data_set
from hysteron_golden import run, schedule
from hysteron_golden.schedule import activities, sent_inputs
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


#: Of the base recipe ``ablation``: every switch of the trainer, off or exchanged.
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
    right = answers = toggles = 0
    events = np.zeros(2)
    for first in range(0, len(tests.inputs), 1000):
        result = run(every, tests.inputs[first : first + 1000], trace=True)
        assert result.step_values is not None and result.spikes is not None and tests.labels is not None
        answer = result.step_values.argmax(-1)
        right += int((answer[:, -1] == tests.labels[first : first + 1000]).sum())
        answers += int((answer[:, 1:] != answer[:, :-1]).sum())
        for hidden in result.spikes[:-1]:
            toggles += int((hidden[:, 1:] != hidden[:, :-1]).sum())
        events += [result.events[:, 0].sum(), result.events[:, 1:-1].sum()]
    n = len(tests.inputs)
    return {
        "accuracy": right / n,
        "input_events": float(events[0] / n),
        "hidden_spikes": float(events[1] / n),
        "flicker": answers / n,
        "toggles": toggles / n,
    }


def cycles(network: Network, recipe: Recipe, inputs: Any) -> float:
    """Median cycles an image of a stream, by the exact schedule."""
    program = compile_network(network, recipe.core())
    result = run(network, inputs, trace=True)
    sent = sent_inputs(program, result, inputs)
    begins, ends = schedule(program, activities(result, sent), reads=False).sample_cycles.T
    return float(np.median(np.diff(ends, prepend=begins[0])))


def one(recipe: Recipe, data: DataSet, tests: DataSet, cache: Path) -> dict[str, Any]:
    """Train and measure one recipe, or read what an earlier call found.

    The cache is keyed by the whole recipe, so an interrupted ablation goes on where it was.
    """
    key = json.dumps(recipe.as_dict(), sort_keys=True)
    path = cache / f"{hashlib.sha256(key.encode()).hexdigest()[:16]}.json"
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


def ablate(
    base: Recipe,
    variants: Sequence[Variant],
    seeds: Sequence[int],
    *,
    jobs: int = 1,
    watch: Callable[[int], None] = lambda _: None,
) -> list[dict[str, Any]]:
    """Train ``base`` with each variant's changes and each seed.

    Parameters
    ----------
    base, variants, seeds
        The recipe, and what each run changes in it.
    jobs
        Processes.
    watch
        Called with the number of finished runs.

    Returns
    -------
    For each variant its ``name``, its ``changes`` and ``runs``: the figures of :func:`measure` and ``cycles``, for each
    seed.
    """
    recipes = [base.override(v.changes | {"seed": str(seed)}) for v in variants for seed in seeds]
    cache = build_root() / "ablate" / "runs"
    results: dict[int, dict[str, Any]] = {}
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        waiting = {pool.submit(_task, recipe, cache): index for index, recipe in enumerate(recipes)}
        for done in as_completed(waiting):
            results[waiting[done]] = done.result()
            watch(len(results))
    return [
        {
            "name": variant.name,
            "changes": variant.changes,
            "runs": [{"seed": seed} | results[i * len(seeds) + j] for j, seed in enumerate(seeds)],
        }
        for i, variant in enumerate(variants)
    ]
