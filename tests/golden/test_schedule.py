# SPDX-License-Identifier: Apache-2.0
"""What the schedules of both cores promise; that they are the hardware's, cycle for cycle, tests/sim shows."""

import dataclasses
import itertools

import numpy as np
import pytest

from hysteron_golden.run import run
from hysteron_golden.schedule import activities, schedule, sent_inputs, store_latency
from hysteron_spec.core import CoreConfig
from hysteron_spec.encoder import Coding, Encoder
from hysteron_spec.network import Layer, Network
from hysteron_spec.neuron import Mode, Potential, Readout
from hysteron_spec.program import compile_network
from hysteron_spec.registers import COUNTERS, REGISTERS
from support.refusal import refusal

TINY = CoreConfig.preset("tiny")
ICEBREAKER = CoreConfig.preset("icebreaker")
both_cores = pytest.mark.parametrize("config", [TINY, ICEBREAKER], ids=lambda config: config.name)


def net(*sizes, **options):
    """A network in which every layer fires, the first one recurrent."""
    rng = np.random.default_rng(sum(sizes))
    layers = []
    for a, b in itertools.pairwise(sizes):
        recurrent = None if layers else rng.integers(-3, 4, (b, b))
        layers.append(Layer(rng.integers(-5, 8, (a, b)), 8, leak=6, mode=Mode.PLAIN, recurrent=recurrent))
    return Network(tuple(layers), Potential(12), **options)


def spikes(samples, steps, n_in, activity=0.4):
    return (np.random.default_rng(n_in).random((samples, steps, n_in)) < activity).astype(np.uint8)


def predicted(config, network, inputs, **gaps):
    """The program, golden's result, and the schedule."""
    program, result = compile_network(network, config), run(network, inputs, trace=True)
    return program, result, schedule(program, activities(result, sent_inputs(program, result, inputs)), **gaps)


@both_cores
@pytest.mark.parametrize("every_step", [False, True])
def test_counters_add_up(config, every_step):
    """Counted here from spikes alone; so a core without counters is known as well as one that has them."""
    network = net(37, 18, 9, 5, readout_every_step=every_step)
    inputs = spikes(4, 5, 37)
    program, result, done = predicted(config, network, inputs)
    assert set(done.counters) == set(COUNTERS)
    sources = (inputs.astype(bool), *result.spikes)
    events = sum(int(source.sum()) * tiles for source, tiles in zip(sources, program.tiles, strict=False))
    events += int(result.spikes[0][:, :-1].sum()) * program.tiles[0]
    assert all(layer.any() for layer in result.spikes)
    answers = 4 * (5 if every_step else 1)
    words_in = sum(len(packet) for one in activities(result, inputs) for packet in one.packets)
    known = {
        "EVENTS": events,
        "UPDATES": 4 * 5 * sum(program.tiles),
        "STEPS": 4 * 5,
        "SAMPLES": 4,
        "WORDS_IN": words_in,
        "WORDS_OUT": answers * 6,
        "WAITS_OUT": 0,
    }
    assert {name: done.counters[name] for name in known} == known
    assert len(done.read_rows) == events and len(done.update_cycles) == known["UPDATES"]
    assert len(done.beats) == known["WORDS_OUT"] and len(done.accept_cycles) == words_in
    assert done.bound <= events + done.counters["BUBBLES"] <= done.counters["CYCLES"]
    assert 0 < done.utilisation < 1


@pytest.mark.parametrize(
    ("config", "cycles"),
    [
        (TINY, 6),  # weight row, event register, accumulator, leak, sum, fire
        (ICEBREAKER, 9),  # weight row, accumulator, hand-over, leak, sum, and 4 lanes that fire
        (dataclasses.replace(TINY, weight_latency=4, lanes=2), 9),
        (dataclasses.replace(ICEBREAKER, weight_latency=2, lanes=2), 8),
    ],
    ids=["tiny", "icebreaker", "tiny, 2 lanes", "icebreaker, 2 lanes"],
)
def test_a_tile_is_stored_so_long_after_its_last_event(config, cycles):
    network = net(37, 11)
    program, _, done = predicted(config, network, spikes(3, 4, 37, 0.8))
    stride = 37 + 11
    tile = (done.read_rows - program.weight_base[0]) // stride
    last = [*np.flatnonzero(np.diff(tile) != 0), len(tile) - 1]
    assert len(last) == len(done.update_cycles)
    assert len(done.busy_cycles) == len(done.read_rows), "there are no bubbles"
    assert store_latency(config) == cycles
    assert np.array_equal(done.busy_cycles[last] + cycles, done.update_cycles)


