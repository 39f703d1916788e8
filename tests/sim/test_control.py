# SPDX-License-Identifier: Apache-2.0
"""What surrounds a run: registers, errors, resets, reprogramming and samples of different lengths.

Every test plays on the large core and on the small one, and says what becomes of a feature where a core lacks it.
"""

import itertools
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from hysteron_base.errors import HysteronError
from hysteron_golden import run
from hysteron_golden.run import Result
from hysteron_golden.schedule import Schedule, activities, schedule, sent_inputs
from hysteron_rtl.registers import constants
from hysteron_sim.simulator import Observed, Script, Simulator, Stimulus
from hysteron_sim.verify import compare, stimulus_of
from hysteron_spec import Coding, Encoder, Layer, Mode, Network, Potential, Readout, compile_network
from hysteron_spec.core import CoreConfig
from hysteron_spec.packets import Kind, bitmap_packet, event_packet, header, pixel_packet
from hysteron_spec.program import Program
from hysteron_spec.registers import COUNTERS, MAGIC, REGIONS, REGISTERS
from support.cores import CORES, TINY

RNG = np.random.default_rng(3)
#: The small core, and the same without what an FPGA of few cells has no room for.
SERIAL = CORES["serial"]
BARE = replace(SERIAL, name="serial-bare", encoder=False, counters=False)
#: Cycles in which every run here is over; one of which nothing comes takes them all.
LIMIT = 2000
BAD_HEADER = REGISTERS["ERROR"].pack(HEADER=1)


@pytest.fixture(scope="module", params=[TINY, SERIAL, BARE], ids=lambda config: config.name)
def core(request: pytest.FixtureRequest) -> Iterator[Simulator]:
    with Simulator(request.param) as simulator:
        yield simulator


def network(seed: int, n_in: int = 40, recurrent: bool = False) -> Network:
    rng = np.random.default_rng(seed)
    back = rng.integers(-8, 8, (9, 9)) if recurrent else None
    return Network(
        (
            Layer(rng.integers(-8, 8, (n_in, 9)), 15, 5, leak=4, recurrent=back),
            Layer(rng.integers(-8, 8, (9, 6)), 5, 2, leak=6),
        ),
        Potential(12),
    )


def spikes(steps: int, n_in: int, samples: int = 1) -> np.ndarray:
    return (RNG.random((samples, steps, n_in)) < 0.3).astype(np.uint8)


def check_run(program: Program, inputs: np.ndarray, *observed: Observed) -> None:
    """Each run is golden's in every spike, potential, cycle and counter."""
    result = run(program.network, inputs, trace=True)
    predicted = schedule(program, activities(result, inputs))
    for one in observed:
        check(program, result, predicted, one)


def check(program: Program, result: Result, predicted: Schedule, observed: Observed) -> None:
    mismatches = compare(program, result, predicted, observed, detail=True)
    assert not mismatches, f"{program.network.shape}: {mismatches[0]}"
    assert counters(observed) == counted(program, predicted)


def counters(observed: Observed) -> dict[str, int]:
    return {name: observed.registers[name] for name in COUNTERS}


def counted(program: Program, predicted: Schedule) -> dict[str, int]:
    """What the counters read after a run; where there are none, 0."""
    return {name: predicted.counters[name] if program.config.counters else 0 for name in COUNTERS}


def planned(program: Program, inputs: np.ndarray) -> tuple[Stimulus, Schedule]:
    activity = activities(run(program.network, inputs, trace=True), inputs)
    predicted = schedule(program, activity)
    return stimulus_of(activity, predicted), predicted


def winners_only(program: Program) -> Program:
    """The same, but only the winner is answered."""
    readout = program.registers["READOUT"] & ~REGISTERS["READOUT"].pack(VECTOR=1)
    return replace(program, registers=program.registers | {"READOUT": readout})


def words(observed_beats: np.ndarray) -> list[int]:
    return [int(word) for word in observed_beats]


def test_constant_registers(core: Simulator) -> None:
    script = Script()
    expected = constants(core.config)
    assert expected["ID"] == MAGIC
    for name in expected:
        script.write(name, ~expected[name] & 0xFFFFFFFF)
        script.read(name)
    assert core.read_back(script) == [expected[name] for name in expected]


def test_registers_of_what_a_core_lacks_are_0(core: Simulator) -> None:
    config = core.config
    always = {"ID", "VERSION", "SHAPE", "LIMITS0", "LIMITS1", "LIMITS2", "LIMITS3"}
    lacking = {name: value for name, value in constants(config).items() if name not in always}
    assert set(lacking) == {
        *(() if config.encoder else ("ENCODER", "SEED0", "SEED1", "SEED2", "SEED3")),
        *(() if config.counters else COUNTERS),
    }
    assert not any(lacking.values())


