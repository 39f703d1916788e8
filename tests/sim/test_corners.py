# SPDX-License-Identifier: Apache-2.0
"""Directed corners on the ``tiny`` core: each is compared with golden in spikes, potentials, cycles and counters."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from hysteron_golden import run
from hysteron_golden.run import Result
from hysteron_sim.simulator import Simulator
from hysteron_sim.verify import Comparison, simulate
from hysteron_spec import Coding, Encoder, Layer, Mode, Network, Potential, Readout, Reset, compile_network
from support.cores import TINY

RNG = np.random.default_rng(7)
FORMAT = Potential(12)


def ones(n_in: int, n_out: int, value: int = 1) -> NDArray[np.int64]:
    return np.full((n_in, n_out), value)


def mixed(n_in: int, n_out: int) -> NDArray[np.int64]:
    return RNG.integers(-8, 8, (n_in, n_out))


def check(
    simulator: Simulator, network: Network, inputs: NDArray[np.uint8], **gaps: tuple[int, ...]
) -> tuple[Result, Comparison]:
    result = run(network, inputs, trace=True)
    program = compile_network(network, simulator.config)
    comparison = simulate(simulator, program, result, inputs, **gaps)
    assert not comparison.mismatches, str(comparison.mismatches[0])
    return result, comparison


def spikes(samples: int, steps: int, n_in: int, activity: float) -> NDArray[np.uint8]:
    return (RNG.random((samples, steps, n_in)) < activity).astype(np.uint8)


def two_layers(**change: object) -> Network:
    options: dict[str, object] = {"theta_high": 20, "theta_low": 5, "leak": 4} | change
    return Network((Layer(mixed(70, 19), **options), Layer(mixed(19, 11), **options)), FORMAT)  # type: ignore[arg-type]


def test_every_input_spikes_and_every_neuron_fires(tiny: Simulator) -> None:
    network = Network((Layer(ones(70, 19), 10, 5, mode=Mode.PLAIN), Layer(ones(19, 11), 10, mode=Mode.PLAIN)), FORMAT)
    result, comparison = check(tiny, network, np.ones((3, 4, 70), np.uint8))
    assert all(layer.all() for layer in result.spikes or ())
    assert comparison.schedule.counters["BUBBLES"] == 0


def test_nothing_spikes(tiny: Simulator) -> None:
    result, comparison = check(tiny, two_layers(), np.zeros((3, 4, 70), np.uint8))
    assert not any(layer.any() for layer in result.spikes or ())
    assert comparison.schedule.counters["EVENTS"] == 0
    # One bubble for each tile, step and sample.
    assert comparison.schedule.counters["BUBBLES"] == 3 * 4 * (5 + 3)


@pytest.mark.parametrize(("weight", "end"), [(7, FORMAT.high), (-8, FORMAT.low)])
def test_saturates(tiny: Simulator, weight: int, end: int) -> None:
    network = Network((Layer(ones(70, 5, weight), FORMAT.high, FORMAT.low, mode=Mode.PLAIN),), FORMAT)
    result, _ = check(tiny, network, np.ones((1, 8, 70), np.uint8))
    assert result.potentials is not None
    assert (result.potentials[0][0, -1] == end).all()
    assert (result.potentials[0][0, 0] == 70 * weight).all()


@pytest.mark.parametrize(("n_in", "weight", "bias", "end"), [(16, -8, -1, -128), (18, 7, 2, 127)])
def test_saturates_one_beyond_the_end(tiny: Simulator, n_in: int, weight: int, bias: int, end: int) -> None:
    layer = Layer(ones(n_in, 4, weight), 127, -128, bias=bias, mode=Mode.PLAIN)
    result, _ = check(tiny, Network((layer,), Potential(8)), np.ones((1, 1, n_in), np.uint8))
    assert result.potentials is not None
    assert (result.potentials[0] == end).all()


def test_passes_through_saturation_within_a_step(tiny: Simulator) -> None:
    # +7 fifty times and -8 twenty times: the running sum leaves the 8-bit range, the total (190) does not.
    weights = np.concatenate([ones(50, 4, 7), ones(20, 4, -8)])
    network = Network((Layer(weights, 127, mode=Mode.PLAIN, leak=0),), Potential(9))
    result, _ = check(tiny, network, np.ones((1, 2, 70), np.uint8))
    assert result.potentials is not None
    assert (result.spikes or ())[0].all()


def test_equal_values_resolve_to_the_lowest_index(tiny: Simulator) -> None:
    network = Network((Layer(ones(8, 11), 3, mode=Mode.PLAIN),), FORMAT)
    for readout in Readout:
        result, _ = check(tiny, replace(network, readout=readout), np.ones((1, 3, 8), np.uint8))
        assert result.predictions.tolist() == [0]


@pytest.mark.parametrize("shape", [(1, 1), (70, 1), (1, 11), (33, 5), (32, 4), (31, 3), (64, 8), (65, 9)])
def test_sizes_around_words_and_lanes(tiny: Simulator, shape: tuple[int, int]) -> None:
    network = Network((Layer(mixed(*shape), 6, 2, leak=6),), FORMAT)
    check(tiny, network, spikes(2, 3, shape[0], 0.5))


def test_a_layer_of_one_neuron_between_others(tiny: Simulator) -> None:
    layers = (Layer(ones(20, 7), 4, 2), Layer(ones(7, 1), 3, 1), Layer(ones(1, 4, 5), 4, 2))
    result, _ = check(tiny, Network(layers, FORMAT), spikes(2, 9, 20, 0.5))
    assert result.events[:, 2].sum() > 0


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("reset", Reset)
def test_modes_and_resets(tiny: Simulator, mode: Mode, reset: Reset) -> None:
    result, _ = check(tiny, two_layers(mode=mode, reset=reset, leak=7), spikes(2, 12, 70, 0.3))
    assert result.events[:, 1].sum() > 0


def test_recurrent_layers_and_the_start_of_the_next_sample(tiny: Simulator) -> None:
    # Strong recurrence: a spike of the last sample that leaked into the next one would show.
    first = Layer(mixed(10, 19), 4, 1, recurrent=ones(19, 19, 7), leak=4)
    second = Layer(mixed(19, 11), 4, 1, recurrent=mixed(11, 11), leak=4)
    inputs = spikes(4, 5, 10, 0.5)
    inputs[1, 0] = inputs[2, 0] = 0
    check(tiny, Network((first, second), FORMAT), inputs)


def test_single_recurrent_layer_waits_for_itself(tiny: Simulator) -> None:
    network = Network((Layer(ones(3, 6, 5), 4, 1, recurrent=mixed(6, 6)),), FORMAT)
    check(tiny, network, spikes(2, 10, 3, 0.4))


@pytest.mark.parametrize("longest", [1, 5, 40])
def test_back_pressure_on_both_streams(tiny: Simulator, longest: int) -> None:
    source, sink = (tuple(RNG.integers(0, longest + 1, 600).tolist()) for _ in range(2))
    _, comparison = check(
        tiny, replace(two_layers(), readout_every_step=True), spikes(5, 4, 70, 0.2), source_gaps=source, sink_gaps=sink
    )
    assert comparison.schedule.counters["WAITS_OUT"] > 0


def test_answers_block_the_core_and_nothing_is_lost(tiny: Simulator) -> None:
    # Each answer word waits 200 cycles, far longer than a step takes.
    network = replace(two_layers(), readout_every_step=True)
    check(tiny, network, spikes(3, 6, 70, 0.1), sink_gaps=(200,) * 500)


def test_a_slow_source_lets_deep_layers_finish(tiny: Simulator) -> None:
    _, comparison = check(tiny, two_layers(), spikes(2, 4, 70, 0.1), source_gaps=(150,) * 200)
    assert comparison.schedule.utilisation < 0.5


def test_state_loop_interlock(tiny: Simulator) -> None:
    # While two answers wait, two steps of one event each queue up before the last layer; released,
    # they would meet in the state memory.
    network = Network((Layer(ones(1, 1), 0, leak=0), Layer(ones(1, 4), 3, 1)), FORMAT)
    _, comparison = check(tiny, network, np.ones((5, 3, 1), np.uint8), sink_gaps=(300,))
    assert comparison.schedule.counters["STALLS"] > 0


@pytest.mark.parametrize("readout", Readout)
@pytest.mark.parametrize("every_step", [False, True])
def test_readouts(tiny: Simulator, readout: Readout, every_step: bool) -> None:
    network = replace(two_layers(mode=Mode.PLAIN, theta_high=6), readout=readout, readout_every_step=every_step)
    result, _ = check(tiny, network, spikes(5, 7, 70, 0.3))
    assert len(np.unique(result.values)) > 1


@pytest.mark.parametrize(
    "encoder",
    [
        Encoder(Coding.RATE, 5, seed=11),
        Encoder(Coding.LEVEL, 3, (200, 100, 50)),
        Encoder.latency(6),
        Encoder(Coding.DIRECT, 3),
    ],
    ids=lambda encoder: encoder.coding.name,
)
@pytest.mark.parametrize("n_in", [1, 8, 9, 63, 64, 65, 70])
def test_encoders(tiny: Simulator, encoder: Encoder, n_in: int) -> None:
    layers = (Layer(mixed(n_in, 9), 50, 10, leak=4), Layer(mixed(9, 4), 5, 1))
    network = Network(layers, FORMAT, encoder)
    check(tiny, network, RNG.integers(0, 256, (4, n_in)).astype(np.uint8))


def test_potential_narrower_than_the_core(tiny: Simulator) -> None:
    network = Network((Layer(ones(40, 5, 7), 127, 0, leak=8, mode=Mode.LATCH, reset=Reset.NONE),), Potential(8))
    result, _ = check(tiny, network, np.ones((1, 3, 40), np.uint8))
    assert result.potentials is not None
    assert result.potentials[0].max() == 127


def test_core_is_the_one_under_test(tiny: Simulator) -> None:
    assert tiny.config == TINY
