# SPDX-License-Identifier: Apache-2.0
"""A small machine's registers for what its processor does by hand: bytes to the line, words to the core."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from random import Random
from typing import Any

import pytest

from hysteron_spec.machine import ANSWER_WORDS, LACKS, RAM_BASE, MachineConfig
from support import machine_bench
from support.contents import line_of
from support.line import BUFFERS, DIVISOR, Ear, say
from support.machine_bench import Cpu, StandIn, on_machine

#: Cycles of a byte on the line.
BYTE = 10 * DIVISOR


def on_small(bench: Callable[[Cpu], Awaitable[None]], *asides: Any, watchdog: int = 1 << 24) -> StandIn:
    """Run ``bench`` on a small machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(machine_bench, "MachineConfig", partial(MachineConfig, small=True))
        return on_machine(bench, *asides, watchdog=watchdog)


async def offer(cpu: Cpu, word: int) -> None:
    """Give the core a word that it takes at once."""
    await cpu.write("STREAM", word)
    await cpu.ctx.tick()
    assert await cpu.read("STREAM") == 0


def test_its_processor_has_no_interrupts() -> None:
    async def bench(cpu: Cpu) -> None:
        await cpu.write("FRAMES", RAM_BASE + BUFFERS)
        await cpu.write("WAKE", 0xFFFFFFFF)
        await say(cpu.ctx, cpu.machine, line_of(b"frame"))
        await offer(cpu, 1)
        assert (await cpu.fields("FRAME"))["COUNT"] == await cpu.read("ANSWERS") == 1
        assert cpu.ctx.get(cpu.port.irq) == 0

    parameters = on_small(bench).parameters
    assert parameters["ENABLE_IRQ"] == parameters["COMPRESSED_ISA"] == 0


@pytest.mark.parametrize("small", [False, True])
def test_registers_that_a_machine_lacks(small: bool) -> None:
    """They read 0, and nothing comes of what is written there."""
    ear = Ear()

    async def bench(cpu: Cpu) -> None:
        await cpu.ctx.tick().repeat(2 * BYTE)  # what a reset sends by itself
        del ear.levels[:]
        for _ in range(2):
            for name in LACKS[small]:
                assert await cpu.read(name) == 0, name
                await cpu.write(name, 0x8000_0003)
        await cpu.ctx.tick().repeat(4 * BYTE)
        assert await cpu.read("ANSWERS") == 0
        for name in ("MEMORY_ADDRESS", "SEED0"):
            assert await cpu.core(name) == 0

    (on_small if small else on_machine)(bench, ear)
    assert ear.heard() == b""


async def place(cpu: Cpu) -> int:
    """Wait until a byte may be written; for how many cycles."""
    waited = 0
    while await cpu.read("LINE"):
        waited += cpu.cycles
        assert waited < 2 * BYTE, "the line takes nothing"
    return waited


def test_bytes_to_the_line() -> None:
    """One is sent while another waits; of a word its low byte. There is no 0 but those that are written."""
    rng = Random(0)
    words = [0, 0xFF, 0x55, *(rng.getrandbits(32) for _ in range(20))]
    ear = Ear()

    async def bench(cpu: Cpu) -> None:
        ctx = cpu.ctx
        await ctx.tick().repeat(2 * BYTE)
        await cpu.write("LINE", words[0])
        await ctx.tick()
        assert await cpu.read("LINE") == 0, "its bits are on their way, and the next may be written"
        for word in words[1:]:
            await cpu.write("LINE", word)
            waited = await place(cpu)
            assert BYTE - 10 < waited < BYTE, "until the byte before is over"
        await ctx.tick().repeat(2 * BYTE)
        assert await cpu.read("LINE") == 0

    on_small(bench, ear)
    assert ear.heard() == bytes(word & 0xFF for word in words)
    first = ear.levels.index(0)
    last = len(ear.levels) - ear.levels[::-1].index(0)
    assert last - first <= len(words) * BYTE, "without a pause, if the processor keeps up"