def test_writable_registers_keep_their_fields_only(core: Simulator) -> None:
    script = Script()
    names = ("NETWORK", "READOUT", "ENCODER", "SEED2")
    for name in names:
        script.write(name, 0xFFFFFFFF)
        script.read(name)
    for name, value in zip(names, core.read_back(script), strict=True):
        fields = REGISTERS[name].fields
        mask = sum((1 << f.width) - 1 << f.lsb for f in fields) if fields else 0xFFFFFFFF
        assert value == (mask if core.config.encoder or name in ("NETWORK", "READOUT") else 0), name


def test_reprogramming_between_runs(core: Simulator) -> None:
    script = Script()
    plans = []
    for seed in range(5):
        program = compile_network(network(seed, n_in=10 * seed + 1, recurrent=seed % 2 == 1), core.config)
        inputs = spikes(4, 10 * seed + 1, samples=2)
        script.load(program)
        script.run(planned(program, inputs)[0])
        plans.append((program, inputs))
    for (program, inputs), observed in zip(plans, core.play(script), strict=True):
        check_run(program, inputs, observed)


def test_networks_of_other_shapes_follow_each_other(core: Simulator) -> None:
    """Deep and shallow, wide and narrow, spikes and images, each read-out: nothing is left of the one before."""
    rng = np.random.default_rng(6)

    def layers(*sizes: int) -> tuple[Layer, ...]:
        return tuple(
            Layer(rng.integers(-8, 8, (a, b)), 12, 4, leak=5, recurrent=rng.integers(-8, 8, (b, b)))
            for a, b in itertools.pairwise(sizes)
        )

    form = Potential(12)
    networks = (
        Network(layers(70, 19, 19, 11), form),
        Network(layers(3, 2), form, Encoder(Coding.LEVEL, 2, (150, 40)), Readout.FIRST),
        Network(layers(33, 5, 19, 1, 7), form, readout=Readout.POTENTIAL, readout_every_step=True),
        Network(layers(64, 8), form, Encoder.latency(4)),
        Network(layers(9, 11), form),
        Network(layers(9, 11), form, Encoder(Coding.RATE, 3, seed=5), readout_every_step=True),
    )
    script = Script()
    expected = []
    for net in networks:
        pixels = rng.integers(0, 256, (3, net.n_in)).astype(np.uint8)
        inputs = pixels if net.encoder else spikes(4, net.n_in, samples=3)
        program, result = compile_network(net, core.config), run(net, inputs, trace=True)
        assert (program.network.encoder is None) == (net.encoder is None or not core.config.encoder)
        activity = activities(result, sent_inputs(program, result, inputs))
        predicted = schedule(program, activity)
        script.load(program)
        script.run(stimulus_of(activity, predicted))
        expected.append((program, result, predicted))
    for (program, result, predicted), observed in zip(expected, core.play(script), strict=True):
        check(program, result, predicted, observed)


def test_a_second_run_needs_no_second_load(core: Simulator) -> None:
    program = compile_network(network(1), core.config)
    inputs = spikes(5, 40, samples=3)
    script = Script()
    script.load(program)
    script.run(planned(program, inputs)[0])
    script.reset()
    script.run(planned(program, inputs)[0])
    check_run(program, inputs, *core.play(script))


