# SPDX-License-Identifier: Apache-2.0
"""The neuron update of the small core: a tile's sums in, its neurons one after the other through one circuit.

Specified in docs/specification.md, §3.
"""

from amaranth.hdl import Cat, Module, Signal, signed
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from hysteron_spec.core import CoreConfig, bits_for
from hysteron_spec.packets import WORD, WORD_LOG2
from hysteron_spec.registers import REGIONS

from ..memory import LoadedMemory, LoadPort, LoadSignature
from ..neuron import parameter_layout, stage_port, state_layout, threshold_struct, update


class Updater(wiring.Component):
    """State and parameters of all neurons, and what updates them.

    With ``start`` in cycle 0 neuron *k* of the tile takes its leak in cycle k + 1, its sum in k + 2, fires in k + 3 and
    is stored with it; in k + 4 ``done`` is up. The next ``start`` may come after as many cycles as there are lanes.

    Attributes
    ----------
    load : In(LoadSignature)
        Fills the parameter memory, a row a neuron.
    begin : In(1)
        Strobe: the next tile is a step's first.
    next_word : In(1)
        Strobe: the next tile is a layer's first, so begins with a spike word.
    thresholds : In(threshold_struct)
        The layer's thresholds. They stay from ``start`` until the tile's last neuron has fired.
    fresh : In(1)
        The step is the sample's first.
    start : In(1), totals : In(lanes of signed(accumulator_bits))
        Strobe: a tile's sums.
    fires : Out(1)
        A neuron's update comes in the next cycle.
    done : Out(1)
        A neuron has been updated.
    spike : Out(1), potential : Out(potential)
        With ``done``: whether it spikes; its potential after the reset.
    tile_done : Out(1), spikes : Out(lanes)
        With ``done`` of the tile's last neuron: the spikes of all its neurons.
    """

    load: LoadPort
    begin: Signal
    next_word: Signal
    thresholds: data.View
    fresh: Signal
    start: Signal
    totals: data.View
    fires: Signal
    done: Signal
    spike: Signal
    potential: Signal
    tile_done: Signal
    spikes: Signal

    def __init__(self, config: CoreConfig) -> None:
        self.config = config
        state = state_layout(config)
        super().__init__(
            {
                "load": In(LoadSignature()),
                "begin": In(1),
                "next_word": In(1),
                "thresholds": In(threshold_struct(config)),
                "fresh": In(1),
                "start": In(1),
                "totals": In(data.ArrayLayout(signed(config.accumulator_bits), config.lanes)),
                "fires": Out(1),
                "done": Out(1),
                "spike": Out(1),
                "potential": Out(state["u"].shape),
                "tile_done": Out(1),
                "spikes": Out(config.lanes),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self.config
        lanes = config.lanes
        places = config.spike_words * WORD
        states: memory.Memory[data.StructLayout, data.View] = memory.Memory(
            shape=state_layout(config), depth=places, init=[]
        )
        m.submodules.state = states
        read, write = states.read_port(), states.write_port()
        m.submodules.parameters = parameters = LoadedMemory(
            width=config.neuron_bits, depth=places, region=REGIONS["NEURONS"]
        )
        wiring.connect(m, wiring.flipped(self.load), parameters.load)

        # Neurons are visited in the order of their places, layer after layer.
        place = Signal(bits_for(places))
        left = Signal(range(lanes))  # neurons of the tile that have not been read yet
        reads = Signal()
        m.d.comb += [
            reads.eq(self.start | (left != 0)),
            read.en.eq(reads),
            read.addr.eq(place),
            parameters.en.eq(reads),
            parameters.address.eq(place),
        ]
        with m.If(self.start):
            m.d.sync += left.eq(lanes - 1)
        with m.Elif(left != 0):
            m.d.sync += left.eq(left - 1)
        with m.If(reads):
            m.d.sync += place.eq(place + 1)
        with m.If(self.next_word):
            m.d.sync += place[:WORD_LOG2].eq(0)
            with m.If(place[:WORD_LOG2] != 0):
                m.d.sync += place[WORD_LOG2:].eq(place[WORD_LOG2:] + 1)
        with m.If(self.begin):
            m.d.sync += place.eq(0)

        # The sums move on by a lane a cycle.
        sums = Signal.like(self.totals)
        stage = stage_port(config)
        ends = Signal(4)  # the tile's last neuron is in this stage
        m.d.sync += [
            stage.leak.eq(reads),
            stage.sum.eq(stage.leak),
            self.fires.eq(stage.sum),
            self.done.eq(self.fires),
            ends.eq(Cat(reads & (left == 1), ends)),
        ]
        with m.If(self.start):
            m.d.sync += sums.eq(self.totals)
        with m.Elif(stage.leak):
            m.d.sync += sums.as_value().eq(sums.as_value() >> config.accumulator_bits)
        m.d.comb += [
            stage.start.eq(self.fresh),
            stage.limits.eq(self.thresholds),
            stage.thresholds.eq(self.thresholds),
        ]
        parameter = data.View(parameter_layout(config), parameters.data)
        state, spike = update(m, config, stage, sums[0], read.data, parameter)
        where = Signal.like(place)
        before = [place]
        for stage_number in range(3):
            later = Signal.like(place, name=f"place_{stage_number}")
            m.d.sync += later.eq(before[-1])
            before.append(later)
        m.d.comb += [
            where.eq(before[-1]),
            write.en.eq(self.fires),
            write.addr.eq(where),
            write.data.eq(state),
            self.tile_done.eq(ends[3]),
        ]
        with m.If(self.fires):
            m.d.sync += [
                self.spike.eq(spike),
                self.potential.eq(state.u),
                self.spikes.eq(Cat(self.spikes[1:], spike)),
            ]
        return m
