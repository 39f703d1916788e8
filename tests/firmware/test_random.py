# SPDX-License-Identifier: Apache-2.0
"""The firmware and the model of it, through thousands of random frames."""

from __future__ import annotations

import ctypes
import os
from collections import deque
from random import Random

import pytest

from hysteron_host.frames import Frame
from hysteron_spec.protocol import MAGIC, REPLY, VERSION, WINDOW, Kind, payload
from support.firmware_core import ADDRESS, BAD_WORD, END, ask
from support.firmware_model import Model
from support.firmware_native import Device

SEED = int(os.environ.get("HYSTERON_SEED", "20261121"))


class Traffic:
    """Frames of a host that loads, streams, and makes all kinds of mistakes; the line loses and repeats what it sends.

    It knows from the model how far things are. ``faults``: some input is malformed.
    """

    def __init__(self, model: Model, rng: Random, *, faults: bool) -> None:
        self.model, self.rng, self.faults = model, rng, faults
        self.recent: deque[Frame] = deque(maxlen=2 * WINDOW)

    @property
    def oldest(self) -> int:
        """Number of the first request without a reply."""
        return self.model.open[0].frame.sequence if self.model.open else self.model.expected

    def window(self, oldest: int) -> int:
        """Requests under way, if ``oldest`` is the first."""
        return (self.model.expected - oldest) & 0xFFFF

    def frame(self, oldest: int | None = None) -> Frame:
        """The next frame that the device gets; ``oldest``: the first request whose reply the host may not have yet."""
        model, rng = self.model, self.rng
        fate = rng.random()
        if model.session == 0 or fate < 0.004:
            return self._hello()
        if fate < 0.03:  # another host
            kind, session, sequence = rng.randrange(256), rng.randrange(256), rng.randrange(1 << 16)
            return Frame(kind, session, sequence, rng.randbytes(rng.randrange(9)))
        if fate < 0.2 and model.expected >= WINDOW and self.recent:
            frame = rng.choice(self.recent)
            if frame.session == model.session:
                return frame
        if fate < 0.3:
            return Frame(Kind.READ, model.session, (model.expected + rng.randrange(1, 9)) & 0xFFFF, payload(0))
        under_way = self.window(self.oldest if oldest is None else oldest)
        if under_way >= WINDOW and rng.random() < 0.3:
            return self._hello()
        # What would not fit the window is hardly ever sent before something is answered.
        release = under_way == WINDOW - 1 and (oldest is not None or rng.random() < 0.9)
        kind, content = self._release() if release else self._request()
        if (kind, content) == (Kind.LOAD_BEGIN, b"") and under_way and oldest is not None:
            kind = Kind.STATUS  # it depends on the time which requests are refused
        frame = Frame(kind, model.session, model.expected, content)
        self.recent.append(frame)
        return frame

    def _hello(self) -> Frame:
        rng = self.rng
        good = rng.random() < 0.8
        content = payload(MAGIC, VERSION) if good else rng.choice([payload(MAGIC, 2), payload(MAGIC), payload(1, 1)])
        if good:
            self.recent.clear()
        return Frame(Kind.HELLO, rng.randrange(1, 256) if good else rng.randrange(256), rng.randrange(1 << 16), content)

    def _release(self) -> tuple[int, bytes]:
        """Input that brings whatever is still missing."""
        missing = self._missing()
        return Kind.DATA, payload(0, *(ask(min(missing - k, 100)) for k in range(0, missing, 100)), ask(0))

    def _request(self) -> tuple[int, bytes]:
        rng, model = self.rng, self.model
        fate = rng.random()
        if fate < 0.05:
            kind = rng.choice(list(Kind)[1:7])
            return kind, rng.randbytes(rng.choice([0, 1, 3, 4, 5] + [8, 12, 1016] * (kind != Kind.DATA)))
        if fate < 0.08:
            return rng.choice([0, 9, 0x80, 0xFF, Kind.GAP, Kind.BOOT]), rng.randbytes(rng.randrange(20))
        if fate < 0.12:
            return Kind.STATUS, b""
        if fate < 0.25:
            return Kind.READ, payload(rng.randrange(20) << 16 | rng.randrange(0, END + 8, rng.choice([1, 4, 4, 4])))
        if not model.loading and (not model.loaded or fate < 0.28):
            return Kind.LOAD_BEGIN, b""
        if model.loading:
            return self._loading()
        return self._data()

    def _loading(self) -> tuple[int, bytes]:
        rng = self.rng
        if rng.random() < 0.15:
            return Kind.LOAD_END, payload(self.model.check ^ (rng.random() < 0.1))
        content: list[int] = []
        while len(content) < rng.choice([1, 10, 200]):
            count = rng.randrange(1, 20)
            address = rng.choice([ADDRESS["SEED0"], ADDRESS["NETWORK"], ADDRESS["MEMORY_DATA"]])
            content += [count << 16 | address, *(rng.getrandbits(32) for _ in range(count))]
        if rng.random() < 0.05:
            content[rng.randrange(len(content))] ^= 1 << rng.randrange(32)
        return Kind.LOAD, payload(*content[:254])

    def _missing(self) -> int:
        return sum(asked.missing - len(asked.answers) for asked in self.model.open)

    def _data(self) -> tuple[int, bytes]:
        """Input of which the answers are asked for by this request, a later one, or have been by an earlier one."""
        rng = self.rng
        given = rng.choice([0, 1, 3, 11, 60])
        stream = [ask(0, rng.getrandbits(24)) for _ in range(rng.choice([0, 0, 3, 100]))] + [ask(given)]
        free = max(len(self.model.core.answers) + given - self._missing(), 0)
        asked = rng.choice([free, free, rng.randrange(free + 1), free + rng.randrange(4)])
        if self.faults and not self.model.open and rng.random() < 0.01:
            stream.append(BAD_WORD)
        return Kind.DATA, payload(asked, *stream)


