# SPDX-License-Identifier: Apache-2.0
"""A small machine with a small core: what other machines' devices do, its firmware does."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("pythondata_cpu_picorv32", reason="the processor is not installed (extra 'machine')")
pytest.importorskip("ziglang", reason="the compiler is not installed (extra 'machine')")

from hysteron_golden import run
from hysteron_host.accelerator import Accelerator
from hysteron_host.frames import Frame, decode
from hysteron_host.link import Identity, Link, RefusedError
from hysteron_host.transports import SocketTransport
from hysteron_sim.machine import SimulatedMachine
from hysteron_sim.system import stream
from hysteron_spec import Coding, CoreConfig, Encoder, Layer, Mode, Network, Potential, Readout, Reset
from hysteron_spec.answers import Answer
from hysteron_spec.machine import MACHINE_REGISTERS, MachineConfig
from hysteron_spec.packets import Kind as Packet
from hysteron_spec.packets import header, sample_packets
from hysteron_spec.protocol import MAGIC, REPLY, STATUS_WORDS, WINDOW, Kind, Refusal, named, payload, words
from hysteron_spec.registers import REGISTERS
from support.vectors import DAMAGED, VECTORS

CORE = replace(
    CoreConfig.preset("tiny"),
    name="tiny-serial",
    serial=True,
    direct=False,
    encoder=False,
    max_neurons=90,
    max_outputs=80,
    tiles=48,
    weight_rows=4000,
)
#: Seconds after which the driver asks again, and after which a machine is taken for dead.
PATIENCE, SILENCE = 5.0, 60.0
ERROR = REGISTERS["ERROR"]


def streamed(network: Network, inputs: np.ndarray) -> list[int]:
    """Samples that differ from golden."""
    machine = SimulatedMachine(CORE, MachineConfig(small=True))
    try:
        done = stream(machine, network, inputs, run(network, inputs), patience=60.0)
    finally:
        machine.close()
    return done.mismatches


def test_images_of_a_network_with_two_layers() -> None:
    rng = np.random.default_rng(3)
    hidden = Layer(rng.integers(-8, 8, (60, 70)), theta_high=60, theta_low=20, leak=4, mode=Mode.LATCH)
    last = Layer(rng.integers(-8, 8, (70, 10)), theta_high=2047, leak=8, mode=Mode.PLAIN, reset=Reset.NONE)
    encoder = Encoder(Coding.LEVEL, 4, (32, 96, 160, 224))
    network = Network((hidden, last), Potential(12), encoder, Readout.POTENTIAL, name="small")
    assert streamed(network, rng.integers(0, 256, (25, 60)).astype(np.uint8)) == []


def test_long_answers_without_a_zero() -> None:
    """320 bytes of negative potentials, none of them 0: blocks of 254 on the line."""
    last = Layer(np.full((8, 80), -3), theta_high=2047, leak=0, mode=Mode.PLAIN, reset=Reset.NONE)
    network = Network((last,), Potential(12), None, Readout.POTENTIAL, readout_every_step=True, name="long")
    inputs = np.ones((6, 3, 8), np.uint8)
    inputs[:, 0, 2:] = 0
    values = run(network, inputs).values
    assert (values < 0).all() and (values & 0xFF).all()
    assert streamed(network, inputs) == []


def test_answers_full_of_zeros() -> None:
    last = Layer(np.zeros((8, 80), np.int64), theta_high=5, mode=Mode.PLAIN)
    network = Network((last,), Potential(12), name="zeros")
    assert streamed(network, np.ones((5, 2, 8), np.uint8)) == []


@pytest.fixture
def machine() -> Iterator[SimulatedMachine]:
    """A machine that has just started."""
    with SimulatedMachine(CORE, MachineConfig(small=True)) as simulated:
        yield simulated


class Line(SocketTransport):
    """The line to it. Simulations sleep while the line is silent; 0s in a row, which mean nothing, keep them awake."""

    def __init__(self, machine: SimulatedMachine) -> None:
        assert machine.line is not None
        super().__init__(machine.line, "sim", PATIENCE)

    def read(self, seconds: float) -> bytes:
        until = time.monotonic() + seconds
        while not (data := super().read(min(seconds, 0.02))) and time.monotonic() < until:
            self.write(b"\0")
        return data

    def hear(self, enough: Callable[[bytes], bool]) -> bytes:
        """What comes until it is enough."""
        heard = b""
        while not enough(heard):
            came = self.read(SILENCE)
            assert came, f"nothing comes after {heard!r}"
            heard += came
        return heard


@pytest.fixture
def line(machine: SimulatedMachine) -> Line:
    return Line(machine)


def spikes(seed: int, samples: int, steps: int, inputs: int) -> np.ndarray:
    return (np.random.default_rng(seed).random((samples, steps, inputs)) < 0.2).astype(np.uint8)


def deep() -> Network:
    """Three layers that take nearly all tiles, one of them recurrent."""
    rng = np.random.default_rng(5)
    layers = (
        Layer(rng.integers(-8, 8, (50, 90)), theta_high=30, theta_low=8, leak=6),
        Layer(rng.integers(-8, 8, (90, 40)), theta_high=25, leak=5, recurrent=rng.integers(-8, 8, (40, 40))),
        Layer(rng.integers(-8, 8, (40, 7)), theta_high=20, leak=7),
    )
    return Network(layers, Potential(12), name="deep")


def flat() -> Network:
    """A layer of potentials, which answers every step."""
    rng = np.random.default_rng(6)
    layer = Layer(rng.integers(-8, 8, (8, 80)), theta_high=2047, leak=4, mode=Mode.PLAIN, reset=Reset.NONE)
    return Network((layer,), Potential(12), None, Readout.POTENTIAL, readout_every_step=True, name="flat")


def check(results: list[Answer], network: Network, inputs: np.ndarray) -> None:
    """A result for each sample, in order and golden's at every step."""
    golden = run(network, inputs)
    assert [result.index for result in results] == list(range(len(inputs)))
    assert np.array_equal([result.prediction for result in results], golden.predictions)
    assert np.array_equal([result.values for result in results], golden.values)
    if golden.step_values is not None:
        steps = [result.steps for result in results if result.steps is not None]
        assert np.array_equal(steps, golden.step_values)