def test_in_the_small_core_nothing_but_input_overlaps():
    """Step after step, layer after layer, tile after tile, a neuron a cycle; an answer is out before the next step."""
    network = net(64, 40, 33, 10)
    program, result, done = predicted(ICEBREAKER, network, spikes(3, 4, 64))
    assert all(layer.any(axis=2).all() for layer in result.spikes), "each layer has events to read in each step"
    layer, sample, step, tile = done.update_jobs.T
    order = [
        (i, t, index, k) for i in range(3) for t in range(4) for index in range(3) for k in range(program.tiles[index])
    ]
    assert list(zip(sample, step, layer, tile, strict=True)) == order
    assert np.diff(done.update_cycles).min() >= ICEBREAKER.lanes
    assert np.array_equal(done.update_tiles, np.array(program.tile_base)[layer] + tile)
    # A layer's first weight row is read when the spikes of the layer before have been stored.
    of_row = np.searchsorted(program.weight_base, done.read_rows, side="right") - 1
    starts = np.flatnonzero(np.diff(of_row, prepend=-1) != 0)
    ends = done.update_cycles[np.flatnonzero(np.diff(layer, append=-1) != 0)]
    assert len(starts) == len(ends) == 3 * 4 * 3
    assert (done.read_cycles[starts[1:]] > ends[:-1]).all()
    # Answers lie between the samples; the next samples' input is taken meanwhile.
    answers = done.beat_cycles.reshape(3, 11)
    assert (np.diff(answers) == 1).all()
    finished, begun = ends.reshape(3, 12)[:, -1], done.read_cycles[starts].reshape(3, 12)[:, 0]
    assert (answers[:, 0] == finished + 1).all() and (begun[1:] > answers[:-1, -1]).all()
    assert (done.sample_cycles[1:, 0] < answers[:-1, -1]).all()


@pytest.mark.parametrize("readout", Readout)
def test_without_the_vector_the_small_core_answers_a_cycle_later_and_shorter(readout):
    """The last neuron of the last layer may be the winner, which is known a cycle after its update."""
    network = net(20, 8, 8, readout=readout)
    inputs = spikes(1, 4, 20)
    program, result, done = predicted(ICEBREAKER, network, inputs)
    readout_register = program.registers["READOUT"] & ~REGISTERS["READOUT"].pack(VECTOR=1)
    alone = dataclasses.replace(program, registers={**program.registers, "READOUT": readout_register})
    winner = schedule(alone, activities(result, inputs))
    assert winner.beats.tolist() == [int(result.predictions[0])] == done.beats[-1:].tolist()
    assert winner.beat_cycles[0] == winner.update_cycles[-1] + 2 == done.beat_cycles[0] + 1


@both_cores
def test_gaps_delay_words_and_are_not_waits(config):
    network = net(37, 18, 5)
    inputs = spikes(2, 3, 37)
    _, _, free = predicted(config, network, inputs)
    _, _, slow = predicted(config, network, inputs, source_gaps=[50] * 100)
    assert (slow.accept_cycles >= free.accept_cycles).all() and np.diff(slow.accept_cycles).min() > 50
    assert slow.counters["WAITS_IN"] < free.counters["WAITS_IN"]
    _, _, held = predicted(config, network, inputs, sink_gaps=[70] * 100)
    assert np.diff(held.beat_cycles).min() == 71
    assert held.counters["WAITS_OUT"] > 0 and np.array_equal(held.beats, free.beats)


@both_cores
def test_reads_can_be_left_out(config):
    network = net(37, 18, 5)
    inputs = spikes(2, 3, 37)
    _, _, whole = predicted(config, network, inputs)
    _, _, brief = predicted(config, network, inputs, reads=False)
    assert len(brief.read_rows) == len(brief.busy_cycles) == 0 < len(whole.read_rows)
    assert brief.counters == whole.counters and np.array_equal(brief.beat_cycles, whole.beat_cycles)


# -- refusals --------------------------------------------------------------------------------------------------


def test_a_run_without_trace_is_refused():
    inputs = spikes(1, 2, 9)
    message = refusal(lambda: activities(run(net(9, 5), inputs), inputs))
    assert message == "the schedule needs a traced run; call run(…, trace=True)"


def test_pixels_for_a_core_that_is_sent_spikes_are_refused():
    """Where the core does not encode, the images themselves must not be sent."""
    network = net(9, 5, encoder=Encoder(Coding.LEVEL, 2, (99, 9)))
    images = np.random.default_rng(1).integers(0, 256, (2, 9)).astype(np.uint8)
    result = run(network, images, trace=True)
    on_chip, off_chip = compile_network(network, TINY), compile_network(network, ICEBREAKER)
    for program, wrong in ((off_chip, images), (on_chip, result.inputs)):
        message = refusal(lambda program=program, wrong=wrong: schedule(program, activities(result, wrong)))
        assert "pixels into a network with an encoder and spikes into one without" in message
        schedule(program, activities(result, sent_inputs(program, result, images)))
