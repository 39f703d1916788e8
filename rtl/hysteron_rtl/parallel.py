# SPDX-License-Identifier: Apache-2.0
"""The engine whose blocks all work at once."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring

from hysteron_spec.packets import WORD

from .engine import Engine
from .events import EventFinder, WordScanner
from .inputs import InputUnit
from .lanes import Lanes
from .layouts import segment_layout, word_layout
from .readout import ReadoutUnit
from .readpipe import ReadPipe
from .sequencer import Sequencer
from .spikes import SpikeMemory


class ParallelEngine(Engine):
    """The engine of which all blocks work at once: all neurons of a tile are updated together, and input, layers, time
    steps and samples overlap."""

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self.config
        m.submodules.inputs = inputs = InputUnit(config)
        m.submodules.sequencer = sequencer = Sequencer(config)
        m.submodules.segments = segments = ReadPipe(
            segment_layout(config), max(config.input_words, config.hidden_words)
        )
        m.submodules.scanner = scanner = WordScanner(config)
        m.submodules.words = words = ReadPipe(word_layout(config), WORD)
        m.submodules.finder = finder = EventFinder(config)
        m.submodules.spikes = spikes = SpikeMemory(config)
        m.submodules.weights = weights = self._weight_memory()
        m.submodules.lanes = lanes = Lanes(config)
        m.submodules.readout = readout = ReadoutUnit(config)
        self._connect_load(m, inputs.load, sequencer.load, weights.load, lanes.load)
        self._connect_settings(m, inputs, "run", "inputs", "steps", "coding", "seed")
        self._connect_settings(m, sequencer, "layers", "steps", "every_step")
        self._connect_settings(m, readout, "outputs", "kind", "vector")

        # Input → sequencer → segments → words → events
        wiring.connect(m, wiring.flipped(self.i), inputs.i)
        m.d.comb += [
            sequencer.slots.eq(inputs.slots),
            sequencer.filled.eq(inputs.filled),
            inputs.free.eq(scanner.frees),
        ]
        wiring.connect(m, sequencer.o, segments.i)
        self._read_summaries(m, segments, inputs, spikes)
        _join(m, segments.o, scanner.i)
        wiring.connect(m, scanner.o, words.i)
        self._read_words(m, words, scanner, inputs, spikes)
        _join(m, words.o, finder.i)
        m.d.comb += [
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
        ]
        self._connect_updates(m, lanes, spikes, sequencer, readout)
        m.d.comb += sequencer.answered.eq(readout.answered)
        wiring.connect(m, readout.o, wiring.flipped(self.o))

        self._report(
            m,
            inputs,
            sample=readout.sample,
            picks=finder.valid,
            empty=finder.event.empty,
            row=finder.event.row,
            stalled=finder.stalled,
            stored=lanes.stored,
            step=sequencer.issued_first,
            layer=lanes.stored_pass.layer,
            tile=lanes.stored_pass.tile,
            spikes=lanes.spikes,
        )
        m.d.comb += self.trace.potentials.eq(lanes.potentials)
        return m

    @staticmethod
    def _read_summaries(m: Module, segments: ReadPipe, inputs: InputUnit, spikes: SpikeMemory) -> None:
        """Read the summary of each segment's source, from the input unit or the hidden layers' spikes."""
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
        ]

    @staticmethod
    def _read_words(m: Module, words: ReadPipe, scanner: WordScanner, inputs: InputUnit, spikes: SpikeMemory) -> None:
        """Read the words that the scanner lists, from the input unit or the hidden layers' spikes."""
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
        ]

    @staticmethod
    def _connect_updates(
        m: Module, lanes: Lanes, spikes: SpikeMemory, sequencer: Sequencer, readout: ReadoutUnit
    ) -> None:
        """Bring updated tiles to those who store, count and read them."""
        m.d.comb += [
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
        ]


def _join(m: Module, source: stream.Interface, sink: stream.Interface) -> None:
    """Connect two streams. ``wiring.connect`` assigns in another order, which numbers the netlist's wires anew, and
    placements, whose figures are kept, follow the netlist to the letter."""
    m.d.comb += [
        sink.valid.eq(source.valid),
        sink.payload.eq(source.payload),
        source.ready.eq(sink.ready),
    ]
