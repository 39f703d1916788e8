# SPDX-License-Identifier: Apache-2.0
"""How the machine joins its blocks: what the processor reaches, the copier beside it, time, and restarts."""

from __future__ import annotations

import re
from collections import deque
from itertools import pairwise
from random import Random
from typing import Any

import pytest

from hysteron_rtl.machine.machine import Machine
from hysteron_rtl.verilog import convert_machine
from hysteron_spec.core import CoreConfig
from hysteron_spec.machine import (
    ANSWER_WORDS,
    CORE_BASE,
    MACHINE_BASE,
    MACHINE_MAGIC,
    MACHINE_REGISTERS,
    MACHINE_VERSION,
    RAM_BASE,
    ROM_BASE,
    WAKES,
    MachineConfig,
)
from hysteron_spec.registers import MAGIC, REGISTERS
from support.bench import TINY
from support.machine_bench import FIRMWARE, RAM_BYTES, ROM_BYTES, Cpu, EchoCore, check_of, on_machine


@pytest.mark.parametrize("preset", ["tiny", "digits"])
def test_verilog(preset: str) -> None:
    text = convert_machine(CoreConfig.preset(preset), MachineConfig(), [1, 2, 3])
    (ports,) = re.findall(r"^module hysteron_machine\((.*?)\);", text, re.M | re.S)
    assert {port.strip() for port in ports.split(",")} == {"clk", "rst", "rx", "tx", "leds", "restarted"}
    assert len(re.findall(r"^  picorv32 #\(", text, re.M)) == 1
    assert not re.search(r"^module picorv32", text, re.M)


