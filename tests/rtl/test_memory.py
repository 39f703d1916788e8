# SPDX-License-Identifier: Apache-2.0
"""The memory that is loaded over the bus."""

from random import Random
from typing import Any

import pytest

from hysteron_rtl.memory import LoadedMemory
from hysteron_spec.layouts import row_stride, row_words
from support.bench import load_word, simulate

REGION = 6


@pytest.mark.parametrize("latency", [1, 2, 3, 4])
@pytest.mark.parametrize(("width", "depth"), [(1, 2), (8, 256), (32, 5), (33, 7), (70, 6), (128, 9), (160, 3)])
def test_writes_and_reads(width: int, depth: int, latency: int) -> None:
    dut = LoadedMemory(width=width, depth=depth, region=REGION, latency=latency)
    rng = Random(f"{width} {depth} {latency}")
    rows = [0] * depth
    words, stride = row_words(width), row_stride(width)
    mask = (1 << width) - 1

    async def write(ctx: Any, region: int, address: int) -> None:
        word = rng.getrandbits(32)
        await load_word(ctx, dut.load, region, address, word)
        row, column = divmod(address, stride)
        if region == REGION and row < depth and column < words:
            rows[row] = (rows[row] & ~(0xFFFFFFFF << 32 * column) | word << 32 * column) & mask

    async def read_all(ctx: Any) -> None:
        """Reads at random times, back to back too; data is that of the last read ``latency`` cycles ago."""
        pipe = [ctx.get(dut.data)] * latency
        for _ in range(3 * min(depth, 20)):
            assert ctx.get(dut.data) == pipe[0]
            en, address = rng.random() < 0.7, rng.randrange(depth)
            ctx.set(dut.en, en)
            ctx.set(dut.address, address)
            pipe = [*pipe[1:], rows[address] if en else pipe[-1]]
            await ctx.tick()
        ctx.set(dut.en, 0)
        for value in pipe:
            assert ctx.get(dut.data) == value
            await ctx.tick()
        for _ in range(3):  # holds, whatever the address does
            ctx.set(dut.address, rng.randrange(depth))
            assert ctx.get(dut.data) == pipe[-1]
            await ctx.tick()

    async def bench(ctx: Any) -> None:
        for address in range(depth * stride):  # columns beyond a row included
            await write(ctx, REGION, address)
        await read_all(ctx)
        # Rows beyond the depth, near, at powers of two and at the end of the region.
        far = [depth * stride, (depth + 1) * stride, *(stride << k for k in range(3, 28) if stride << k < 1 << 28)]
        for address in [*far, (1 << 28) - 1, (1 << 28) - stride]:
            if address >= depth * stride:
                await write(ctx, REGION, address)
        for region in set(range(16)) - {REGION}:
            await write(ctx, region, rng.randrange(depth * stride))
        await read_all(ctx)
        # Without a strobe nothing is written.
        for port, value in ((dut.load.region, REGION), (dut.load.address, 0), (dut.load.data, ~rows[0] & 0xFFFFFFFF)):
            ctx.set(port, value)
        await ctx.tick()
        for _ in range(2 * depth):
            await write(ctx, rng.choice((REGION, REGION, 0)), rng.randrange(2 * depth * stride))
        await read_all(ctx)

    simulate(dut, bench)


def test_writes_one_word_of_a_row_and_keeps_the_others() -> None:
    dut = LoadedMemory(width=96, depth=4, region=REGION)

    async def bench(ctx: Any) -> None:
        for column, word in ((0, 0x11111111), (1, 0x22222222), (2, 0x33333333), (1, 0xDEADBEEF), (3, 0x44444444)):
            await load_word(ctx, dut.load, REGION, 2 * 4 + column, word)
        for row, value in ((2, 0x33333333_DEADBEEF_11111111), (3, 0), (1, 0)):
            ctx.set(dut.en, 1)
            ctx.set(dut.address, row)
            await ctx.tick()
            assert ctx.get(dut.data) == value

    simulate(dut, bench)
