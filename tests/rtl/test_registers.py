# SPDX-License-Identifier: Apache-2.0
"""The register file as the bus sees it, and the counters."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

import pytest

from hysteron_rtl.registers import ADDRESS_BITS, Counters, Registers, constants
from hysteron_spec.registers import COUNTERS, MAGIC, MAP_VERSION, REGISTERS, Register
from support.bench import TINY, core, simulate

READ_WRITE = [register for register in REGISTERS.values() if register.access in ("rw", "set")]
#: Registers whose value comes from the core.
INPUTS = [r for r in REGISTERS.values() if r.access == "ro" and r.name not in constants(TINY)]


def ports(dut: Registers, register: Register) -> list[tuple[Any, int, int]]:
    """``(port, lsb, width)`` of a register."""
    if not register.fields:
        return [(getattr(dut, register.name.lower()), 0, 32)]
    return [(getattr(dut, f"{register.name}_{f.name}".lower()), f.lsb, f.width) for f in register.fields]


def mask(register: Register) -> int:
    """Bits of a register that mean something."""
    return sum((1 << f.width) - 1 << f.lsb for f in register.fields) if register.fields else 0xFFFFFFFF


class Host:
    """A bus initiator."""

    def __init__(self, ctx: Any, dut: Registers) -> None:
        self.ctx, self.dut, self.bus = ctx, dut, dut.bus
        ctx.set(self.bus.sel, 0xF)

    async def transfer(self, address: int, word: int | None = None) -> int:
        """A write of ``word`` or a read, two cycles, checked; returns what was read.

        It stops in the cycle of ``ack``; :meth:`end` goes on.
        """
        ctx, bus = self.ctx, self.bus
        for port, value in ((bus.cyc, 1), (bus.stb, 1), (bus.we, word is not None), (bus.adr, address >> 2)):
            ctx.set(port, value)
        ctx.set(bus.dat_w, word or 0)
        assert not ctx.get(bus.ack)
        await ctx.tick()
        assert ctx.get(bus.ack)
        return int(ctx.get(bus.dat_r))

    async def end(self) -> None:
        """Leave the cycle of ``ack``."""
        await self.ctx.tick()
        assert not self.ctx.get(self.bus.ack)
        self.ctx.set(self.bus.stb, 0)

    async def write(self, name: str, word: int) -> None:
        await self.transfer(REGISTERS[name].address, word)
        await self.end()

    async def read(self, name: str) -> int:
        word = await self.transfer(REGISTERS[name].address)
        await self.end()
        return word


def on_bus(bench: Callable[[Host, Random], Awaitable[None]]) -> None:
    """Run ``bench(host, rng)`` on a register file."""
    dut = Registers(TINY)

    async def run(ctx: Any) -> None:
        await bench(Host(ctx, dut), Random(bench.__name__))

    simulate(dut, run)


def test_constants_tell_the_core() -> None:
    config = core(lanes=8, weight_bits=2, potential_signed=False, direct=False, weight_latency=3)
    dut = Registers(config)
    got = {}

    async def bench(ctx: Any) -> None:
        host = Host(ctx, dut)
        for name in constants(config):
            word = await host.read(name)
            got[name] = REGISTERS[name].unpack(word) if REGISTERS[name].fields else word

    simulate(dut, bench)
    assert got == {
        "ID": MAGIC,
        "VERSION": {"MINOR": MAP_VERSION & 0xFFFF, "MAJOR": MAP_VERSION >> 16},
        "SHAPE": {
            "LANES": 8,
            "WEIGHT_BITS": 2,
            "POTENTIAL_BITS": 12,
            "POTENTIAL_SIGNED": 0,
            "LEAK_BITS": 3,
            "ENCODER": 1,
            "DIRECT": 0,
            "WEIGHT_LATENCY": 3,
        },
        "LIMITS0": {"MAX_INPUTS": 70, "MAX_NEURONS": 19},
        "LIMITS1": {"WEIGHT_ROWS": 900, "MAX_LAYERS": 4},
        "LIMITS2": {"TILES": 17, "MAX_OUTPUTS": 11},
        "LIMITS3": {"BIAS_BITS": 6, "SERIAL": 0, "COUNTERS": 1},
    }


def test_ack_comes_in_the_second_cycle_of_each_transfer() -> None:
    async def bench(host: Host, rng: Random) -> None:
        ctx, bus = host.ctx, host.bus
        for cyc, stb in ((1, 0), (0, 1), (0, 0)):  # no transfer
            ctx.set(bus.cyc, cyc)
            ctx.set(bus.stb, stb)
            ctx.set(bus.we, 1)
            ctx.set(bus.adr, REGISTERS["SEED0"].address >> 2)
            ctx.set(bus.dat_w, 1)
            for _ in range(3):
                await ctx.tick()
                assert not ctx.get(bus.ack)
        assert await host.read("SEED0") == 0
        # Held, transfers follow one another every other cycle.
        ctx.set(bus.stb, 1)
        ctx.set(bus.we, 0)
        acks = []
        for _ in range(8):
            acks.append(ctx.get(bus.ack))
            await ctx.tick()
        assert acks == [0, 1] * 4

    on_bus(bench)


def test_every_writable_register_keeps_its_bits_and_shows_them() -> None:
    async def bench(host: Host, rng: Random) -> None:
        ctx, dut = host.ctx, host.dut
        held = {register.name: 0 for register in READ_WRITE}
        for _ in range(3):
            for register in rng.sample(READ_WRITE, len(READ_WRITE)):
                for word in (0xFFFFFFFF, rng.getrandbits(32)):
                    await host.write(register.name, word)
                    held[register.name] = word & mask(register)
                for other in READ_WRITE:  # and no other register is touched
                    value = sum(ctx.get(port) << lsb for port, lsb, _ in ports(dut, other))
                    assert value == held[other.name], (register.name, other.name)
                assert await host.read(register.name) == held[register.name]
        for register in READ_WRITE:
            assert await host.read(register.name) == held[register.name]

    on_bus(bench)


def test_read_only_registers_show_the_core_and_ignore_writes() -> None:
    async def bench(host: Host, rng: Random) -> None:
        held = {}
        for register in INPUTS:
            values = [(port, lsb, rng.getrandbits(width)) for port, lsb, width in ports(host.dut, register)]
            for port, _, value in values:
                host.ctx.set(port, value)
            held[register.name] = sum(value << lsb for _, lsb, value in values)
        for register in INPUTS:
            await host.write(register.name, rng.getrandbits(32))
            assert await host.read(register.name) == held[register.name], register.name
        for name, value in constants(TINY).items():
            await host.write(name, rng.getrandbits(32))
            assert await host.read(name) == value

    on_bus(bench)


def test_places_that_hold_nothing_read_0() -> None:
    async def bench(host: Host, rng: Random) -> None:
        for register in READ_WRITE:
            await host.write(register.name, 0xFFFFFFFF)
        for name in ("COMMAND", "MEMORY_DATA"):
            assert await host.read(name) == 0
        for number in range(len(REGISTERS), 1 << ADDRESS_BITS):
            assert await host.transfer(4 * number) == 0
            await host.end()

    on_bus(bench)


@pytest.mark.parametrize("command", range(4))
def test_a_command_strobes_for_one_cycle(command: int) -> None:
    async def bench(host: Host, rng: Random) -> None:
        ctx, dut = host.ctx, host.dut

        def strobes() -> int:
            return int(ctx.get(dut.command_reset)) | int(ctx.get(dut.command_clear)) << 1

        address = REGISTERS["COMMAND"].address
        for _ in range(2):
            assert strobes() == 0
            await host.transfer(address, command | rng.getrandbits(30) << 2)
            assert strobes() == command, "in the cycle of ack"
            await host.end()
            assert strobes() == 0
            for word in (None, 0):
                await host.transfer(address, word)
                assert strobes() == 0, "a read or a 0 does nothing"
                await host.end()

    on_bus(bench)


def test_errors_stay_until_a_1_is_written() -> None:
    async def bench(host: Host, rng: Random) -> None:
        ctx, dut = host.ctx, host.dut
        inputs = [dut.error_header, dut.error_index, dut.error_write]
        held = 0
        for _ in range(60):
            causes, cleared = rng.getrandbits(3) & rng.getrandbits(3), rng.getrandbits(3)
            for k, port in enumerate(inputs):
                ctx.set(port, causes >> k & 1)
            await ctx.tick()
            for port in inputs:
                ctx.set(port, 0)
            held |= causes
            assert await host.read("ERROR") == held
            await host.write("ERROR", cleared | rng.getrandbits(29) << 3)
            held &= ~cleared
            assert await host.read("ERROR") == held
            await host.write("CONTROL", 7)  # elsewhere
            assert await host.read("ERROR") == held

    on_bus(bench)


@pytest.mark.parametrize("bit", range(3))
def test_an_error_that_comes_while_it_is_cleared_is_not_lost(bit: int) -> None:
    async def bench(host: Host, rng: Random) -> None:
        ctx, dut = host.ctx, host.dut
        cause = (dut.error_header, dut.error_index, dut.error_write)[bit]
        for held_before in (0, 1):
            ctx.set(cause, held_before)
            await ctx.tick()
            ctx.set(cause, 1)
            await host.transfer(REGISTERS["ERROR"].address, 7)
            ctx.set(cause, 0)
            await host.end()
            assert await host.read("ERROR") == 1 << bit
            await host.write("ERROR", 7)
            assert await host.read("ERROR") == 0

    on_bus(bench)


def test_memory_words_go_out_with_ack_and_the_address_counts_up() -> None:
    async def bench(host: Host, rng: Random) -> None:
        ctx, load = host.ctx, host.dut.load
        address, data = REGISTERS["MEMORY_ADDRESS"], REGISTERS["MEMORY_DATA"].address
        last = (1 << 28) - 1
        for region, start in ((0, 0), (3, 1234), (15, last - 1)):
            await host.write("MEMORY_ADDRESS", address.pack(REGION=region, WORD=start))
            for k in range(4):
                word = rng.getrandbits(32)
                await host.transfer(data, word)
                assert ctx.get(load.strobe)
                got = tuple(ctx.get(port) for port in (load.region, load.address, load.data))
                assert got == (region, start + k & last, word)
                await host.end()
                assert not ctx.get(load.strobe)
                after = address.pack(REGION=region, WORD=start + k + 1 & last)
                assert await host.read("MEMORY_ADDRESS") == after
                await host.transfer(data)
                assert not ctx.get(load.strobe), "a read writes nothing"
                await host.end()
                assert await host.read("MEMORY_ADDRESS") == after, "nor does it count"
                await host.transfer(REGISTERS["SEED1"].address, word)
                assert not ctx.get(load.strobe)
                await host.end()
        assert await host.read("ERROR") == 0

    on_bus(bench)


def test_locked_memories_are_not_written() -> None:
    async def bench(host: Host, rng: Random) -> None:
        ctx, dut = host.ctx, host.dut
        ctx.set(dut.locked, 1)
        await host.write("CONTROL", 1)
        assert await host.read("ERROR") == 0, "switches may be written"
        before = await host.read("SEED0")
        await host.write("SEED0", before ^ 1)
        assert await host.read("SEED0") == before, "settings may not"
        assert await host.read("ERROR") == REGISTERS["ERROR"].pack(WRITE=1)
        await host.write("ERROR", 7)
        await host.transfer(REGISTERS["MEMORY_DATA"].address, 5)
        assert not ctx.get(dut.load.strobe)
        await host.end()
        assert not ctx.get(dut.load.strobe)
        assert REGISTERS["ERROR"].unpack(await host.read("ERROR")) == {"HEADER": 0, "INDEX": 0, "WRITE": 1}
        ctx.set(dut.locked, 0)
        await host.transfer(REGISTERS["MEMORY_DATA"].address, 6)
        assert ctx.get(dut.load.strobe)
        assert ctx.get(dut.load.data) == 6

    on_bus(bench)


def test_counters() -> None:
    dut = Counters()
    rng = Random(0)

    async def bench(ctx: Any) -> None:
        counts = dict.fromkeys(COUNTERS, 0)
        for cycle in range(120):
            strobes = {name: rng.getrandbits(1) for name in COUNTERS}
            clear = cycle in (50, 51, 90)
            ctx.set(dut.clear, clear)
            for name, strobe in strobes.items():
                ctx.set(getattr(dut, name.lower()), strobe)
                assert ctx.get(getattr(dut, f"{name.lower()}_count")) == counts[name]
            counts = {name: 0 if clear else counts[name] + strobes[name] for name in COUNTERS}
            await ctx.tick()

    simulate(dut, bench)
