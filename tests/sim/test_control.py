"""What surrounds a run: registers, errors, resets, reprogramming and samples of different lengths."""

import numpy as np
import pytest
from cores import TINY

from hysteron_golden import Coding, Encoder, Layer, Mode, Network, Potential, compile_network, run
from hysteron_golden.program import Program
from hysteron_golden.schedule import activities, schedule
from hysteron_rtl.registers import constants
from hysteron_sim.simulator import Script, Simulator, Stimulus
from hysteron_sim.verify import compare, stimulus_of
from hysteron_wire.packets import Kind, bitmap_packet, event_packet, header, pixel_packet
from hysteron_wire.registers import MAGIC, REGISTERS

RNG = np.random.default_rng(3)


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


def check_run(program: Program, inputs: np.ndarray, observed: object) -> None:
    result = run(program.network, inputs, trace=True)
    predicted = schedule(program, activities(result, inputs))
    mismatches = compare(program, result, predicted, observed, detail=True)  # type: ignore[arg-type]
    assert not mismatches, str(mismatches[0])


def planned(program: Program, inputs: np.ndarray) -> Stimulus:
    activity = activities(run(program.network, inputs, trace=True), inputs)
    return stimulus_of(activity, schedule(program, activity))


def words(observed_beats: np.ndarray) -> list[int]:
    return [int(word) for word in observed_beats]


def test_constant_registers(tiny: Simulator) -> None:
    script = Script()
    expected = constants(TINY)
    assert expected["ID"] == MAGIC
    for name in expected:
        script.read(name)
    assert tiny.read_back(script) == [expected[name] for name in expected]


def test_writable_registers_keep_their_fields_only(tiny: Simulator) -> None:
    script = Script()
    for name in ("NETWORK", "READOUT", "ENCODER", "SEED2"):
        script.write(name, 0xFFFFFFFF)
        script.read(name)
    got = tiny.read_back(script)
    for name, value in zip(("NETWORK", "READOUT", "ENCODER", "SEED2"), got, strict=True):
        fields = REGISTERS[name].fields
        mask = sum((1 << f.width) - 1 << f.lsb for f in fields) if fields else 0xFFFFFFFF
        assert value == mask, name


def test_reprogramming_between_runs(tiny: Simulator) -> None:
    script = Script()
    plans = []
    for seed in range(5):
        program = compile_network(network(seed, n_in=10 * seed + 1, recurrent=seed % 2 == 1), TINY)
        inputs = spikes(4, 10 * seed + 1, samples=2)
        script.load(program)
        script.run(planned(program, inputs))
        plans.append((program, inputs))
    for (program, inputs), observed in zip(plans, tiny.play(script), strict=True):
        check_run(program, inputs, observed)


def test_a_second_run_needs_no_second_load(tiny: Simulator) -> None:
    program = compile_network(network(1), TINY)
    inputs = spikes(5, 40, samples=3)
    script = Script()
    script.load(program)
    script.run(planned(program, inputs))
    script.reset()
    script.run(planned(program, inputs))
    for observed in tiny.play(script):
        check_run(program, inputs, observed)


@pytest.mark.parametrize("cycles", [1, 7, 13, 29, 64, 111, 150])
@pytest.mark.parametrize("hard", [False, True])
def test_reset_in_mid_run(tiny: Simulator, cycles: int, hard: bool) -> None:
    program = compile_network(network(2, recurrent=True), TINY)
    inputs = spikes(6, 40, samples=3)
    plan = planned(program, inputs)
    broken = Script()
    broken.load(program)
    broken.run(Stimulus(plan.words, plan.beats, limit=cycles))
    (cut,) = tiny.play(broken)
    assert len(cut.beats) < plan.beats
    after = Script()
    after.load(program)
    after.run(plan)
    (observed,) = tiny.play(after, reset=hard)
    check_run(program, inputs, observed)


