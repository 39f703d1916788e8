# SPDX-License-Identifier: Apache-2.0
"""A machine without its processor: the bench drives the processor's ports, and the core only has its registers."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Awaitable, Callable, Sequence
from random import Random
from typing import Any, TypeVar

import pytest
from amaranth.hdl import Elaboratable, Module, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.sim import Simulator

from hysteron_rtl import bus
from hysteron_rtl.machine import cpu as cpu_module
from hysteron_rtl.machine import machine as machine_module
from hysteron_rtl.machine.machine import Machine
from hysteron_rtl.registers import ADDRESS_BITS, Registers
from hysteron_spec.core import CoreConfig
from hysteron_spec.machine import CORE_BASE, MACHINE_BASE, MACHINE_REGISTERS, RAM_BASE, MachineConfig
from hysteron_spec.registers import REGISTERS
from support.bench import TINY

ROM_BYTES = 4096
#: Enough for all buffers of the receiver, and as much again.
RAM_BYTES = 16384
FIRMWARE = [Random("firmware").getrandbits(32) for _ in range(ROM_BYTES // 4 - 24)]


class StandIn(Elaboratable):
    """What takes the place of the processor's Verilog: a signal for each of its ports.

    Attributes are named as the ports are; the outputs are the bench's to set.
    """

    def __init__(self, kind: str, **ports: Any) -> None:
        assert kind == "picorv32"
        self.parameters = {name[2:]: value for name, value in ports.items() if name.startswith("p_")}
        self.ports = {name: value for name, value in ports.items() if name[:2] in ("i_", "o_") and name != "i_clk"}
        for name, value in self.ports.items():
            setattr(self, name[2:], Signal(1 if name == "i_resetn" else len(Value.cast(value)), name=name[2:]))

    def elaborate(self, _: object) -> Module:
        m = Module()
        for name, value in self.ports.items():
            own = getattr(self, name[2:])
            m.d.comb += own.eq(value) if name.startswith("i_") else value.eq(own)
        return m


class EchoCore(wiring.Component):
    """The core's registers, and its input as its answers."""

    def __init__(self, config: CoreConfig) -> None:
        self.config = config
        super().__init__(
            {"bus": In(bus.Signature(ADDRESS_BITS)), "i": In(stream.Signature(32)), "o": Out(stream.Signature(32))}
        )

    def elaborate(self, _: object) -> Module:
        m = Module()
        m.submodules.registers = registers = Registers(self.config)
        wiring.connect(m, wiring.flipped(self.bus), registers.bus)
        wiring.connect(m, wiring.flipped(self.i), wiring.flipped(self.o))
        return m


class Cpu:
    """The processor's side of a machine: one access after the other, without a pause unless the bench ticks."""

    def __init__(self, ctx: Any, machine: Machine, port: StandIn) -> None:
        self.ctx, self.machine, self.port = ctx, machine, port
        #: Cycles of the last access.
        self.cycles = 0

    async def access(self, address: int, data: int = 0, strobe: int = 0) -> int:
        """Read, or write where ``strobe`` says; returns what was read."""
        ctx, port = self.ctx, self.port
        for signal, value in (
            (port.mem_valid, 1),
            (port.mem_addr, address),
            (port.mem_wdata, data),
            (port.mem_wstrb, strobe),
        ):
            ctx.set(signal, value)
        self.cycles = 1
        while not ctx.get(port.mem_ready):
            self.cycles += 1
            assert self.cycles < 20, "never answered"
            await ctx.tick()
        answer = int(ctx.get(port.mem_rdata))
        await ctx.tick()
        ctx.set(port.mem_valid, 0)
        return answer

    async def read(self, name: str) -> int:
        """A register of the machine."""
        return await self.access(MACHINE_BASE + MACHINE_REGISTERS[name].address)

    async def fields(self, name: str) -> dict[str, int]:
        """A register of the machine, by field."""
        return MACHINE_REGISTERS[name].unpack(await self.read(name))

    async def write(self, name: str, word: int = 0, **fields: int) -> None:
        """Write a register of the machine."""
        register = MACHINE_REGISTERS[name]
        await self.access(MACHINE_BASE + register.address, word | register.pack(**fields), 0xF)

    async def core(self, name: str, word: int | None = None) -> int:
        """Read or write a register of the core."""
        return await self.access(CORE_BASE + REGISTERS[name].address, word or 0, 0 if word is None else 0xF)

    async def store(self, address: int, content: bytes) -> None:
        """Put bytes into RAM, filled up to words."""
        for k in range(0, len(content), 4):
            word = int.from_bytes(content[k : k + 4].ljust(4, b"\0"), "little")
            await self.access(RAM_BASE + address + k, word, 0xF)

    async def load(self, address: int, length: int) -> bytes:
        """Bytes in RAM."""
        words = [await self.access(RAM_BASE + address + k) for k in range(0, length, 4)]
        return struct.pack(f"<{len(words)}I", *words)[:length]

    async def copy(self, words: Sequence[int], address: int, target: str | None) -> None:
        """Start copying words, which are put into RAM first, to a register of the core or into the stream."""
        await self.store(address, struct.pack(f"<{len(words)}I", *words))
        await self.write("COPY_SOURCE", RAM_BASE + address)
        if target:
            await self.write("COPY_TARGET", REGISTER=REGISTERS[target].address)
        else:
            await self.write("COPY_TARGET", STREAM=1)
        await self.write("COPY", len(words))


def check_of(words: Sequence[int]) -> int:
    """CRC-32 of words, low bytes first."""
    return zlib.crc32(struct.pack(f"<{len(words)}I", *words))


Made = TypeVar("Made")


def keeping(kind: Callable[..., Made], made: list[Made]) -> Callable[..., Made]:
    """Makes what ``kind`` makes and adds it to ``made``."""

    def make(*args: Any, **options: Any) -> Made:
        made.append(kind(*args, **options))
        return made[-1]

    return make


def on_machine(
    bench: Callable[[Cpu], Awaitable[None]],
    *asides: Callable[[Any, Machine, EchoCore], Awaitable[None]],
    watchdog: int = 1 << 24,
) -> StandIn:
    """Run to the end of ``bench``; ``asides`` run beside it. Returns the processor's stand-in."""
    machine = Machine(TINY, MachineConfig(rom_bytes=ROM_BYTES, ram_bytes=RAM_BYTES, watchdog=watchdog), FIRMWARE)
    ports: list[StandIn] = []
    cores: list[EchoCore] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cpu_module, "Instance", keeping(StandIn, ports))
        patch.setattr(machine_module, "Core", keeping(EchoCore, cores))
        simulator = Simulator(machine)
    (port,), (core,) = ports, cores
    simulator.add_clock(1e-6)

    async def run(ctx: Any) -> None:
        await bench(Cpu(ctx, machine, port))

    def beside(aside: Callable[[Any, Machine, EchoCore], Awaitable[None]]) -> Callable[[Any], Awaitable[None]]:
        async def run(ctx: Any) -> None:
            await aside(ctx, machine, core)

        return run

    for aside in asides:
        simulator.add_testbench(beside(aside), background=True)
    simulator.add_testbench(run)
    simulator.run()
    return port
