# SPDX-License-Identifier: Apache-2.0
"""The bus decoder, made from :data:`hysteron_spec.registers.REGISTERS`."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Member, Out

from hysteron_spec.core import CoreConfig, bits_for
from hysteron_spec.registers import COUNTERS, MAGIC, MAP_VERSION, REGISTERS, Access, Register

from .bus import BusPort, Signature
from .memory import LoadPort, LoadSignature
from .ports import named, port

#: Width of the bus's word address.
ADDRESS_BITS = bits_for(len(REGISTERS))


def constants(config: CoreConfig) -> dict[str, int]:
    """Values of the registers that never change: those that describe the core, and 0 for those of what it lacks."""
    lacks = [] if config.encoder else ["ENCODER", "SEED0", "SEED1", "SEED2", "SEED3"]
    lacks += [] if config.counters else COUNTERS
    return dict.fromkeys(lacks, 0) | {
        "ID": MAGIC,
        "VERSION": MAP_VERSION,
        "SHAPE": REGISTERS["SHAPE"].pack(
            LANES=config.lanes,
            WEIGHT_BITS=config.weight_bits,
            POTENTIAL_BITS=config.potential_bits,
            POTENTIAL_SIGNED=int(config.potential_signed),
            LEAK_BITS=config.leak_bits,
            ENCODER=int(config.encoder),
            DIRECT=int(config.direct),
            WEIGHT_LATENCY=config.weight_latency,
        ),
        "LIMITS0": REGISTERS["LIMITS0"].pack(MAX_INPUTS=config.max_inputs, MAX_NEURONS=config.max_neurons),
        "LIMITS1": REGISTERS["LIMITS1"].pack(WEIGHT_ROWS=config.weight_rows, MAX_LAYERS=config.max_layers),
        "LIMITS2": REGISTERS["LIMITS2"].pack(TILES=config.tiles, MAX_OUTPUTS=config.max_outputs),
        "LIMITS3": REGISTERS["LIMITS3"].pack(
            BIAS_BITS=config.bias_bits, SERIAL=int(config.serial), COUNTERS=int(config.counters)
        ),
    }


def _ports(register: Register) -> dict[str, tuple[Access, int]]:
    """Kinds and widths of a register's values by name: one a field, or the whole word."""
    if not register.fields:
        return {register.name.lower(): (register.access, 32)}
    return {f"{register.name}_{f.name}".lower(): (register.access, f.width) for f in register.fields}


