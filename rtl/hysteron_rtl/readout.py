"""The read-out: what the last layer did, its winner, and the answer stream.

Specified in docs/specification.md, §5 and §6.3.
"""

from amaranth.hdl import Array, Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from hysteron_spec.core import CoreConfig, bits_for
from hysteron_spec.neuron import NEVER, Readout

from .layouts import pass_layout
from .neuron import state_layout


class ReadoutUnit(wiring.Component):
    """Keeps a value for each output, updated with each step, in two banks: one is being answered
    from while the other is updated.

    An answer takes a cycle to start, one for each output, and one for the trailer.

    Attributes
    ----------
    outputs, kind, vector : In
        Register values.
    fired, fired_pass : In
        A tile's update comes in the next cycle.
    stored, stored_pass, spikes, potentials : In
        A tile's update.
    answered, sample : Out
        Strobe: an answer's last word was accepted; it was the sample's last.
    o : Out(stream of 32 bits)
        See :mod:`hysteron_spec.packets`.
    """

    def __init__(self, config: CoreConfig) -> None:
        self.config = config
        passes = pass_layout(config)
        super().__init__(
            {
                "outputs": In(14),
                "kind": In(2),
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
        config = self.config
        lanes = min(config.lanes, 1 << (config.max_outputs - 1).bit_length())
        width = signed(config.readout_bits)
        row = data.ArrayLayout(width, lanes)
        tile_bits = bits_for(config.output_tiles)
        m.submodules.values = values = memory.Memory(shape=row, depth=2 << tile_bits, init=[])
        write, before, read = values.write_port(), values.read_port(), values.read_port()

        # Update: the value before is read while the tile fires.
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
        for k in range(lanes):
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
                step.eq(Mux(self.stored_pass.final, 0, Mux(step == NEVER - 1, step, step + 1))),
            ]
            with m.If(self.stored_pass.answer):
                m.d.sync += fill.eq(~fill)

        # Answer
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
        output, number = Signal(14), Signal(16)
        best, winner = Signal(width), Signal(14)
        value = Signal(width)
        lane_bits = (lanes - 1).bit_length()
        lane = output[:lane_bits] if lane_bits else 0
        address = Signal(14)
        m.d.comb += [
            value.eq(Array(read.data[k] for k in range(lanes))[lane]),
            read.addr.eq(Cat((address >> lane_bits)[:tile_bits], drain)),
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
                m.d.comb += [self.o.valid.eq(1), self.o.payload.eq(winner | (number << 16))]
                with m.If(self.o.ready):
                    m.d.comb += [self.answered.eq(1), self.sample.eq(finals[0])]
                    m.d.sync += [number.eq(number + 1), drain.eq(~drain)]
                    m.next = "IDLE"
        return m


def next_value(
    m: Module, config: CoreConfig, *, kind: Value, start: Value, old: Value, spike: Value, potential: Value, step: Value
) -> Signal:
    """An output's value after a step, from the one before it, as :func:`hysteron_golden.run.run` defines it."""
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
