# SPDX-License-Identifier: Apache-2.0
"""Watchdog and restarts."""

from __future__ import annotations

from random import Random

import pytest

from hysteron_spec.machine import RAM_BASE, MachineConfig
from support.machine_bench import Cpu, on_machine

WATCHDOG = 1000


async def restart(cpu: Cpu) -> int:
    """Wait for the restart, of one cycle, and until it is over; returns the cycles before it."""
    cycles = 0
    while not cpu.ctx.get(cpu.machine.restarted):
        cycles += 1
        assert cycles < 2 * WATCHDOG
        await cpu.ctx.tick()
    await cpu.ctx.tick()
    assert not cpu.ctx.get(cpu.machine.restarted)
    return cycles


def test_the_watchdog_counts_down_from_reset() -> None:
    async def bench(cpu: Cpu) -> None:
        # A read gives what was there in its first cycle.
        assert await cpu.read("WATCHDOG") == WATCHDOG
        assert await cpu.read("WATCHDOG") == WATCHDOG - 2
        # It is 0 after WATCHDOG cycles; the restart comes a cycle later.
        assert await restart(cpu) == WATCHDOG - 4 + 1
        assert await cpu.read("WATCHDOG") == WATCHDOG
        assert await cpu.fields("RESET_CAUSE") == {"ITSELF": 1, "COUNT": 1}
        assert await restart(cpu) == WATCHDOG - 4 + 1
        assert await cpu.fields("RESET_CAUSE") == {"ITSELF": 1, "COUNT": 2}

    on_machine(bench, watchdog=WATCHDOG)


def test_writing_the_watchdog_sets_it_anew() -> None:
    async def bench(cpu: Cpu) -> None:
        for _ in range(4):
            await cpu.ctx.tick().repeat(WATCHDOG - 100)
            assert not cpu.ctx.get(cpu.machine.restarted)
            await cpu.write("WATCHDOG", WATCHDOG)
        for cycles in (300, 5):
            await cpu.write("WATCHDOG", cycles)
            assert await cpu.read("WATCHDOG") == cycles
            assert await restart(cpu) == cycles - 2 + 1
        await cpu.write("WATCHDOG", 0)
        assert await restart(cpu) == 1, "0 restarts at once"
        assert await cpu.fields("RESET_CAUSE") == {"ITSELF": 1, "COUNT": 3}

    on_machine(bench, watchdog=WATCHDOG)


def test_a_restart_resets_everything_but_its_record_and_memory() -> None:
    async def bench(cpu: Cpu) -> None:
        ctx, rng = cpu.ctx, Random(0)
        for count in range(1, 4):
            content = rng.randbytes(64)
            await cpu.store(0x100, content)
            for name in ("TIMER", "WAKE", "LEDS", "UART", "FRAMES", "SEND_SOURCE", "COPY_SOURCE", "COPY_TARGET"):
                await cpu.write(name, 0xFFFFFFFF)
            for name in ("SEED0", "CONTROL", "MEMORY_ADDRESS"):
                await cpu.core(name, 0xFFFFFFFF)
            await cpu.copy([1, 2, 3], 0, None)
            await ctx.tick().repeat(20)
            await cpu.copy([4, 5, 6], 0, None)  # under way at the restart, as is what is sent
            assert await cpu.read("ANSWERS") > 0
            await cpu.write("SEND", 64)
            await cpu.write("WATCHDOG", 1)
            await restart(cpu)
            assert await cpu.read("CYCLE") == 0
            assert await cpu.fields("RESET_CAUSE") == {"ITSELF": 1, "COUNT": count}
            assert ctx.get(cpu.machine.leds) == 0
            assert await cpu.read("UART") == MachineConfig().divisor
            for name in ("TIMER", "WAKE", "LEDS", "FRAMES", "SEND_SOURCE", "COPY_SOURCE", "COPY_TARGET"):
                assert await cpu.read(name) == 0, name
            for name in ("ANSWERS", "COPY", "COPY_CHECK", "SEND", "TIMER_FLAG"):
                assert await cpu.read(name) == 0, name
            for name in ("SEED0", "CONTROL", "MEMORY_ADDRESS"):
                assert await cpu.core(name) == 0, name
            assert await cpu.load(0x100, 64) == content

    on_machine(bench)


def test_an_access_under_way_is_forgotten() -> None:
    async def bench(cpu: Cpu) -> None:
        ctx, port = cpu.ctx, cpu.port
        for before in range(4):
            await cpu.write("WATCHDOG", before + 1)
            for _ in range(before):
                await ctx.tick()
            ctx.set(port.mem_valid, 1)
            ctx.set(port.mem_wstrb, 0)
            ctx.set(port.mem_addr, RAM_BASE)
            await restart(cpu)
            ctx.set(port.mem_valid, 0)
            assert not ctx.get(port.mem_ready)
            await cpu.core("SEED0", before)
            assert cpu.cycles == 2
            assert await cpu.core("SEED0") == before

    on_machine(bench)


def test_an_unknown_instruction_restarts() -> None:
    async def bench(cpu: Cpu) -> None:
        for count in (1, 2):
            await cpu.ctx.tick().repeat(10)
            await cpu.core("SEED0", 9)
            cpu.ctx.set(cpu.port.trap, 1)
            assert await restart(cpu) == 1
            cpu.ctx.set(cpu.port.trap, 0)
            assert await cpu.core("SEED0") == 0
            assert await cpu.fields("RESET_CAUSE") == {"ITSELF": 1, "COUNT": count}

    on_machine(bench)


@pytest.mark.parametrize("address", [0x2000_0000, 0x3FFF_FFFC, 0x5000_0000, 0x9000_0000, 0xFFFF_FFFC])
@pytest.mark.parametrize("strobe", [0, 0xF])
def test_an_address_where_nothing_is_restarts(address: int, strobe: int) -> None:
    async def bench(cpu: Cpu) -> None:
        for count in (1, 2):
            await cpu.ctx.tick().repeat(10)
            cpu.ctx.set(cpu.port.mem_addr, address)  # without an access nothing happens
            await cpu.ctx.tick().repeat(10)
            assert not cpu.ctx.get(cpu.machine.restarted)
            cpu.ctx.set(cpu.port.mem_wstrb, strobe)
            cpu.ctx.set(cpu.port.mem_valid, 1)
            assert await restart(cpu) == 1
            cpu.ctx.set(cpu.port.mem_valid, 0)
            assert await cpu.fields("RESET_CAUSE") == {"ITSELF": 1, "COUNT": count}

    on_machine(bench)


@pytest.mark.parametrize("cause", ["watchdog", "trap"])
def test_a_restart_resets_the_processor(cause: str) -> None:
    async def bench(cpu: Cpu) -> None:
        ctx, port = cpu.ctx, cpu.port
        if cause == "trap":
            ctx.set(port.trap, 1)
        else:
            await cpu.write("WATCHDOG", 3)
        cycles = 0
        while ctx.get(port.resetn):
            cycles += 1
            assert cycles < 10, "the processor was not reset"
            await ctx.tick()
        assert ctx.get(cpu.machine.restarted)
        await ctx.tick()
        ctx.set(port.trap, 0)
        assert ctx.get(port.resetn)
        await ctx.tick().repeat(10)
        assert await cpu.fields("RESET_CAUSE") == {"ITSELF": 1, "COUNT": 1}

    on_machine(bench)
