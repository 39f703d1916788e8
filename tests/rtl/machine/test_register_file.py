# SPDX-License-Identifier: Apache-2.0
"""A register file with every kind of access, as its bus and its ports see it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

import pytest

from hysteron_rtl.registers import RegisterFile
from hysteron_spec.registers import Register, RegisterMap
from support.bench import simulate

MASK = 0xFFFFFFFF


def _map() -> dict[str, Register]:
    at = RegisterMap()
    at.add("CONSTANT", "ro", "never changes")
    at.add("PARTS", "ro", "never changes either", ("LOW", 0, 16, ""), ("HIGH", 16, 16, ""))
    at.add("STATE", "ro", "fields", ("A", 0, 1, ""), ("B", 5, 11, ""))
    at.add("COUNT", "ro", "a word")
    at.add("SWITCH", "rw", "fields", ("ON", 0, 1, ""), ("SPEED", 4, 12, ""))
    at.add("WIDE", "rw", "a word")
    at.add("SETTING", "set", "fields", ("X", 3, 5, ""), ("Y", 31, 1, ""))
    at.add("SEED", "set", "a word")
    at.add("ACT", "strobe", "fields", ("GO", 0, 1, ""), ("HOW", 8, 3, ""))
    at.add("EVENTS", "w1c", "fields", ("ONE", 0, 1, ""), ("REFUSED", 1, 1, ""), ("MANY", 12, 4, ""))
    at.add("PORT", "port", "hands on")
    at.add("QUEUE", "pop", "takes")
    return at.registers


MAP = _map()
FIXED = {"CONSTANT": 0x1234_5678, "PARTS": MAP["PARTS"].pack(LOW=7, HIGH=9)}
INITIAL = {"switch_speed": 0xABC, "wide": 0xDEADBEEF, "setting_x": 21, "seed": 5}
#: Words after reset.
FIRST = {
    **FIXED,
    "SWITCH": MAP["SWITCH"].pack(SPEED=0xABC),
    "WIDE": 0xDEADBEEF,
    "SETTING": MAP["SETTING"].pack(X=21),
    "SEED": 5,
}


def make() -> RegisterFile:
    """The register file of these tests."""
    return RegisterFile(MAP, FIXED, initial=INITIAL, refusals="events_refused")


def values(register: Register) -> list[tuple[str, int, int]]:
    """Name, lowest bit and width of a register's values."""
    name = register.name.lower()
    return [(f"{name}_{f.name.lower()}", f.lsb, f.width) for f in register.fields] or [(name, 0, 32)]


def word_of(register: Register, read: Callable[[str], int], suffix: str = "") -> int:
    """A register's word from its values."""
    return sum(read(name + suffix) << lsb for name, lsb, _ in values(register))


def mask_of(register: Register) -> int:
    """Bits of a register that mean something."""
    return sum((1 << width) - 1 << lsb for _, lsb, width in values(register))


class Model:
    """What is held, and what the outputs are in this cycle."""

    def __init__(self) -> None:
        self.held = {register.name: FIRST.get(register.name, 0) for register in MAP.values()}
        self.ack, self.answer, self.written = 0, 0, 0
        self.strobes: set[str] = set()
        self.act = 0

    def cycle(self, bus: tuple[int, int, int, int, int], locked: int, inputs: dict[str, int]) -> None:
        """On to the next cycle, from what is on the bus and the inputs in this one."""
        cyc, stb, we, number, data = bus
        access = cyc and stb and not self.ack
        register = list(MAP.values())[number] if number < len(MAP) else None
        name = register.name if register else ""
        kind = register.access if register else ""
        self.ack, self.answer = int(access), 0
        if access:
            self.answer = (
                inputs[name] if kind in ("ro", "port", "pop") and name not in FIXED else self.held.get(name, 0)
            )
        self.strobes, self.act = set(), 0
        causes = inputs["EVENTS"]
        cleared = 0
        if access and we:
            self.written = data
            if register and (kind == "rw" or (kind == "set" and not locked)):
                self.held[name] = data & mask_of(register)
            elif kind == "strobe":
                self.act = data & mask_of(MAP[name])
            elif kind == "w1c":
                cleared = data
            elif kind == "port" and not locked:
                self.strobes.add("port_written")
            if kind in ("set", "port") and locked:
                causes |= MAP["EVENTS"].pack(REFUSED=1)
        elif access and kind == "pop":
            self.strobes.add("queue_read")
        self.held["EVENTS"] = self.held["EVENTS"] & ~cleared | causes


@pytest.mark.parametrize("seed", range(3))
def test_every_cycle_of_random_transfers(seed: int) -> None:
    dut = make()
    rng = Random(seed)
    read_from = [r for r in MAP.values() if r.access in ("ro", "w1c", "pop") and r.name not in FIXED]

    async def bench(ctx: Any) -> None:
        model = Model()

        def get(name: str) -> int:
            return int(ctx.get(getattr(dut, name)))

        for _ in range(1000):
            inputs = {}
            for register in read_from:
                word = rng.getrandbits(32) & mask_of(register)
                if register.access == "w1c":
                    word &= rng.getrandbits(32) & rng.getrandbits(32)
                for name, lsb, width in values(register):
                    ctx.set(getattr(dut, name), word >> lsb & (1 << width) - 1)
                inputs[register.name] = word
            inputs["PORT"] = rng.getrandbits(32)
            ctx.set(dut.port_value, inputs["PORT"])
            locked = rng.random() < 0.3
            ctx.set(dut.locked, locked)
            request = (
                int(rng.random() < 0.9),
                int(rng.random() < 0.9),
                rng.getrandbits(1),
                rng.randrange(16),
                rng.choice((rng.getrandbits(32), MASK, 0)),
            )
            bus = dut.bus
            for port, value in zip((bus.cyc, bus.stb, bus.we, bus.adr, bus.dat_w), request, strict=True):
                ctx.set(port, value)

            assert ctx.get(bus.ack) == model.ack
            if model.ack:
                assert ctx.get(bus.dat_r) == model.answer
            assert get("written") == model.written
            for register in MAP.values():
                if register.access in ("rw", "set"):
                    assert word_of(register, get) == model.held[register.name], register.name
            assert word_of(MAP["EVENTS"], get, "_held") == model.held["EVENTS"]
            assert word_of(MAP["ACT"], get) == model.act
            for strobe in ("port_written", "queue_read"):
                assert get(strobe) == (strobe in model.strobes), strobe
            model.cycle(request, locked, inputs)
            await ctx.tick()

    simulate(dut, bench)


