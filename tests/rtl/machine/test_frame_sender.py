# SPDX-License-Identifier: Apache-2.0
"""Frames from memory to the line, against the package ``cobs`` and zlib's CRC-32."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from amaranth.hdl import Cat
from cobs import cobs

from hysteron_rtl.machine.frames import FrameSender
from hysteron_spec.machine import FRAME_BYTES
from support.bench import scramble, simulate
from support.contents import BASE, LONGEST, check_of, line_of, long_contents, runs, short_contents, without_zeros


@dataclass
class Sending:
    """A sender with a memory and a line that stall at random."""

    ctx: Any
    dut: FrameSender
    rng: Random
    stalls: float

    async def send(self, content: bytes, source: int) -> tuple[bytes, list[int]]:
        """Send once; returns the line's bytes and the cycles, from the start, in which they were taken."""
        ctx, dut, rng, memory = self.ctx, self.dut, self.rng, self.dut.memory
        before = source & ~3
        ram = rng.randbytes(source - before) + content + rng.randbytes(4)
        assert not ctx.get(dut.busy)
        for port, value in ((dut.start, 1), (dut.source, source), (dut.length, len(content))):
            ctx.set(port, value)
        scramble(ctx, memory.answer, rng)
        await ctx.tick()
        ctx.set(dut.start, 0)
        line, cycles = bytearray(), []
        cycle = 0
        request, offer = None, None  # that must still be there
        outputs = Cat(dut.busy, memory.valid, dut.o.valid)
        while (now := ctx.get(outputs)) & 1:
            cycle += 1
            ready = rng.random() >= self.stalls
            ctx.set(memory.ready, ready)
            asked = now >> 1 & 1 and (ctx.get(memory.address), ctx.get(memory.strobe))
            assert request is None or asked == request
            request = None
            word = rng.getrandbits(32)
            if asked:
                address, strobe = asked
                assert strobe == 0
                assert source <= address < source + len(content)
                if ready:
                    word = int.from_bytes(ram[address - before & ~3 :][:4], "little")
                else:
                    request = asked
            taken = rng.random() >= self.stalls
            ctx.set(dut.o.ready, taken)
            offered = ctx.get(dut.o.payload) if now >> 2 else None
            assert offer is None or offered == offer
            offer = None
            if offered is not None and taken:
                line.append(offered)
                cycles.append(cycle)
            elif offered is not None:
                offer = offered
            await ctx.tick()
            ctx.set(memory.answer, word)
        assert cycles[-1] == cycle, "busy ends with the delimiter"
        return bytes(line), cycles


def sent(contents: Sequence[bytes], stalls: float, source: int = BASE) -> list[list[int]]:
    """Send all and check what is on the line; returns the cycles of each frame's bytes."""
    dut = FrameSender(frame_bytes=FRAME_BYTES)
    cycles = []

    async def bench(ctx: Any) -> None:
        # After a reset, a 0 alone.
        assert ctx.get(dut.busy) and ctx.get(dut.o.valid) and ctx.get(dut.o.payload) == 0
        ctx.set(dut.o.ready, 1)
        await ctx.tick()
        ctx.set(dut.o.ready, 0)
        assert not ctx.get(dut.o.valid)
        sending = Sending(ctx, dut, Random(f"{stalls} {source}"), stalls)
        for content in contents:
            line, taken = await sending.send(content, source)
            assert line[-1] == 0
            assert 0 not in line[:-1]
            assert cobs.decode(line[:-1]) == content + check_of(content)
            assert line == line_of(content)
            cycles.append(taken)
            await ctx.tick()

    simulate(dut, bench)
    return cycles


@pytest.mark.parametrize("contents", [short_contents, long_contents, runs])
def test_contents_are_sent(contents: Callable[[], Iterator[bytes]]) -> None:
    sent(list(contents()), 0.0)


@pytest.mark.parametrize("source", range(BASE, BASE + 4))
def test_contents_are_sent_with_stalls_from_any_address(source: int) -> None:
    rng = Random(source)
    contents = [bytes(rng.choice((0, rng.randrange(256))) for _ in range(rng.randrange(40))) for _ in range(15)]
    sent([*contents, without_zeros(rng, 300)], 0.5, source)


def test_a_frame_without_content_is_its_check() -> None:
    sent([b""] * 2, 0.3)


def test_a_line_of_full_blocks_waits_for_a_block_to_be_read() -> None:
    """Meanwhile 16 bytes of at least 40 cycles wait in the machine's queue."""
    (cycles,) = sent([without_zeros(Random(0), LONGEST)], 0.0)
    assert cycles[0] == 2 * 254 + 2
    assert max(after - before for before, after in pairwise(cycles)) == 2 * 254 + 3 < 16 * 40
