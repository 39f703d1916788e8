"""The bus decoder, made from :data:`hysteron_golden.registers.REGISTERS`."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hysteron_golden.hardware import CoreConfig, bits_for
from hysteron_golden.registers import COUNTERS, MAGIC, MAP_VERSION, REGISTERS, Register

from . import bus
from .memory import LoadSignature

#: Width of the bus's word address.
ADDRESS_BITS = bits_for(len(REGISTERS))


def constants(config: CoreConfig) -> dict[str, int]:
    """Values of the read-only registers that describe the core."""
    return {
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
        "LIMITS3": REGISTERS["LIMITS3"].pack(BIAS_BITS=config.bias_bits),
    }


def _ports(register: Register) -> dict[str, tuple[str, int]]:
    """Names and widths of a register's values: one a field, or the whole word."""
    if not register.fields:
        return {register.name.lower(): (register.access, 32)}
    return {f"{register.name}_{f.name}".lower(): (register.access, f.width) for f in register.fields}


class Registers(wiring.Component):
    """Register file.

    Reads and writes take two cycles each, see :mod:`hysteron_rtl.bus`. A memory word written to MEMORY_DATA goes
    out on ``load`` in the cycle of ``ack``, unless ``locked``.

    Attributes
    ----------
    bus : In(bus.Signature)
    load : Out(LoadSignature)
    locked : In
        Memories and settings must not be written now; an attempt sets ERROR.WRITE.
    error_… : In
        Strobes that set a bit of ERROR.
    <register>_<field>, <register> : In or Out
        Values of read-only registers and counters, of writable registers, and strobes.
    """

    def __init__(self, config: CoreConfig) -> None:
        self.config = config
        members: dict[str, object] = {
            "bus": In(bus.Signature(ADDRESS_BITS)),
            "load": Out(LoadSignature()),
            "locked": In(1),
        }
        for register in REGISTERS.values():
            if register.name in constants(config) or register.access == "port":
                continue
            for name, (access, width) in _ports(register).items():
                members[name] = (In if access in ("ro", "w1c") else Out)(width)
        super().__init__(members)  # type: ignore[arg-type]

    def elaborate(self, platform: object) -> Module:
        m = Module()
        fixed = constants(self.config)
        write = Signal()
        access = self.bus.cyc & self.bus.stb & ~self.bus.ack
        m.d.comb += write.eq(access & self.bus.we)
        m.d.sync += [self.bus.ack.eq(access), self.bus.dat_r.eq(0), self.load.strobe.eq(0)]
        refused = Signal()
        for register in REGISTERS.values():
            hit = self.bus.adr == register.address >> 2
            word = Signal(32, name=f"read_{register.name.lower()}")
            fields = register.fields or (None,)
            for field, name in zip(fields, _ports(register), strict=True):
                lsb, width = (field.lsb, field.width) if field else (0, 32)
                sent = self.bus.dat_w[lsb : lsb + width]
                if register.name in fixed or register.access == "port":
                    continue
                value = getattr(self, name)
                if register.access == "ro":
                    m.d.comb += word[lsb : lsb + width].eq(value)
                elif register.access in ("rw", "set"):
                    m.d.comb += word[lsb : lsb + width].eq(value)
                    with m.If(write & hit & ~self.locked if register.access == "set" else write & hit):
                        m.d.sync += value.eq(sent)
                elif register.access == "strobe":
                    m.d.sync += value.eq(0)
                    with m.If(write & hit):
                        m.d.sync += value.eq(sent)
                elif register.access == "w1c":
                    held = Signal(width, name=f"held_{name}")
                    m.d.comb += word[lsb : lsb + width].eq(held)
                    cause = value | refused if name == "error_write" else value
                    with m.If(write & hit):
                        m.d.sync += held.eq((held & ~sent) | cause)
                    with m.Else():
                        m.d.sync += held.eq(held | cause)
            if register.name in fixed:
                m.d.comb += word.eq(fixed[register.name])
            with m.If(access & hit):
                m.d.sync += self.bus.dat_r.eq(word)
        kept_back = [r.address >> 2 for r in REGISTERS.values() if r.access in ("set", "port")]
        m.d.comb += refused.eq(write & self.locked & self.bus.adr.matches(*kept_back))
        with m.If(write & (self.bus.adr == REGISTERS["MEMORY_DATA"].address >> 2)):
            m.d.sync += [
                self.load.strobe.eq(~self.locked),
                self.load.region.eq(self.memory_address_region),
                self.load.address.eq(self.memory_address_word),
                self.load.data.eq(self.bus.dat_w),
                self.memory_address_word.eq(self.memory_address_word + 1),
            ]
        return m


class Counters(wiring.Component):
    """Performance counters, 32 bits each, that wrap around.

    Attributes
    ----------
    clear : In
    <name> : In
        Counts the cycles in which it is 1.
    <name>_count : Out
    """

    def __init__(self) -> None:
        members: dict[str, object] = {"clear": In(1)}
        for name in COUNTERS:
            members[name.lower()] = In(1)
            members[f"{name.lower()}_count"] = Out(32)
        super().__init__(members)  # type: ignore[arg-type]

    def elaborate(self, platform: object) -> Module:
        m = Module()
        for name in COUNTERS:
            strobe, count = getattr(self, name.lower()), getattr(self, f"{name.lower()}_count")
            with m.If(self.clear):
                m.d.sync += count.eq(0)
            with m.Elif(strobe):
                m.d.sync += count.eq(count + 1)
        return m
