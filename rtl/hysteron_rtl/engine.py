"""What makes up a core apart from its registers: the common interface, and the engine whose blocks all work at once."""

from typing import Any

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hysteron_spec.core import CoreConfig, bits_for
from hysteron_spec.packets import WORD
from hysteron_spec.registers import REGIONS

from .events import EventFinder, WordScanner
from .inputs import InputUnit
from .lanes import Lanes
from .layouts import segment_layout, word_layout
from .memory import LoadedMemory, LoadSignature
from .readout import ReadoutUnit
from .readpipe import ReadPipe
from .sequencer import Sequencer
from .spikes import SpikeMemory

#: Register values that an engine works by, and what says how far it is. The strobes of ``activity`` are counted.
SETTINGS = data.StructLayout(
    {
        "run": 1,
        "inputs": 14,
        "layers": 5,
        "steps": 8,
        "coding": 2,
        "seed": 128,
        "outputs": 14,
        "kind": 2,
        "every_step": 1,
        "vector": 1,
    }
)
STATUS = data.StructLayout({"begins": 1, "sample": 1, "fault": 1, "bad_header": 1, "bad_index": 1})
ACTIVITY = data.StructLayout({"event": 1, "bubble": 1, "stall": 1, "update": 1, "step": 1})


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


class EngineSignature(wiring.Signature):
    """An engine as its core sees it.

    Members
    -------
    settings : Out(SETTINGS)
        Change only while nothing is under way.
    load : Out(LoadSignature)
        Fills its memories.
    i : Out(stream of 32 bits)
        Packets.
    o : In(stream of 32 bits)
        Answers.
    status : In(STATUS)
        Strobes: a sample's first header was accepted, its last answer word was; error strobes; ``fault`` holds.
    activity : In(ACTIVITY)
        Strobes for the counters.
    trace : In(TraceSignature)
    """

    def __init__(self, config: CoreConfig) -> None:
        super().__init__(
            {
                "settings": Out(SETTINGS),
                "load": Out(LoadSignature()),
                "i": Out(stream.Signature(32)),
                "o": In(stream.Signature(32)),
                "status": In(STATUS),
                "activity": In(ACTIVITY),
                "trace": In(TraceSignature(config)),
            }
        )


class ParallelEngine(wiring.Component):
    """All neurons of a tile are updated together, and input, layers, time steps and samples overlap."""

    def __init__(self, config: CoreConfig) -> None:
        self.config = config
        super().__init__(EngineSignature(config).flip())

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        config, settings = self.config, self.settings

        # Blocks
        m.submodules.inputs = inputs = InputUnit(config)
        m.submodules.sequencer = sequencer = Sequencer(config)
        m.submodules.segments = segments = ReadPipe(
            segment_layout(config), max(config.input_words, config.hidden_words)
        )
        m.submodules.scanner = scanner = WordScanner(config)
        m.submodules.words = words = ReadPipe(word_layout(config), WORD)
        m.submodules.finder = finder = EventFinder(config)
        m.submodules.spikes = spikes = SpikeMemory(config)
        m.submodules.weights = weights = LoadedMemory(
            width=config.weight_row_bits,
            depth=config.weight_rows,
            region=REGIONS["WEIGHTS"],
            latency=config.weight_latency,
        )
        m.submodules.lanes = lanes = Lanes(config)
        m.submodules.readout = readout = ReadoutUnit(config)
        for block in (inputs, sequencer, weights, lanes):
            wiring.connect(m, wiring.flipped(self.load), block.load)

        m.d.comb += [
            inputs.run.eq(settings.run),
            inputs.inputs.eq(settings.inputs),
            inputs.steps.eq(settings.steps),
            inputs.coding.eq(settings.coding),
            inputs.seed.eq(settings.seed),
            sequencer.layers.eq(settings.layers),
            sequencer.steps.eq(settings.steps),
            sequencer.every_step.eq(settings.every_step),
            readout.outputs.eq(settings.outputs),
            readout.kind.eq(settings.kind),
            readout.vector.eq(settings.vector),
        ]

        # Input → sequencer → segments → words → events
        wiring.connect(m, wiring.flipped(self.i), inputs.i)
        m.d.comb += [
            sequencer.slots.eq(inputs.slots),
            sequencer.filled.eq(inputs.filled),
            inputs.free.eq(scanner.frees),
        ]
        wiring.connect(m, sequencer.o, segments.i)
        segment = segments.i.payload.source
        summary_read = segments.i.valid & segments.i.ready
        hidden_q = Signal()
        m.d.sync += hidden_q.eq(segment.hidden)
        m.d.comb += [
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
        wiring.connect(m, scanner.o, words.i)
        word_read = words.i.valid & words.i.ready
        hidden_word_q = Signal()
        m.d.sync += hidden_word_q.eq(words.i.payload.hidden)
        m.d.comb += [
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
        m.d.comb += [
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
        wiring.connect(m, readout.o, wiring.flipped(self.o))

        # What the core is told
        m.d.comb += [
            self.status.begins.eq(inputs.begins),
            self.status.sample.eq(readout.sample),
            self.status.fault.eq(inputs.fault),
            self.status.bad_header.eq(inputs.bad_header),
            self.status.bad_index.eq(inputs.bad_index),
            self.activity.event.eq(finder.valid & ~finder.event.empty),
            self.activity.bubble.eq(finder.valid & finder.event.empty),
            self.activity.stall.eq(finder.stalled),
            self.activity.update.eq(lanes.stored),
            self.activity.step.eq(sequencer.issued_first),
            self.trace.read.eq(finder.valid & ~finder.event.empty),
            self.trace.row.eq(finder.event.row),
            self.trace.stored.eq(lanes.stored),
            self.trace.layer.eq(lanes.stored_pass.layer),
            self.trace.tile.eq(lanes.stored_pass.tile),
            self.trace.spikes.eq(lanes.spikes),
            self.trace.potentials.eq(lanes.potentials),
        ]
        return m
