# SPDX-License-Identifier: Apache-2.0
"""The spike memory against a dictionary: rows, words and summaries of layers of several tiles."""

from random import Random
from typing import Any

import pytest

from hysteron_rtl.layouts import pass_layout
from hysteron_rtl.spikes import SpikeMemory
from support.bench import core, random_record, random_word, scramble, simulate


def summary(words: list[int]) -> int:
    return sum(1 << k for k, word in enumerate(words) if word)


@pytest.mark.parametrize(("lanes", "tiles"), [(2, (1, 5, 3)), (8, (3, 1, 4)), (32, (2, 3, 1)), (64, (1, 3, 2))])
def test_words_and_summaries(lanes: int, tiles: tuple[int, ...]) -> None:
    neurons = max(tiles) * lanes - 1
    config = core(lanes=lanes, max_neurons=neurons, max_outputs=neurons, max_layers=len(tiles), tiles=sum(tiles))
    dut = SpikeMemory(config)
    rng = Random(lanes)
    width, per_tile = config.spike_word, config.words_per_tile
    bases = [sum(tiles[:layer]) for layer in range(len(tiles))]
    # By layer and parity, the words of the whole buffer.
    buffers = {(layer, parity): [0] * (count * per_tile) for layer, count in enumerate(tiles) for parity in (0, 1)}

    async def read(ctx: Any, layer: int, parity: int) -> None:
        """Summary and a random word of a buffer, in the same cycle."""
        words = buffers[layer, parity]
        number = rng.randrange(len(words))
        for port, value in (
            (dut.summary_en, 1),
            (dut.summary_layer, layer),
            (dut.summary_parity, parity),
            (dut.word_en, 1),
            (dut.word_tile, bases[layer]),
            (dut.word_parity, parity),
            (dut.word, number),
        ):
            ctx.set(port, value)
        await ctx.tick()
        for port in (dut.word_en, dut.summary_en):
            ctx.set(port, 0)
        for port in (dut.word, dut.word_tile, dut.word_parity, dut.summary_layer, dut.summary_parity):
            scramble(ctx, port, rng)
        assert ctx.get(dut.bits) == words[number], (layer, parity, number)
        assert ctx.get(dut.summary) == summary(words), (layer, parity)

    async def summary_is(ctx: Any, layer: int, parity: int, words: list[int]) -> None:
        ctx.set(dut.summary_en, 1)
        ctx.set(dut.summary_layer, layer)
        ctx.set(dut.summary_parity, parity)
        await ctx.tick()
        ctx.set(dut.summary_en, 0)
        assert ctx.get(dut.summary) == summary(words), (layer, parity)

    async def bench(ctx: Any) -> None:
        for _ in range(40):
            layer, parity = rng.randrange(len(tiles)), rng.getrandbits(1)
            words: list[int] = []
            for tile in range(tiles[layer]):
                row = [random_word(rng, width) for _ in range(per_tile)]
                while rng.random() < 0.3:  # between two tiles of a job the other buffers are read
                    await read(ctx, rng.choice([k for k in range(len(tiles)) if k != layer]), rng.getrandbits(1))
                record = random_record(
                    rng,
                    pass_layout(config),
                    layer=layer,
                    parity=parity,
                    tile=bases[layer] + tile,
                    job_last=int(tile == tiles[layer] - 1),
                )
                ctx.set(dut.store, 1)
                ctx.set(dut.store_pass, record)
                ctx.set(dut.spikes, sum(word << k * width for k, word in enumerate(row)))
                await read(ctx, layer, 1 - parity)  # the layer's other buffer
                ctx.set(dut.store, 0)
                words += row
                if len(words) < len(buffers[layer, parity]):
                    await summary_is(ctx, layer, parity, buffers[layer, parity])  # until the last tile
            buffers[layer, parity] = words
            await read(ctx, layer, parity)
        for layer, parity in buffers:
            for _ in range(len(buffers[layer, parity])):
                await read(ctx, layer, parity)

    simulate(dut, bench)
