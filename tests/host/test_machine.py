# SPDX-License-Identifier: Apache-2.0
"""The driver with a simulated machine: hardware, firmware and link, and all that can happen to them."""

from __future__ import annotations

import threading
import time
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.typing import NDArray

import hysteron_networks
from hysteron_base.errors import DeviceError, HysteronError
from hysteron_firmware.headers import STACK_BYTES
from hysteron_golden import Result as Expected
from hysteron_golden import run
from hysteron_host import link as host_link
from hysteron_host.accelerator import Accelerator
from hysteron_host.frames import Frame, decode
from hysteron_host.image import core_of
from hysteron_host.link import Link, RefusedError, SessionLostError
from hysteron_host.transports import SocketTransport
from hysteron_sim.machine import SimulatedMachine
from hysteron_spec import CoreConfig, Layer, Network, load
from hysteron_spec.answers import Answer
from hysteron_spec.machine import FRAME_BYTES
from hysteron_spec.protocol import STATUS_WORDS, WINDOW, Kind, Refusal, named, payload, words
from hysteron_spec.registers import REGISTERS
from support.faults import FaultyLine
from support.vectors import DAMAGED, VECTORS

DIGITS = hysteron_networks.path("digits")
IMAGES = np.random.default_rng(7).integers(0, 256, (600, 64), dtype=np.uint8)  # in 43 requests


@pytest.fixture(scope="module")
def machine() -> Iterator[SimulatedMachine]:
    with SimulatedMachine(CoreConfig.preset("digits")) as simulated:
        yield simulated


@pytest.fixture(scope="module")
def golden() -> Expected:
    return run(load(DIGITS), IMAGES)


class Line(SocketTransport):
    """The line to a simulated machine; it stays open for the next host.

    Its seconds are what a full window takes at the machine's speed, twice: however slow the simulation is, what is
    still on its way is not taken for lost. A machine that sleeps does not count; for its sake real time does a little.
    """

    def __init__(self, machine: SimulatedMachine) -> None:
        assert machine.line is not None
        super().__init__(machine.line, "sim", patience=1.0)
        self.machine = machine
        self._second = 2 * WINDOW * FRAME_BYTES * 10 * machine.machine.divisor

    def clock(self) -> float:
        return self.machine.figures().cycle / self._second + time.monotonic() / 20

    def read(self, seconds: float) -> bytes:
        until = self.clock() + seconds
        while not (data := super().read(min(seconds, 0.005))) and self.clock() < until:
            pass
        return data

    def close(self) -> None:
        pass


@pytest.fixture
def line(machine: SimulatedMachine, monkeypatch: pytest.MonkeyPatch) -> Line:
    made = Line(machine)
    monkeypatch.setattr(host_link, "time", SimpleNamespace(monotonic=made.clock))
    return made


def check(results: list[Answer], golden: Expected, images: NDArray[np.uint8] = IMAGES) -> None:
    """A result for each image, in order and right."""
    assert [result.index for result in results] == list(range(len(images)))
    assert np.array_equal([result.prediction for result in results], golden.predictions[: len(images)])
    assert np.array_equal([result.values for result in results], golden.values[: len(images)])


def hear(line: Line, count: int, seconds: float = 30) -> list[bytes]:
    """The frames that come, as they are on the line."""
    data, until = b"", time.monotonic() + seconds
    while len(frames := [part + b"\0" for part in data.split(b"\0")[:-1] if part]) < count:
        if time.monotonic() > until:
            break
        data += line.read(0.1)
    assert data[-1:] in (b"", b"\0")
    return frames


def test_the_conversation_of_the_page(machine: SimulatedMachine, line: Line) -> None:
    machine.reset()
    while line.read(0.1):
        pass  # what was sent before the reset, and BOOT
    machine.reset()
    k = 0
    while k < len(VECTORS):
        if VECTORS[k].sender == "host":
            line.write(VECTORS[k].line)
            k += 1
        count = 0
        while k + count < len(VECTORS) and VECTORS[k + count].sender == "device":
            count += 1
        for vector, heard in zip(VECTORS[k : k + count], hear(line, count), strict=True):
            frame, expected = decode(heard[:-1]), decode(vector.line[:-1])
            assert (frame.kind, frame.session, frame.sequence) == (expected.kind, expected.session, expected.sequence)
            if len(frame.payload) < 40:  # else its identity, which has versions that change
                assert heard == vector.line, vector.name
            assert len(frame.payload) == len(expected.payload)
        k += count
    for damaged in DAMAGED.values():
        line.write(b"\0" + damaged + b"\0")
    assert line.read(0.1) == b""
    link = Link(line)
    link.connect()
    told = named(STATUS_WORDS, words(link.ask(Kind.STATUS)))
    # Half a header is a frame to the hardware; the firmware drops it.
    assert told["bad_check"] + told["bad_form"] == len(DAMAGED) - 1


