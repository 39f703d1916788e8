# SPDX-License-Identifier: Apache-2.0
"""The small core's read-out: a value for each output, visited as the neurons are.

Specified in docs/specification.md, §5 and §6.3.
"""

from amaranth.hdl import Module, Shape, Signal, Value, signed
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out

from hysteron_spec.core import CoreConfig, bits_for, ceil_div
from hysteron_spec.neuron import NEVER
from hysteron_spec.packets import COUNT_BITS

from ..neuron import state_layout
from ..readout import beats, next_step, next_value, trailer
from ..settings import WIDTHS


class SerialReadout(wiring.Component):
    """Follows the last layer's neurons, and answers when asked to.

    Attributes
    ----------
    outputs : In(14), kind : In(2), vector : In(1)
        Register values.
    begin : In(1)
        Strobe: the next neuron is the last layer's first.
    fires : In(1)
        A neuron of the last layer is updated in the next cycle.
    done : In(1)
        That neuron has been updated.
    spike : In(1), potential : In(potential)
        With ``done``: whether it spikes; its potential after the reset.
    fresh : In(1)
        The step is the sample's first.
    step_ends : In(1), final : In(1)
        Strobe: the step is over; it was the sample's last.
    answer : In(1)
        Strobe, with the last neuron's update: answer, from the next cycle on, or the one after if only the winner.
    answered : Out(1)
        Strobe: the answer's last word is accepted.
    o : Out(stream of 32 bits)
        Answers, see :mod:`hysteron_spec.packets`.
    """

    outputs: Signal
    kind: Signal
    vector: Signal
    begin: Signal
    fires: Signal
    done: Signal
    spike: Signal
    potential: Signal
    fresh: Signal
    step_ends: Signal
    final: Signal
    answer: Signal
    answered: Signal
    o: stream.Interface

    def __init__(self, config: CoreConfig) -> None:
        self.config = config
        super().__init__(
            {
                "outputs": In(WIDTHS["outputs"]),
                "kind": In(WIDTHS["kind"]),
                "vector": In(1),
                "begin": In(1),
                "fires": In(1),
                "done": In(1),
                "spike": In(1),
                "potential": In(state_layout(config)["u"].shape),
                "fresh": In(1),
                "step_ends": In(1),
                "final": In(1),
                "answer": In(1),
                "answered": Out(1),
                "o": Out(stream.Signature(32)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self.config
        width = signed(config.readout_bits)
        places = ceil_div(config.max_outputs, config.lanes) * config.lanes
        values: memory.Memory[Shape, Value] = memory.Memory(shape=width, depth=places, init=[])
        m.submodules.values = values
        read, write = values.read_port(), values.write_port()

        # Update: the value before is read while the neuron fires.
        step = Signal(range(NEVER))
        number, updated = Signal(bits_for(places + 1)), Signal(bits_for(places))
        new = next_value(
            m,
            config,
            kind=self.kind,
            start=self.fresh,
            old=read.data,
            spike=self.spike,
            potential=self.potential,
            step=step,
        )
        best, winner = Signal(width), Signal(bits_for(places))
        m.d.comb += [
            read.addr.eq(number),
            read.en.eq(self.fires),
            write.addr.eq(updated),
            write.data.eq(new),
            write.en.eq(self.done),
        ]
        with m.If(self.fires):
            m.d.sync += [number.eq(number + 1), updated.eq(number)]
        # Whether it wins is seen in the cycle after.
        judged, contender, place = Signal(), Signal(width), Signal.like(updated)
        m.d.sync += [judged.eq(self.done), contender.eq(new), place.eq(updated)]
        with m.If(judged & ((place == 0) | ((place < self.outputs) & beats(self.kind, contender, best)))):
            m.d.sync += [best.eq(contender), winner.eq(place)]
        with m.If(self.begin):
            m.d.sync += number.eq(0)
        with m.If(self.step_ends):
            m.d.sync += step.eq(next_step(step, self.final))

        # Answer
        answers = Signal(COUNT_BITS)
        with m.FSM():
            with m.State("IDLE"):
                with m.If(self.answer):
                    m.d.comb += [read.addr.eq(0), read.en.eq(1)]
                    m.d.sync += number.eq(1)
                    with m.If(self.vector):
                        m.next = "VALUES"
                    with m.Else():
                        m.next = "JUDGE"
            with m.State("JUDGE"):
                m.next = "TRAILER"
            with m.State("VALUES"):
                m.d.comb += [self.o.valid.eq(1), self.o.payload.eq(read.data), read.en.eq(self.o.ready)]
                with m.If(self.o.ready):
                    m.d.sync += number.eq(number + 1)
                    with m.If(number == self.outputs):
                        m.next = "TRAILER"
            with m.State("TRAILER"):
                m.d.comb += [self.o.valid.eq(1), self.o.payload.eq(trailer(winner, answers))]
                with m.If(self.o.ready):
                    m.d.comb += self.answered.eq(1)
                    m.d.sync += answers.eq(answers + 1)
                    m.next = "IDLE"
        return m
