# SPDX-License-Identifier: Apache-2.0
"""Directed corners of the small core: each is compared with golden in spikes, potentials, cycles and counters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from hysteron_golden import run
from hysteron_sim.simulator import Simulator
from hysteron_sim.verify import Comparison, simulate
from hysteron_spec import Coding, Encoder, Layer, Mode, Network, Potential, Readout, Reset, compile_network
from hysteron_spec.core import CoreConfig
from support.cores import CORES

SERIAL = CORES["serial"]
FORMAT = Potential(12)


@pytest.fixture(scope="module")
def core() -> Iterator[Simulator]:
    with Simulator(SERIAL) as simulator:
        yield simulator


def weights(n_in: int, n_out: int) -> np.ndarray:
    return np.random.default_rng(n_in * 100 + n_out).integers(-8, 8, (n_in, n_out))


def spikes(samples: int, steps: int, n_in: int, activity: float) -> np.ndarray:
    return (np.random.default_rng(n_in).random((samples, steps, n_in)) < activity).astype(np.uint8)


def check(simulator: Simulator, network: Network, inputs: np.ndarray, **gaps: tuple[int, ...]) -> Comparison:
    program = compile_network(network, simulator.config)
    comparison = simulate(simulator, program, run(network, inputs, trace=True), inputs, **gaps)
    assert not comparison.mismatches, str(comparison.mismatches[0])
    return comparison


def test_nothing_spikes(core: Simulator) -> None:
    network = Network((Layer(weights(70, 19), 20), Layer(weights(19, 11), 20)), FORMAT)
    counters = check(core, network, np.zeros((2, 3, 70), np.uint8)).schedule.counters
    assert counters["EVENTS"] == 0
    # One bubble for each tile, step and sample; the 5 tiles of the first layer come closer than their updates.
    assert counters["BUBBLES"] == 2 * 3 * (5 + 3)
    assert counters["STALLS"] > 0


def test_short_tiles_wait_for_the_update(core: Simulator) -> None:
    network = Network((Layer(weights(1, 11), 3),), FORMAT)
    counters = check(core, network, np.ones((1, 4, 1), np.uint8)).schedule.counters
    # In each step the second and the third tile, each of whose single events could come a cycle after the one before.
    assert counters["STALLS"] == 4 * 2 * (SERIAL.lanes - 1)


def test_empty_words_cost_nothing_behind_full_ones(core: Simulator) -> None:
    """Of 3 words the middle one is empty; reading it hides behind the first one's events."""
    network = Network((Layer(weights(70, 4), 3),), FORMAT)
    inputs = np.zeros((1, 1, 70), np.uint8)
    inputs[0, 0, [0, 1, 2, 3, 4, 65]] = 1
    with_gap = check(core, network, inputs).schedule.counters
    inputs[0, 0, 65] = 0
    inputs[0, 0, 40] = 1
    assert with_gap["BUBBLES"] == 0
    # Here the last word is the empty one, which ends the tile with a bubble.
    assert check(core, network, inputs).schedule.counters["BUBBLES"] == 1


@pytest.mark.parametrize("n_out", [1, 3, 4, 5, 19])
@pytest.mark.parametrize("n_in", [1, 31, 32, 33, 64, 65, 70])
def test_sizes_around_words_and_lanes(core: Simulator, n_in: int, n_out: int) -> None:
    first = Layer(weights(n_in, n_out), 10, 3, recurrent=weights(n_out, n_out), leak=6)
    check(core, Network((first, Layer(weights(n_out, 4), 5, leak=4)), FORMAT), spikes(2, 4, n_in, 0.4))


def test_layers_of_several_spike_words() -> None:
    config = CORES["serial-binary"]
    rng = np.random.default_rng(5)

    def signs(n_in: int, n_out: int) -> np.ndarray:
        return rng.choice([-1, 1], (n_in, n_out))

    layers = (
        Layer(signs(70, 100), 4, 1, recurrent=signs(100, 100), weight_bits=1),
        Layer(signs(100, 33), 3, 1, weight_bits=1),
        Layer(signs(33, 64), 3, 1, recurrent=signs(64, 64), weight_bits=1),
    )
    with Simulator(config) as simulator:
        done = check(simulator, Network(layers, Potential(20)), spikes(3, 5, 70, 0.3))
        assert min(int(layer.sum()) for one in done.activity for layer in one.spikes) > 0


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("reset", Reset)
@pytest.mark.parametrize("readout", Readout)
def test_modes_resets_and_readouts(core: Simulator, mode: Mode, reset: Reset, readout: Readout) -> None:
    layers = tuple(Layer(weights(a, b), 12, 4, leak=7, mode=mode, reset=reset) for a, b in ((40, 19), (19, 11)))
    network = Network(layers, FORMAT, readout=readout, readout_every_step=mode is Mode.LATCH)
    check(core, network, spikes(2, 8, 40, 0.3))


def test_answers_that_nobody_takes_hold_the_core(core: Simulator) -> None:
    network = Network((Layer(weights(20, 11), 8, 2),), FORMAT, readout_every_step=True)
    done = check(core, network, spikes(3, 5, 20, 0.4), sink_gaps=(90,) * 300)
    assert done.schedule.counters["WAITS_OUT"] > 0
    assert done.schedule.counters["WAITS_IN"] > 0


def test_what_a_core_cannot_encode_is_sent_as_spikes() -> None:
    config: CoreConfig = replace(SERIAL, name="serial-spikes", encoder=False)
    rng = np.random.default_rng(8)
    layers = (Layer(weights(40, 19), 60, 20, leak=4), Layer(weights(19, 4), 5, 1))
    with Simulator(config) as simulator:
        for encoder in (Encoder(Coding.RATE, 4, seed=3), Encoder(Coding.LEVEL, 3, (200, 100, 50)), Encoder.latency(5)):
            network = Network(layers, FORMAT, encoder)
            images = rng.integers(0, 256, (3, 40)).astype(np.uint8)
            assert compile_network(network, config).network.encoder is None
            check(simulator, network, images)
