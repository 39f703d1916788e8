# SPDX-License-Identifier: Apache-2.0
"""Idioms that several blocks use: the tree that finds the lowest set bit, delays, records, two places in turn."""

from random import Random
from typing import Any

import pytest
from amaranth.hdl import Module, Signal, signed, unsigned
from amaranth.lib import data

from hysteron_rtl.bits import at_most_one, delay, lowest_set, number, record, struct, take_turns
from support.bench import set_bits, simulate


def check_lowest_set(width: int, words: list[int]) -> None:
    m = Module()
    value = Signal(width)
    some, index, rest = (Signal(width, name=name) for name in ("some", "index", "rest"))
    parts = lowest_set(value)
    m.d.comb += [signal.eq(part) for signal, part in zip((some, index, rest), parts, strict=True)]
    assert len(parts[0]) == 1
    assert len(parts[1]) == max(1, (width - 1).bit_length())
    assert len(parts[2]) == width

    async def bench(ctx: Any) -> None:
        for word in words:
            ctx.set(value, word)
            bits = set_bits(word)
            got = ctx.get(some), ctx.get(index), ctx.get(rest)
            assert got == (bool(bits), bits[0] if bits else 0, word & (word - 1)), f"{word:#x}"

    simulate(m, bench, clocked=False)


@pytest.mark.parametrize("width", range(1, 11))
def test_lowest_set_of_every_word(width: int) -> None:
    check_lowest_set(width, list(range(1 << width)))


@pytest.mark.parametrize("width", [25, 32, 128])
def test_lowest_set_of_wide_words(width: int) -> None:
    rng = Random(width)
    single = [1 << k for k in range(width)]
    pairs = [1 << rng.randrange(width) | 1 << rng.randrange(width) for _ in range(100)]
    check_lowest_set(width, [0, (1 << width) - 1, *single, *pairs, *(rng.getrandbits(width) for _ in range(100))])


@pytest.mark.parametrize("width", range(1, 9))
def test_at_most_one(width: int) -> None:
    m = Module()
    value, few = Signal(width), Signal()
    m.d.comb += few.eq(at_most_one(value))

    async def bench(ctx: Any) -> None:
        for word in range(1 << width):
            ctx.set(value, word)
            assert ctx.get(few) == (word.bit_count() <= 1), f"{word:#x}"

    simulate(m, bench, clocked=False)


@pytest.mark.parametrize("cycles", range(5))
def test_delay(cycles: int) -> None:
    layout = data.StructLayout({"a": signed(5), "b": 3})
    m = Module()
    narrow, wide = Signal(signed(7)), record(layout)
    later, wide_later = delay(m, narrow, cycles, "narrow"), delay(m, wide, cycles, "wide")
    rng = Random(cycles)
    sent: list[tuple[int, dict[str, int]]] = [(0, {"a": 0, "b": 0})] * cycles

    async def bench(ctx: Any) -> None:
        for _ in range(30):
            sent.append((rng.randrange(-64, 64), {"a": rng.randrange(-16, 16), "b": rng.randrange(8)}))
            ctx.set(narrow, sent[-1][0])
            ctx.set(wide, sent[-1][1])
            value, fields = sent[-1 - cycles]
            assert ctx.get(later) == value
            assert ctx.get(wide_later) == layout.const(fields)
            await ctx.tick()

    m.d.sync += Signal().eq(0)  # a clock domain, also without any delay
    simulate(m, bench)


def test_struct_leaves_out_what_has_no_width() -> None:
    layout = struct({"leak": 4, "bias": 0, "u": 12}, lambda name: name == "u")
    assert layout == data.StructLayout({"leak": unsigned(4), "u": signed(12)})
    assert layout.size == 16
    assert (number(3, True), number(3, False)) == (signed(3), unsigned(3))


def test_a_record_is_called_like_its_variable() -> None:
    layout = data.StructLayout({"a": signed(5), "b": 3})
    flags = record(layout)
    kept = record(layout, name="other", reset_less=True)
    signals = flags.as_value(), kept.as_value()
    assert [signal.name for signal in signals] == ["flags", "other"]
    assert [signal.reset_less for signal in signals] == [False, True]
    assert flags.a.shape() == signed(5)


def test_two_places_in_turn() -> None:
    m = Module()
    full, put, get, fills, frees = Signal(2), Signal(), Signal(), Signal(), Signal()
    take_turns(m, full=full, put=put, get=get, fills=fills, frees=frees)
    rng = Random(1)
    seen = set()

    async def bench(ctx: Any) -> None:
        held: list[int] = []  # full places, oldest first
        filled = 0
        for _ in range(300):
            assert ctx.get(full) == sum(1 << place for place in held)
            assert ctx.get(put) == filled % 2
            if held:
                assert ctx.get(get) == held[0]
            fill, free = len(held) < 2 and rng.random() < 0.6, bool(held) and rng.random() < 0.5
            seen.add((len(held), fill, free))
            ctx.set(fills, fill)
            ctx.set(frees, free)
            if free:
                held.pop(0)
            if fill:
                held.append(filled % 2)
                filled += 1
            await ctx.tick()

    simulate(m, bench)
    assert (1, True, True) in seen
    assert {length for length, _, _ in seen} == {0, 1, 2}
