"""The core: everything between the input stream, the answer stream and the register bus."""

from amaranth.hdl import Cat, Module, Mux, ResetInserter, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hysteron_golden.hardware import CoreConfig, bits_for
from hysteron_wire.packets import WORD
from hysteron_wire.registers import COUNTERS, REGIONS

from . import bus
from .events import EventFinder, WordScanner
from .inputs import InputUnit
from .lanes import Lanes
from .layouts import segment_layout, word_layout
from .memory import LoadedMemory
from .readout import ReadoutUnit
from .readpipe import ReadPipe
from .registers import ADDRESS_BITS, Counters, Registers
from .sequencer import Sequencer
from .spikes import SpikeMemory


class TraceSignature(wiring.Signature):
    """What a simulation watches: weight-row reads and tile updates, each in its cycle."""

    def __init__(self, config: CoreConfig) -> None:
        super().__init__(
            {
                "read": Out(1),
                "row": Out(bits_for(config.weight_rows)),
                "stored": Out(1),
                "layer": Out(bits_for(config.max_layers)),
                "tile": Out(bits_for(config.tiles)),
                "spikes": Out(config.lanes),
                "potentials": Out(config.lanes * config.potential_bits),
            }
        )


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
        Packets, see :mod:`hysteron_wire.packets`.
    o : Out(stream of 32 bits)
        Answers.
    trace : Out(TraceSignature)
    """

    def __init__(self, config: CoreConfig, *, trace: bool = False) -> None:
        self.config = config
        self.traced = trace
        members: dict[str, object] = {
            "bus": In(bus.Signature(ADDRESS_BITS)),
            "i": In(stream.Signature(32)),
            "o": Out(stream.Signature(32)),
        }
        if trace:
            members["trace"] = Out(TraceSignature(config))
        super().__init__(members)  # type: ignore[arg-type]

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self.config
        m.submodules.registers = registers = Registers(config)
        m.submodules.counters = counters = Counters()
        wiring.connect(m, wiring.flipped(self.bus), registers.bus)
        m.d.comb += counters.clear.eq(registers.command_clear)
        for name in COUNTERS:
            m.d.comb += getattr(registers, name.lower()).eq(getattr(counters, f"{name.lower()}_count"))

        engine = Module()
        m.submodules.engine = ResetInserter(registers.command_reset)(engine)

        # Blocks
        engine.submodules.inputs = inputs = InputUnit(config)
        engine.submodules.sequencer = sequencer = Sequencer(config)
        engine.submodules.segments = segments = ReadPipe(
            segment_layout(config), max(config.input_words, config.hidden_words)
        )
        engine.submodules.scanner = scanner = WordScanner(config)
        engine.submodules.words = words = ReadPipe(word_layout(config), WORD)
        engine.submodules.finder = finder = EventFinder(config)
        engine.submodules.spikes = spikes = SpikeMemory(config)
        engine.submodules.weights = weights = LoadedMemory(
            width=config.weight_row_bits,
            depth=config.weight_rows,
            region=REGIONS["WEIGHTS"],
            latency=config.weight_latency,
        )
        engine.submodules.lanes = lanes = Lanes(config)
        engine.submodules.readout = readout = ReadoutUnit(config)
        for block in (inputs, sequencer, weights, lanes):
            wiring.connect(engine, registers.load, block.load)

        # Settings
        for block, name, value in (
            (inputs, "run", registers.control_run),
            (inputs, "inputs", registers.network_inputs),
            (inputs, "steps", registers.encoder_steps),
            (inputs, "coding", registers.encoder_coding),
            (inputs, "seed", Cat(registers.seed0, registers.seed1, registers.seed2, registers.seed3)),
            (sequencer, "layers", registers.network_layers),
            (sequencer, "steps", registers.encoder_steps),
            (sequencer, "every_step", registers.readout_every_step),
            (readout, "outputs", registers.readout_outputs),
            (readout, "kind", registers.readout_kind),
            (readout, "vector", registers.readout_vector),
        ):
            engine.d.comb += getattr(block, name).eq(value)

        # Input → sequencer → segments → words → events
        wiring.connect(engine, wiring.flipped(self.i), inputs.i)
        engine.d.comb += [
            sequencer.slots.eq(inputs.slots),
            sequencer.filled.eq(inputs.filled),
            inputs.free.eq(scanner.frees),
        ]
        wiring.connect(engine, sequencer.o, segments.i)
        segment = segments.i.payload.source
        summary_read = segments.i.valid & segments.i.ready
        hidden_q = Signal()
        engine.d.sync += hidden_q.eq(segment.hidden)
        engine.d.comb += [
            inputs.summary_en.eq(summary_read & ~segment.hidden),
            inputs.slot.eq(segment.slot),
            inputs.plane.eq(segment.plane),
            spikes.summary_en.eq(summary_read & segment.hidden),
            spikes.summary_layer.eq(segment.layer),
            spikes.summary_parity.eq(segment.parity),
            segments.data.eq(Mux(hidden_q, spikes.summary, inputs.summary)),
            scanner.i.valid.eq(segments.o.valid),
            scanner.i.payload.eq(segments.o.payload),
            segments.o.ready.eq(scanner.i.ready),
        ]
        wiring.connect(engine, scanner.o, words.i)
        word_read = words.i.valid & words.i.ready
        hidden_word_q = Signal()
        engine.d.sync += hidden_word_q.eq(words.i.payload.hidden)
        engine.d.comb += [
            inputs.word_en.eq(word_read & ~scanner.source.hidden),
            inputs.word_slot.eq(scanner.source.slot),
            inputs.word_plane.eq(scanner.source.plane),
            inputs.word.eq(words.i.payload.word),
            spikes.word_en.eq(word_read & scanner.source.hidden),
            spikes.word_tile.eq(scanner.source.tile),
            spikes.word_parity.eq(scanner.source.parity),
            spikes.word.eq(words.i.payload.word),
            words.data.eq(Mux(hidden_word_q, spikes.bits, inputs.bits)),
            finder.i.valid.eq(words.o.valid),
            finder.i.payload.eq(words.o.payload),
            words.o.ready.eq(finder.i.ready),
            sequencer.scanned.eq(scanner.scanned),
            sequencer.scanned_layer.eq(scanner.layer),
        ]

        # Events → lanes → spikes → read-out
        engine.d.comb += [
            weights.en.eq(finder.valid & ~finder.event.empty),
            weights.address.eq(finder.event.row),
            lanes.valid.eq(finder.valid),
            lanes.event.eq(finder.event),
            lanes.weights.eq(weights.data),
            spikes.store.eq(lanes.stored),
            spikes.store_pass.eq(lanes.stored_pass),
            spikes.spikes.eq(lanes.spikes),
            sequencer.stored.eq(lanes.stored & lanes.stored_pass.job_last),
            sequencer.stored_layer.eq(lanes.stored_pass.layer),
            readout.fired.eq(lanes.fired),
            readout.fired_pass.eq(lanes.fired_pass),
            readout.stored.eq(lanes.stored),
            readout.stored_pass.eq(lanes.stored_pass),
            readout.spikes.eq(lanes.spikes),
            readout.potentials.eq(lanes.potentials),
            sequencer.answered.eq(readout.answered),
        ]
        wiring.connect(engine, readout.o, wiring.flipped(self.o))

        # Status, errors, counters
        under_way = Signal(8)  # samples
        engine.d.sync += under_way.eq(under_way + inputs.begins - readout.sample)
        busy = under_way != 0
        engine.d.comb += [
            registers.status_busy.eq(busy),
            registers.status_fault.eq(inputs.fault),
            registers.locked.eq(busy | registers.control_run),
            registers.error_header.eq(inputs.bad_header),
            registers.error_index.eq(inputs.bad_index),
        ]
        for name, strobe in {
            "CYCLES": busy,
            "EVENTS": finder.valid & ~finder.event.empty,
            "BUBBLES": finder.valid & finder.event.empty,
            "STALLS": finder.stalled,
            "UPDATES": lanes.stored,
            "STEPS": sequencer.issued_first,
            "SAMPLES": readout.sample,
            "WORDS_IN": self.i.valid & self.i.ready,
            "WAITS_IN": self.i.valid & ~self.i.ready,
            "WORDS_OUT": self.o.valid & self.o.ready,
            "WAITS_OUT": self.o.valid & ~self.o.ready,
        }.items():
            engine.d.comb += getattr(counters, name.lower()).eq(strobe)

        if self.traced:
            engine.d.comb += [
                self.trace.read.eq(finder.valid & ~finder.event.empty),
                self.trace.row.eq(finder.event.row),
                self.trace.stored.eq(lanes.stored),
                self.trace.layer.eq(lanes.stored_pass.layer),
                self.trace.tile.eq(lanes.stored_pass.tile),
                self.trace.spikes.eq(lanes.spikes),
                self.trace.potentials.eq(lanes.potentials),
            ]
        return m