def test_memories_and_registers_at_random() -> None:
    """An access takes two cycles, whatever came before it."""
    kept = ["SEED0", "SEED1", "SEED2", "SEED3"]

    async def bench(cpu: Cpu) -> None:
        rng = Random(0)
        rom = FIRMWARE + [0] * (ROM_BYTES // 4 - len(FIRMWARE))
        ram = bytearray(RAM_BYTES)
        core = dict.fromkeys(kept, 0)
        timer, send = 0, 0
        for _ in range(600):
            strobe = rng.choice((0, 0, 15, 3, 12, 1, 2, 4, 8))
            data = rng.getrandbits(32)
            place = rng.randrange(ROM_BYTES // 4) if rng.getrandbits(1) else rng.randrange(4)
            name = rng.choice(kept)
            match rng.randrange(7):
                case 0:
                    answer = await cpu.access(ROM_BASE + 4 * place, data, strobe)
                    assert strobe or answer == rom[place]
                case 1 | 2 | 3:
                    wrapped = rng.choice((0, RAM_BYTES, 17 * RAM_BYTES))
                    answer = await cpu.access(RAM_BASE + wrapped + 4 * place, data, strobe)
                    assert strobe or answer == int.from_bytes(ram[4 * place :][:4], "little")
                    for k in range(4):
                        if strobe >> k & 1:
                            ram[4 * place + k] = data >> 8 * k & 0xFF
                case 4 | 5:
                    answer = await cpu.access(CORE_BASE + REGISTERS[name].address, data, strobe)
                    assert strobe or answer == core[name]
                    core[name] = data if strobe else core[name]
                case _:
                    register = MACHINE_REGISTERS[rng.choice(("TIMER", "SEND_SOURCE", "MACHINE_ID"))]
                    answer = await cpu.access(MACHINE_BASE + register.address, data, strobe)
                    held = {"TIMER": timer, "SEND_SOURCE": send, "MACHINE_ID": MACHINE_MAGIC}[register.name]
                    assert strobe or answer == held
                    timer = data if strobe and register.name == "TIMER" else timer
                    send = data if strobe and register.name == "SEND_SOURCE" else send
            assert cpu.cycles == 2
            for _ in range(rng.choice((0, 0, 0, 1, 3))):
                await cpu.ctx.tick()

    on_machine(bench)


def test_what_registers_and_parameters_tell() -> None:
    async def bench(cpu: Cpu) -> None:
        assert await cpu.read("MACHINE_ID") == MACHINE_MAGIC
        assert await cpu.read("MACHINE_VERSION") == MACHINE_VERSION
        assert await cpu.read("CLOCK") == TINY.clock_hz
        assert await cpu.read("UART") == MachineConfig().divisor
        assert await cpu.core("ID") == MAGIC
        assert await cpu.fields("RESET_CAUSE") == {"ITSELF": 0, "COUNT": 0}
        before = await cpu.read("CYCLE")
        await cpu.ctx.tick().repeat(7)
        assert await cpu.read("CYCLE") == before + 9
        for value in (0xA5, 0x1FF):
            await cpu.write("LEDS", value)
            assert cpu.ctx.get(cpu.machine.leds) == value & 0xFF
        for name in ("FRAME", "RECEIVED", "BAD_CHECK", "BAD_FORM", "BAD_ROOM", "BAD_STOP", "SEND", "COPY", "ANSWERS"):
            assert await cpu.read(name) == 0, name

    parameters = on_machine(bench).parameters
    assert parameters["PROGADDR_RESET"] == ROM_BASE
    assert parameters["STACKADDR"] == RAM_BASE + RAM_BYTES


class Log:
    """Transfers on the core's bus, each once, in order."""

    def __init__(self) -> None:
        self.transfers: list[tuple[int, int, int]] = []

    async def __call__(self, ctx: Any, _: Machine, core: EchoCore) -> None:
        bus = core.bus
        async for _, _, *now in ctx.tick().sample(bus.cyc, bus.stb, bus.ack, bus.we, bus.adr, bus.dat_w, bus.dat_r):
            _, _, ack, we, adr, sent, read = now
            if ack:
                self.transfers.append((we, 4 * adr, sent if we else read))


def test_processor_and_copier_share_the_bus() -> None:
    """Nothing is lost or done twice, and neither waits long for the other."""
    log = Log()
    rng = Random(0)
    words = [rng.getrandbits(32) for _ in range(100)]
    data = REGISTERS["MEMORY_DATA"].address
    own: list[tuple[int, int, int]] = []

    async def bench(cpu: Cpu) -> None:
        await cpu.copy(words, 0x200, "MEMORY_DATA")
        seeds = [0] * 4
        slowest = 0
        while await cpu.read("COPY"):
            for _ in range(rng.randrange(4)):
                await cpu.ctx.tick()
            for _ in range(rng.randrange(1, 6)):
                number, word = rng.randrange(4), rng.getrandbits(32)
                address = REGISTERS[f"SEED{number}"].address
                if rng.getrandbits(1):
                    seeds[number] = word
                    await cpu.core(f"SEED{number}", word)
                    own.append((1, address, word))
                else:
                    assert await cpu.core(f"SEED{number}") == seeds[number]
                    own.append((0, address, seeds[number]))
                slowest = max(slowest, cpu.cycles)
        assert 2 < slowest <= 4
        assert await cpu.core("MEMORY_ADDRESS") == len(words)
        own.append((0, REGISTERS["MEMORY_ADDRESS"].address, len(words)))
        assert await cpu.read("COPY_CHECK") == check_of(words)

    on_machine(bench, log)
    copied = [transfer for transfer in log.transfers if transfer[1] == data]
    assert copied == [(1, data, word) for word in words]
    assert [transfer for transfer in log.transfers if transfer[1] != data] == own


@pytest.mark.parametrize("target", ["MEMORY_DATA", None])
def test_memory_is_the_processors_too_while_it_is_copied(target: str | None) -> None:
    log = Log()
    rng = Random(1)
    words = [rng.getrandbits(32) for _ in range(ANSWER_WORDS)]

    async def bench(cpu: Cpu) -> None:
        held = dict.fromkeys(range(0x800, 0x820, 4), 0)
        await cpu.copy(words, 0x400, target)
        while await cpu.read("COPY"):
            for _ in range(4):
                address, word = rng.choice(list(held)), rng.getrandbits(32)
                await cpu.access(RAM_BASE + address, word, 0xF)
                held[address] = word
                address = rng.choice(list(held))
                assert await cpu.access(RAM_BASE + address) == held[address]
                assert cpu.cycles <= 3
        assert await cpu.read("COPY_CHECK") == check_of(words)
        if target is None:
            assert [await cpu.read("ANSWER") for _ in words] == words

    on_machine(bench, log)
    assert [word for _, _, word in log.transfers] == (words if target else [])


def test_copied_words_that_come_back_as_answers() -> None:
    """Answers wait in a queue; when it is full, the copy waits too, until it is stopped."""
    rng = Random(2)
    words = [rng.getrandbits(32) for _ in range(ANSWER_WORDS + 20)]

    async def bench(cpu: Cpu) -> None:
        await cpu.copy(words, 0, None)
        await cpu.ctx.tick().repeat(6 * len(words))
        assert await cpu.read("COPY") == 20
        assert await cpu.read("ANSWERS") == ANSWER_WORDS
        got = deque[int]()
        for k in range(10):
            got.append(await cpu.read("ANSWER"))
            await cpu.ctx.tick().repeat(7)
            assert await cpu.read("COPY") == 19 - k
            assert await cpu.read("ANSWERS") == ANSWER_WORDS
        await cpu.write("COPY_COMMAND", CLEAR=1)
        assert await cpu.read("COPY") == 10, "clearing stops nothing"
        await cpu.write("COPY_COMMAND", STOP=1)
        await cpu.ctx.tick()
        assert await cpu.read("COPY") == 0
        assert await cpu.read("COPY_CHECK") == check_of([])
        for k in reversed(range(ANSWER_WORDS)):
            got.append(await cpu.read("ANSWER"))
            assert await cpu.read("ANSWERS") == k
        assert list(got) == words[:-10]

    on_machine(bench)


def test_timer() -> None:
    """Its flag is set once a period, and stays until it is cleared."""

    async def bench(cpu: Cpu) -> None:
        ctx = cpu.ctx
        line = cpu.port.irq[WAKES["TIMER"][0]]
        await cpu.write("WAKE", TIMER=1)
        await ctx.tick().repeat(50)
        assert not ctx.get(line), "0 is no period"
        for period in (10, 11, 37):
            await cpu.write("TIMER", period)
            rises = []
            for _ in range(5):
                while not ctx.get(line):
                    await ctx.tick()
                rises.append(await cpu.read("CYCLE"))
                await cpu.write("TIMER_FLAG", FLAG=0)
                assert ctx.get(line)
                await cpu.write("TIMER_FLAG", FLAG=1)
                assert not ctx.get(line)
            assert {after - before for before, after in pairwise(rises)} == {period}
            await cpu.write("TIMER", 0)
            await ctx.tick().repeat(2 * period)
            await cpu.write("TIMER_FLAG", FLAG=1)
            await ctx.tick().repeat(2 * period)
            assert await cpu.read("TIMER_FLAG") == 0
        for period in (1, 2):  # too short to be cleared
            await cpu.write("TIMER", period)
            await ctx.tick().repeat(2)
            for _ in range(3):
                await cpu.write("TIMER_FLAG", FLAG=1)
                assert await cpu.read("TIMER_FLAG") == 1

    on_machine(bench)


def test_a_shorter_period_counts_at_once() -> None:
    async def bench(cpu: Cpu) -> None:
        await cpu.write("TIMER", 1000)
        await cpu.ctx.tick().repeat(200)
        assert await cpu.read("TIMER_FLAG") == 0
        await cpu.write("TIMER", 100)
        assert await cpu.read("TIMER_FLAG") == 1

    on_machine(bench)


def test_wake_lets_interrupts_through() -> None:
    async def bench(cpu: Cpu) -> None:
        ctx = cpu.ctx
        register = MACHINE_REGISTERS["WAKE"]

        async def check(**levels: int) -> None:
            """The lines that are 1 when all may be, and each alone."""
            now = register.pack(**levels)
            for mask in (0, 0xFFFFFFFF, *(1 << bit for bit, _ in WAKES.values()), register.pack(FRAME=1, SENT=1)):
                await cpu.write("WAKE", mask)
                assert ctx.get(cpu.port.irq) == now & mask

        await check(COPIED=1, SENT=1)
        await cpu.copy([0] * (ANSWER_WORDS + 1), 0, None)
        await ctx.tick().repeat(3 * ANSWER_WORDS)
        await check(ANSWER=1, SENT=1)
        await cpu.write("COPY_COMMAND", STOP=1)
        await ctx.tick().repeat(2)
        await check(ANSWER=1, SENT=1, COPIED=1)
        for _ in range(ANSWER_WORDS):
            await cpu.read("ANSWER")
        await cpu.write("SEND", 100)
        await check(COPIED=1)
        await cpu.write("TIMER", 1)
        await ctx.tick()
        await cpu.write("TIMER", 0)
        await check(COPIED=1, TIMER=1)

    on_machine(bench)