class Host:
    """A bus initiator."""

    def __init__(self, ctx: Any, dut: RegisterFile) -> None:
        self.ctx, self.dut = ctx, dut

    async def transfer(self, name: str, word: int | None = None) -> int:
        """Begin a transfer and go on to the cycle in which it is acknowledged."""
        ctx, bus = self.ctx, self.dut.bus
        for port, value in ((bus.cyc, 1), (bus.stb, 1), (bus.we, word is not None), (bus.dat_w, word or 0)):
            ctx.set(port, value)
        ctx.set(bus.adr, MAP[name].address >> 2)
        assert not ctx.get(bus.ack)
        await ctx.tick()
        assert ctx.get(bus.ack)
        return int(ctx.get(bus.dat_r))

    async def end(self) -> None:
        """Leave that cycle."""
        await self.ctx.tick()
        assert not self.ctx.get(self.dut.bus.ack)
        self.ctx.set(self.dut.bus.stb, 0)

    async def read(self, name: str) -> int:
        word = await self.transfer(name)
        await self.end()
        return word

    async def write(self, name: str, word: int) -> None:
        await self.transfer(name, word)
        await self.end()


def on_bus(bench: Callable[[Host], Awaitable[None]]) -> None:
    """Run ``bench(host)`` on the register file."""
    dut = make()

    async def run(ctx: Any) -> None:
        await bench(Host(ctx, dut))

    simulate(dut, run)


def test_words_after_reset() -> None:
    async def bench(host: Host) -> None:
        for name, value in INITIAL.items():
            assert host.ctx.get(getattr(host.dut, name)) == value
        for name in MAP:
            assert await host.read(name) == FIRST.get(name, 0), name

    on_bus(bench)


def test_fixed_registers_have_no_ports_and_ignore_writes() -> None:
    async def bench(host: Host) -> None:
        for name in ("constant", "parts_low", "parts_high"):
            assert not hasattr(host.dut, name)
        for name, word in FIXED.items():
            await host.write(name, ~word & MASK)
            assert await host.read(name) == word

    on_bus(bench)


def test_a_word_is_popped_once_a_read() -> None:
    """The queue moves on in the cycle after the strobe, as a queue does."""

    async def bench(host: Host) -> None:
        ctx, dut = host.ctx, host.dut
        queue = [11, 22, 33]
        for word in queue:
            ctx.set(dut.queue, word)
            await host.write("QUEUE", 99)
            assert not ctx.get(dut.queue_read)
            assert await host.transfer("QUEUE") == word
            assert ctx.get(dut.queue_read)
            await host.end()
            assert not ctx.get(dut.queue_read)
            await host.read("PORT")
            assert not ctx.get(dut.queue_read)
        # Held, a transfer follows the other; each takes one word.
        bus = dut.bus
        ctx.set(bus.adr, MAP["QUEUE"].address >> 2)
        ctx.set(bus.stb, 1)
        taken, place = [], 0
        for _ in range(6):
            ctx.set(dut.queue, queue[min(place, 2)])
            if ctx.get(bus.ack):
                taken.append(ctx.get(bus.dat_r))
            place += ctx.get(dut.queue_read)
            await ctx.tick()
        assert taken == queue
        assert place == 3

    on_bus(bench)


def test_locked_registers_refuse_and_say_so() -> None:
    async def bench(host: Host) -> None:
        ctx, dut = host.ctx, host.dut
        ctx.set(dut.locked, 1)
        refused = MAP["EVENTS"].pack(REFUSED=1)
        for name, word in (("SWITCH", 1), ("WIDE", 2), ("ACT", 1), ("QUEUE", 0), ("COUNT", 0), ("CONSTANT", 0)):
            await host.write(name, word)
            assert await host.read("EVENTS") == 0, name
        for name in ("SETTING", "SEED", "PORT"):
            await host.read(name)
            assert await host.read("EVENTS") == 0, "reading is allowed"
            await host.transfer(name, MASK)
            assert not ctx.get(dut.port_written)
            await host.end()
            assert await host.read(name) == FIRST.get(name, 0)
            assert await host.read("EVENTS") == refused
            await host.write("EVENTS", MASK)
            assert await host.read("EVENTS") == 0
        assert await host.read("SWITCH") == 1
        assert await host.read("WIDE") == 2
        ctx.set(dut.locked, 0)
        await host.write("SEED", MASK)
        assert await host.read("SEED") == MASK
        await host.transfer("PORT", 77)
        assert ctx.get(dut.port_written)
        assert ctx.get(dut.written) == 77

    on_bus(bench)


def test_without_a_register_for_refusals_a_locked_one_is_just_not_written() -> None:
    dut = RegisterFile(MAP, FIXED)

    async def bench(ctx: Any) -> None:
        host = Host(ctx, dut)
        ctx.set(dut.locked, 1)
        await host.write("SEED", 3)
        assert await host.read("SEED") == 0
        assert await host.read("EVENTS") == 0

    simulate(dut, bench)
