# SPDX-License-Identifier: Apache-2.0
"""The small core's engine: step after step, layer after layer, tile after tile."""

from dataclasses import dataclass

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, memory, wiring

from hysteron_spec.core import bits_for
from hysteron_spec.layouts import (
    DESCRIPTOR_ROWS,
    descriptor_bits,
    descriptor_flags,
    descriptor_layout,
    is_signed,
    threshold_layout,
)
from hysteron_spec.packets import WORD, WORD_LOG2
from hysteron_spec.registers import REGIONS

from ..bits import delay, number, record, struct
from ..engine import Engine
from ..inputs import InputUnit
from ..layouts import SLOT_FLAGS
from ..memory import LoadedMemory
from ..neuron import accumulate, stage_port
from .finder import Finder
from .readout import SerialReadout
from .updater import Updater


@dataclass(frozen=True)
class _Layer:
    """The layer that is being computed, in the step that is."""

    #: Its number; whether it is the first one, the last one.
    number: Signal
    first: Value
    last: Value
    #: Its descriptor by name, the flags in it, and the row of it that is being read.
    held: dict[str, Signal]
    described: data.View
    row: Signal
    #: Number of its source's last neuron.
    source_last: Signal
    #: First spike word of its own, and of its source's.
    own: Signal
    source: Signal
    #: Buffer that is being filled; the step's flags; the input slot.
    parity: Signal
    flags: data.View
    slot: Signal


@dataclass(frozen=True)
class _Scan:
    """The words of the layer's sources that go to the finder."""

    #: Weight row of the next word's bit 0.
    row: Signal
    #: The next word: its number, whether it is of the layer's own last step, the tile it is read for.
    word: Signal
    back: Signal
    tile: Signal
    #: To be driven: words are wanted. Whether one is read, and whether it is the layer's last.
    wanted: Signal
    reads: Signal
    ends_layer: Signal


@dataclass(frozen=True)
class _Done:
    """The tiles that have been updated."""

    #: The tile whose update comes next; the layer's last one comes now.
    tile: Signal
    layer: Signal


