# SPDX-License-Identifier: Apache-2.0
"""The machine: a core with a processor, memories, a serial line, and what moves data between them unattended.

A restart by the watchdog, or because the processor met an instruction that it does not know or an address where nothing
is, resets everything but the record of it.
"""

from collections.abc import Sequence

from amaranth.hdl import Module, Mux, ResetInserter, Signal
from amaranth.lib import fifo, wiring
from amaranth.lib.wiring import In, Out

from hysteron_spec.core import CoreConfig
from hysteron_spec.machine import (
    ANSWER_WORDS,
    CORE_BASE,
    FRAME_BYTES,
    FRAME_SLOTS,
    LACKS,
    MACHINE_BASE,
    MACHINE_MAGIC,
    MACHINE_REGISTERS,
    MACHINE_VERSION,
    RAM_BASE,
    ROM_BASE,
    WAKES,
    MachineConfig,
)

from ..bus import BusPort
from ..core import Core
from ..ports import named, port
from ..registers import RegisterFile
from .copier import Copier
from .cpu import Processor
from .frames import FrameReceiver, FrameSender
from .memory import Rom, SharedRam
from .uart import UartReceiver, UartTransmitter

#: Where an address may lead; the highest four bits say so.
_BASES = (ROM_BASE, RAM_BASE, CORE_BASE, MACHINE_BASE)
#: Bytes that wait for the line while the sender looks for the end of the next block.
_LINE_BYTES = 16