def boot(identity: Identity, **cause: int) -> bytes:
    """What a machine says after a reset, behind a 0."""
    about = (identity.protocol, identity.firmware, identity.machine, MACHINE_REGISTERS["RESET_CAUSE"].pack(**cause))
    return Frame(Kind.BOOT, 0, 0, payload(MAGIC, *about, identity.clock_hz, identity.divisor, *identity.core)).encode()


def read_error(link: Link) -> dict[str, int]:
    """The core's register ERROR."""
    (word,) = words(link.ask(Kind.READ, payload(1 << 16 | ERROR.address)))
    return ERROR.unpack(word)


def refusal(link: Link, kind: Kind, content: bytes) -> tuple[int, int]:
    """Code and detail with which a request is refused."""
    with pytest.raises(RefusedError) as caught:
        link.ask(kind, content)
    return caught.value.code, caught.value.detail


def test_the_conversation_of_the_page(line: Line) -> None:
    """docs/link.md holds for a small machine, byte for byte; only what it says of itself is its own."""
    vectors = VECTORS
    heard = line.hear(lambda heard: heard.count(0) == 2)
    assert heard[0] == 0 and decode(heard[1:-1]).kind == Kind.BOOT
    said: list[bytes] = []
    for vector in vectors[1:]:
        if vector.sender == "host":
            assert not said, vector.name
            line.write(vector.line)
            continue
        if not said:
            *said, rest = line.hear(lambda heard: heard[-1:] == b"\0").split(b"\0")
            assert not rest
        stuffed = said.pop(0)
        if decode(stuffed).kind == Kind.HELLO | REPLY:
            assert decode(stuffed).content[:8] == vector.content[:8]
        else:
            expected = decode(vector.line[:-1])
            # Without an encoder there are no seeds: they read 0.
            expected = replace(expected, payload=expected.payload.replace(payload(0xDEADBEEF), payload(0)))
            assert stuffed + b"\0" == expected.encode(), vector.name
    assert not said
    for damaged in DAMAGED.values():
        line.write(b"\0" + damaged + b"\0")
    link = Link(line)
    link.connect()
    told = named(STATUS_WORDS, words(link.ask(Kind.STATUS)))
    # Half a header is a frame to the hardware; the firmware drops it.
    assert told["bad_check"] + told["bad_form"] == len(DAMAGED) - 1