class SerialEngine(Engine):
    """The engine of the small core, see :mod:`hysteron_golden.schedule.serial` for what happens when.

    Spikes of hidden layers have a word for 32 neurons and two buffers, of the step that is being computed and of the
    one before, which recurrent layers read.
    """

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self.config
        m.submodules.inputs = inputs = InputUnit(config)
        m.submodules.descriptors = descriptors = LoadedMemory(
            width=descriptor_bits(config), depth=config.max_layers * DESCRIPTOR_ROWS, region=REGIONS["JOBS"]
        )
        spikes: memory.Memory[int, Value] = memory.Memory(shape=WORD, depth=2 << self._word_bits, init=[])
        m.submodules.spikes = spikes
        spike_read, spike_write = spikes.read_port(), spikes.write_port(granularity=config.lanes)
        m.submodules.finder = finder = Finder(config)
        m.submodules.weights = weights = self._weight_memory()
        m.submodules.updater = updater = Updater(config)
        m.submodules.readout = readout = SerialReadout(config)
        self._connect_load(m, inputs.load, descriptors.load, weights.load, updater.load)
        wiring.connect(m, wiring.flipped(self.i), inputs.i)
        wiring.connect(m, readout.o, wiring.flipped(self.o))
        self._connect_settings(m, inputs, "run", "inputs", "steps", "coding", "seed")
        self._connect_settings(m, readout, "outputs", "kind", "vector")

        layer = self._layer(m, updater)
        scan = self._scan(m, layer, finder, inputs, spike_read)
        self._accumulate(m, layer, finder, weights, updater)
        done = self._store(m, layer, scan, updater, spike_write)
        m.d.comb += [
            readout.fires.eq(updater.fires & layer.last),
            readout.done.eq(updater.done & layer.last),
            readout.spike.eq(updater.spike),
            readout.potential.eq(updater.potential),
            readout.fresh.eq(layer.flags.start),
            readout.final.eq(layer.flags.last),
        ]
        begins = self._control(m, layer, scan, done, inputs, descriptors, updater, readout)

        self._report(
            m,
            inputs,
            sample=readout.answered & layer.flags.last,
            picks=finder.picks,
            empty=finder.empty,
            row=finder.row,
            stalled=finder.stalled,
            stored=updater.tile_done,
            step=begins,
            layer=layer.number,
            tile=(layer.own << (config.tile_step - 1).bit_length()) + done.tile,
            spikes=updater.spikes,
        )
        # Only where someone watches does this hold anything.
        potentials = Signal.like(self.trace.potentials)
        m.d.comb += self.trace.potentials.eq(Cat(potentials[config.potential_bits :], updater.potential))
        with m.If(updater.done):
            m.d.sync += potentials.eq(self.trace.potentials)
        return m

    @property
    def _word_bits(self) -> int:
        """Width of a spike word's number."""
        return bits_for(self.config.spike_words)

    @property
    def _lane_bits(self) -> int:
        """Width of a neuron's number in its tile."""
        return (self.config.lanes - 1).bit_length()

    def _layer(self, m: Module, updater: Updater) -> _Layer:
        """The layer: its descriptor, read a row a cycle, and where its spikes and those of its source are."""
        config = self.config
        fields = descriptor_layout(config)
        layer, row_number = Signal(range(config.max_layers)), Signal(range(DESCRIPTOR_ROWS))
        held = {
            name: Signal(number(width, name not in ("flags", "last") and is_signed(name, config)), name=name)
            for name, width in fields.items()
        }
        described = data.View(struct(descriptor_flags(config)), held["flags"])
        for name in threshold_layout(config):
            m.d.comb += updater.thresholds[name].eq(held[name] if name in held else described[name])
        source_last = Signal.like(held["last"])
        own, source = Signal(self._word_bits), Signal(self._word_bits)
        parity, flags, slot = Signal(), record(SLOT_FLAGS), Signal()
        first_layer = layer == 0
        last_layer = layer + 1 == self.settings.layers
        return _Layer(
            layer, first_layer, last_layer, held, described, row_number, source_last, own, source, parity, flags, slot
        )

    def _scan(self, m: Module, layer: _Layer, finder: Finder, inputs: InputUnit, spike_read: memory.ReadPort) -> _Scan:
        """For each tile read the words of the source, then, if the layer is recurrent, those of its own last step."""
        config = self.config
        last, recurrent, start = layer.held["last"], layer.described.recurrent, layer.flags.start
        row = Signal(bits_for(config.weight_rows))
        word, back = Signal(bits_for(max(config.input_words, config.spike_words))), Signal()
        tile = Signal(bits_for(config.tiles))
        waiting, hidden = Signal(), Signal()  # a word is on a memory's output; on which
        reads, scanning = Signal(), Signal()
        top = Mux(back, last, layer.source_last)
        ends_source, ends_tile, ends_layer = Signal(), Signal(), Signal()
        from_inputs = layer.first & ~back
        m.d.comb += [
            ends_source.eq(word == top[WORD_LOG2:]),
            ends_tile.eq(ends_source & (back | ~recurrent | start)),
            ends_layer.eq(ends_tile & (tile == last[self._lane_bits :])),
            reads.eq(scanning & (~waiting | finder.i.ready)),
            inputs.word_en.eq(reads & from_inputs),
            inputs.word_slot.eq(layer.slot),
            inputs.word.eq(word),
            inputs.slot.eq(layer.slot),
            spike_read.en.eq(reads & ~from_inputs),
            spike_read.addr.eq(
                Cat((Mux(back, layer.own, layer.source) + word)[: self._word_bits], layer.parity ^ back)
            ),
            finder.i.valid.eq(waiting),
            finder.bits.eq(Mux(hidden, spike_read.data, inputs.bits)),
        ]
        with m.If(finder.i.ready):
            m.d.sync += waiting.eq(0)
        with m.If(reads):
            m.d.sync += [
                waiting.eq(1),
                hidden.eq(~from_inputs),
                finder.i.payload.row.eq(row),
                finder.i.payload.last.eq(ends_tile),
                finder.i.payload.seen.eq(~from_inputs | inputs.summary.bit_select(word, 1)),
                row.eq(row + Mux(ends_source, top[:WORD_LOG2], WORD - 1) + 1),
                word.eq(word + 1),
            ]
            with m.If(ends_source):
                m.d.sync += [word.eq(0), back.eq(~ends_tile)]
            with m.If(ends_tile):
                m.d.sync += tile.eq(tile + 1)
                with m.If(recurrent & start):
                    # The rows of the recurrent part are passed over.
                    m.d.sync += row.eq(row + top[:WORD_LOG2] + 1 + last + 1)
        return _Scan(row, word, back, tile, scanning, reads, ends_layer)

    def _accumulate(self, m: Module, layer: _Layer, finder: Finder, weights: LoadedMemory, updater: Updater) -> None:
        """Add the weight rows of events, and hand a tile's sums to the update when its last one is in."""
        config = self.config
        lanes = config.lanes
        m.d.comb += [
            weights.en.eq(finder.picks & ~finder.empty),
            weights.address.eq(finder.row),
        ]
        event = data.View(
            data.StructLayout({"add": 1, "first": 1, "last": 1, "empty": 1}),
            delay(m, Cat(finder.picks, finder.first, finder.last, finder.empty), config.weight_latency, "event"),
        )
        stage = stage_port(config)
        m.d.comb += [
            stage.add.eq(event.add),
            stage.first.eq(event.first),
            stage.empty.eq(event.empty),
            stage.unit.eq(layer.described.unit_weights),
        ]
        lane_weights = data.View(data.ArrayLayout(config.weight_bits, lanes), weights.data)
        for lane in range(lanes):
            m.d.comb += updater.totals[lane].eq(accumulate(m, config, stage, lane_weights[lane], f"total_{lane}"))
        m.d.sync += updater.start.eq(event.add & event.last)

    def _store(self, m: Module, layer: _Layer, scan: _Scan, updater: Updater, spike_write: memory.WritePort) -> _Done:
        """Store the spikes of updated tiles.

        What follows a tile in its word is cleared, so that a layer's last word has no stale ones.
        """
        config = self.config
        lanes = config.lanes
        done_tile = Signal.like(scan.tile, name="done_tile")
        slice_ = done_tile[: (config.tile_step - 1).bit_length()]
        word = (layer.own + (done_tile >> len(slice_)))[: self._word_bits]
        m.d.comb += [
            updater.fresh.eq(layer.flags.start),
            spike_write.addr.eq(Cat(word, layer.parity)),
        ]
        for position in range(config.tile_step):
            m.d.comb += [
                spike_write.en[position].eq(updater.tile_done & (slice_ <= position)),
                spike_write.data[position * lanes : (position + 1) * lanes].eq(
                    Mux(slice_ == position, updater.spikes, 0)
                ),
            ]
        layer_done = Signal()
        m.d.comb += layer_done.eq(updater.tile_done & (done_tile == layer.held["last"][self._lane_bits :]))
        with m.If(updater.tile_done):
            m.d.sync += done_tile.eq(done_tile + 1)
        return _Done(done_tile, layer_done)

    def _control(
        self,
        m: Module,
        layer: _Layer,
        scan: _Scan,
        done: _Done,
        inputs: InputUnit,
        descriptors: LoadedMemory,
        updater: Updater,
        readout: SerialReadout,
    ) -> Signal:
        """Go from layer to layer and from step to step.

        Returns the strobe that a step begins.
        """
        settings, flags, held, last = self.settings, layer.flags, layer.held, layer.held["last"]
        slots_waiting, fill = Signal(2), Signal()
        begins, frees, turns = Signal(), Signal(), Signal()
        m.d.sync += slots_waiting.eq((slots_waiting | (inputs.filled << fill)) & ~(begins << layer.slot))
        with m.If(inputs.filled):
            m.d.sync += fill.eq(~fill)
        m.d.comb += inputs.free.eq(frees)
        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += [descriptors.address.eq(0), updater.begin.eq(1)]
                m.d.sync += [
                    layer.number.eq(0),
                    scan.row.eq(0),
                    layer.row.eq(0),
                    layer.own.eq(0),
                    last.eq(settings.inputs - 1),
                ]
                with m.If(slots_waiting.bit_select(layer.slot, 1)):
                    m.d.comb += [descriptors.en.eq(1), begins.eq(1)]
                    m.d.sync += flags.eq(inputs.slots[layer.slot])
                    m.next = "DESCRIBE"
            with m.State("DESCRIBE"):
                m.d.comb += [
                    descriptors.en.eq(1),
                    descriptors.address.eq(Cat((layer.row + 1)[:3], layer.number)),
                    inputs.summary_en.eq(1),
                    readout.begin.eq(1),
                ]
                m.d.sync += [
                    layer.row.eq(layer.row + 1),
                    scan.word.eq(0),
                    scan.back.eq(0),
                    scan.tile.eq(0),
                    done.tile.eq(0),
                ]
                with m.Switch(layer.row):
                    for index, (name, field) in enumerate(held.items()):
                        with m.Case(index):
                            m.d.sync += field.eq(descriptors.data)
                            if name == "last":
                                m.d.sync += layer.source_last.eq(field)
                with m.If(layer.row == len(held) - 1):
                    m.next = "SCAN"
            with m.State("SCAN"):
                m.d.comb += scan.wanted.eq(1)
                with m.If(scan.reads & scan.ends_layer):
                    m.next = "DRAIN"
            with m.State("DRAIN"):
                m.d.sync += layer.row.eq(0)
                m.d.comb += descriptors.address.eq(Cat(0, 0, 0, layer.number + 1))
                with m.If(done.layer):
                    m.d.comb += [frees.eq(layer.first), updater.next_word.eq(1)]
                    m.d.sync += [layer.source.eq(layer.own), layer.own.eq(layer.own + last[WORD_LOG2:] + 1)]
                    with m.If(layer.last):
                        m.d.comb += [turns.eq(1), readout.step_ends.eq(1)]
                        m.next = "IDLE"
                        with m.If(flags.last | settings.every_step):
                            m.d.comb += readout.answer.eq(1)
                            m.next = "ANSWER"
                    with m.Else():
                        m.d.comb += descriptors.en.eq(1)
                        m.d.sync += layer.number.eq(layer.number + 1)
                        m.next = "DESCRIBE"
            with m.State("ANSWER"):
                with m.If(readout.answered):
                    m.next = "IDLE"
        with m.If(turns):
            m.d.sync += [layer.parity.eq(~layer.parity), layer.slot.eq(~layer.slot)]
        return begins
