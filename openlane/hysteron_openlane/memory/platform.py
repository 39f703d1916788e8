# SPDX-License-Identifier: Apache-2.0
"""Bodies of memories on silicon: OpenRAM's macros side by side, or flip-flops where these are smaller."""

from typing import Any

from amaranth.hdl import (
    Array,
    Cat,
    ClockSignal,
    Const,
    Elaboratable,
    Instance,
    MemoryInstance,
    Module,
    Mux,
    Shape,
    Signal,
    Value,
)
from amaranth.lib.memory import Memory

from hysteron_rtl.memory import DISTINCT, EXCLUSIVE
from hysteron_spec.core import bits_for

from ..pdk import SKY130, Pdk
from .macros import Macro
from .models import models
from .plan import Choice, Need, choose


class Silicon:
    """A platform whose memories are a PDK's macros where that is smaller.

    Parameters
    ----------
    pdk
        The PDK whose macros are taken.
    always
        Macros wherever one suits, be they larger: for tests.

    Attributes
    ----------
    needs
        The memories that have been asked for, and what they became.
    """

    def __init__(self, pdk: Pdk, *, always: bool = False) -> None:
        self.pdk, self.always = pdk, always
        self.needs: list[tuple[Need, Choice]] = []

    @property
    def macros(self) -> list[Macro]:
        """The macros that have been used, once each."""
        found = {choice.macro.name: choice.macro for _, choice in self.needs if choice.macro is not None}
        return list(found.values())

    def models(self) -> str:
        """Verilog of what the memories consist of, for simulation; call it when the hardware has been made."""
        return models(self.pdk, self.macros)

    def get_memory(self, memory: "Memory[Any, Any]") -> "MacroMemory | MemoryInstance":
        """The body of ``memory``, for :meth:`amaranth.lib.memory.Memory.elaborate`."""
        need = need_of(memory)
        if need is None:
            return memory.elaborate(None)
        choice = choose(self.pdk, need, macros=self.always)
        self.needs.append((need, choice))
        return memory.elaborate(None) if choice.macro is None else MacroMemory(memory, choice)


def openram() -> Silicon:
    """What ``HYSTERON_MEMORIES=openram`` simulates: SkyWater 130's macros where they are smaller than flip-flops."""
    return Silicon(SKY130)


def openram_always() -> Silicon:
    """What ``HYSTERON_MEMORIES=openram-always`` simulates: SkyWater 130's macros wherever one suits."""
    return Silicon(SKY130, always=True)


def need_of(memory: "Memory[Any, Any]") -> Need | None:
    """What a memory needs; None if it is none of those that macros are for: a ROM, or with ports of their own kind."""
    domains = {port.domain for port in memory.read_ports} | {port.domain for port in memory.write_ports}
    filled = any(row is not None and row != 0 for row in memory.data.init)
    if filled or len(memory.write_ports) != 1 or domains != {"sync"}:
        return None
    if any(read.transparent_for for read in memory.read_ports):
        return None
    (write,) = memory.write_ports
    width = Shape.cast(memory.shape).width
    return Need(
        width,
        memory.depth,
        grain=width // len(write.en),
        readers=len(memory.read_ports),
        exclusive=EXCLUSIVE in memory.attrs,
        distinct=DISTINCT in memory.attrs,
    )


