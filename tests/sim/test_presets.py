# SPDX-License-Identifier: Apache-2.0
"""The presets: each runs a network of its own size, and is as busy as promised."""

import numpy as np
import pytest

import hysteron_networks
from hysteron_data.digits import load_digits_split
from hysteron_golden import activities, run, schedule
from hysteron_golden.schedule import Schedule
from hysteron_measure.bench import ACTIVITIES, exact_activity, relay_network
from hysteron_sim.simulator import Simulator
from hysteron_sim.verify import simulate
from hysteron_spec import PRESETS, compile_network, load

DIGITS = hysteron_networks.path("digits")


def predicted(preset: str, activity: float, steps: int = 200) -> Schedule:
    """Schedule of a relay network; the simulation tests show that it is the hardware's."""
    network = relay_network(preset)
    inputs = exact_activity(np.random.default_rng(1), steps, network.n_in, activity)
    program = compile_network(network, PRESETS[preset])
    return schedule(program, activities(run(network, inputs, trace=True), inputs), reads=False)


def test_mnist_loses_less_than_a_twentieth_at_10_percent_activity() -> None:
    assert predicted("mnist", 0.1).utilisation >= 0.95


def test_openspike_takes_at_most_240_cycles_a_step_at_10_percent_activity() -> None:
    assert predicted("openspike", 0.1).counters["CYCLES"] / 200 <= 240


@pytest.mark.parametrize("preset", ["mnist", "openspike"])
def test_cycles_grow_with_activity(preset: str) -> None:
    cycles = [predicted(preset, activity, 20).counters["CYCLES"] for activity in ACTIVITIES]
    assert cycles == sorted(cycles)


def test_digits_are_classified_with_little_waiting() -> None:
    network = load(DIGITS)
    _, _, images, labels = load_digits_split()
    result = run(network, images, trace=True)
    assert np.mean(result.predictions == labels) >= 0.96
    done = schedule(compile_network(network, PRESETS["digits"]), activities(result, images), reads=False)
    assert done.utilisation >= 0.7


@pytest.mark.exhaustive  # 256 lanes: building it takes minutes
def test_mnist_core_on_the_rtl() -> None:
    """The large core itself, 256 lanes wide."""
    config = PRESETS["mnist"]
    network = relay_network("mnist")
    inputs = exact_activity(np.random.default_rng(2), 6, network.n_in, 0.1)
    result = run(network, inputs, trace=True)
    with Simulator(config) as simulator:
        comparison = simulate(simulator, compile_network(network, config), result, inputs)
    assert not comparison.mismatches, str(comparison.mismatches[0])
