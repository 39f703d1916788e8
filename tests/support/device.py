# SPDX-License-Identifier: Apache-2.0
"""A device in Python, a line to it on which a test says what happens to which frame, and what else tests share."""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from hysteron_base.errors import DeviceError
from hysteron_host import link as host_link
from hysteron_host.frames import DamagedError, Frame, decode
from hysteron_spec.machine import MACHINE_VERSION
from hysteron_spec.packets import Header
from hysteron_spec.packets import Kind as Packet
from hysteron_spec.protocol import MAGIC, REPLY, STATUS_WORDS, VERSION, WINDOW, Kind, Refusal, payload, words
from hysteron_spec.registers import MAP_VERSION, REGISTERS

#: What the device says of itself: versions, reset cause, clock, divisor, and the core's constants.
CORE = (0x48595354, MAP_VERSION, 1, 2, 3, 4, REGISTERS["LIMITS3"].pack(COUNTERS=1))
IDENTITY = (VERSION, 0x0001_0002, MACHINE_VERSION, 3 << 8, 50_000_000, 16, *CORE)


class Device:
    """Answers requests at once, as the firmware does.

    Its "network" answers packets: ``n_out`` words, of which the first is the CRC-32 of the packet, and a winner.

    Attributes
    ----------
    refuses
        By sequence number: how a request is refused.
    """

    def __init__(self, *, n_out: int = 1, every_step: bool = False) -> None:
        self.n_out, self.every_step = n_out, every_step
        self.session = self.expected = 0
        self.loaded = 0
        self.written: list[tuple[int, int]] = []
        self.refuses: dict[int, tuple[int, ...]] = {}
        self._replies: dict[int, Frame] = {}
        self._packet: list[int] = []
        self._number = 0
        self.answers: list[int] = []

    def restart(self) -> Frame:
        """Forget everything, and say so."""
        self.session = self.loaded = 0
        return Frame(Kind.BOOT, 0, 0, payload(MAGIC, *IDENTITY))

    def take(self, frame: Frame) -> list[Frame]:
        """Replies to a frame."""
        if frame.kind == Kind.HELLO:
            if words(frame.payload) != (MAGIC, VERSION):
                return [Frame(Kind.ERROR, frame.session, frame.sequence, payload(Refusal.VERSION, VERSION))]
            self.session, self.expected = frame.session, 0
            self._replies.clear()
            self._packet, self.answers, self._number = [], [], 0
            reply = payload(self.loaded, *IDENTITY)
            return [Frame(Kind.HELLO | REPLY, frame.session, frame.sequence, reply)]
        if frame.session != self.session:
            return [Frame(Kind.ERROR, frame.session, frame.sequence, payload(Refusal.SESSION, self.session))]
        ahead = (frame.sequence - self.expected) & 0xFFFF
        if ahead >= 1 << 15:
            return [self._replies[frame.sequence]] if ahead >= (1 << 16) - WINDOW else []
        if ahead:
            return [Frame(Kind.GAP, self.session, self.expected)]
        self.expected = (self.expected + 1) & 0xFFFF
        kind, content = frame.kind | REPLY, self._carry_out(frame)
        if frame.sequence in self.refuses:
            kind, content = Kind.ERROR, payload(*self.refuses[frame.sequence])
        self._replies[frame.sequence] = Frame(kind, frame.session, frame.sequence, content)
        return [self._replies[frame.sequence]]

    def _carry_out(self, frame: Frame) -> bytes:
        content = words(frame.payload)
        if frame.kind == Kind.LOAD_BEGIN:
            self.written.clear()
            self.loaded = 0
        elif frame.kind == Kind.LOAD:
            at = 0
            while at < len(content):
                count = content[at] >> 16
                self.written += [(content[at] & 0xFFFF, word) for word in content[at + 1 : at + 1 + count]]
                at += 1 + count
        elif frame.kind == Kind.LOAD_END:
            assert content == (zlib.crc32(payload(*(word for _, word in self.written))),)
            self.loaded = content[0] or 1
        elif frame.kind == Kind.DATA:
            assert self.loaded
            for word in content[1:]:
                self._stream(word)
            asked, self.answers = self.answers[: content[0]], self.answers[content[0] :]
            assert len(asked) == content[0], "the host asks for more than there is"
            return payload(*asked)
        elif frame.kind == Kind.STATUS:
            return payload(*range(len(STATUS_WORDS)))
        elif frame.kind == Kind.READ:
            return payload(*range(content[0] >> 16))
        return b""

    def _stream(self, word: int) -> None:
        self._packet.append(word)
        head = Header.parse(self._packet[0])
        size = -(-head.count // 2) if head.kind is Packet.EVENTS else head.count
        if len(self._packet) == size + 1:
            if head.last or self.every_step:
                self._number = (self._number + 1) & 0xFFFF
                self.answers += answer(self._packet, self.n_out)
                self.answers[-1] |= self._number << 16
            self._packet = []


def answer(packet: list[int], n_out: int) -> list[int]:
    """What the device's network answers to a packet; the high half of the last word numbers the answers."""
    return [(zlib.crc32(payload(*packet)) + k) & 0xFFFF_FFFF for k in range(n_out)] + [len(packet)]


class Wire:
    """A transport to a device. Time passes only when nothing comes.

    Attributes
    ----------
    out, back
        What happens to the frames in each direction, numbered from 0 in the order in which they are written: a function
        of the bytes on the line, with the 0 at the end, that returns what arrives.
    quiet
        The device holds its replies back; :meth:`release` lets them go.
    log
        Every frame that the host wrote.
    chunk
        Bytes that a read gives at most.
    half, held, inbox
        Bytes that the device has of a frame without an end, that it holds back, and that the host can read.
    """

    def __init__(self, device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
        self.device = device
        self.name, self.patience = "wire", 1.0
        self.now = 0.0
        self.out: dict[int, Callable[[bytes], bytes]] = {}
        self.back: dict[int, Callable[[bytes], bytes]] = {}
        self.quiet = False
        self.log: list[Frame] = []
        self.chunk = 1 << 20
        self._sent = self._answered = 0
        self.half, self.held, self.inbox = b"", b"", b""
        monkeypatch.setattr(host_link, "time", SimpleNamespace(monotonic=lambda: self.now))

    def write(self, data: bytes) -> None:
        *frames, rest = data.split(b"\0")
        assert not rest, "frames are written whole"
        for stuffed in frames:
            if not stuffed:
                self.half = b""  # the 0 that ends whatever came before
                continue
            self.log.append(decode(stuffed))
            self.half += self.out.get(self._sent, bytes)(stuffed + b"\0")
            self._sent += 1
            *whole, self.half = self.half.split(b"\0")
            for one in whole:
                with contextlib.suppress(DamagedError):
                    self.say(*self.device.take(decode(one)))

    def say(self, *frames: Frame) -> None:
        """Let the device send something."""
        for frame in frames:
            self.held += self.back.get(self._answered, bytes)(frame.encode())
            self._answered += 1
        if not self.quiet:
            self.release()

    def release(self, count: int | None = None) -> None:
        """Let what is held back go, or its first frames."""
        parts = self.held.split(b"\0")
        count = len(parts) if count is None else count
        self.inbox += b"".join(part + b"\0" for part in parts[:-1][:count])
        self.held = b"\0".join(parts[:-1][count:] + parts[-1:])

    def read(self, seconds: float) -> bytes:
        if not self.inbox:
            self.now += max(seconds, 0) + 1e-6
        data, self.inbox = self.inbox[: self.chunk], self.inbox[self.chunk :]
        return data

    def close(self) -> None:
        self.name = "closed"


#: A request that every device answers, with the words 0, 1, 2.
READ = payload(3 << 16)
#: What happens to the bytes of a frame.
Harm = Callable[[bytes], bytes]


def numbers(frames: list[Frame]) -> list[int]:
    return [frame.sequence for frame in frames]


def all_replies(link: host_link.Link) -> list[Frame]:
    found: list[Frame] = []
    while link.pending:
        found += link.replies(wait=True)
    return found


def fill(link: host_link.Link) -> None:
    while link.room:
        link.send(Kind.READ, READ)


def one_line(act: Callable[[], object], kind: type[Exception] = DeviceError) -> str:
    with pytest.raises(kind) as caught:
        act()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def lose(data: bytes) -> bytes:
    return b""


def twice(data: bytes) -> bytes:
    return data * 2


def damage(data: bytes) -> bytes:
    return bytes([data[0], data[1] ^ 4]) + data[2:]


def cut(data: bytes) -> bytes:
    """The end is lost, with the 0."""
    return data[: len(data) // 2]
