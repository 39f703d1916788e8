"""The small core's engine: step after step, layer after layer, tile after tile."""

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, memory, wiring

from hysteron_spec.core import CoreConfig, bits_for
from hysteron_spec.layouts import (
    DESCRIPTOR_ROWS,
    descriptor_bits,
    descriptor_flags,
    descriptor_layout,
    is_signed,
    threshold_layout,
)
from hysteron_spec.packets import WORD
from hysteron_spec.registers import REGIONS

from ..bits import delay, number, struct
from ..engine import EngineSignature
from ..inputs import InputUnit
from ..layouts import SLOT_FLAGS
from ..memory import LoadedMemory
from ..neuron import StageSignature, accumulate
from .finder import Finder
from .readout import SerialReadout
from .updater import Updater


class SerialEngine(wiring.Component):
    """See :mod:`hysteron_golden.schedule.serial` for what happens when.

    Spikes of hidden layers have a word for 32 neurons and two buffers, of the step that is being computed and of the
    one before, which recurrent layers read.
    """

    def __init__(self, config: CoreConfig) -> None:
        self.config = config
        super().__init__(EngineSignature(config).flip())

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        config, settings = self.config, self.settings
        lanes, lane_bits = config.lanes, (config.lanes - 1).bit_length()
        word_bits = bits_for(config.spike_words)

        # Blocks
        m.submodules.inputs = inputs = InputUnit(config)
        m.submodules.descriptors = descriptors = LoadedMemory(
            width=descriptor_bits(config), depth=config.max_layers * DESCRIPTOR_ROWS, region=REGIONS["JOBS"]
        )
        m.submodules.spikes = spikes = memory.Memory(shape=WORD, depth=2 << word_bits, init=[])
        spike_read, spike_write = spikes.read_port(), spikes.write_port(granularity=lanes)
        m.submodules.finder = finder = Finder(config)
        m.submodules.weights = weights = LoadedMemory(
            width=config.weight_row_bits,
            depth=config.weight_rows,
            region=REGIONS["WEIGHTS"],
            latency=config.weight_latency,
        )
        m.submodules.updater = updater = Updater(config)
        m.submodules.readout = readout = SerialReadout(config)
        for block in (inputs, descriptors, weights, updater):
            wiring.connect(m, wiring.flipped(self.load), block.load)
        wiring.connect(m, wiring.flipped(self.i), inputs.i)
        wiring.connect(m, readout.o, wiring.flipped(self.o))
        for name in ("run", "inputs", "steps", "coding", "seed"):
            m.d.comb += getattr(inputs, name).eq(settings[name])
        for name in ("outputs", "kind", "vector"):
            m.d.comb += getattr(readout, name).eq(settings[name])

        # The layer: its descriptor, read a row a cycle, and where its spikes and those of its source are.
        fields = descriptor_layout(config)
        layer, row_number = Signal(range(config.max_layers)), Signal(range(DESCRIPTOR_ROWS))
        held = {
            name: Signal(number(width, name not in ("flags", "last") and is_signed(name, config)), name=name)
            for name, width in fields.items()
        }
        described = data.View(struct(descriptor_flags(config)), held["flags"])
        recurrent, unit = described.recurrent, described.unit_weights
        for name in threshold_layout(config):
            m.d.comb += updater.thresholds[name].eq(held[name] if name in held else described[name])
        source_last = Signal.like(held["last"])
        own, source = Signal(word_bits), Signal(word_bits)  # first word
        parity, flags, slot = Signal(), Signal(SLOT_FLAGS), Signal()
        first_layer = layer == 0
        last_layer = layer + 1 == settings.layers

        # Scan: for each tile the words of the source, then, if the layer is recurrent, those of its own last step.
        row = Signal(bits_for(config.weight_rows))  # weight row of the next word's bit 0
        word, back = Signal(bits_for(max(config.input_words, config.spike_words))), Signal()
        tile = Signal(bits_for(config.tiles))
        waiting, hidden = Signal(), Signal()  # a word is on a memory's output; on which
        reads, scanning = Signal(), Signal()
        top = Mux(back, held["last"], source_last)
        ends_source, ends_tile, ends_layer = Signal(), Signal(), Signal()
        from_inputs = first_layer & ~back
        m.d.comb += [
            ends_source.eq(word == top[5:]),
            ends_tile.eq(ends_source & (back | ~recurrent | flags.start)),
            ends_layer.eq(ends_tile & (tile == held["last"][lane_bits:])),
            reads.eq(scanning & (~waiting | finder.i.ready)),
            inputs.word_en.eq(reads & from_inputs),
            inputs.word_slot.eq(slot),
            inputs.word.eq(word),
            inputs.slot.eq(slot),
            spike_read.en.eq(reads & ~from_inputs),
            spike_read.addr.eq(Cat((Mux(back, own, source) + word)[:word_bits], parity ^ back)),
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
                row.eq(row + Mux(ends_source, top[:5], WORD - 1) + 1),
                word.eq(word + 1),
            ]
            with m.If(ends_source):
                m.d.sync += [word.eq(0), back.eq(~ends_tile)]
            with m.If(ends_tile):
                m.d.sync += tile.eq(tile + 1)
                with m.If(recurrent & flags.start):
                    # The rows of the recurrent part are passed over.
                    m.d.sync += row.eq(row + top[:5] + 1 + held["last"] + 1)

        # Events → lanes → updates → spikes
        m.d.comb += [
            weights.en.eq(finder.picks & ~finder.empty),
            weights.address.eq(finder.row),
        ]
        event = data.View(
            data.StructLayout({"add": 1, "first": 1, "last": 1, "empty": 1}),
            delay(m, Cat(finder.picks, finder.first, finder.last, finder.empty), config.weight_latency, "event"),
        )
        stage = StageSignature(config).create()
        m.d.comb += [
            stage.add.eq(event.add),
            stage.first.eq(event.first),
            stage.empty.eq(event.empty),
            stage.unit.eq(unit),
        ]
        lane_weights = data.View(data.ArrayLayout(config.weight_bits, lanes), weights.data)
        for lane in range(lanes):
            m.d.comb += updater.totals[lane].eq(accumulate(m, config, stage, lane_weights[lane], f"total_{lane}"))
        m.d.sync += updater.start.eq(event.add & event.last)
        # A tile's spikes; what follows them in their word is cleared, so that a layer's last word has no stale ones.
        done_tile = Signal.like(tile)
        slice_ = done_tile[: (config.tile_step - 1).bit_length()]
        m.d.comb += [
            updater.fresh.eq(flags.start),
            spike_write.addr.eq(Cat((own + (done_tile >> len(slice_)))[:word_bits], parity)),
        ]
        for position in range(config.tile_step):
            m.d.comb += [
                spike_write.en[position].eq(updater.tile_done & (slice_ <= position)),
                spike_write.data[position * lanes : (position + 1) * lanes].eq(
                    Mux(slice_ == position, updater.spikes, 0)
                ),
            ]
        layer_done = Signal()
        m.d.comb += layer_done.eq(updater.tile_done & (done_tile == held["last"][lane_bits:]))
        with m.If(updater.tile_done):
            m.d.sync += done_tile.eq(done_tile + 1)
        m.d.comb += [
            readout.fires.eq(updater.fires & last_layer),
            readout.done.eq(updater.done & last_layer),
            readout.spike.eq(updater.spike),
            readout.potential.eq(updater.potential),
            readout.fresh.eq(flags.start),
            readout.final.eq(flags.last),
        ]

        # Control
        slots_waiting, fill = Signal(2), Signal()
        begins, frees, turns = Signal(), Signal(), Signal()
        m.d.sync += slots_waiting.eq((slots_waiting | (inputs.filled << fill)) & ~(begins << slot))
        with m.If(inputs.filled):
            m.d.sync += fill.eq(~fill)
        m.d.comb += inputs.free.eq(frees)
        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += [descriptors.address.eq(0), updater.begin.eq(1)]
                m.d.sync += [layer.eq(0), row.eq(0), row_number.eq(0), own.eq(0), held["last"].eq(settings.inputs - 1)]
                with m.If(slots_waiting.bit_select(slot, 1)):
                    m.d.comb += [descriptors.en.eq(1), begins.eq(1)]
                    m.d.sync += flags.eq(inputs.slots[slot])
                    m.next = "DESCRIBE"
            with m.State("DESCRIBE"):
                m.d.comb += [
                    descriptors.en.eq(1),
                    descriptors.address.eq(Cat((row_number + 1)[:3], layer)),
                    inputs.summary_en.eq(1),
                    readout.begin.eq(1),
                ]
                m.d.sync += [row_number.eq(row_number + 1), word.eq(0), back.eq(0), tile.eq(0), done_tile.eq(0)]
                with m.Switch(row_number):
                    for index, (name, field) in enumerate(held.items()):
                        with m.Case(index):
                            m.d.sync += field.eq(descriptors.data)
                            if name == "last":
                                m.d.sync += source_last.eq(field)
                with m.If(row_number == len(held) - 1):
                    m.next = "SCAN"
            with m.State("SCAN"):
                m.d.comb += scanning.eq(1)
                with m.If(reads & ends_layer):
                    m.next = "DRAIN"
            with m.State("DRAIN"):
                m.d.sync += row_number.eq(0)
                m.d.comb += descriptors.address.eq(Cat(0, 0, 0, layer + 1))
                with m.If(layer_done):
                    m.d.comb += [frees.eq(first_layer), updater.next_word.eq(1)]
                    m.d.sync += [source.eq(own), own.eq(own + held["last"][5:] + 1)]
                    with m.If(last_layer):
                        m.d.comb += [turns.eq(1), readout.step_ends.eq(1)]
                        m.next = "IDLE"
                        with m.If(flags.last | settings.every_step):
                            m.d.comb += readout.answer.eq(1)
                            m.next = "ANSWER"
                    with m.Else():
                        m.d.comb += descriptors.en.eq(1)
                        m.d.sync += layer.eq(layer + 1)
                        m.next = "DESCRIBE"
            with m.State("ANSWER"):
                with m.If(readout.answered):
                    m.next = "IDLE"
        with m.If(turns):
            m.d.sync += [parity.eq(~parity), slot.eq(~slot)]

        m.d.comb += [
            self.status.begins.eq(inputs.begins),
            self.status.sample.eq(readout.answered & flags.last),
            self.status.fault.eq(inputs.fault),
            self.status.bad_header.eq(inputs.bad_header),
            self.status.bad_index.eq(inputs.bad_index),
            self.activity.event.eq(finder.picks & ~finder.empty),
            self.activity.bubble.eq(finder.picks & finder.empty),
            self.activity.stall.eq(finder.stalled),
            self.activity.update.eq(updater.tile_done),
            self.activity.step.eq(begins),
            self.trace.read.eq(finder.picks & ~finder.empty),
            self.trace.row.eq(finder.row),
            self.trace.stored.eq(updater.tile_done),
            self.trace.layer.eq(layer),
            self.trace.tile.eq((own << (config.tile_step - 1).bit_length()) + done_tile),
            self.trace.spikes.eq(updater.spikes),
        ]
        # Only where someone watches does this hold anything.
        potentials = Signal.like(self.trace.potentials)
        width = config.potential_bits
        m.d.comb += self.trace.potentials.eq(Cat(potentials[width:], updater.potential))
        with m.If(updater.done):
            m.d.sync += potentials.eq(self.trace.potentials)
        return m