def same_core(device: Device, model: Model) -> None:
    """Both cores were told the same."""
    got, expected = ([w for w in core.writes if w[0] != ADDRESS["ERROR"]] for core in (device.machine.core, model.core))
    assert got == expected
    device.machine.core.writes.clear()
    model.core.writes.clear()


@pytest.mark.parametrize("part", range(4))
def test_every_frame_is_answered_as_the_model_says(library: ctypes.CDLL, part: int) -> None:
    rng = Random(SEED + part)
    device, model = Device(library), Model()
    traffic = Traffic(model, rng, faults=True)
    (boot,) = device.run()
    assert boot.payload == payload(MAGIC) + model.identity
    seen: set[int] = set()
    for _ in range(2000):
        device.machine.copy_speed, device.machine.stop_takes = rng.choice([1, 7, 300]), rng.choice([0, 2])
        device.machine.send_takes = rng.choice([1, 5])
        frame = traffic.frame()
        expected = model.take(frame)
        assert device.run(frame) == expected
        same_core(device, model)
        seen.update(reply.kind for reply in expected)
    assert seen >= {Kind.DATA | REPLY, Kind.LOAD | REPLY, Kind.LOAD_END | REPLY, Kind.GAP, Kind.ERROR}


@pytest.mark.parametrize("part", range(4))
def test_whatever_takes_time_changes_no_reply(library: ctypes.CDLL, part: int) -> None:
    """Frames come while others are being copied, computed and answered, in bursts of up to a window."""
    rng = Random(SEED + 100 + part)
    device, model = Device(library), Model()
    machine = device.machine
    traffic = Traffic(model, rng, faults=False)  # whether one is seen in time depends on the time
    device.run()
    answered: set[Frame] = set()
    for _ in range(400):
        replies: list[list[Frame]] = []
        sent: list[Frame] = []
        oldest = traffic.oldest
        while traffic.window(oldest) < WINDOW and len(sent) < WINDOW:
            frame = traffic.frame(oldest)
            if frame.kind == Kind.HELLO and sent:
                continue  # it would forget what is under way
            sent.append(frame)
            replies.append(model.take(frame))
            if frame.kind == Kind.HELLO:
                break
        before = len(machine.sent)
        for one in sent:
            device.waiting.append(one.content)
            machine.copy_speed, machine.stop_takes = rng.choice([1, 2, 20]), rng.choice([0, 3])
            machine.send_takes = rng.choice([1, 4, 40])
            machine.holds_answers = rng.random() < 0.3
            for _ in range(rng.choice([0, 1, 5, 60])):
                device.step()
        machine.holds_answers = False
        device.run()
        got = machine.sent[before:]
        # STATUS tells how far things were; notices give way to each other, and repeats to new requests.
        expected = {reply for some in replies for reply in some if reply.kind != Kind.STATUS | REPLY}
        told = {reply for reply in got if reply.kind != Kind.STATUS | REPLY}
        assert {reply for reply in expected if reply.kind & REPLY} - answered <= told <= expected
        fresh = [one.sequence for one in dict.fromkeys(got) if one.kind == Kind.DATA | REPLY and one not in answered]
        assert fresh == sorted(fresh, key=lambda number: (number - oldest) & 0xFFFF)
        answered.update(got)
        same_core(device, model)