class MacroMemory(Elaboratable):
    """Macros beside each other for the width and above each other for the depth; a read takes a cycle.

    A macro takes its inputs some nanoseconds *after* the rising edge, which is a hold time that no flip-flop keeps:
    latches in front of it, open while the clock is low, keep them for half a cycle. Its data come after the falling
    edge, and only until the next rising one: a register keeps them until the next read, as memories here do.

    A macro takes a third of an access's energy from every edge of its clock, selected or not: it has a clock of its own
    that stands still while nothing is read or written, and is always selected.
    """

    def __init__(self, memory: "Memory[Any, Any]", choice: Choice) -> None:
        assert choice.macro is not None
        self.memory, self.choice, self.macro = memory, choice, choice.macro

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        macro, choice = self.macro, self.choice
        width, depth = Shape.cast(self.memory.shape).width, self.memory.depth
        (write,), (read,) = self.memory.write_ports, self.memory.read_ports
        apart = macro.ports > 1
        writes = write.en.any()
        word = bits_for(macro.words)
        grain = width // len(write.en)
        columns = [range(low, min(low + macro.width, width)) for low in range(0, width, macro.width)]

        address = Signal(max(word + 1, bits_for(depth)))
        m.d.comb += address.eq(write.addr if apart else Mux(writes, write.addr, read.addr))
        data = _kept(m, "data", Value.cast(write.data))
        masks = _kept(m, "masks", Cat(write.en[bit // grain] for bit in range(0, width, min(macro.mask, grain))))
        place = _kept(m, "place", address[:word])
        web = _kept(m, "web", ~writes)
        here = place
        if apart:
            here = _kept(m, "here", read.addr[:word])

        answers = []
        for bank in range(choice.banks):
            wanted = address[word:] == bank if choice.banks > 1 else Const(1)
            if apart:
                own = read.addr[word:] == bank if choice.banks > 1 else Const(1)
                clock = _gated(m, f"clock_{bank}", writes & wanted)
                reading = _gated(m, f"read_clock_{bank}", read.en & own)
            else:
                clock = _gated(m, f"clock_{bank}", (writes | read.en) & wanted)
            row = []
            for number, bits in enumerate(columns):
                out = Signal(macro.pins["dout0"], name=f"dout_{bank}_{number}")
                ports: dict[str, Any] = {
                    "i_clk0": clock,
                    "i_csb0": Const(0, 1),
                    "i_web0": web,
                    "i_wmask0": _masks(masks, bits, grain, macro),
                    "i_addr0": _padded(place, macro.pins["addr0"]),
                    "i_din0": _padded(data[bits.start : bits.stop], macro.pins["din0"]),
                    "o_dout1" if apart else "o_dout0": out,
                }
                if "spare_wen0" in macro.pins:
                    ports["i_spare_wen0"] = Const(0, macro.pins["spare_wen0"])
                if apart:
                    ports |= {
                        "i_clk1": reading,
                        "i_csb1": Const(0, 1),
                        "i_addr1": _padded(here, macro.pins["addr1"]),
                    }
                m.submodules[f"macro_{bank}_{number}"] = Instance(macro.name, **ports)
                row.append(out[: len(bits)])
            answers.append(Cat(row))

        latest = Signal(max(1, bits_for(choice.banks)))
        fresh, held = Signal(), Signal(width, reset_less=True)
        now = Array(answers)[latest]
        m.d.sync += fresh.eq(read.en)
        with m.If(read.en):
            m.d.sync += latest.eq((read.addr if apart else address)[word:])
        with m.If(fresh):
            m.d.sync += held.eq(now)
        m.d.comb += Value.cast(read.data).eq(Mux(fresh, now, held))
        return m


def _kept(m: Module, name: str, value: Value) -> Signal:
    """``value`` behind latches that are open while the clock is low."""
    kept = Signal(len(value), name=f"{name}_kept")
    m.submodules[f"latch_{name}"] = Instance(
        "hysteron_latch", p_WIDTH=len(value), i_clock=ClockSignal(), i_d=value, o_q=kept
    )
    return kept


def _gated(m: Module, name: str, enable: Value) -> Signal:
    """The clock in cycles at whose beginning ``enable`` is set, and low in others."""
    gated = Signal(name=name)
    m.submodules[f"gate_{name}"] = Instance("hysteron_gate", i_clock=ClockSignal(), i_enable=enable, o_gated=gated)
    return gated


def _padded(value: Value, width: int) -> Value:
    """``value`` with zeros on the pins that it has no bits for: spare rows and columns."""
    return Cat(value, Const(0, width - len(value))) if width > len(value) else value


def _masks(masks: Value, bits: range, grain: int, macro: Macro) -> Value:
    """The write mask of the macro that holds ``bits`` of a row."""
    unit = min(macro.mask, grain)
    count = macro.width // macro.mask
    starts = [min(bits.start + k * macro.mask, bits.stop - 1) for k in range(count)]
    return Cat(masks[start // unit] for start in starts)
