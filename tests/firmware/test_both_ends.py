# SPDX-License-Identifier: Apache-2.0
"""The driver's link and the firmware's, with a bad line between them."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from random import Random
from types import SimpleNamespace

import pytest

from hysteron_host import link as host_link
from hysteron_host.frames import DamagedError, decode
from hysteron_host.link import Link, SessionLostError
from hysteron_spec.machine import FRAME_SLOTS
from hysteron_spec.protocol import REPLY, WINDOW, Kind, payload, words
from support.firmware_core import ADDRESS, Core, ask
from support.firmware_native import Device

#: Seconds that a step of the device takes.
STEP = 1e-4


class Line:
    """A transport to a device; time passes only while somebody reads."""

    name, patience = "line", 200 * STEP

    def __init__(self, device: Device, harm: Callable[[bytes], bytes]) -> None:
        self.device, self.harm = device, harm
        self.now = 0.0
        self._received = b""
        self.seen = 0

    def write(self, data: bytes) -> None:
        self._received += self.harm(data)
        *frames, self._received = self._received.split(b"\0")
        for stuffed in frames:
            try:
                content = decode(stuffed).content
            except DamagedError:
                continue
            if len(self.device.waiting) < FRAME_SLOTS:
                self.device.waiting.append(content)

    def read(self, seconds: float) -> bytes:
        until = self.now + seconds
        sent = self.device.machine.sent
        while True:
            self.now += STEP
            self.device.step()
            if len(sent) > self.seen or self.now > until:
                break
        found = b"".join(frame.encode() for frame in sent[self.seen :])
        self.seen = len(sent)
        return self.harm(found)

    def close(self) -> None:
        pass


class Harm:
    """Flips bits, drops bytes and doubles them; now and then it swallows a burst."""

    def __init__(self, rng: Random, rate: float) -> None:
        self.rng, self.rate = rng, rate

    def __call__(self, data: bytes) -> bytes:
        rng, found = self.rng, bytearray()
        if rng.random() < 10 * self.rate:
            return b""
        for byte in data:
            fate = rng.random() / self.rate
            if fate < 1:
                found.append(byte ^ 1 << rng.randrange(8))
            elif fate < 2:
                found += bytes([byte, byte])
            elif fate > 3:
                found.append(byte)
        return bytes(found)


@pytest.fixture
def linked(device: Device, monkeypatch: pytest.MonkeyPatch) -> Callable[[float, int], tuple[Link, Line]]:
    """Makes a link to the device over a line of which so many bytes go wrong."""

    def make(rate: float, seed: int) -> tuple[Link, Line]:
        line = Line(device, Harm(Random(seed), rate) if rate else lambda data: data)
        monkeypatch.setattr(host_link, "time", SimpleNamespace(monotonic=lambda: line.now))
        return Link(line), line

    return make


def play(link: Link, rng: Random, samples: int) -> int:
    """Load, then stream samples whose answers depend on all before them; how many replies came."""
    words_loaded = [rng.getrandbits(32) for _ in range(400)]
    link.ask(Kind.LOAD_BEGIN)
    for first in range(0, 400, 100):
        part = words_loaded[first : first + 100]
        link.send(Kind.LOAD, payload(len(part) << 16 | ADDRESS["MEMORY_DATA"], *part))
    while link.pending:
        for reply in link.replies(wait=True):
            assert reply.kind == Kind.LOAD | REPLY
    link.ask(Kind.LOAD_END, payload(zlib.crc32(payload(*words_loaded))))
    core = Core()
    expected: list[tuple[int, ...]] = []
    got: list[tuple[int, ...]] = []
    sent = 0
    while len(got) < samples:
        while sent < samples and link.room:
            stream = [ask(0, rng.getrandbits(20)) for _ in range(rng.choice([0, 5, 40]))]
            stream.append(ask(rng.choice([0, 1, 11])))
            for word in stream:
                core.stream(word)
            expected.append(tuple(core.answers))
            core.answers.clear()
            link.send(Kind.DATA, payload(len(expected[-1]), *stream))
            sent += 1
        assert link.pending <= WINDOW
        got += [words(reply.payload) for reply in link.replies(wait=True)]
    assert got == expected[:samples]
    return len(got)


@pytest.mark.parametrize("rate", [0, 1e-4, 4e-4])
def test_every_request_is_answered_once_and_in_order(
    linked: Callable[[float, int], tuple[Link, Line]], rate: float
) -> None:
    link, line = linked(rate, 1)
    rng = Random(2)
    for _ in range(3):
        link.connect()
        assert play(link, rng, 300) == 300
    figures = link.figures
    assert bool(figures.sent_again) == bool(rate)
    if not rate:
        assert line.now < 5 and not figures.damaged and not figures.gaps


def test_a_restart_is_noticed(linked: Callable[[float, int], tuple[Link, Line]], device: Device) -> None:
    link, line = linked(0, 1)
    link.connect()
    play(link, Random(1), 20)
    for k in range(5):
        link.send(Kind.DATA, payload(1, ask(1, k)))
    device.start()
    line.seen = 0
    with pytest.raises(SessionLostError, match="was restarted"):
        list(link.replies(wait=True))
    link.connect()
    play(link, Random(2), 20)


def test_another_host_takes_over(linked: Callable[[float, int], tuple[Link, Line]]) -> None:
    link, line = linked(0, 1)
    link.connect()
    for _ in range(WINDOW):
        link.send(Kind.STATUS)
    other = Link(line, _session=link._session)  # the next number, not by chance the same
    other.connect()
    assert play(other, Random(3), 20) == 20
    with pytest.raises(SessionLostError, match="has lost this session"):
        list(link.replies(wait=True))
