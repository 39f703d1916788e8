# SPDX-License-Identifier: Apache-2.0
"""What the block tests share: small cores, one simulation, and records as plain dictionaries."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from random import Random
from typing import Any

from amaranth.hdl import Elaboratable, Value
from amaranth.lib import data
from amaranth.sim import Simulator

from hysteron_spec.core import CoreConfig

#: Every feature in odd sizes.
TINY = CoreConfig.preset("tiny")


def core(**changes: Any) -> CoreConfig:
    """The tiny core with some parameters changed."""
    return replace(TINY, name="bench", **changes)


def simulate(dut: Elaboratable, bench: Callable[[Any], Awaitable[None]], *, clocked: bool = True) -> None:
    """Run ``bench(ctx)`` on ``dut`` from reset to its end.

    After ``await ctx.tick()`` a bench is at the start of a cycle: what it sets then holds in that cycle, and
    outputs it gets after that are those of the same cycle.
    """
    simulator = Simulator(dut)
    if clocked:
        simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()


def plain(value: Any) -> Any:
    """A record that ``ctx.get`` returned as nested dictionaries and lists of integers."""
    if not isinstance(value, data.Const):
        return value
    layout = value.shape()
    if isinstance(layout, data.ArrayLayout):
        return [plain(value[index]) for index in range(layout.length)]
    return {name: plain(value[name]) for name, _ in layout}


def scramble(ctx: Any, port: Any, rng: Random) -> None:
    """Put random bits on an input that shall not matter now."""
    bits = Value.cast(port)
    ctx.set(bits, rng.getrandbits(len(bits)))


def random_record(rng: Random, layout: data.StructLayout, **fixed: Any) -> dict[str, Any]:
    """Random bits in every field of ``layout`` but the ``fixed`` ones."""
    record: dict[str, Any] = {}
    for name, field in layout:
        if name in fixed:
            record[name] = fixed[name]
        elif isinstance(field.shape, data.StructLayout):
            record[name] = random_record(rng, field.shape)
        else:
            record[name] = rng.getrandbits(field.width)
    return record


def random_word(rng: Random, bits: int) -> int:
    """A word with few, some or all bits set; 0 is frequent."""
    kind = rng.randrange(5)
    if kind == 0:
        return 0
    if kind == 1:
        return 1 << rng.randrange(bits)
    if kind == 2:
        return (1 << bits) - 1
    word = rng.getrandbits(bits)
    return word & rng.getrandbits(bits) if kind == 3 else word


def set_bits(word: int) -> list[int]:
    """Numbers of the set bits, lowest first."""
    return [k for k in range(word.bit_length()) if word >> k & 1]


async def load_word(ctx: Any, load: Any, region: int, address: int, word: int) -> None:
    """Write one word through a :class:`~hysteron_rtl.memory.LoadSignature`; takes a cycle."""
    for port, value in ((load.strobe, 1), (load.region, region), (load.address, address), (load.data, word)):
        ctx.set(port, value)
    await ctx.tick()
    ctx.set(load.strobe, 0)


async def load_image(ctx: Any, load: Any, region: int, image: Any, stride: int) -> None:
    """Write all ``(rows, words)`` of an image."""
    for row, words in enumerate(image):
        for column, word in enumerate(words):
            await load_word(ctx, load, region, row * stride + column, int(word))
