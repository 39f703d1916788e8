# SPDX-License-Identifier: Apache-2.0
"""Frames between the machine's serial line and its RAM."""

from __future__ import annotations

from random import Random
from typing import Any

from cobs import cobs

from hysteron_rtl.machine.machine import Machine
from hysteron_spec.machine import ANSWER_WORDS, FRAME_BYTES, FRAME_SLOTS, RAM_BASE
from support.contents import check_of, line_of
from support.line import BUFFERS, DIVISOR, OUT, Ear, say
from support.machine_bench import Cpu, EchoCore, on_machine
from support.machine_bench import check_of as check_of_words


async def sent(cpu: Cpu) -> None:
    """Wait until nothing is sent any more and the queue behind it is empty."""
    while await cpu.read("SEND"):
        await cpu.ctx.tick().repeat(20)
    await cpu.ctx.tick().repeat(18 * 10 * DIVISOR)


def test_frames_that_are_received() -> None:
    async def bench(cpu: Cpu) -> None:
        rng = Random(0)
        await cpu.write("FRAMES", RAM_BASE + BUFFERS)
        received = 0
        for slot in (0, 1, 2):
            content = bytes(rng.choice((0, rng.randrange(256))) for _ in range(rng.randrange(5, 15)))
            await say(cpu.ctx, cpu.machine, line_of(content))
            received += len(line_of(content))
            assert await cpu.fields("FRAME") == {"COUNT": 1, "SLOT": slot, "LENGTH": len(content)}
            assert await cpu.load(BUFFERS + FRAME_BYTES * slot, len(content)) == content
            assert await cpu.read("RECEIVED") == received
            await cpu.write("FRAME_POP", POP=0)
            assert (await cpu.fields("FRAME"))["COUNT"] == 1
            await cpu.write("FRAME_POP", POP=1)
            assert (await cpu.fields("FRAME"))["COUNT"] == 0
        for name in ("BAD_CHECK", "BAD_FORM", "BAD_ROOM", "BAD_STOP"):
            assert await cpu.read(name) == 0

    on_machine(bench)


def test_what_is_dropped_is_counted() -> None:
    async def bench(cpu: Cpu) -> None:
        good = line_of(b"good")
        await say(cpu.ctx, cpu.machine, good)  # there are no buffers yet
        await cpu.write("FRAMES", RAM_BASE + BUFFERS)
        line = cpu.port.irq[3]
        await cpu.write("WAKE", FRAME=1)
        for _ in range(3):
            await say(cpu.ctx, cpu.machine, bytes(cobs.encode(b"wrong check")) + b"\0")
        for _ in range(2):
            await say(cpu.ctx, cpu.machine, b"\5\1\0")
        assert not cpu.ctx.get(line)
        for k in range(FRAME_SLOTS):
            await say(cpu.ctx, cpu.machine, line_of(b"%d" % k))
            assert cpu.ctx.get(line)
        for _ in range(4):
            await say(cpu.ctx, cpu.machine, good)
        cpu.ctx.set(cpu.machine.rx, 0)
        await cpu.ctx.tick().repeat(15 * DIVISOR)
        cpu.ctx.set(cpu.machine.rx, 1)
        await cpu.ctx.tick().repeat(2 * DIVISOR)
        counts = [await cpu.read(name) for name in ("BAD_CHECK", "BAD_FORM", "BAD_ROOM", "BAD_STOP")]
        assert counts == [3, 2, 5, 1]
        for k in range(FRAME_SLOTS):
            assert await cpu.fields("FRAME") == {"COUNT": FRAME_SLOTS - k, "SLOT": k, "LENGTH": 1}
            assert await cpu.load(BUFFERS + FRAME_BYTES * k, 1) == b"%d" % k
            await cpu.write("FRAME_POP", POP=1)
        assert not cpu.ctx.get(line)

    on_machine(bench)


def test_frames_that_are_sent() -> None:
    rng = Random(1)
    contents = [b"", b"\0\0", rng.randbytes(21), b"x"]
    ear = Ear()

    async def bench(cpu: Cpu) -> None:
        for content in contents:
            await cpu.store(OUT, content)
            await cpu.write("SEND_SOURCE", RAM_BASE + OUT)
            assert await cpu.read("SEND") == 0
            await cpu.write("SEND", len(content))
            assert await cpu.read("SEND") == 1
            await cpu.write("SEND", 7)  # too early
            # The queue takes the last bytes at once, so the next frame may be prepared.
            while await cpu.read("SEND"):
                pass
        await sent(cpu)

    on_machine(bench, ear)
    assert ear.heard() == b"\0" + b"".join(line_of(content) for content in contents)


