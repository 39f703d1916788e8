# SPDX-License-Identifier: Apache-2.0
"""Words from memory into a stream or onto a bus."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest
from amaranth.hdl import Cat

from hysteron_rtl.machine.copier import Copier
from support.bench import scramble, simulate

SOURCE = 0x1000_0040
REGISTER = 0x48


def check_of(words: Sequence[int]) -> int:
    """CRC-32 of words, low bytes first."""
    return zlib.crc32(struct.pack(f"<{len(words)}I", *words))


@dataclass
class Copying:
    """A copier between a memory and a taker that stall at random; every cycle is checked."""

    ctx: Any
    dut: Copier
    rng: Random
    to_stream: bool
    memory_stalls: float = 0.0
    taker_stalls: float = 0.0
    words: list[int] = field(default_factory=list)
    taken: list[int] = field(default_factory=list)
    #: The cycles in which they were taken, counted from the start.
    cycles: list[int] = field(default_factory=list)
    checked: list[int] = field(default_factory=list)
    #: The check has seen a part of a word that was not copied.
    gave_up: bool = False

    def __post_init__(self) -> None:
        bus = self.dut.bus
        self.outputs = Cat(self.dut.memory.valid, self.dut.o.valid, bus.cyc, bus.stb)
        self.request, self.offered, self.acknowledged, self.transfer = False, False, False, False
        self.now = 0
        self.left = 0

    async def start(self, count: int) -> None:
        """The cycle that starts it."""
        ctx, dut = self.ctx, self.dut
        self.words = [self.rng.getrandbits(32) for _ in range(count)]
        self.taken.clear()
        self.cycles.clear()
        for port, value in (
            (dut.start, 1),
            (dut.source, SOURCE),
            (dut.count, count),
            (dut.to_stream, self.to_stream),
            (dut.register, REGISTER),
        ):
            ctx.set(port, value)
        await self.cycle()
        ctx.set(dut.start, 0)
        scramble(ctx, dut.source, self.rng)
        scramble(ctx, dut.count, self.rng)
        self.left, self.now = count, 1

    async def cycle(self, *, give_up: bool = False) -> None:
        """One cycle. ``give_up``: offers may be taken back."""
        ctx, dut, rng, memory, bus = self.ctx, self.dut, self.rng, self.dut.memory, self.dut.bus
        assert ctx.get(dut.left) == self.left
        assert self.left or self.gave_up or ctx.get(dut.check) == check_of(self.checked)
        asked, offered, cyc, stb = (ctx.get(self.outputs) >> k & 1 for k in range(4))
        assert cyc == stb
        assert asked + offered + cyc <= 1
        assert asked or not self.request or give_up
        assert offered or not self.offered or give_up
        assert cyc or not self.transfer, "a transfer is held until it is acknowledged"
        answer = rng.getrandbits(32)
        self.request = self.offered = False
        place = len(self.taken)
        ready = rng.random() >= self.memory_stalls
        ctx.set(memory.ready, ready)
        if asked:
            assert ctx.get(memory.address) == SOURCE + 4 * place
            assert ctx.get(memory.strobe) == 0
            self.request = not ready
            answer = self.words[place] if ready else answer
        taken = False
        accepts = rng.random() >= self.taker_stalls
        ctx.set(dut.o.ready, accepts)
        if offered:
            assert self.to_stream
            assert ctx.get(dut.o.payload) == self.words[place]
            taken, self.offered = accepts, not accepts
        ctx.set(bus.ack, self.acknowledged)
        if cyc:
            assert not self.to_stream
            request = tuple(ctx.get(port) for port in (bus.we, bus.sel, bus.adr, bus.dat_w))
            assert request == (1, 0xF, REGISTER >> 2, self.words[place])
            taken = self.acknowledged
        self.transfer = bool(cyc) and not self.acknowledged
        # A target answers in the cycle after, or later.
        self.acknowledged = self.transfer and accepts
        if taken:
            self.taken.append(self.words[place])
            self.checked.append(self.words[place])
            self.cycles.append(self.now)
            self.left -= 1
        await ctx.tick()
        self.now += 1
        ctx.set(memory.answer, answer)

    async def finish(self) -> None:
        """Until all is copied, and a while longer."""
        while self.left:
            await self.cycle()
        for _ in range(4):
            await self.cycle()
            assert not self.request
            assert not self.offered
            assert not self.transfer
        assert self.taken == self.words

    async def stopped(self) -> None:
        """The cycle with ``stop``, and what follows until nothing is left."""
        self.ctx.set(self.dut.stop, 1)
        await self.cycle()
        self.ctx.set(self.dut.stop, 0)
        before, self.gave_up = len(self.taken), True
        for _ in range(8):
            if self.ctx.get(self.dut.left) == 0:
                break
            await self.cycle(give_up=True)
        self.left = 0
        for _ in range(3):
            await self.cycle(give_up=True)
        assert len(self.taken) <= before + 1
        assert self.taken == self.words[: len(self.taken)]


BOTH = pytest.mark.parametrize("to_stream", [True, False])
STALLS = [(0.0, 0.0), (0.5, 0.0), (0.0, 0.5), (0.5, 0.5), (0.8, 0.8)]


def copying(to_stream: bool, bench: Any, memory: float = 0.0, taker: float = 0.0) -> None:
    """Run ``bench`` on a copier."""
    dut = Copier()

    async def run(ctx: Any) -> None:
        await bench(Copying(ctx, dut, Random(f"{to_stream} {memory} {taker}"), to_stream, memory, taker))

    simulate(dut, run)


@BOTH
def test_words_are_copied_in_order(to_stream: bool) -> None:
    async def bench(c: Copying) -> None:
        for c.memory_stalls, c.taker_stalls in STALLS:
            for count in (1, 2, 3, 40):
                await c.start(count)
                await c.finish()

    copying(to_stream, bench)


@pytest.mark.parametrize(("to_stream", "cycles"), [(True, 5), (False, 6)])
def test_cycles_of_a_word(to_stream: bool, cycles: int) -> None:
    async def bench(c: Copying) -> None:
        await c.start(20)
        await c.finish()
        assert c.cycles == [cycles * k for k in range(1, 21)]

    copying(to_stream, bench)


@BOTH
def test_0_words_do_nothing(to_stream: bool) -> None:
    async def bench(c: Copying) -> None:
        for before in (0, 1):
            await c.start(before)
            await c.finish()
            await c.start(0)
            await c.finish()
            assert c.taken == []

    copying(to_stream, bench)


def test_a_count_takes_16_bits() -> None:
    async def bench(c: Copying) -> None:
        await c.start(0xFFFF)
        for _ in range(12):
            await c.cycle()
        assert c.left < 0xFFFF

    copying(True, bench)


@BOTH
def test_the_check_goes_on_from_copy_to_copy_until_it_is_cleared(to_stream: bool) -> None:
    async def bench(c: Copying) -> None:
        for clear in (False, False, True, True):
            if clear:
                c.ctx.set(c.dut.clear, 1)
                await c.cycle()
                c.checked.clear()
                c.ctx.set(c.dut.clear, 0)
            await c.start(5)
            await c.finish()
        assert len(c.checked) == 5

    copying(to_stream, bench, 0.3, 0.3)


@BOTH
def test_stop_gives_up_after_the_word_under_way(to_stream: bool) -> None:
    async def bench(c: Copying) -> None:
        for moment in range(24):
            await c.start(6)
            for _ in range(moment):
                await c.cycle()
            await c.stopped()
            if moment < 10:
                assert len(c.taken) < 6
            await c.start(3)  # and it can begin anew
            await c.finish()

    copying(to_stream, bench)


@pytest.mark.parametrize("memory", [0.0, 1.0])
def test_stop_gives_up_a_stream_that_takes_nothing(memory: float) -> None:
    async def bench(c: Copying) -> None:
        for wait in (0, 1, 2, 3, 9):
            c.memory_stalls, c.taker_stalls = memory, 1.0
            await c.start(4)
            for _ in range(wait):
                await c.cycle()
            assert c.left == 4
            await c.stopped()
            assert c.taken == []
            c.memory_stalls, c.taker_stalls = 0.2, 0.2
            await c.start(4)
            await c.finish()

    copying(True, bench)


def test_stop_finishes_a_transfer_on_the_bus() -> None:
    async def bench(c: Copying) -> None:
        c.taker_stalls = 1.0
        await c.start(4)
        for _ in range(5):
            await c.cycle()
        assert c.transfer
        c.ctx.set(c.dut.stop, 1)
        await c.cycle()
        c.ctx.set(c.dut.stop, 0)
        for _ in range(5):
            await c.cycle()
        assert c.transfer
        c.taker_stalls = 0.0
        while c.left == 4:
            await c.cycle()
        await c.cycle()
        c.left = 0
        await c.cycle()
        assert len(c.taken) == 1

    copying(False, bench)


@BOTH
def test_stop_does_nothing_while_nothing_is_copied(to_stream: bool) -> None:
    async def bench(c: Copying) -> None:
        for pause in (0, 1, 2):
            c.ctx.set(c.dut.stop, 1)
            await c.cycle()
            c.ctx.set(c.dut.stop, 0)
            for _ in range(pause):
                await c.cycle()
            await c.start(3)
            await c.finish()

    copying(to_stream, bench)
