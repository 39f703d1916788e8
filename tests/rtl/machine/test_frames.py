# SPDX-License-Identifier: Apache-2.0
"""Frames from the line to memory, against the package ``cobs`` and zlib's CRC-32."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest
from amaranth.hdl import Cat
from cobs import cobs

from hysteron_rtl.machine.frames import FrameReceiver
from hysteron_spec.machine import FRAME_BYTES, FRAME_SLOTS
from support.bench import scramble, simulate
from support.contents import BASE, CHECK_BYTES, check_of, line_of, long_contents, runs, short_contents, without_zeros


@dataclass
class Receiving:
    """A receiver, what it should do, and the memory behind it. Outputs and writes are compared in every cycle."""

    ctx: Any
    dut: FrameReceiver
    rng: Random
    base: int = BASE
    slowest: int = 2  # cycles until memory takes a write
    frame: bytearray = field(default_factory=bytearray)
    missed: bool = False  # a byte found no buffer
    place: int = 0
    head: int = 0
    tail: int = 0
    frames: deque[bytes] = field(default_factory=deque)
    fresh: bool = False  # the newest was received in the cycle before and does not count yet
    #: What became of each frame.
    fates: list[str] = field(default_factory=list)
    popped: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ram = bytearray(self.base + self.dut.slots * self.dut.frame_bytes)
        dut = self.dut
        self.outputs = Cat(dut.memory.valid, dut.bad_form, dut.bad_check, dut.bad_room, dut.count, dut.slot)
        self.waits = 0
        self.since = 0  # cycles since the last byte of the line

    @property
    def room(self) -> bool:
        return self.base != 0 and len(self.frames) < self.dut.slots

    def fate(self) -> str:
        """What is to become of the frame that has just ended."""
        if not self.frame:
            return "none"
        try:
            plain = bytes(cobs.decode(bytes(self.frame)))
        except cobs.DecodeError:
            return "form"
        if not CHECK_BYTES < len(plain) <= self.dut.frame_bytes:
            return "form"
        if check_of(plain[:-CHECK_BYTES]) != plain[-CHECK_BYTES:]:
            return "check"
        return "room" if self.missed else "good"

    def write(self) -> None:
        """The memory in a cycle in which a byte waits."""
        ctx, memory, size = self.ctx, self.dut.memory, self.dut.frame_bytes
        assert self.since == 1 + self.waits, "a byte is written in the cycle after it came"
        ready = self.waits == self.slowest or self.rng.randrange(3) == 0
        ctx.set(memory.ready, ready)
        self.waits = 0 if ready else self.waits + 1
        if ready:
            assert self.base and len(self.frames) < self.dut.slots, "nowhere to write to"
            address = ctx.get(memory.address)
            assert 0 <= address - self.base - self.head * size < size, "in another buffer"
            assert self.missed or address == self.base + self.head * size + self.place
            assert ctx.get(memory.strobe) == 1 << address % 4
            self.ram[address] = ctx.get(memory.data) >> 8 * (address % 4) & 0xFF
            self.place += 1

    async def cycle(self, data: int | None = None, *, pop: bool = False) -> None:
        """One cycle, perhaps with a byte."""
        ctx, dut = self.ctx, self.dut
        ctx.set(dut.base, self.base)
        ctx.set(dut.pop, pop)
        if data is not None:
            ctx.set(dut.valid, 1)
            ctx.set(dut.data, data)
        fate = self.fate() if data == 0 else "none"
        flags = {"form": 1, "check": 2, "room": 4}.get(fate, 0)
        count = len(self.frames) - self.fresh
        self.fresh = fate == "good"
        outputs = ctx.get(self.outputs)
        assert outputs >> 1 == flags | (count | self.tail << len(dut.count)) << 3, fate
        if outputs & 1:
            self.write()
        if count:
            assert ctx.get(dut.length) == len(self.frames[0])
        full = len(self.frames) == dut.slots
        if pop and count:
            content = self.frames.popleft()
            at = self.base + self.tail * dut.frame_bytes
            assert self.ram[at : at + len(content)] == content, "it is whole until it is released"
            self.popped.append(content)
            self.tail = (self.tail + 1) % dut.slots
        if data == 0:
            if fate == "good":
                plain = bytes(cobs.decode(bytes(self.frame)))
                at = self.base + self.head * dut.frame_bytes
                assert self.ram[at : at + len(plain)] == plain, "it is whole when it is posted"
                self.frames.append(plain[:-CHECK_BYTES])
                self.head = (self.head + 1) % dut.slots
            if self.frame:
                self.fates.append(fate)
            self.frame.clear()
            self.missed, self.place = False, 0
        elif data is not None:
            # The first byte of a frame is not written.
            self.missed |= bool(self.frame) and (self.base == 0 or full)
            self.frame.append(data)
        await ctx.tick()
        self.since = 1 if data is not None else self.since + 1
        if data is not None:
            ctx.set(dut.valid, 0)
            scramble(ctx, dut.data, self.rng)

    async def line(self, data: Iterable[int], pops: float = 0.0) -> None:
        """Bytes as close as they may be, or a little further apart."""
        for byte in data:
            await self.cycle(byte, pop=self.rng.random() < pops)
            for _ in range(self.rng.choice((2, 2, 2, 3, 6))):
                await self.cycle(pop=self.rng.random() < pops)

    async def good(self) -> None:
        """Whatever was before, the next frame comes through."""
        while self.frames:
            await self.cycle(pop=True)
        content = self.rng.randbytes(6)
        await self.line(line_of(content))
        await self.cycle(pop=True)
        assert self.popped[-1] == content


def receiving(
    bench: Callable[[Receiving], Awaitable[None]], *, frame_bytes: int = 32, slots: int = 4, base: int = BASE
) -> None:
    """Run ``bench`` on a receiver."""
    dut = FrameReceiver(frame_bytes=frame_bytes, slots=slots)

    async def run(ctx: Any) -> None:
        await bench(Receiving(ctx, dut, Random(f"{bench.__qualname__} {frame_bytes} {slots}"), base=base))

    simulate(dut, run)


@pytest.mark.parametrize("contents", [short_contents, long_contents, runs])
def test_contents_are_received(contents: Callable[[], Iterator[bytes]]) -> None:
    async def bench(r: Receiving) -> None:
        for content in contents():
            await r.line(line_of(content))
            assert r.frames == deque([content])
            await r.cycle(pop=True)
        assert set(r.fates) == {"good"}

    receiving(bench, frame_bytes=FRAME_BYTES, slots=FRAME_SLOTS)


def test_a_full_block_at_the_end_may_be_followed_by_an_empty_one() -> None:
    """Encoders differ there; both forms mean the same."""

    async def bench(r: Receiving) -> None:
        for extra in (b"", b"\1"):
            content = without_zeros(r.rng, 254 - CHECK_BYTES)
            await r.line(b"\xff" + content + check_of(content) + extra + b"\0")
            assert r.frames == deque([content])
            await r.cycle(pop=True)

    receiving(bench, frame_bytes=512)


@pytest.mark.parametrize(("slots", "pops"), [(1, 0.01), (2, 0.01), (4, 0.005), (4, 0.012), (8, 0.2)])
def test_buffers_are_used_in_turn_and_released_in_order(slots: int, pops: float) -> None:
    async def bench(r: Receiving) -> None:
        sent = []
        for _ in range(30):
            sent.append(bytes(r.rng.choice((0, r.rng.randrange(256))) for _ in range(r.rng.randrange(1, 29))))
            await r.line(line_of(sent[-1]), pops)
        while r.frames:
            await r.cycle(pop=True)
        assert r.popped == [content for content, fate in zip(sent, r.fates, strict=True) if fate == "good"]
        assert set(r.fates) == ({"good", "room"} if pops < 0.1 else {"good"})
        for _ in range(3):  # there is nothing to release
            await r.cycle(pop=True)
        await r.good()

    receiving(bench, slots=slots)


def test_a_buffer_may_be_released_in_the_cycle_in_which_one_is_posted() -> None:
    async def bench(r: Receiving) -> None:
        for waiting in (0, 1, 2, 3):
            while len(r.frames) < waiting:
                await r.line(line_of(r.rng.randbytes(5)))
            await r.line(line_of(r.rng.randbytes(7))[:-1])
            await r.cycle(0, pop=True)
            assert len(r.frames) == max(waiting, 1)
            await r.good()

    receiving(bench)


@pytest.mark.parametrize("length", range(CHECK_BYTES + 1))
def test_frames_without_content_are_dropped(length: int) -> None:
    """The check alone is right, but there is nothing that it checks."""

    async def bench(r: Receiving) -> None:
        for plain in (check_of(b"")[:length], r.rng.randbytes(length), b"\xff" * length):
            await r.line(bytes(cobs.encode(plain)) + b"\0")
            assert r.fates[-1] == "form"
        await r.good()

    receiving(bench)


@pytest.mark.parametrize("excess", [1, 2, 32, 100])
def test_frames_that_are_too_long_are_dropped(excess: int) -> None:
    async def bench(r: Receiving) -> None:
        for fill in (0x00, 0x01, 0xFF):
            await r.line(line_of(bytes([fill]) * (28 + excess)))
            assert r.fates[-1] == "form"
            await r.good()
        await r.line(line_of(bytes(28)))
        assert r.fates[-1] == "good"

    receiving(bench)


def test_frames_with_a_wrong_check_are_dropped() -> None:
    async def bench(r: Receiving) -> None:
        content = r.rng.randbytes(5)
        whole = content + check_of(content)
        for bit in range(8 * len(whole)):
            damaged = (int.from_bytes(whole, "little") ^ 1 << bit).to_bytes(len(whole), "little")
            await r.line(bytes(cobs.encode(damaged)) + b"\0")
            assert r.fates[-1] == "check"
        await r.good()

    receiving(bench)


@pytest.mark.parametrize("content", [bytes(8), bytes(range(1, 9)), bytes((5, 0, 6, 7, 0, 0, 8, 9))])
def test_frames_that_end_too_early_are_dropped(content: bytes) -> None:
    """In the middle of a block that is bad stuffing, between two it is a wrong check."""

    async def bench(r: Receiving) -> None:
        line = line_of(content)
        for length in range(1, len(line) - 1):
            await r.line(line[:length] + b"\0")
            assert r.fates[-1] in ("form", "check")
            await r.good()
        assert "form" in r.fates

    receiving(bench)


def test_delimiters_without_anything_between_them_are_no_frames() -> None:
    async def bench(r: Receiving) -> None:
        for _ in range(4):
            await r.line(b"\0" * r.rng.randrange(4))
            await r.good()
        assert r.fates == ["good"] * 4

    receiving(bench)


@pytest.mark.parametrize("after", [1, 2, 3, 8, 15])
def test_a_frame_that_began_without_a_buffer_is_dropped_whole(after: int) -> None:
    async def bench(r: Receiving) -> None:
        for _ in range(4):
            await r.line(line_of(r.rng.randbytes(9)))
        line = line_of(r.rng.randbytes(10))
        await r.line(line[:after])
        await r.cycle(pop=True)
        await r.line(line[after:])
        # The first byte only says how long the block is.
        assert r.fates[-1] == ("good" if after == 1 else "room")
        await r.good()

    receiving(bench)


@pytest.mark.parametrize("after", [0, 2, 9])
def test_without_buffers_frames_are_dropped(after: int) -> None:
    async def bench(r: Receiving) -> None:
        line = line_of(bytes(range(1, 12)))
        assert r.fate() == "none"
        for first, then in ((0, 0), (0, BASE), (BASE, 0)):
            r.base = first
            await r.line(line[:after])
            await r.cycle()  # in which the last write is done
            r.base = then
            await r.line(line[after:])
            late = after == 0 and then
            assert r.fates[-1] == ("good" if late else "room")
            while r.frames:
                await r.cycle(pop=True)
        r.base = BASE
        await r.good()

    receiving(bench)


@pytest.mark.parametrize("seed", range(2))
def test_whatever_comes_only_whole_frames_are_posted(seed: int) -> None:
    async def bench(r: Receiving) -> None:
        rng = r.rng
        rng.seed(seed)
        for _ in range(60):
            line = bytearray(line_of(bytes(rng.choice((0, 1, 2, 255)) for _ in range(rng.randrange(1, 30)))))
            at = rng.randrange(len(line))
            match rng.randrange(6):
                case 0:
                    line[at] = rng.choice((0, 1, 2, rng.randrange(256)))
                case 1:
                    del line[at]
                case 2:
                    line.insert(at, rng.choice((0, 1, rng.randrange(256))))
                case 3:
                    line = bytearray(rng.choice((1, 2, 3, 255)) for _ in range(rng.randrange(50))) + b"\0"
            await r.line(line, pops=0.005)
        assert set(r.fates) == {"good", "form", "check", "room"}
        await r.line(b"\0")
        await r.good()

    receiving(bench, slots=2)