def test_samples_of_different_lengths(tiny: Simulator) -> None:
    program = compile_network(network(4, recurrent=True), TINY)
    activity, values = [], []
    for steps in (1, 5, 2, 9, 1, 1, 3):
        inputs = spikes(steps, 40)
        result = run(program.network, inputs, trace=True)
        activity += activities(result, inputs)
        values.append(result)
    predicted = schedule(program, activity)
    script = Script()
    script.load(program)
    script.run(stimulus_of(activity, predicted))
    (observed,) = tiny.play(script)
    assert words(observed.beats) == words(predicted.beats)
    assert np.array_equal(observed.beat_cycles, predicted.beat_cycles)
    assert np.array_equal(observed.update_cycles, predicted.update_cycles)
    assert {name: observed.registers[name] for name in predicted.counters} == predicted.counters


def relay(n_in: int) -> Program:
    """A network whose answer counts the spikes of the first inputs."""
    weights = np.zeros((n_in, 11), np.int64)
    weights[range(11), range(11)] = 1
    return compile_network(Network((Layer(weights, 0, leak=0, mode=Mode.PLAIN),), Potential(12)), TINY)


def counts(tiny: Simulator, program: Program, stream: list[np.ndarray], answers: int = 1) -> tuple[list[int], int]:
    script = Script()
    script.load(program)
    script.run(Stimulus(np.concatenate(stream), 12 * answers, limit=3000))
    (observed,) = tiny.play(script)
    return words(observed.beats), observed.registers["ERROR"]


def test_events_in_any_order_and_more_than_once(tiny: Simulator) -> None:
    beats, error = counts(tiny, relay(40), [event_packet([39, 3, 3, 0, 10, 38, 3], last=True)])
    assert beats[:11] == [1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1]
    assert error == 0


def test_an_event_that_is_no_input_is_dropped_and_reported(tiny: Simulator) -> None:
    beats, error = counts(tiny, relay(40), [event_packet([2, 40, 65535, 5], last=True)])
    assert beats[:11] == [0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0]
    assert error == REGISTERS["ERROR"].pack(INDEX=1)


def test_bitmap_bits_beyond_the_inputs_are_ignored(tiny: Simulator) -> None:
    packet = np.array(
        [header(Kind.BITMAP, 2, True), 0x1, 0xFFFFFF01], np.uint32
    )  # inputs 0, 32 and 24 that are not there
    script = Script()
    script.load(relay(40))
    script.run(Stimulus(packet, 12, limit=300))
    (observed,) = tiny.play(script)
    assert words(observed.beats)[:11] == [1] + 10 * [0]
    assert observed.registers["EVENTS"] == 6, "two events for each of three tiles"
    assert observed.registers["ERROR"] == 0


def test_pixel_bytes_beyond_the_inputs_are_ignored(tiny: Simulator) -> None:
    weights = np.zeros((33, 11), np.int64)
    weights[range(11), range(11)] = 1
    layer = Layer(weights, 0, leak=0, mode=Mode.PLAIN)
    program = compile_network(Network((layer,), Potential(12), Encoder(Coding.LEVEL, 1, (0,))), TINY)
    packet = np.array([header(Kind.PIXELS, 9, True), 0x0000_0A00, *7 * [0], 0xFFFFFF_00], np.uint32)
    script = Script()
    script.load(program)
    script.run(Stimulus(packet, 12, limit=300))
    (observed,) = tiny.play(script)
    assert words(observed.beats)[:11] == [0, 1] + 9 * [0]
    assert observed.registers["EVENTS"] == 3, "one event for each of three tiles"


@pytest.mark.parametrize("coding", [Coding.LEVEL, Coding.DIRECT])
def test_an_image_amid_a_sample_of_spikes_is_refused(tiny: Simulator, coding: Coding) -> None:
    encoder = Encoder(coding, 1, (0,) if coding is Coding.LEVEL else ())
    layer = Layer(np.ones((8, 11), np.int64), 0, mode=Mode.PLAIN)
    program = compile_network(Network((layer,), Potential(12), encoder), TINY)
    stream = [bitmap_packet(np.ones(8), last=False), pixel_packet(np.ones(8, np.uint8))]
    beats, error = counts(tiny, program, stream)
    assert beats == []
    assert error == REGISTERS["ERROR"].pack(HEADER=1)


