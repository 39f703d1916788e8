# SPDX-License-Identifier: Apache-2.0
"""The core: everything between the input stream, the answer stream and the register bus."""

from amaranth.hdl import Cat, Module, ResetInserter, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Member, Out

from hysteron_spec.core import CoreConfig
from hysteron_spec.registers import COUNTERS

from .bus import BusPort, Signature
from .engine import Engine, TracePort, TraceSignature
from .parallel import ParallelEngine
from .ports import named
from .registers import ADDRESS_BITS, Counters, Registers
from .serial.engine import SerialEngine


class Core(wiring.Component):
    """A spiking-neural-network accelerator core.

    Parameters
    ----------
    config
        What to generate.
    trace
        Add the port ``trace`` for simulation.

    Attributes
    ----------
    bus : In(bus.Signature)
        Registers and memories (``docs/registers.md``).
    i : In(stream of 32 bits)
        Packets, see :mod:`hysteron_spec.packets`.
    o : Out(stream of 32 bits)
        Answers.
    trace : Out(TraceSignature)
        What a simulation watches; only if ``trace``.
    """

    bus: BusPort
    i: stream.Interface
    o: stream.Interface
    trace: TracePort

    def __init__(self, config: CoreConfig, *, trace: bool = False) -> None:
        self.config = config
        self.traced = trace
        members: dict[str, Member] = {
            "bus": In(Signature(ADDRESS_BITS)),
            "i": In(stream.Signature(32)),
            "o": Out(stream.Signature(32)),
        }
        if trace:
            members["trace"] = Out(TraceSignature(config))
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self.config
        m.submodules.registers = registers = Registers(config)
        wiring.connect(m, wiring.flipped(self.bus), registers.bus)
        engine: Engine = SerialEngine(config) if config.serial else ParallelEngine(config)
        m.submodules.engine = ResetInserter(registers.command_reset)(engine)
        wiring.connect(m, registers.load, engine.load)
        wiring.connect(m, wiring.flipped(self.i), engine.i)
        wiring.connect(m, engine.o, wiring.flipped(self.o))
        for name, value in {
            "run": registers.control_run,
            "inputs": registers.network_inputs,
            "layers": registers.network_layers,
            "outputs": registers.readout_outputs,
            "kind": registers.readout_kind,
            "every_step": registers.readout_every_step,
            "vector": registers.readout_vector,
        }.items():
            m.d.comb += engine.settings[name].eq(value)

        if config.encoder:
            m.d.comb += [
                engine.settings.steps.eq(registers.encoder_steps),
                engine.settings.coding.eq(registers.encoder_coding),
                engine.settings.seed.eq(Cat(registers.seed0, registers.seed1, registers.seed2, registers.seed3)),
            ]

        status, activity = engine.status, engine.activity
        under_way = Signal(8)  # samples
        busy = Signal()
        with m.If(registers.command_reset):
            m.d.sync += under_way.eq(0)
        with m.Else():
            m.d.sync += under_way.eq(under_way + status.begins - status.sample)
        m.d.comb += [
            busy.eq(under_way != 0),
            registers.status_busy.eq(busy),
            registers.status_fault.eq(status.fault),
            registers.locked.eq(busy | registers.control_run),
            registers.error_header.eq(status.bad_header),
            registers.error_index.eq(status.bad_index),
        ]
        if config.counters:
            m.submodules.counters = counters = Counters()
            m.d.comb += counters.clear.eq(registers.command_clear)
            strobes = {
                "CYCLES": busy,
                "EVENTS": activity.event,
                "BUBBLES": activity.bubble,
                "STALLS": activity.stall,
                "UPDATES": activity.update,
                "STEPS": activity.step,
                "SAMPLES": status.sample,
                "WORDS_IN": self.i.valid & self.i.ready,
                "WAITS_IN": self.i.valid & ~self.i.ready,
                "WORDS_OUT": self.o.valid & self.o.ready,
                "WAITS_OUT": self.o.valid & ~self.o.ready,
            }
            for name in COUNTERS:
                m.d.comb += [
                    named(counters, name).eq(strobes[name]),
                    named(registers, name).eq(named(counters, f"{name}_count")),
                ]
        if self.traced:
            wiring.connect(m, engine.trace, wiring.flipped(self.trace))
        return m
