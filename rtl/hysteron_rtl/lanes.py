# SPDX-License-Identifier: Apache-2.0
"""The lanes with their state and parameter memories: events in, updated tiles out."""

from amaranth.hdl import Module, Signal
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from hysteron_spec.core import CoreConfig
from hysteron_spec.registers import REGIONS

from .bits import delay, record
from .layouts import event_layout, pass_layout
from .memory import DISTINCT, LoadedMemory, LoadPort, LoadSignature, mark
from .neuron import Neuron, parameter_layout, state_layout, threshold_struct


class Lanes(wiring.Component):
    """All lanes in step.

    With the event on ``event`` in cycle 0 and a weight latency of W::

        0          weight row addressed (by the owner)
        W          weights arrive; state and parameters addressed
        W + 1      accumulated: leak
        W + 2      sum and saturate
        W + 3      fire; state written; ``fired`` is up
        W + 4      ``stored`` is up, with ``update``

    A tile's state may be read again :data:`~hysteron_spec.core.STATE_LOOP` cycles after its last event;
    the event finder sees to that.

    Attributes
    ----------
    load : In(LoadSignature)
        Fills the parameter and threshold memories.
    valid : In(1), event : In(event_layout)
        An event; a pass ends with ``event.last``.
    weights : In(lanes * weight_bits)
        The event's weight row, W cycles after the event.
    fired : Out(1), fired_pass : Out(pass_layout)
        The pass whose update will be stored in the next cycle.
    stored : Out(1), stored_pass : Out(pass_layout)
        A tile has been updated.
    spikes : Out(lanes), potentials : Out(lanes of potential)
        With ``stored``: the tile's spikes, and its potentials after the reset.
    """

    load: LoadPort
    valid: Signal
    event: data.View
    weights: Signal
    fired: Signal
    fired_pass: data.View
    stored: Signal
    stored_pass: data.View
    spikes: Signal
    potentials: data.View

    def __init__(self, config: CoreConfig) -> None:
        self.config = config
        passes = pass_layout(config)
        super().__init__(
            {
                "load": In(LoadSignature()),
                "valid": In(1),
                "event": In(event_layout(config)),
                "weights": In(config.weight_row_bits),
                "fired": Out(1),
                "fired_pass": Out(passes),
                "stored": Out(1),
                "stored_pass": Out(passes),
                "spikes": Out(config.lanes),
                "potentials": Out(data.ArrayLayout(state_layout(config)["u"].shape, config.lanes)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self.config
        lanes = config.lanes
        state_row = data.ArrayLayout(state_layout(config), lanes)
        parameter_row = data.ArrayLayout(parameter_layout(config), lanes)

        # The finder sends no tile's events while its state is on its way to the memory.
        states: memory.Memory[data.ArrayLayout, data.View] = memory.Memory(
            shape=state_row, depth=config.tiles, init=[], attrs=mark(DISTINCT)
        )
        m.submodules.state = states
        state_read, state_write = states.read_port(), states.write_port()
        m.submodules.parameters = parameters = LoadedMemory(
            width=parameter_row.size, depth=config.tiles, region=REGIONS["NEURONS"]
        )
        thresholds_shape = threshold_struct(config)
        m.submodules.thresholds = thresholds = LoadedMemory(
            width=thresholds_shape.size, depth=config.max_layers, region=REGIONS["THRESHOLDS"]
        )
        wiring.connect(m, parameters.load, wiring.flipped(self.load))
        wiring.connect(m, thresholds.load, wiring.flipped(self.load))

        # The event, when its weights arrive.
        add = delay(m, self.valid, config.weight_latency, "add")
        event = delay(m, self.event, config.weight_latency, "event")
        ends = Signal()
        m.d.comb += ends.eq(add & event.last)
        leak = delay(m, ends, 1, "leak")
        leak_pass = delay(m, event.pass_, 1, "leak_pass")
        sum_ = delay(m, leak, 1, "sum")
        sum_pass = delay(m, leak_pass, 1, "sum_pass")
        m.d.sync += [self.fired.eq(sum_), self.fired_pass.eq(sum_pass)]
        m.d.sync += [self.stored.eq(self.fired), self.stored_pass.eq(self.fired_pass)]

        # Thresholds are read with the leak, used by the next two stages.
        limits = data.View(thresholds_shape, thresholds.data)
        fire_thresholds = record(thresholds_shape, reset_less=True)
        m.d.comb += [
            state_read.en.eq(ends),
            state_read.addr.eq(event.pass_.tile),
            parameters.en.eq(ends),
            parameters.address.eq(event.pass_.tile),
            thresholds.en.eq(leak),
            thresholds.address.eq(leak_pass.layer),
            state_write.en.eq(self.fired),
            state_write.addr.eq(self.fired_pass.tile),
        ]
        with m.If(sum_):
            m.d.sync += fire_thresholds.eq(limits)

        weights = data.View(data.ArrayLayout(config.weight_bits, lanes), self.weights)
        read_parameters = data.View(parameter_row, parameters.data)
        # Written before they are used, like all data here that have no reset: their clock can stand still.
        spikes, potentials = Signal(lanes, reset_less=True), record(self.potentials.shape(), reset_less=True)
        m.d.comb += [self.spikes.eq(spikes), self.potentials.eq(potentials)]
        for k in range(lanes):
            neuron = Neuron(config)
            m.submodules[f"neuron_{k}"] = neuron
            m.d.comb += [
                neuron.weight.eq(weights[k]),
                neuron.stage.add.eq(add),
                neuron.stage.first.eq(event.first),
                neuron.stage.double.eq(event.double),
                neuron.stage.empty.eq(event.empty),
                neuron.stage.unit.eq(event.pass_.unit),
                neuron.stage.leak.eq(leak),
                neuron.stage.start.eq(leak_pass.start),
                neuron.stage.sum.eq(sum_),
                neuron.stage.limits.eq(limits),
                neuron.stage.thresholds.eq(fire_thresholds),
                neuron.state.eq(state_read.data[k]),
                neuron.parameters.eq(read_parameters[k]),
                state_write.data[k].eq(neuron.state_out),
            ]
            with m.If(self.fired):
                m.d.sync += [spikes[k].eq(neuron.spike), potentials[k].eq(neuron.state_out.u)]
        return m