def test_a_network_without_encoder_refuses_images(tiny: Simulator) -> None:
    beats, error = counts(tiny, relay(40), [pixel_packet(np.ones(40, np.uint8))])
    assert beats == []
    assert error == REGISTERS["ERROR"].pack(HEADER=1)


def test_settings_are_locked_while_the_core_may_run(tiny: Simulator) -> None:
    script = Script()
    script.load(relay(40))
    script.write("CONTROL", REGISTERS["CONTROL"].pack(RUN=1))
    names = [name for name, register in REGISTERS.items() if register.access == "set"]
    for name in names:
        script.read(name)
        script.write(name, 0x0001_0101)
        script.read(name)
    script.read("ERROR")
    *values, error = tiny.read_back(script)
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
def test_a_bad_header_drops_the_input_until_reset(tiny: Simulator, bad: int) -> None:
    program = relay(40)
    good = bitmap_packet(np.ones(40, np.uint8), last=True)
    script = Script()
    script.load(program)
    script.run(Stimulus(np.concatenate([np.array([bad], np.uint32), good, good]), 12, limit=300))
    script.read("STATUS")
    script.reset()
    script.run(Stimulus(good, 12, limit=300))
    first, second = tiny.play(script)
    assert len(first.beats) == 0
    assert len(first.accept_cycles) == 1 + 2 * len(good), "the stream must not stand still"
    assert first.registers["STATUS"] == REGISTERS["STATUS"].pack(FAULT=1)
    assert first.registers["ERROR"] == REGISTERS["ERROR"].pack(HEADER=1)
    assert words(second.beats)[:11] == 11 * [1]
    assert second.registers["STATUS"] == 0


def test_errors_stay_until_they_are_cleared(tiny: Simulator) -> None:
    program = relay(40)
    script = Script()
    script.load(program)
    script.write("ERROR", 0xFFFFFFFF)
    script.run(Stimulus(event_packet([50], last=True), 12, limit=300))
    script.reset()
    script.run(Stimulus(event_packet([1], last=True), 12, limit=300))
    script.write("ERROR", REGISTERS["ERROR"].pack(INDEX=1))
    script.run(Stimulus(event_packet([1], last=True), 12, limit=300))
    assert [o.registers["ERROR"] for o in tiny.play(script)] == [2, 2, 0]


def test_memories_are_locked_while_the_core_may_run(tiny: Simulator) -> None:
    program = relay(40)
    good = bitmap_packet(np.ones(40, np.uint8), last=True)
    script = Script()
    script.load(program)
    script.write("ERROR", 7)
    script.write("CONTROL", REGISTERS["CONTROL"].pack(RUN=1))
    script.write("MEMORY_ADDRESS", 0)
    script.write("MEMORY_DATA", 0xFFFFFFFF)  # would change weight row 0
    script.write("CONTROL", 0)
    script.run(Stimulus(good, 12, limit=300))
    (observed,) = tiny.play(script)
    assert words(observed.beats)[:11] == 11 * [1]
    assert observed.registers["ERROR"] == REGISTERS["ERROR"].pack(WRITE=1)


def test_without_the_vector_only_the_winner_is_sent(tiny: Simulator) -> None:
    program = relay(40)
    stream = np.concatenate([bitmap_packet(np.eye(40, dtype=np.uint8)[k], last=True) for k in (7, 2)])
    script = Script()
    script.load(program)
    script.write("READOUT", program.registers["READOUT"] & ~REGISTERS["READOUT"].pack(VECTOR=1))
    script.run(Stimulus(stream, 2, limit=300))
    (observed,) = tiny.play(script)
    assert words(observed.beats) == [7, 1 << 16 | 2]


def test_words_outside_a_memory_are_dropped(tiny: Simulator) -> None:
    program = relay(40)
    good = bitmap_packet(np.ones(40, np.uint8), last=True)
    script = Script()
    script.load(program)
    for region in range(16):
        script.write("MEMORY_ADDRESS", REGISTERS["MEMORY_ADDRESS"].pack(REGION=region, WORD=0x7FFFFF0))
        script.write("MEMORY_DATA", 0xFFFFFFFF)
    script.run(Stimulus(good, 12, limit=300))
    (observed,) = tiny.play(script)
    assert words(observed.beats)[:11] == 11 * [1]
