# SPDX-License-Identifier: Apache-2.0
"""Receiver and transmitter of the serial line, cycle for cycle."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import accumulate
from math import ceil
from random import Random
from typing import Any

import pytest
from amaranth.hdl import Cat

from hysteron_rtl.machine.uart import UartReceiver, UartTransmitter
from support.bench import scramble, simulate

DIVISORS = (4, 5, 7, 16, 868)
#: Start, data and stop.
BITS = 10
#: Cycles from a change of the line until the receiver sees it.
SYNCHRONISER = 2


def bits(byte: int, stop: int = 1) -> list[int]:
    """What is on the line for a byte."""
    return [0, *(byte >> k & 1 for k in range(8)), stop]


def even(values: Iterable[int], divisor: int, gaps: Iterable[int]) -> tuple[list[int], list[int]]:
    """The line in each cycle, with ``gaps`` cycles before the bytes, and the cycles in which they begin."""
    line: list[int] = []
    begins = []
    for byte, gap in zip(values, gaps, strict=True):
        line += [1] * gap
        begins.append(len(line))
        line += [bit for bit in bits(byte) for _ in range(divisor)]
    return line, begins


def uneven(values: Sequence[int], divisor: int, stretch: str, phase: str) -> tuple[list[int], list[int]]:
    """The same without gaps, from a sender with its own clock.

    Its bits are ``stretch * divisor`` cycles long; it begins ``phase`` cycles late.
    """
    bit = Fraction(stretch) * divisor
    begin = divisor + Fraction(phase)
    levels = [level for byte in values for level in bits(byte)]
    line = [1] * ceil(begin)
    for k, level in enumerate(levels, 1):
        line += [level] * (ceil(begin + bit * k) - len(line))
    return line, [ceil(begin + bit * BITS * k) for k in range(len(values))]


def receive(divisor: int, line: Sequence[int]) -> list[tuple[int, int | None]]:
    """What comes out: cycle and byte, or None for a broken one. The line is high at the end."""
    dut = UartReceiver()
    got: list[tuple[int, int | None]] = []
    outputs = Cat(dut.valid, dut.broken)

    async def bench(ctx: Any) -> None:
        ctx.set(dut.divisor, divisor)
        before = 1
        for cycle, level in enumerate([*line, *[1] * (divisor + SYNCHRONISER + 2)]):
            if level != before:
                ctx.set(dut.rx, level)
                before = level
            what = ctx.get(outputs)
            assert what != 3
            if what:
                got.append((cycle, ctx.get(dut.data) if what == 1 else None))
            await ctx.tick()

    simulate(dut, bench)
    return got


def out(begin: int, divisor: int) -> int:
    """The cycle in which a byte comes out that began in cycle ``begin``: one after the middle of its stop bit."""
    return begin + SYNCHRONISER + (BITS - 1) * divisor + divisor // 2 + 1


@pytest.mark.parametrize("divisor", DIVISORS)
def test_bytes_back_to_back_come_out_after_the_middle_of_their_stop_bits(divisor: int) -> None:
    values = list(range(256)) if divisor <= 5 else [0x00, 0xA5] if divisor > 16 else list(range(0, 256, 11))
    Random(divisor).shuffle(values)
    line, begins = even(values, divisor, [0] * len(values))
    assert receive(divisor, line) == [(out(at, divisor), byte) for at, byte in zip(begins, values, strict=True)]


@pytest.mark.parametrize("divisor", DIVISORS)
def test_bytes_with_gaps(divisor: int) -> None:
    rng = Random(divisor)
    count = 30 if divisor <= 16 else 2
    values = [rng.getrandbits(8) for _ in range(count)]
    gaps = [rng.choice((0, 1, 2, 3, divisor - 1, divisor, rng.randrange(3 * divisor))) for _ in range(count)]
    line, begins = even(values, divisor, gaps)
    assert receive(divisor, line) == [(out(at, divisor), byte) for at, byte in zip(begins, values, strict=True)]


@pytest.mark.parametrize("phase", ["0", "0.4", "0.8"])
@pytest.mark.parametrize("stretch", ["0.98", "1", "1.02"])
@pytest.mark.parametrize("divisor", [5, 7, 16])
def test_senders_may_be_off(divisor: int, stretch: str, phase: str) -> None:
    rng = Random(f"{divisor} {stretch} {phase}")
    values = [0x00, 0xFF, *(rng.getrandbits(8) for _ in range(6))]
    line, begins = uneven(values, divisor, stretch, phase)
    assert receive(divisor, line) == [(out(at, divisor), byte) for at, byte in zip(begins, values, strict=True)]


@pytest.mark.parametrize("stretch", ["0.98", "1.02"])
def test_senders_may_be_off_with_long_bits(stretch: str) -> None:
    values = [0x00, 0xA7]
    line, begins = uneven(values, 868, stretch, "0.5")
    assert receive(868, line) == [(out(at, 868), byte) for at, byte in zip(begins, values, strict=True)]


@pytest.mark.parametrize("stretch", ["1", "1.0005", "1.02"])
def test_senders_may_be_slow_with_the_shortest_bits(stretch: str) -> None:
    rng = Random(stretch)
    values = [rng.getrandbits(8) for _ in range(60)]
    line, begins = uneven(values, 4, stretch, "0.5")
    assert receive(4, line) == [(out(at, 4), byte) for at, byte in zip(begins, values, strict=True)]


@pytest.mark.parametrize("stretch", ["0.98", "0.9995"])
def test_senders_may_be_fast_with_the_shortest_bits(stretch: str) -> None:
    rng = Random(stretch)
    values = [rng.getrandbits(8) for _ in range(60)]
    line, begins = uneven(values, 4, stretch, "0.5")
    assert receive(4, line) == [(out(at, 4), byte) for at, byte in zip(begins, values, strict=True)]


@pytest.mark.parametrize("divisor", [4, 5, 7, 16])
def test_only_the_middle_of_a_bit_counts(divisor: int) -> None:
    rng = Random(divisor)
    values = [rng.getrandbits(8) for _ in range(25)]
    line, begins = even(values, divisor, [divisor] * len(values))
    for begin in begins:
        for bit in range(BITS):
            for k in range(1 if bit == 0 else 0, divisor if bit < BITS - 1 else divisor // 2):
                if k != divisor // 2:
                    line[begin + bit * divisor + k] = rng.getrandbits(1)
    assert receive(divisor, line) == [(out(at, divisor), byte) for at, byte in zip(begins, values, strict=True)]


@pytest.mark.parametrize("divisor", DIVISORS)
def test_a_line_low_for_half_a_bit_begins_no_byte(divisor: int) -> None:
    half = divisor // 2
    for low in range(1, divisor) if divisor <= 16 else (half, half + 1):
        begun = [(out(1, divisor), 0xFF)] if low > half else []
        assert receive(divisor, [1, *[0] * low, *[1] * (BITS * divisor)]) == begun, low


@pytest.mark.parametrize("divisor", [4, 5, 7, 16])
def test_a_byte_may_follow_a_glitch(divisor: int) -> None:
    for low in range(1, divisor // 2 + 1):
        line = [1, *[0] * low, *[1] * (divisor // 2 + 1 - low)]
        at = len(line)
        line += [bit for bit in bits(0x35) for _ in range(divisor)]
        assert receive(divisor, line) == [(out(at, divisor), 0x35)], low


@pytest.mark.parametrize("divisor", DIVISORS)
def test_a_byte_without_stop_bit_is_broken(divisor: int) -> None:
    rng = Random(divisor)
    for held in (0, 1, 3 * divisor) if divisor <= 16 else (divisor // 3,):
        line = [1] * 3
        expected: list[tuple[int, int | None]] = []
        for byte in (0xFF, 0x00, rng.getrandbits(8)) if divisor <= 16 else (0x5A,):
            expected.append((out(len(line), divisor), None))
            line += [bit for bit in bits(byte, stop=0) for _ in range(divisor)]
            # However long it stays low, that is one broken byte.
            line += [0] * held + [1] * 2
            expected.append((out(len(line), divisor), byte))
            line += [bit for bit in bits(byte) for _ in range(divisor)]
        assert receive(divisor, line) == expected, held


@pytest.mark.parametrize("divisor", [4, 7])
def test_a_line_that_stays_low_is_one_broken_byte(divisor: int) -> None:
    assert receive(divisor, [0] * (50 * divisor)) == [(out(0, divisor), None)]


def transmit(divisor: int, values: Sequence[int], pauses: Sequence[int]) -> list[int]:
    """Compare ``tx`` and ``ready`` with what they should be in each cycle; returns the cycles in which bytes begin."""
    dut = UartTransmitter()
    rng = Random(divisor)
    outputs = Cat(dut.tx, dut.i.ready)
    begins: list[int] = []

    async def bench(ctx: Any) -> None:
        ctx.set(dut.divisor, divisor)
        coming: list[int] = []  # the line from now on, last first
        cycle = 0

        async def step() -> bool:
            """One cycle; returns whether a byte could be accepted in it."""
            nonlocal cycle
            ready = len(coming) <= 1
            level = coming.pop() if coming else 1
            assert ctx.get(outputs) == level | ready << 1, f"cycle {cycle}"
            cycle += 1
            await ctx.tick()
            return ready

        for byte, pause in zip(values, pauses, strict=True):
            ctx.set(dut.i.valid, 0)
            for _ in range(pause):
                scramble(ctx, dut.i.payload, rng)
                await step()
            ctx.set(dut.i.valid, 1)
            ctx.set(dut.i.payload, byte)
            while not await step():
                pass
            begins.append(cycle)
            coming += [bit for bit in reversed(bits(byte)) for _ in range(divisor)]
        ctx.set(dut.i.valid, 0)
        for _ in range((BITS + 2) * divisor):
            await step()

    simulate(dut, bench)
    return begins


@pytest.mark.parametrize("divisor", DIVISORS)
def test_bytes_leave_without_a_pause_between_them(divisor: int) -> None:
    values = list(range(256)) if divisor <= 5 else [0x00, 0xA5] if divisor > 16 else list(range(0, 256, 11))
    Random(divisor).shuffle(values)
    begins = transmit(divisor, values, [3] + [0] * (len(values) - 1))
    assert begins == list(accumulate([BITS * divisor] * (len(values) - 1), initial=4))


@pytest.mark.parametrize("divisor", DIVISORS)
def test_the_line_is_high_while_there_is_nothing_to_send(divisor: int) -> None:
    rng = Random(divisor)
    count = 25 if divisor <= 16 else 1
    around = (0, 1, BITS * divisor - 2, BITS * divisor - 1, BITS * divisor, BITS * divisor + 1)
    pauses = [rng.choice((*around, rng.randrange(BITS * divisor))) for _ in range(count)]
    transmit(divisor, [rng.getrandbits(8) for _ in range(count)], pauses)