def test_a_byte_that_comes_late() -> None:
    """The line is silent meanwhile."""
    ear = Ear()

    async def bench(cpu: Cpu) -> None:
        for pause in (1, 7, BYTE // 2, BYTE, 3 * BYTE + 1):
            await place(cpu)
            await cpu.write("LINE", pause)
            await cpu.ctx.tick().repeat(pause)
        await cpu.ctx.tick().repeat(2 * BYTE)

    on_small(bench, ear)
    assert ear.heard() == bytes((1, 7, BYTE // 2, BYTE, 3 * BYTE + 1))


def test_words_to_the_core() -> None:
    """STREAM reads 1 until the word is taken; each is taken once, and in order."""
    rng = Random(1)
    words = [rng.getrandbits(32) for _ in range(3 * ANSWER_WORDS)]

    async def bench(cpu: Cpu) -> None:
        ctx = cpu.ctx
        got: list[int] = []
        waited = 0
        for word in words:
            while await cpu.read("STREAM"):
                waited += 1
                assert await cpu.read("ANSWERS") >= ANSWER_WORDS
                got.append(await cpu.read("ANSWER"))
                await ctx.tick().repeat(rng.randrange(1, 5))
            await cpu.write("STREAM", word)
            await ctx.tick().repeat(rng.randrange(1, 5))
        assert waited > ANSWER_WORDS
        while await cpu.read("ANSWERS"):
            got.append(await cpu.read("ANSWER"))
            await ctx.tick().repeat(2)
        assert got == words

    on_small(bench)


async def fill(cpu: Cpu) -> list[int]:
    """Offer words until one waits, for nobody takes the answers; the words."""
    words: list[int] = []
    while not await cpu.read("STREAM"):
        words.append(0x100 + len(words))
        await cpu.write("STREAM", words[-1])
        await cpu.ctx.tick().repeat(5)
        assert len(words) <= ANSWER_WORDS + 1, "there is no place for more"
    assert await cpu.read("ANSWERS") == ANSWER_WORDS == len(words) - 1
    return words


async def answers(cpu: Cpu) -> list[int]:
    """All answers, as they come."""
    found = []
    while await cpu.read("ANSWERS"):
        found.append(await cpu.read("ANSWER"))
        await cpu.ctx.tick().repeat(3)
    return found


def test_a_word_that_is_given_up() -> None:
    """STOP takes back what the core has not taken, and nothing else; the next word is offered as ever."""

    async def bench(cpu: Cpu) -> None:
        words = await fill(cpu)
        await cpu.ctx.tick().repeat(100)
        await cpu.write("COPY_COMMAND", CLEAR=1)
        await cpu.write("COPY_COMMAND", STOP=0)
        assert await cpu.read("STREAM") == 1
        await cpu.write("COPY_COMMAND", STOP=1)
        assert await cpu.read("STREAM") == 0
        assert await answers(cpu) == words[:-1]
        await cpu.write("COPY_COMMAND", STOP=1)  # with nothing to stop
        await offer(cpu, 7)
        assert await answers(cpu) == [7]

    on_small(bench)


def test_what_goes_over_the_line_is_not_given_up() -> None:
    ear = Ear()

    async def bench(cpu: Cpu) -> None:
        for byte in (1, 2):
            await cpu.write("LINE", byte)
            await cpu.ctx.tick().repeat(3)
        await cpu.write("COPY_COMMAND", STOP=1)
        assert await cpu.read("LINE") == 1
        await cpu.ctx.tick().repeat(3 * BYTE)

    on_small(bench, ear)
    assert ear.heard() == bytes((1, 2))


def test_a_restart_forgets_what_waits() -> None:
    ear = Ear()

    async def bench(cpu: Cpu) -> None:
        await fill(cpu)
        for byte in (1, 2):
            await cpu.write("LINE", byte)
            await cpu.ctx.tick().repeat(3)
        assert await cpu.read("LINE") == await cpu.read("STREAM") == 1
        await cpu.write("WATCHDOG", 0)
        await cpu.ctx.tick().repeat(5)
        assert (await cpu.fields("RESET_CAUSE"))["COUNT"] == 1
        assert await cpu.read("LINE") == await cpu.read("STREAM") == 0
        del ear.levels[:]
        await cpu.ctx.tick().repeat(3 * BYTE)
        assert await answers(cpu) == []

    on_small(bench, ear)
    assert ear.heard() == b""