def test_the_lines_speed_can_be_set() -> None:
    divisor = 7
    ear = Ear()

    async def bench(cpu: Cpu) -> None:
        await cpu.ctx.tick().repeat(12 * DIVISOR)
        ear.levels.clear()
        await cpu.write("UART", DIVISOR=divisor)
        await cpu.write("FRAMES", RAM_BASE + BUFFERS)
        await say(cpu.ctx, cpu.machine, line_of(b"in"), divisor)
        assert await cpu.fields("FRAME") == {"COUNT": 1, "SLOT": 0, "LENGTH": 2}
        await cpu.write("SEND_SOURCE", RAM_BASE + BUFFERS)
        await cpu.write("SEND", 2)
        await cpu.ctx.tick().repeat(12 * 10 * divisor)

    on_machine(bench, ear)
    assert ear.heard(divisor) == line_of(b"in")


def test_all_use_memory_at_once() -> None:
    """What comes, what goes, what is copied and what the processor does stay apart."""
    rng = Random(2)
    outgoing = rng.randbytes(70)
    incoming = [rng.randbytes(n) for n in (20, 1, 30)]
    words = [rng.getrandbits(32) for _ in range(150)]
    ear = Ear()

    async def mouth(ctx: Any, machine: Machine, _: EchoCore) -> None:
        await ctx.tick().repeat(800)
        await say(ctx, machine, b"".join(line_of(content) for content in incoming))

    async def bench(cpu: Cpu) -> None:
        await cpu.write("FRAMES", RAM_BASE + BUFFERS)
        await cpu.store(OUT, outgoing)
        await cpu.copy(words, 0x400, "MEMORY_DATA")
        await cpu.write("SEND_SOURCE", RAM_BASE + OUT)
        await cpu.write("SEND", len(outgoing))
        held = dict.fromkeys(range(0x1000, 0x1040, 4), 0)
        copies = 1
        while await cpu.read("SEND"):
            for _ in range(15):
                address, word = rng.choice(list(held)), rng.getrandbits(32)
                await cpu.access(RAM_BASE + address, word, 0xF)
                held[address] = word
                address = rng.choice(list(held))
                read = await cpu.access(RAM_BASE + address)
                assert address not in held or read == held[address]
            if not await cpu.read("COPY"):
                await cpu.write("COPY", len(words))
                copies += 1
        while await cpu.read("COPY"):
            pass
        assert copies > 2
        assert await cpu.read("COPY_CHECK") == check_of_words(words * copies)
        await sent(cpu)
        assert (await cpu.fields("FRAME"))["COUNT"] == len(incoming)
        for slot, content in enumerate(incoming):
            assert await cpu.load(BUFFERS + FRAME_BYTES * slot, len(content)) == content

    on_machine(bench, ear, mouth)
    assert ear.heard()[:1] == b"\0"
    assert cobs.decode(ear.heard()[1:-1]) == outgoing + check_of(outgoing)


def test_what_comes_is_written_while_others_leave_no_cycle_free() -> None:
    """The copier into the stream and the processor take every cycle of memory for much longer than a byte."""
    rng = Random(3)
    content = rng.randbytes(20)
    words = [rng.getrandbits(32) for _ in range(ANSWER_WORDS)]

    async def mouth(ctx: Any, machine: Machine, _: EchoCore) -> None:
        await ctx.tick().repeat(500)
        await say(ctx, machine, line_of(content))

    async def bench(cpu: Cpu) -> None:
        await cpu.write("FRAMES", RAM_BASE + BUFFERS)
        for _ in range(6):  # the frame takes about as long as four of these
            await cpu.copy(words, 0x400, None)
            for _ in words:
                assert await cpu.access(RAM_BASE + 0x400) == words[0]
                assert cpu.cycles <= 4
            while await cpu.read("COPY"):
                pass
            assert [await cpu.read("ANSWER") for _ in words] == words
        assert await cpu.fields("FRAME") == {"COUNT": 1, "SLOT": 0, "LENGTH": len(content)}
        assert await cpu.load(BUFFERS, len(content)) == content

    on_machine(bench, mouth)