def test_identity(machine: SimulatedMachine, line: Line) -> None:
    identity, config = Accelerator(line).identity, CoreConfig.preset("digits")
    core = core_of(identity)
    for name in ("lanes", "weight_bits", "potential_bits", "max_inputs", "max_neurons", "max_outputs", "weight_rows"):
        assert getattr(core, name) == getattr(config, name)
    assert (identity.clock_hz, identity.divisor) == (config.clock_hz, machine.machine.divisor)


def test_a_clean_line(line: Line, golden: Expected) -> None:
    line.patience = 100
    accelerator = Accelerator(line)
    accelerator.load(DIGITS)
    before = accelerator.stats()
    check(list(accelerator.infer(IMAGES)), golden)
    after = accelerator.stats()
    assert after["link"]["sent_again"] == after["link"]["gaps"] == after["link"]["damaged"] == 0
    assert after["core"]["samples"] - before["core"]["samples"] == len(IMAGES)
    assert after["machine"]["answered"] - before["machine"]["answered"] == -(-len(IMAGES) // 14)
    for name in ("repeated", "gaps", "refused", "bad_check", "bad_form", "bad_room", "bad_stop"):
        assert after["machine"][name] == before["machine"][name], name
    assert after["machine"]["stack_free"] > STACK_BYTES // 2


# A request is 900 bytes: a third of them is damaged by flips, and a tenth by the others. With more, a request that is
# damaged each of the times that it is sent before the host gives up is no rarity.
@pytest.mark.parametrize("harm, rate", [("flips", 5e-5), ("dropped", 1e-4), ("doubled", 1e-4)])
def test_a_bad_line(machine: SimulatedMachine, line: Line, golden: Expected, harm: str, rate: float) -> None:
    accelerator = Accelerator(FaultyLine(line, **{harm: rate}, seed=4))
    accelerator.load(DIGITS)
    check(list(accelerator.infer(IMAGES[:300])), golden, IMAGES[:300])
    assert accelerator.link.figures.sent_again > 0


def garbage(rng: Random, session: int) -> bytes:
    """A frame that no host sends: bytes of no meaning, or a frame cut short or cut in two, or one that is in order but
    of another session, or for ``session`` one of this."""
    content = rng.randbytes(rng.choice((0, 1, 3, 4, 5, 8, 12, 40)))
    fate = rng.randrange(5)
    if fate == 0:
        return rng.randbytes(rng.randrange(60)) + b"\0"
    strange = rng.choice((0, rng.randrange(256))) if session == 0 or fate == 1 else session
    line = Frame(rng.randrange(256), strange, rng.choice((rng.randrange(9), rng.randrange(1 << 16))), content).encode()
    if fate == 2:
        at = rng.randrange(len(line))
        return line[:at] + rng.choice((b"\0", b"", b"\0\0", rng.randbytes(1))) + line[at + 1 :] + b"\0"
    return line if fate == 3 else line[: rng.randrange(len(line))] + b"\0"


def test_garbage_between_requests(machine: SimulatedMachine, line: Line, golden: Expected) -> None:
    """Ten thousand frames of garbage, while results are under way; none is lost, doubled or wrong."""
    rng = Random(11)
    accelerator = Accelerator(line)
    accelerator.load(DIGITS)
    results: list[Answer] = []
    link = accelerator.link
    write, sent = line.write, 0

    def with_garbage(data: bytes) -> None:
        nonlocal sent
        for _ in range(60):
            frame = garbage(rng, 0)
            # Of the session's own number only noise: the check tells it from requests.
            if frame[2:3] != bytes([link._session]):
                write(frame)
                sent += 1
        write(data)

    line.write = with_garbage  # type: ignore[method-assign]
    while sent < 10_000:
        results = list(accelerator.infer(IMAGES))
        check(results, golden)
    line.write = write  # type: ignore[method-assign]
    assert accelerator.link.figures.sessions == 1
    figures = accelerator.stats()["machine"]
    print(sent, figures)
    assert figures["bad_check"] > 100 and figures["bad_form"] > 100 and figures["refused"] > 100


def test_garbage_in_the_session_itself(machine: SimulatedMachine, line: Line, golden: Expected) -> None:
    """Whatever the requests that nobody means: a new session works."""
    rng = Random(12)
    accelerator = Accelerator(line)
    accelerator.load(DIGITS)
    for k in range(2000):
        line.write(garbage(rng, accelerator.link._session))
        if k % 100 == 99:
            while line.read(0.05):
                pass
    again = Accelerator(line)
    again.load(DIGITS)
    check(list(again.infer(IMAGES)), golden)


def refused(link: Link, kind: Kind, content: bytes = b"") -> Refusal:
    with pytest.raises(RefusedError) as caught:
        link.ask(kind, content)
    assert "\n" not in str(caught.value)
    return Refusal(caught.value.code)


def test_a_network_that_is_too_big_is_not_sent(line: Line) -> None:
    accelerator = Accelerator(line)
    requests = accelerator.link.figures.requests
    wide = Network((Layer(np.zeros((300, 9), np.int64), theta_high=3),), name="wide")
    with pytest.raises(HysteronError, match=r"^[^\n]*300[^\n]*$"):
        accelerator.load(wide)
    assert accelerator.link.figures.requests == requests


@pytest.mark.parametrize("harm", ["too much", "too little", "half a record", "half a file"])
def test_a_network_that_is_too_long_or_cut(line: Line, golden: Expected, harm: str, tmp_path: Path) -> None:
    accelerator = Accelerator(line)
    accelerator.load(DIGITS)
    image, link = accelerator._image, accelerator.link
    assert image is not None
    if harm == "half a file":
        path = tmp_path / "cut.hyn"
        path.write_bytes(DIGITS.read_bytes()[:-100])
        with pytest.raises(HysteronError, match=r"^[^\n]*cut.hyn[^\n]*damaged[^\n]*$"):
            accelerator.load(path)
        assert Accelerator(line).identity.check == image.check, "the network that was there stays"
        return
    link.ask(Kind.LOAD_BEGIN)
    pieces = image.pieces
    for piece, _ in pieces[:-1] if harm == "too little" else pieces:
        link.ask(Kind.LOAD, piece)
    check_sum = image.check
    if harm == "half a record":
        assert refused(link, Kind.LOAD, payload(9 << 16 | REGISTERS["MEMORY_DATA"].address, 1, 2)) == Refusal.LENGTH
        assert refused(link, Kind.LOAD_END, payload(check_sum)) == Refusal.STATE
    elif harm == "too little":
        assert refused(link, Kind.LOAD_END, payload(check_sum)) == Refusal.CHECK
    else:
        # What goes beyond the end of the last memory is dropped by the core; the network is whole.
        more = payload(*range(200))
        for _ in range(40):
            link.ask(Kind.LOAD, payload(200 << 16 | REGISTERS["MEMORY_DATA"].address) + more)
            check_sum = zlib.crc32(more, check_sum)
        link.ask(Kind.LOAD_END, payload(check_sum))
        check(list(accelerator.infer(IMAGES[:10])), golden, IMAGES[:10])
        return
    assert refused(link, Kind.DATA, payload(11, 1)) == Refusal.STATE
    assert Accelerator(line).identity.check == 0
    again = Accelerator(line)
    again.load(DIGITS)
    check(list(again.infer(IMAGES[:10])), golden, IMAGES[:10])


@pytest.mark.parametrize("when", ["loading", "running"])
def test_a_host_that_is_killed(machine: SimulatedMachine, line: Line, golden: Expected, when: str) -> None:
    killed = Accelerator(line)
    killed.load(DIGITS)
    if when == "running":
        results = killed.infer(IMAGES)
        for _ in range(5):
            next(results)
    else:
        killed.link.ask(Kind.LOAD_BEGIN)
        for _ in range(WINDOW - 1):
            killed.link.send(Kind.LOAD, payload(1 << 16 | REGISTERS["SEED0"].address, 1))
    line.write(b"\x05half a frame")
    again = Accelerator(line)
    assert (again.identity.check != 0) == (when == "running")
    again.load(DIGITS)
    check(list(again.infer(IMAGES)), golden)


def test_a_network_outlives_its_host(machine: SimulatedMachine, line: Line, golden: Expected) -> None:
    first = Accelerator(line)
    first.load(DIGITS)
    again = Accelerator(line)
    assert first._image is not None and again.identity.check == first._image.check
    again._image = first._image
    check(list(again.infer(IMAGES[:10])), golden, IMAGES[:10])


def test_a_reset_in_mid_run(machine: SimulatedMachine, line: Line, golden: Expected) -> None:
    accelerator = Accelerator(line)
    accelerator.load(DIGITS)
    results: list[Answer] = []
    for result in accelerator.infer(IMAGES):
        results.append(result)
        if result.index in (0, 170, 400):
            machine.reset()
    check(results, golden)
    assert accelerator.link.figures.sessions == 4


def test_a_restart_that_the_host_asks_for(machine: SimulatedMachine, line: Line) -> None:
    link = Link(line)
    before = link.connect()
    try:
        link.send(Kind.RESTART)
        (boot,) = hear(line, 1, 3) or [b""]
        assert boot and decode(boot[:-1]).kind == Kind.BOOT
        with pytest.raises(SessionLostError):
            list(link.replies(wait=True))
        assert link.connect().restarts == before.restarts + 1
    finally:
        machine.reset()


def test_a_cable_that_is_unplugged(machine: SimulatedMachine, line: Line, golden: Expected) -> None:
    accelerator = Accelerator(line)
    accelerator.load(DIGITS)
    results: list[Answer] = []
    for result in accelerator.infer(IMAGES):
        results.append(result)
        if result.index == 300:
            machine.unplug()
            threading.Timer(0.3, machine.plug).start()
    check(results, golden)
    assert accelerator.link.figures.sent_again >= WINDOW
    assert accelerator.link.figures.sessions == 1, "the session outlives it"


def test_a_cable_that_stays_unplugged(machine: SimulatedMachine, line: Line, golden: Expected) -> None:
    accelerator = Accelerator(line)
    accelerator.load(DIGITS)
    running = accelerator.infer(IMAGES)
    next(running)
    machine.unplug()
    try:
        line.patience = 0.01
        with pytest.raises(DeviceError, match="stopped answering"):
            list(running)
        with pytest.raises(DeviceError, match="no machine answers"):
            Link(line).connect()
    finally:
        machine.plug()
    line.patience = 1.0
    again = Accelerator(line)
    again.load(DIGITS)
    check(list(again.infer(IMAGES)), golden)


def test_what_the_core_refuses_is_told(line: Line, golden: Expected) -> None:
    accelerator = Accelerator(line)
    accelerator.load(DIGITS)
    link = accelerator.link
    for _ in range(2):
        with pytest.raises(RefusedError) as caught:
            link.ask(Kind.DATA, payload(11, 0xF000_0000))
        assert caught.value.code == Refusal.CORE
        error = REGISTERS["ERROR"]
        (value,) = words(link.ask(Kind.READ, payload(1 << 16 | error.address)))
        assert error.unpack(value) == {"HEADER": 1, "INDEX": 0, "WRITE": 0}
    check(list(accelerator.infer(IMAGES[:10])), golden, IMAGES[:10])
    accelerator.load(DIGITS)
    check(list(accelerator.infer(IMAGES[:10])), golden, IMAGES[:10])


def test_a_run_that_is_not_finished(line: Line, golden: Expected) -> None:
    accelerator = Accelerator(line)
    accelerator.load(DIGITS)
    for _ in range(2):
        for result in accelerator.infer(IMAGES[::-1]):
            if result.index == 3:
                break
        check(list(accelerator.infer(IMAGES[:20])), golden, IMAGES[:20])


def test_images_with_an_answer_for_every_step(line: Line) -> None:
    network = replace(load(DIGITS), readout_every_step=True)
    accelerator = Accelerator(line)
    accelerator.load(network)
    expected = run(network, IMAGES)
    results = list(accelerator.infer(IMAGES))
    check(results, expected)
    assert expected.step_values is not None
    assert all(result.steps is not None for result in results)
    assert np.array_equal([result.steps for result in results], expected.step_values)
