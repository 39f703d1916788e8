# SPDX-License-Identifier: Apache-2.0
"""The read-out: what the last layer did, its winner, and the answer stream.

Specified in docs/specification.md, §5 and §6.3.
"""

from amaranth.hdl import Array, Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from hysteron_spec.core import CoreConfig, bits_for
from hysteron_spec.neuron import NEVER, Readout
from hysteron_spec.packets import COUNT_BITS

from .layouts import pass_layout
from .neuron import state_layout
from .settings import WIDTHS


class ReadoutUnit(wiring.Component):
    """Keeps a value for each output, updated with each step, in two banks: one is being answered
    from while the other is updated.

    An answer takes a cycle to start, one for each output, and one for the trailer.

    Attributes
    ----------
    outputs : In(14), kind : In(2), vector : In(1)
        Register values.
    fired : In(1), fired_pass : In(pass_layout)
        A tile's update comes in the next cycle.
    stored : In(1), stored_pass : In(pass_layout)
        A tile has been updated.
    spikes : In(lanes), potentials : In(lanes of potential)
        With ``stored``: its spikes and its potentials after the reset.
    answered : Out(1)
        Strobe: an answer's last word is accepted.
    sample : Out(1)
        With ``answered``: it was the sample's last answer.
    o : Out(stream of 32 bits)
        Answers, see :mod:`hysteron_spec.packets`.
    """

    outputs: Signal
    kind: Signal
    vector: Signal
    fired: Signal
    fired_pass: data.View
    stored: Signal
    stored_pass: data.View
    spikes: Signal
    potentials: data.View
    answered: Signal
    sample: Signal
    o: stream.Interface

    def __init__(self, config: CoreConfig) -> None:
        self.config = config
        passes = pass_layout(config)
        super().__init__(
            {
                "outputs": In(WIDTHS["outputs"]),
                "kind": In(WIDTHS["kind"]),
                "vector": In(1),
                "fired": In(1),
                "fired_pass": In(passes),
                "stored": In(1),
                "stored_pass": In(passes),
                "spikes": In(config.lanes),
                "potentials": In(data.ArrayLayout(state_layout(config)["u"].shape, config.lanes)),
                "answered": Out(1),
                "sample": Out(1),
                "o": Out(stream.Signature(32)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        row = data.ArrayLayout(signed(self.config.readout_bits), self._lanes)
        values: memory.Memory[data.ArrayLayout, data.View] = memory.Memory(
            shape=row, depth=2 << bits_for(self.config.output_tiles), init=[]
        )
        m.submodules.values = values
        turned = self._update(m, values.write_port(), values.read_port())
        self._answer(m, values.read_port(), turned)
        return m

    @property
    def _lanes(self) -> int:
        """Lanes whose values are kept: those that outputs can be in."""
        return min(self.config.lanes, 1 << (self.config.max_outputs - 1).bit_length())

    def _update(self, m: Module, write: memory.WritePort, before: memory.ReadPort) -> Signal:
        """Follow the last layer: the values before a step are read while a tile fires, those after it written with it.

        Returns the strobe that the step is complete.
        """
        config = self.config
        tile_bits = bits_for(config.output_tiles)
        fill, latest = Signal(), Signal()  # bank that is being filled, bank of the step before
        tile, step = Signal(tile_bits), Signal(range(NEVER))
        fired = self.fired & self.fired_pass.output
        stored = Signal()
        m.d.comb += stored.eq(self.stored & self.stored_pass.output)
        # Tiles of a layer come in order, possibly back to back.
        next_tile = Signal(tile_bits)
        with m.If(fired):
            m.d.sync += [tile.eq(next_tile), next_tile.eq(Mux(self.fired_pass.job_last, 0, next_tile + 1))]
        # The step that is stored right now may be the one that turns the banks.
        turned = Signal()
        m.d.comb += [
            turned.eq(stored & self.stored_pass.job_last),
            before.en.eq(fired),
            before.addr.eq(Cat(next_tile, Mux(turned, fill, latest))),
            write.en.eq(stored),
            write.addr.eq(Cat(tile, fill)),
        ]
        for k in range(self._lanes):
            new = next_value(
                m,
                config,
                kind=self.kind,
                start=self.stored_pass.start,
                old=before.data[k],
                spike=self.spikes[k],
                potential=self.potentials[k],
                step=step,
            )
            m.d.comb += write.data[k].eq(new)
        with m.If(turned):
            m.d.sync += [
                latest.eq(fill),
                step.eq(next_step(step, self.stored_pass.final)),
            ]
            with m.If(self.stored_pass.answer):
                m.d.sync += fill.eq(~fill)
        return turned

    def _answer(self, m: Module, read: memory.ReadPort, turned: Signal) -> None:
        """Send an answer for each step that asks for one, and find its winner on the way."""
        due = Signal(2)
        finals = Signal(2)  # for each answer due whether it is its sample's last, oldest in bit 0
        left = Signal(2)
        adds = turned & self.stored_pass.answer
        m.d.comb += left.eq(due - self.answered)
        m.d.sync += [
            due.eq(left + adds),
            finals.eq(Mux(self.answered, finals >> 1, finals) | ((adds & self.stored_pass.final) << left)),
        ]
        drain = Signal()
        output, number = Signal(WIDTHS["outputs"]), Signal(COUNT_BITS)
        width = signed(self.config.readout_bits)
        best, winner = Signal(width), Signal(WIDTHS["outputs"])
        value = Signal(width)
        lane_bits = (self._lanes - 1).bit_length()
        lane: Value | int = output[:lane_bits] if lane_bits else 0
        address = Signal(WIDTHS["outputs"])
        m.d.comb += [
            value.eq(Array(read.data[k] for k in range(self._lanes))[lane]),
            read.addr.eq(Cat((address >> lane_bits)[: bits_for(self.config.output_tiles)], drain)),
        ]
        better = beats(self.kind, value, best)
        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += [address.eq(0), read.en.eq(1)]
                m.d.sync += output.eq(0)
                with m.If(due != 0):
                    m.next = "VALUES"
            with m.State("VALUES"):
                advance = Signal()
                m.d.comb += [
                    self.o.valid.eq(self.vector),
                    self.o.payload.eq(value),
                    advance.eq(~self.vector | self.o.ready),
                    address.eq(output + 1),
                    read.en.eq(advance),
                ]
                with m.If(advance):
                    m.d.sync += output.eq(output + 1)
                    with m.If((output == 0) | better):
                        m.d.sync += [best.eq(value), winner.eq(output)]
                    with m.If(output + 1 == self.outputs):
                        m.next = "TRAILER"
            with m.State("TRAILER"):
                m.d.comb += [self.o.valid.eq(1), self.o.payload.eq(trailer(winner, number))]
                with m.If(self.o.ready):
                    m.d.comb += [self.answered.eq(1), self.sample.eq(finals[0])]
                    m.d.sync += [number.eq(number + 1), drain.eq(~drain)]
                    m.next = "IDLE"


def next_value(
    m: Module, config: CoreConfig, *, kind: Value, start: Value, old: Value, spike: Value, potential: Value, step: Value
) -> Signal:
    """Make an output's value after a step from the one before it, as :func:`hysteron_golden.run.run` defines it.

    Parameters
    ----------
    m, config
        The module that gets the logic; the core.
    kind
        What the value is, a :class:`~hysteron_spec.neuron.Readout`.
    start, step
        Whether the step is the sample's first; its number.
    old
        The value before.
    spike, potential
        What the output's neuron did in the step.
    """
    width = signed(config.readout_bits)
    new = Signal(width, name="new_value")
    with m.Switch(kind):
        with m.Case(Readout.COUNT.value):
            count = Signal(width, name="count")
            m.d.comb += [count.eq(Mux(start, 0, old)), new.eq(count + (spike & (count != NEVER)))]
        with m.Case(Readout.FIRST.value):
            m.d.comb += new.eq(Mux(spike & (start | (old == NEVER)), step, Mux(start, NEVER, old)))
        with m.Default():
            m.d.comb += new.eq(potential)
    return new


def beats(kind: Value, value: Value, best: Value) -> Value:
    """Whether ``value`` of a later output wins over ``best`` of an earlier one."""
    return Mux(kind == Readout.FIRST, value < best, value > best)


def next_step(step: Signal, final: Value) -> Value:
    """The number of the step after ``step``, which is 0 after a sample's ``final`` one and does not wrap around."""
    return Mux(final, 0, Mux(step == NEVER - 1, step, step + 1))


def trailer(winner: Value, number: Value) -> Value:
    """The last word of the answer of that ``number`` modulo 65536, see :mod:`hysteron_spec.packets`."""
    return winner | (number << 16)