def test_a_second_network(line: Line) -> None:
    """Nothing of the network that was there before is left, whichever is the bigger one."""
    accelerator = Accelerator(line)
    for number, network in enumerate((deep(), flat(), deep())):
        accelerator.load(network)
        inputs = spikes(number, 6, 5 if network.n_in == 50 else 3, network.n_in)
        check(list(accelerator.infer(inputs)), network, inputs)
    assert accelerator.link.figures.sessions == 1


def test_a_host_that_keeps_to_the_window_loses_nothing(line: Line) -> None:
    """A frame's buffer is free before the reply that lets the host send the next one."""
    accelerator = Accelerator(line)
    before = accelerator.stats()["machine"]["bad_room"]  # HELLO may have come before there were buffers
    for network in (deep(), flat()) * 3:
        accelerator.load(network)
    assert accelerator.stats()["machine"]["bad_room"] == before
    assert accelerator.link.figures.sent_again == 0


def test_a_second_network_while_the_first_is_at_work(line: Line) -> None:
    accelerator = Accelerator(line)
    accelerator.load(deep())
    next(accelerator.infer(spikes(1, 40, 5, 50)))
    accelerator.load(flat())
    inputs = spikes(2, 6, 3, 8)
    check(list(accelerator.infer(inputs)), flat(), inputs)


def test_a_restart_that_comes_while_replies_are_sent(line: Line) -> None:
    """It waits for them like any request; then a 0 and BOOT."""
    link = Link(line)
    identity = link.connect()
    for _ in range(WINDOW - 1):
        link.send(Kind.READ, payload(len(identity.core) << 16))
    link.send(Kind.RESTART)
    session = link._session
    replies = [Frame(Kind.READ | REPLY, session, k, payload(*identity.core)).encode() for k in range(WINDOW - 1)]
    again = boot(identity, ITSELF=1, COUNT=1)
    assert line.hear(lambda heard: heard.endswith(again)) == b"".join(replies) + b"\0" + again
    assert link.connect() == replace(identity, restarts=1)


def test_a_reply_that_a_reset_cuts_short(machine: SimulatedMachine, line: Line) -> None:
    """The 0 in front of BOOT ends what is left of it."""
    link = Link(line)
    identity = link.connect()
    again = boot(identity)
    for _ in range(30):
        for _ in range(WINDOW):
            link.send(Kind.READ, payload(len(identity.core) << 16))
        replies = b"".join(
            Frame(Kind.READ | REPLY, link._session, k, payload(*identity.core)).encode() for k in range(WINDOW)
        )
        begin = line.hear(bool)
        machine.reset()
        heard = begin + line.hear(lambda heard: heard.endswith(again))
        assert heard.endswith(b"\0" + again)
        # The last byte was perhaps cut itself.
        cut = heard.removesuffix(b"\0" + again)
        assert replies.startswith(cut[:-1])
        assert link.connect() == identity
        if cut[-1]:
            return
    raise AssertionError("no reset came amid a reply")


@pytest.mark.parametrize("cause", ["request", "pin"])
def test_a_restart_in_mid_run(machine: SimulatedMachine, line: Line, cause: str) -> None:
    """The driver loads the network again and asks what had no reply."""
    accelerator = Accelerator(line)
    accelerator.load(flat())
    inputs = spikes(3, 24, 3, 8)
    results: list[Answer] = []
    for result in accelerator.infer(inputs):
        results.append(result)
        if result.index in (0, 8):
            if cause == "pin":
                machine.reset()
            else:
                accelerator.link.send(Kind.RESTART)
    check(results, flat(), inputs)
    assert accelerator.link.figures.sessions == 3
    assert accelerator.identity.restarts == (2 if cause == "request" else 0)