class RegisterFile(wiring.Component):
    """Registers behind a bus.

    Reads and writes take two cycles each, see :mod:`hysteron_rtl.bus`. What is written is on the ports from the cycle
    of ``ack`` on, strobes in that cycle only.

    Parameters
    ----------
    registers
        The map, by name.
    fixed
        Values of the registers that never change, whatever is written.
    initial
        Values after reset of writable registers' ports, by the port's name; 0 otherwise.
    refusals
        The ``w1c`` value that is set by writes while ``locked``.
    ports
        Further ports, of a subclass.

    Attributes
    ----------
    bus : In(bus.Signature)
        Where they are read and written.
    locked : In(1)
        ``set`` and ``port`` registers must not be written now.
    <register>_<field>, <register> : In or Out, as wide as the field or 32 bits
        The value of a read-only register (In), the value of a writable register or a strobe (Out).
    <register>_<field>_held, <register>_held : Out, as wide as the field or 32 bits
        What a ``w1c`` register reads as: a bit is 1 from the cycle after its cause on.
    <register>_written : Out(1), <register>_value : In(32)
        A ``port`` was written, with ``written``, in this cycle; what reading it gives.
    <register>_read : Out(1)
        The word of a ``pop`` was taken, in the cycle of ``ack``.
    written : Out(32)
        What was written last, to whatever register.
    """

    bus: BusPort
    locked: Signal
    written: Signal

    if TYPE_CHECKING:
        # The other ports are named by the map.
        def __getattr__(self, name: str) -> Signal: ...

    def __init__(
        self,
        registers: Mapping[str, Register],
        fixed: Mapping[str, int],
        *,
        initial: Mapping[str, int] | None = None,
        refusals: str = "",
        ports: Mapping[str, Member] | None = None,
    ) -> None:
        self.map, self.fixed, self.initial, self.refusals = registers, fixed, initial or {}, refusals
        members: dict[str, Member] = {
            "bus": In(Signature(bits_for(len(registers)))),
            "locked": In(1),
            "written": Out(32),
            **(ports or {}),
        }
        for register in registers.values():
            if register.name in fixed:
                continue
            if register.access == "port":
                members[f"{register.name.lower()}_written"] = Out(1)
                members[f"{register.name.lower()}_value"] = In(32)
                continue
            if register.access == "pop":
                members[f"{register.name.lower()}_read"] = Out(1)
            for name, (access, width) in _ports(register).items():
                given = access in ("ro", "w1c", "pop")
                members[name] = In(width) if given else port(Out, width, init=self.initial.get(name, 0))
                if access == "w1c":
                    members[f"{name}_held"] = Out(width)
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        access, write = Signal(), Signal()
        m.d.comb += [access.eq(self.bus.cyc & self.bus.stb & ~self.bus.ack), write.eq(access & self.bus.we)]
        m.d.sync += [self.bus.ack.eq(access), self.bus.dat_r.eq(0)]
        with m.If(write):
            m.d.sync += self.written.eq(self.bus.dat_w)
        kept_back = [r.address >> 2 for r in self.map.values() if r.access in ("set", "port")]
        refused = Signal()
        m.d.comb += refused.eq(write & self.locked & self.bus.adr.matches(*kept_back))
        for register in self.map.values():
            hit = self.bus.adr == register.address >> 2
            word = Signal(32, name=f"read_{register.name.lower()}")
            with m.If(access & hit):
                m.d.sync += self.bus.dat_r.eq(word)
            if register.name in self.fixed:
                m.d.comb += word.eq(self.fixed[register.name])
            elif register.access == "port":
                strobe, value = named(self, f"{register.name}_written"), named(self, f"{register.name}_value")
                m.d.sync += strobe.eq(write & hit & ~self.locked)
                m.d.comb += word.eq(value)
            else:
                for field, name in zip(register.fields or (None,), _ports(register), strict=True):
                    lsb, width = (field.lsb, field.width) if field else (0, 32)
                    bits = slice(lsb, lsb + width)
                    self._value(m, register.access, name, word[bits], self.bus.dat_w[bits], write & hit, refused)
                if register.access == "pop":
                    # In the cycle of the acknowledgement, when the word has gone out.
                    m.d.sync += named(self, f"{register.name}_read").eq(access & ~self.bus.we & hit)
        return m

    def _value(
        self, m: Module, access: Access, name: str, read: Value, sent: Value, write: Value, refused: Value
    ) -> None:
        """One value: what reading gives goes into ``read``; ``sent`` comes with ``write``."""
        value = named(self, name)
        if access in ("ro", "pop"):
            m.d.comb += read.eq(value)
        elif access in ("rw", "set"):
            m.d.comb += read.eq(value)
            with m.If(write & ~self.locked if access == "set" else write):
                m.d.sync += value.eq(sent)
        elif access == "strobe":
            m.d.sync += value.eq(0)
            with m.If(write):
                m.d.sync += value.eq(sent)
        else:
            held = named(self, f"{name}_held")
            cause = value | refused if name == self.refusals else value
            m.d.comb += read.eq(held)
            with m.If(write):
                m.d.sync += held.eq((held & ~sent) | cause)
            with m.Else():
                m.d.sync += held.eq(held | cause)


class Registers(RegisterFile):
    """The core's registers.

    ``locked`` is to be 1 while memories and settings must not be written; an attempt sets ERROR.WRITE.

    Attributes
    ----------
    load : Out(LoadSignature)
        A memory word that was written to MEMORY_DATA, in the cycle of ``ack``.
    """

    load: LoadPort

    def __init__(self, config: CoreConfig) -> None:
        super().__init__(REGISTERS, constants(config), refusals="error_write", ports={"load": Out(LoadSignature())})

    def elaborate(self, platform: object) -> Module:
        m = super().elaborate(platform)
        with m.If(self.bus.cyc & self.bus.stb & ~self.bus.ack & self.bus.we):
            with m.If(self.bus.adr == REGISTERS["MEMORY_DATA"].address >> 2):
                m.d.sync += [
                    self.load.region.eq(self.memory_address_region),
                    self.load.address.eq(self.memory_address_word),
                    self.memory_address_word.eq(self.memory_address_word + 1),
                ]
        m.d.comb += [self.load.strobe.eq(self.memory_data_written), self.load.data.eq(self.written)]
        return m


class Counters(wiring.Component):
    """Performance counters, 32 bits each, that wrap around.

    Attributes
    ----------
    clear : In(1)
        Sets all to 0, from the next cycle on.
    <name> : In(1)
        A cycle in which it is 1 counts.
    <name>_count : Out(32)
        How many cycles have counted, up to the one before.
    """

    clear: Signal

    def __init__(self) -> None:
        members: dict[str, Member] = {"clear": In(1)}
        for name in COUNTERS:
            members[name.lower()] = In(1)
            members[f"{name.lower()}_count"] = Out(32)
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        for name in COUNTERS:
            strobe, count = named(self, name), named(self, f"{name}_count")
            with m.If(self.clear):
                m.d.sync += count.eq(0)
            with m.Elif(strobe):
                m.d.sync += count.eq(count + 1)
        return m