def dense_and_sparse(steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Samples to be cut, and samples to come after them in which spikes left over would show."""
    dense, sparse = spikes(steps, 40, samples=2), spikes(steps, 40, samples=2)
    sparse[0, :2] = 0
    sparse[0, 0, 33] = 1
    return dense, sparse


@pytest.mark.parametrize("share", [0, 4, 9, 21, 45, 72, 90, 99])
@pytest.mark.parametrize("how", ["command", "load", "reset input"])
def test_reset_in_mid_run(core: Simulator, share: int, how: str) -> None:
    """After ``share`` percent of a run; the next one is as if nothing had been."""
    program = compile_network(replace(network(2, recurrent=True), readout=Readout.FIRST), core.config)
    dense, sparse = dense_and_sparse(6)
    plan, predicted = planned(program, dense)
    broken = Script()
    broken.load(program)
    broken.run(replace(plan, limit=1 + int(predicted.beat_cycles[-1]) * share // 100))
    (cut,) = core.play(broken)
    assert len(cut.beats) < plan.beats
    assert cut.registers["STATUS"] == REGISTERS["STATUS"].pack(BUSY=1)
    after = Script()
    if how == "command":
        after.reset()  # memories and settings stay
    else:
        after.load(program)
    after.run(planned(program, sparse)[0])
    (observed,) = core.play(after, reset=how == "reset input")
    check_run(program, sparse, observed)


@pytest.mark.parametrize("vector", [True, False])
def test_reset_at_any_time_of_a_run(core: Simulator, vector: bool) -> None:
    """Whatever the core is doing, from the first header to the last answer word; every third cycle."""
    program = compile_network(replace(network(7, recurrent=True), readout=Readout.FIRST), core.config)
    program = program if vector else winners_only(program)
    dense, sparse = dense_and_sparse(2)
    plan, predicted = planned(program, dense)
    whole, _ = planned(program, sparse)
    script = Script()
    script.load(program)
    for cycles in range(2 - vector, int(predicted.beat_cycles[-1]) + 1, 3):
        script.run(replace(plan, limit=cycles))
        # Not after the core was stopped and its registers were read, for it would get on meanwhile.
        script.reset()
        script.operations.insert(-(3 + len(COUNTERS)), script.operations.pop())
        script.run(whole)
        script.reset()
    observed = core.play(script)
    assert len({len(cut.beats) for cut in observed[0::2]}) >= plan.beats // 3
    assert not any(cut.registers["STATUS"] for cut in observed[0::2])
    check_run(program, sparse, *observed[1::2])


def test_samples_of_different_lengths(core: Simulator) -> None:
    program = compile_network(network(4, recurrent=True), core.config)
    activity = []
    for steps in (1, 5, 2, 9, 1, 1, 3):
        inputs = spikes(steps, 40)
        activity += activities(run(program.network, inputs, trace=True), inputs)
    predicted = schedule(program, activity)
    script = Script()
    script.load(program)
    script.run(stimulus_of(activity, predicted))
    (observed,) = core.play(script)
    assert words(observed.beats) == words(predicted.beats)
    assert np.array_equal(observed.beat_cycles, predicted.beat_cycles)
    assert np.array_equal(observed.update_cycles, predicted.update_cycles)
    assert counters(observed) == counted(program, predicted)


def relay(config: CoreConfig, n_in: int = 40, encoder: Encoder | None = None, n_out: int = 11) -> Program:
    """A network whose answer counts the spikes of the first inputs."""
    weights = np.zeros((n_in, n_out), np.int64)
    weights[range(n_out), range(n_out)] = 1
    return compile_network(Network((Layer(weights, 0, leak=0, mode=Mode.PLAIN),), Potential(12), encoder), config)


def level(steps: int = 1) -> Encoder:
    """Every pixel that is not 0 spikes at each step."""
    return Encoder(Coding.LEVEL, steps, steps * (0,))


def ones(n_in: int = 40) -> np.ndarray:
    return np.ones(n_in, np.uint8)


def play(core: Simulator, program: Program, stream: list[np.ndarray], answers: int = 1) -> Observed:
    script = Script()
    script.load(program)
    script.run(Stimulus(np.concatenate(stream), 12 * answers, limit=LIMIT))
    (observed,) = core.play(script)
    return observed


def counts(core: Simulator, program: Program, stream: list[np.ndarray]) -> tuple[list[int], int]:
    observed = play(core, program, stream)
    return words(observed.beats), observed.registers["ERROR"]


def test_events_in_any_order_and_more_than_once(core: Simulator) -> None:
    beats, error = counts(core, relay(core.config), [event_packet([39, 3, 3, 0, 10, 38, 3], last=True)])
    assert beats[:11] == [1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1]
    assert error == 0


def test_an_event_that_is_no_input_is_dropped_and_reported(core: Simulator) -> None:
    beats, error = counts(core, relay(core.config), [event_packet([2, 40, 65535, 5], last=True)])
    assert beats[:11] == [0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0]
    assert error == REGISTERS["ERROR"].pack(INDEX=1)


def test_bitmap_bits_beyond_the_inputs_are_ignored(core: Simulator) -> None:
    packet = np.array(
        [header(Kind.BITMAP, 2, True), 0x1, 0xFFFFFF01], np.uint32
    )  # inputs 0, 32 and 24 that are not there
    observed = play(core, relay(core.config), [packet])
    assert words(observed.beats)[:11] == [1] + 10 * [0]
    assert len(observed.read_rows) == 6, "two events for each of three tiles"
    assert observed.registers["EVENTS"] == (6 if core.config.counters else 0)
    assert observed.registers["ERROR"] == 0


def test_pixel_bytes_beyond_the_inputs_are_ignored(core: Simulator) -> None:
    packet = np.array([header(Kind.PIXELS, 9, True), 0x0000_0A00, *7 * [0], 0xFFFFFF_00], np.uint32)
    observed = play(core, relay(core.config, 33, level()), [packet])
    if not core.config.encoder:
        assert (len(observed.beats), observed.registers["ERROR"]) == (0, BAD_HEADER)
        return
    assert words(observed.beats)[:11] == [0, 1] + 9 * [0]
    assert observed.registers["EVENTS"] == 3, "one event for each of three tiles"


@pytest.mark.parametrize("coding", [Coding.LEVEL, Coding.DIRECT])
def test_an_image_amid_a_sample_of_spikes_is_refused(core: Simulator, coding: Coding) -> None:
    encoder = level() if coding is Coding.LEVEL else Encoder(coding, 1)
    if coding is Coding.DIRECT and not core.config.direct:
        with pytest.raises(HysteronError, match=r"a serial core never can, choose another preset$"):
            relay(core.config, encoder=encoder)
        return
    program = relay(core.config, encoder=encoder)
    spikes_first = bitmap_packet(ones(), last=False)
    assert counts(core, program, [spikes_first, pixel_packet(ones())]) == ([], BAD_HEADER)
    # By itself it is good, if there is an encoder.
    beats, error = counts(core, program, [pixel_packet(ones())])
    assert (beats[:11], error) == ((11 * [1], 0) if core.config.encoder else ([], BAD_HEADER))


def test_a_network_without_encoder_refuses_images(core: Simulator) -> None:
    assert counts(core, relay(core.config), [pixel_packet(ones())]) == ([], BAD_HEADER)


def test_no_setting_gives_a_core_an_encoder(core: Simulator) -> None:
    script = Script()
    script.load(relay(core.config))
    script.write("ENCODER", REGISTERS["ENCODER"].pack(STEPS=1, CODING=Coding.LEVEL))
    script.run(Stimulus(pixel_packet(ones()), 12, limit=LIMIT))
    (observed,) = core.play(script)
    expected = (12, 0) if core.config.encoder else (0, BAD_HEADER)
    assert (len(observed.beats), observed.registers["ERROR"]) == expected


def test_settings_are_locked_while_the_core_may_run(core: Simulator) -> None:
    script = Script()
    script.load(relay(core.config))
    script.write("CONTROL", REGISTERS["CONTROL"].pack(RUN=1))
    names = [name for name, register in REGISTERS.items() if register.access == "set"]
    for name in names:
        script.read(name)
        script.write(name, 0x0001_0101)
        script.read(name)
    script.read("ERROR")
    *values, error = core.read_back(script)
    assert values[0::2] == values[1::2]
    assert error == REGISTERS["ERROR"].pack(WRITE=1)


@pytest.mark.parametrize(
    "bad",
    [
        header(Kind.BITMAP, 3, True),  # 40 inputs are two words
        header(Kind.PIXELS, 9, True),  # 40 pixels are ten words
        header(Kind.PIXELS, 11, True),
        0x0000_0001,
        0xF800_0001,
    ],
)
def test_a_bad_header_drops_the_input_until_reset(core: Simulator, bad: int) -> None:
    good = bitmap_packet(ones(), last=True)
    script = Script()
    script.load(relay(core.config, encoder=level()))
    script.run(Stimulus(np.concatenate([np.array([bad], np.uint32), good, good]), 12, limit=LIMIT))
    script.read("STATUS")
    script.reset()
    script.run(Stimulus(good, 12, limit=LIMIT))
    first, second = core.play(script)
    assert len(first.beats) == 0
    assert len(first.accept_cycles) == 1 + 2 * len(good), "the stream must not stand still"
    assert first.registers["STATUS"] == REGISTERS["STATUS"].pack(FAULT=1)
    assert first.registers["ERROR"] == BAD_HEADER
    assert words(second.beats)[:11] == 11 * [1]
    assert second.registers["STATUS"] == 0


def test_a_bad_header_amid_a_run_leaves_what_came_before_whole(core: Simulator) -> None:
    """The samples before it are answered; the one that it cuts is not."""
    program = compile_network(network(9), core.config)
    inputs = spikes(4, 40, samples=2)
    plan, predicted = planned(program, inputs)
    begun = bitmap_packet(inputs[0, 0], last=False)
    stream = np.concatenate([plan.words, begun, np.array([header(Kind.BITMAP, 3, True)], np.uint32), plan.words])
    script = Script()
    script.load(program)
    script.run(Stimulus(stream, plan.beats + 1, limit=LIMIT))
    script.reset()
    script.write("ERROR", BAD_HEADER)
    script.run(plan)
    cut, after = core.play(script)
    assert words(cut.beats) == words(predicted.beats)
    assert len(cut.accept_cycles) == len(stream)
    assert cut.registers["STATUS"] == REGISTERS["STATUS"].pack(BUSY=1, FAULT=1)
    assert cut.registers["ERROR"] == BAD_HEADER
    check_run(program, inputs, after)


def test_errors_stay_until_they_are_cleared(core: Simulator) -> None:
    script = Script()
    script.load(relay(core.config))
    script.write("ERROR", 0xFFFFFFFF)
    script.run(Stimulus(event_packet([50], last=True), 12, limit=LIMIT))
    script.reset()
    script.run(Stimulus(event_packet([1], last=True), 12, limit=LIMIT))
    script.write("ERROR", REGISTERS["ERROR"].pack(INDEX=1))
    script.run(Stimulus(event_packet([1], last=True), 12, limit=LIMIT))
    assert [o.registers["ERROR"] for o in core.play(script)] == [2, 2, 0]


@pytest.mark.parametrize("region", ["WEIGHTS", "NEURONS"])
def test_memories_are_locked_while_the_core_may_run(core: Simulator, region: str) -> None:
    script = Script()
    script.load(relay(core.config))
    script.write("ERROR", 7)
    script.write("CONTROL", REGISTERS["CONTROL"].pack(RUN=1))
    script.write("MEMORY_ADDRESS", REGISTERS["MEMORY_ADDRESS"].pack(REGION=REGIONS[region]))
    script.write("MEMORY_DATA", 0xFFFFFFFF)  # would silence neuron 0: its weight, or its bias, would be -1
    script.write("CONTROL", 0)
    script.run(Stimulus(bitmap_packet(ones(), last=True), 12, limit=LIMIT))
    (observed,) = core.play(script)
    assert words(observed.beats)[:11] == 11 * [1]
    assert observed.registers["ERROR"] == REGISTERS["ERROR"].pack(WRITE=1)


@pytest.mark.parametrize("n_out", [8, 11])
def test_without_the_vector_only_the_winner_is_sent(core: Simulator, n_out: int) -> None:
    """Also if the last neuron of a whole tile wins, about which the answer is decided last."""
    winners = (n_out - 1, 2, 0, n_out - 1)
    stream = np.concatenate([bitmap_packet(np.eye(40, dtype=np.uint8)[k], last=True) for k in winners])
    script = Script()
    script.load(winners_only(relay(core.config, n_out=n_out)))
    script.run(Stimulus(stream, len(winners), limit=LIMIT))
    (observed,) = core.play(script)
    assert words(observed.beats) == [number << 16 | winner for number, winner in enumerate(winners)]
    assert observed.registers["ERROR"] == 0


@pytest.mark.parametrize("readout", Readout)
@pytest.mark.parametrize("every_step", [False, True])
def test_winners_come_in_the_predicted_cycle(core: Simulator, readout: Readout, every_step: bool) -> None:
    rng = np.random.default_rng(int(readout))
    layers = (Layer(rng.integers(-8, 8, (30, 8)), 9, 3, leak=7), Layer(rng.integers(-8, 8, (8, 8)), 3, 1, leak=7))
    net = Network(layers, Potential(12), readout=readout, readout_every_step=every_step)
    program = winners_only(compile_network(net, core.config))
    inputs = spikes(6, 30, samples=4)
    script = Script()
    script.load(program)
    script.run(planned(program, inputs)[0])
    (observed,) = core.play(script)
    assert len(observed.beats) == 4 * (6 if every_step else 1)
    check_run(program, inputs, observed)


def test_words_outside_a_memory_are_dropped(core: Simulator) -> None:
    """Beyond the end of each memory, and in memories that the core does not have or the network does not use."""
    program = relay(core.config)
    missing = set(range(16)) - {REGIONS[name] for name in program.images}
    assert (REGIONS["THRESHOLDS"] in missing) == core.config.serial
    script = Script()
    script.load(program)
    for region in range(16):
        for word in (0x7FFFFF0, *((0, 1, 2) if region in missing else ())):
            script.write("MEMORY_ADDRESS", REGISTERS["MEMORY_ADDRESS"].pack(REGION=region, WORD=word))
            script.write("MEMORY_DATA", 0xFFFFFFFF)
    script.run(Stimulus(bitmap_packet(ones(), last=True), 12, limit=LIMIT))
    (observed,) = core.play(script)
    assert words(observed.beats)[:11] == 11 * [1]
    assert observed.registers["ERROR"] == 0
