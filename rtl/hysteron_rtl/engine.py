# SPDX-License-Identifier: Apache-2.0
"""What makes up a core apart from its registers: the ports of an engine, and what the two engines have in common."""

from typing import Protocol

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hysteron_spec.core import CoreConfig, bits_for
from hysteron_spec.registers import REGIONS

from .inputs import InputUnit
from .memory import LoadedMemory, LoadPort, LoadSignature
from .ports import Port, named
from .settings import SETTINGS

#: What says how far an engine is: all but ``fault`` are strobes.
STATUS = data.StructLayout({"begins": 1, "sample": 1, "fault": 1, "bad_header": 1, "bad_index": 1})
#: Strobes of what the counters count.
ACTIVITY = data.StructLayout({"event": 1, "bubble": 1, "stall": 1, "update": 1, "step": 1})


class TracePort(Port, Protocol):
    """The signals of a :class:`TraceSignature`."""

    read: Signal
    row: Signal
    stored: Signal
    layer: Signal
    tile: Signal
    spikes: Signal
    potentials: Signal


class TraceSignature(wiring.Signature):
    """What a simulation watches: weight-row reads and tile updates, each in its cycle.

    Members
    -------
    read : Out(1)
        A weight row is read.
    row : Out(bits_for(weight_rows))
        With ``read``: its number.
    stored : Out(1)
        A tile has been updated.
    layer : Out(bits_for(max_layers)), tile : Out(bits_for(tiles))
        With ``stored``: which tile of all, and of which layer.
    spikes : Out(lanes)
        With ``stored``: the tile's spikes, a bit a neuron.
    potentials : Out(lanes * potential_bits)
        With ``stored``: the tile's potentials after the reset, the lowest neuron in the lowest bits.
    """

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
        What simulations watch.
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


class Engine(wiring.Component):
    """What the engines have in common: their ports, those of an :class:`EngineSignature`, and what is behind some.

    Parameters
    ----------
    config
        What to generate.
    """

    settings: data.View
    load: LoadPort
    i: stream.Interface
    o: stream.Interface
    status: data.View
    activity: data.View
    trace: TracePort

    def __init__(self, config: CoreConfig) -> None:
        self.config = config
        super().__init__(EngineSignature(config).flip())

    def _weight_memory(self) -> LoadedMemory:
        """The weight memory: a row a cycle, which holds a weight for each lane."""
        config = self.config
        return LoadedMemory(
            width=config.weight_row_bits,
            depth=config.weight_rows,
            region=REGIONS["WEIGHTS"],
            latency=config.weight_latency,
        )

    def _connect_load(self, m: Module, *ports: LoadPort) -> None:
        """Connect the memories that the bus fills."""
        for port in ports:
            wiring.connect(m, wiring.flipped(self.load), port)

    def _connect_settings(self, m: Module, block: wiring.Component, *names: str) -> None:
        """Connect the register values of those names to the block's ports of the same names."""
        for name in names:
            m.d.comb += named(block, name).eq(self.settings[name])

    def _report(
        self,
        m: Module,
        inputs: InputUnit,
        *,
        sample: Value,
        picks: Value,
        empty: Value,
        row: Value,
        stalled: Value,
        stored: Value,
        step: Value,
        layer: Value,
        tile: Value,
        spikes: Value,
    ) -> None:
        """Drive ``status``, ``activity`` and ``trace``, but for the trace's potentials.

        Parameters
        ----------
        m
            The engine's module.
        inputs
            The engine's input unit.
        sample, stalled, step
            Strobes: a sample's last answer was accepted; an event waits; a time step of the first layer begins.
        picks, empty, row
            A finder's output: there is an event or, with ``empty``, the end of a tile without one; its weight row.
        stored, layer, tile, spikes
            A tile was updated: its layer, its number among all, its spikes.
        """
        m.d.comb += [
            self.status.begins.eq(inputs.begins),
            self.status.sample.eq(sample),
            self.status.fault.eq(inputs.fault),
            self.status.bad_header.eq(inputs.bad_header),
            self.status.bad_index.eq(inputs.bad_index),
            self.activity.event.eq(picks & ~empty),
            self.activity.bubble.eq(picks & empty),
            self.activity.stall.eq(stalled),
            self.activity.update.eq(stored),
            self.activity.step.eq(step),
            self.trace.read.eq(picks & ~empty),
            self.trace.row.eq(row),
            self.trace.stored.eq(stored),
            self.trace.layer.eq(layer),
            self.trace.tile.eq(tile),
            self.trace.spikes.eq(spikes),
        ]