class Machine(wiring.Component):
    """A core that boots and talks over a serial line.

    Parameters
    ----------
    config, machine
        What to generate.
    firmware
        Words of the ROM.

    Attributes
    ----------
    rx : In(1), tx : Out(1)
        The serial line, see :mod:`hysteron_rtl.machine.uart`.
    leds : Out(8)
        Lamps, a bit each.
    restarted : Out(1)
        Strobe: the machine restarts itself.
    """

    rx: Signal
    tx: Signal
    leds: Signal
    restarted: Signal

    def __init__(self, config: CoreConfig, machine: MachineConfig, firmware: Sequence[int]) -> None:
        self.config, self.machine, self.firmware = config, machine, firmware
        super().__init__({"rx": port(In, 1, init=1), "tx": port(Out, 1, init=1), "leds": Out(8), "restarted": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        restart = Signal()
        inside = Inside(self.config, self.machine, self.firmware)
        m.submodules.inside = ResetInserter(restart)(inside)
        # A cycle after the cause, so that the cause is not reset by its own effect.
        by_itself, count = Signal(), Signal(8)
        with m.If(inside.restart & ~restart):
            m.d.sync += [by_itself.eq(1), count.eq(count + 1)]
        m.d.sync += restart.eq(inside.restart & ~restart)
        m.d.comb += [
            inside.rx.eq(self.rx),
            self.tx.eq(inside.tx),
            self.leds.eq(inside.leds),
            self.restarted.eq(restart),
            inside.restarting.eq(restart),
            inside.by_itself.eq(by_itself),
            inside.restarts.eq(count),
        ]
        return m


class Inside(wiring.Component):
    """The machine without the record of its restarts.

    Parameters
    ----------
    config, machine, firmware
        The same as in :class:`Machine`.

    Attributes
    ----------
    rx : In(1), tx : Out(1), leds : Out(8)
        The serial line and the lamps.
    restart : Out(1)
        The machine must restart.
    restarting : In(1)
        It does, in this cycle.
    by_itself : In(1), restarts : In(8)
        Whether it has restarted itself; how often, modulo 256.
    """

    rx: Signal
    tx: Signal
    leds: Signal
    restart: Signal
    restarting: Signal
    by_itself: Signal
    restarts: Signal

    def __init__(self, config: CoreConfig, machine: MachineConfig, firmware: Sequence[int]) -> None:
        self.config, self.machine, self.firmware = config, machine, firmware
        super().__init__(
            {
                "rx": port(In, 1, init=1),
                "tx": port(Out, 1, init=1),
                "leds": Out(8),
                "restart": Out(1),
                "restarting": In(1),
                "by_itself": In(1),
                "restarts": In(8),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        machine = self.machine
        m.submodules.cpu = cpu = Processor(
            reset_address=ROM_BASE, stack_address=RAM_BASE + machine.ram_bytes, small=machine.small
        )
        m.submodules.rom = rom = Rom(size=machine.rom_bytes, words=self.firmware)
        # Who cannot wait goes first.
        requesters = ("receiver", "cpu") if machine.small else ("receiver", "sender", "copier", "cpu")
        m.submodules.ram = ram = SharedRam(size=machine.ram_bytes, requesters=requesters)
        m.submodules.core = core = Core(self.config)
        m.submodules.registers = registers = RegisterFile(
            MACHINE_REGISTERS,
            {"MACHINE_ID": MACHINE_MAGIC, "MACHINE_VERSION": MACHINE_VERSION, "CLOCK": self.config.clock_hz}
            | dict.fromkeys(LACKS[machine.small], 0),
            initial={"uart_divisor": machine.divisor},
        )
        m.submodules.uart_in = uart_in = UartReceiver()
        m.submodules.uart_out = uart_out = UartTransmitter()
        m.submodules.receiver = receiver = FrameReceiver(frame_bytes=FRAME_BYTES, slots=FRAME_SLOTS)
        m.submodules.answers = answers = fifo.SyncFIFOBuffered(width=32, depth=ANSWER_WORDS)

        # Line → frames → RAM
        m.d.comb += [
            uart_in.rx.eq(self.rx),
            self.tx.eq(uart_out.tx),
            uart_in.divisor.eq(registers.uart_divisor),
            uart_out.divisor.eq(registers.uart_divisor),
            receiver.valid.eq(uart_in.valid),
            receiver.data.eq(uart_in.data),
            receiver.base.eq(registers.frames),
            receiver.pop.eq(registers.frame_pop_pop),
            registers.frame_count.eq(receiver.count),
            registers.frame_slot.eq(receiver.slot),
            registers.frame_length.eq(receiver.length),
        ]
        wiring.connect(m, receiver.memory, ram.receiver)
        for counted, strobe in (
            (registers.received, uart_in.valid),
            (registers.bad_check_count, receiver.bad_check),
            (registers.bad_form_count, receiver.bad_form),
            (registers.bad_room_count, receiver.bad_room),
            (registers.bad_stop_count, uart_in.broken),
        ):
            count = Signal.like(counted, name=f"{counted.name}_now")
            m.d.sync += count.eq(count + strobe)
            m.d.comb += counted.eq(count)

        # Core → answers
        wiring.connect(m, core.o, answers.w_stream)
        m.d.comb += [
            registers.answers_count.eq(answers.r_level),
            registers.answer.eq(answers.r_data),
            answers.r_en.eq(registers.answer_read),
        ]

        # Time
        cycle = Signal(32)
        m.d.sync += cycle.eq(cycle + 1)
        watchdog = Signal(32, init=machine.watchdog)
        m.d.sync += watchdog.eq(Mux(registers.watchdog_written, registers.written, watchdog - 1))
        astray = Signal()
        m.d.comb += [
            astray.eq(cpu.valid & ~cpu.address[28:].matches(*(base >> 28 for base in _BASES))),
            registers.watchdog_value.eq(watchdog),
            registers.cycle.eq(cycle),
            registers.reset_cause_itself.eq(self.by_itself),
            registers.reset_cause_count.eq(self.restarts),
            self.restart.eq((watchdog == 0) | cpu.trap | astray),
            self.leds.eq(registers.leds_leds),
            cpu.restart.eq(self.restarting),
        ]

        if machine.small:
            self._by_hand(m, registers, uart_out, core)
            copier_bus = None
        else:
            m.submodules.copier = copier = self._copier(m, registers, ram, core)
            m.submodules.sender = sender = FrameSender(frame_bytes=FRAME_BYTES)
            self._connect_sender(m, registers, ram, sender, uart_out)
            self._connect_interrupts(m, cpu, registers, receiver, sender, copier, answers)
            copier_bus = copier.bus
        self._connect_processor(m, cpu, rom, ram, core, registers, copier_bus)
        return m

    @staticmethod
    def _by_hand(m: Module, registers: RegisterFile, uart_out: UartTransmitter, core: Core) -> None:
        """What the processor of a small machine does itself: bytes to the line, words to the core."""
        for out, name, width in ((uart_out.i, "line", 8), (core.i, "stream", 32)):
            word, waits = Signal(width, name=f"{name}_word"), Signal(name=f"{name}_waits")
            written = named(registers, f"{name}_written")
            with m.If(out.ready):
                m.d.sync += waits.eq(0)
            if name == "stream":
                with m.If(registers.copy_command_stop):
                    m.d.sync += waits.eq(0)
            with m.If(written):
                m.d.sync += [waits.eq(1), word.eq(registers.written)]
            m.d.comb += [
                out.valid.eq(waits),
                out.payload.eq(word),
                named(registers, f"{name}_value").eq(waits | written),
            ]

    @staticmethod
    def _copier(m: Module, registers: RegisterFile, ram: SharedRam, core: Core) -> Copier:
        """Make the copier, and connect all of it but its bus."""
        copier = Copier()
        wiring.connect(m, copier.memory, ram.copier)
        wiring.connect(m, copier.o, core.i)
        m.d.comb += [
            copier.start.eq(registers.copy_written),
            copier.count.eq(registers.written),
            copier.source.eq(registers.copy_source),
            copier.register.eq(registers.copy_target_register),
            copier.to_stream.eq(registers.copy_target_stream),
            copier.clear.eq(registers.copy_command_clear),
            copier.stop.eq(registers.copy_command_stop),
            registers.copy_value.eq(copier.left),
            registers.copy_check.eq(copier.check),
        ]
        return copier

    @staticmethod
    def _connect_sender(
        m: Module, registers: RegisterFile, ram: SharedRam, sender: FrameSender, uart_out: UartTransmitter
    ) -> None:
        """Connect the sender to RAM and, through a buffer, to the line."""
        m.submodules.line = line = fifo.SyncFIFOBuffered(width=8, depth=_LINE_BYTES)
        length = Signal.like(sender.length)
        m.d.comb += [
            sender.start.eq(registers.send_written & ~sender.busy),
            sender.source.eq(registers.send_source),
            sender.length.eq(length),
            registers.send_value.eq(sender.busy),
        ]
        with m.If(registers.send_written & ~sender.busy):
            m.d.sync += length.eq(registers.written)
        wiring.connect(m, sender.memory, ram.sender)
        wiring.connect(m, sender.o, line.w_stream)
        wiring.connect(m, line.r_stream, uart_out.i)

    def _connect_interrupts(
        self,
        m: Module,
        cpu: Processor,
        registers: RegisterFile,
        receiver: FrameReceiver,
        sender: FrameSender,
        copier: Copier,
        answers: fifo.SyncFIFOBuffered,
    ) -> None:
        """The timer, and what wakes the processor."""
        period, tick = Signal(32), Signal()
        m.d.comb += [
            tick.eq((registers.timer != 0) & (period >= registers.timer - 1)),
            registers.timer_flag_flag.eq(tick),
        ]
        with m.If(tick | (registers.timer == 0)):
            m.d.sync += period.eq(0)
        with m.Else():
            m.d.sync += period.eq(period + 1)
        levels = {
            "FRAME": receiver.count != 0,
            "ANSWER": answers.r_level != 0,
            "TIMER": registers.timer_flag_flag_held,
            "COPIED": copier.left == 0,
            "SENT": ~sender.busy,
        }
        for name, (number, _) in WAKES.items():
            wanted = named(registers, f"wake_{name}")
            m.d.comb += cpu.interrupts[number].eq(levels[name] & wanted)

    def _connect_processor(
        self,
        m: Module,
        cpu: Processor,
        rom: Rom,
        ram: SharedRam,
        core: Core,
        registers: RegisterFile,
        copier: BusPort | None,
    ) -> None:
        """What the processor reaches, and the core's bus, which it shares with the copier."""
        to_rom, to_ram, to_core, to_machine = (
            cpu.valid & ~cpu.ready & (cpu.address[28:] == base >> 28) for base in _BASES
        )
        # A memory answers in the cycle after it took the request.
        answered, from_rom = Signal(), Signal()
        m.d.sync += [answered.eq(~answered & (to_rom | (to_ram & ram.cpu.ready))), from_rom.eq(to_rom)]
        m.d.comb += [
            rom.address.eq(cpu.address[2:]),
            ram.cpu.valid.eq(to_ram & ~answered),
            ram.cpu.address.eq(cpu.address),
            ram.cpu.data.eq(cpu.data),
            ram.cpu.strobe.eq(cpu.strobe),
        ]
        # The core's bus belongs to whoever began, until it is acknowledged.
        chosen = Signal()  # the copier
        if copier is not None:
            copying, held = Signal(), Signal()
            m.d.sync += [held.eq(core.bus.cyc & ~core.bus.ack), copying.eq(chosen)]
            m.d.comb += chosen.eq(Mux(held, copying, copier.cyc))
        with m.If(~chosen):
            m.d.comb += [core.bus.cyc.eq(to_core), core.bus.stb.eq(to_core)]
            self._request(m, cpu, core.bus)
        if copier is not None:
            with m.If(chosen):
                m.d.comb += [
                    core.bus.cyc.eq(copier.cyc),
                    core.bus.stb.eq(copier.stb),
                    core.bus.we.eq(copier.we),
                    core.bus.adr.eq(copier.adr),
                    core.bus.dat_w.eq(copier.dat_w),
                    core.bus.sel.eq(copier.sel),
                    copier.ack.eq(core.bus.ack),
                ]
        m.d.comb += [registers.bus.cyc.eq(to_machine), registers.bus.stb.eq(to_machine)]
        self._request(m, cpu, registers.bus)
        with m.If(answered):
            m.d.comb += [cpu.ready.eq(1), cpu.answer.eq(Mux(from_rom, rom.data, ram.cpu.answer))]
        with m.Elif(registers.bus.ack):
            m.d.comb += [cpu.ready.eq(1), cpu.answer.eq(registers.bus.dat_r)]
        with m.Elif(core.bus.ack & ~chosen):
            m.d.comb += [cpu.ready.eq(1), cpu.answer.eq(core.bus.dat_r)]

    @staticmethod
    def _request(m: Module, cpu: Processor, bus: BusPort) -> None:
        """The processor's access on a bus."""
        m.d.comb += [
            bus.we.eq(cpu.strobe.any()),
            bus.adr.eq(cpu.address[2:]),
            bus.dat_w.eq(cpu.data),
            bus.sel.eq(Mux(cpu.strobe.any(), cpu.strobe, 0xF)),
        ]