def test_a_core_that_takes_nothing_more(line: Line) -> None:
    """Nobody asks for its answers, so it stops; its input is given up midway, which the host is told."""
    accelerator = Accelerator(line)
    accelerator.load(flat())
    content = [int(word) for packet in sample_packets(np.ones((40, 8), np.uint8)) for word in packet]
    before = accelerator.stats()
    line.patience = SILENCE
    assert refusal(accelerator.link, Kind.DATA, payload(0, *content)) == (Refusal.STUCK, 0)
    after = accelerator.stats()
    assert 0 < after["core"]["words_in"] - before["core"]["words_in"] < len(content)
    assert after["core"]["samples"] == before["core"]["samples"]
    assert after["machine"]["refused"] - before["machine"]["refused"] == 1
    # The core was reset, and neither words nor answers are left.
    inputs = spikes(4, 3, 3, 8)
    check(list(accelerator.infer(inputs)), flat(), inputs)
    assert accelerator.link.figures.sessions == 1


def test_input_that_the_core_drops(line: Line) -> None:
    """A malformed packet is told, with what the core says of it; the core is reset and goes on."""
    accelerator = Accelerator(line)
    accelerator.load(flat())
    link = accelerator.link
    good = [int(word) for packet in sample_packets(np.ones((3, 8), np.uint8)) for word in packet]
    assert read_error(link) == {"HEADER": 0, "INDEX": 0, "WRITE": 0}
    inputs = spikes(5, 2, 3, 8)
    for bad in (0, 0xF000_0000, header(Packet.PIXELS, 2, True), header(Packet.BITMAP, 2, True)):
        code = refusal(link, Kind.DATA, payload(81, bad, *good))
        assert code == (Refusal.CORE, ERROR.pack(HEADER=1)), f"{bad:#x}"
        assert read_error(link) == {"HEADER": 1, "INDEX": 0, "WRITE": 0}
        check(list(accelerator.infer(inputs)), flat(), inputs)
    accelerator.load(flat())
    assert not any(read_error(link).values()), "loading begins without errors"


def test_dropped_input_that_nobody_waits_for(line: Line) -> None:
    """Its own reply may be too early to tell; then every DATA after it is refused, until HELLO."""
    accelerator = Accelerator(line)
    accelerator.load(flat())
    link = accelerator.link
    good = [int(word) for packet in sample_packets(np.ones((1, 8), np.uint8)) for word in packet]
    assert link.ask(Kind.DATA, payload(0, 0xF000_0000)) == b""
    for _ in range(2):
        assert refusal(link, Kind.DATA, payload(81, *good)) == (Refusal.CORE, ERROR.pack(HEADER=1))
    assert accelerator._image is not None
    assert link.connect().check == accelerator._image.check, "the network is still there"
    inputs = spikes(6, 2, 3, 8)
    check(list(accelerator.infer(inputs)), flat(), inputs)


def test_an_error_of_the_core_while_it_is_loaded(line: Line) -> None:
    """LOAD_END tells it and clears it; there is no network then."""
    accelerator = Accelerator(line)
    accelerator.load(flat())
    link = accelerator.link
    link.ask(Kind.LOAD_BEGIN)
    content = (1 << 16 | REGISTERS["CONTROL"].address, 1, 1 << 16 | REGISTERS["MEMORY_DATA"].address, 5)
    link.ask(Kind.LOAD, payload(*content))
    sent = payload(1, 5)
    assert refusal(link, Kind.LOAD_END, payload(zlib.crc32(sent))) == (Refusal.CORE, ERROR.pack(WRITE=1))
    assert not any(read_error(link).values())
    assert refusal(link, Kind.DATA, payload(0)) == (Refusal.STATE, 0)
    accelerator = Accelerator(line)
    assert accelerator.identity.check == 0
    accelerator.load(deep())
    inputs = spikes(7, 3, 5, 50)
    check(list(accelerator.infer(inputs)), deep(), inputs)
