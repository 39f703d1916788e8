# SPDX-License-Identifier: Apache-2.0
"""One lane: a synaptic accumulator and the neuron update of :mod:`hysteron_golden.neuron`.

Specified in docs/specification.md, §3.
"""

from typing import Protocol, cast

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hysteron_spec.core import CoreConfig
from hysteron_spec.layouts import is_signed, neuron_layout, threshold_layout
from hysteron_spec.neuron import Mode, Reset

from .bits import number, record, struct
from .ports import Port


def state_layout(config: CoreConfig) -> data.StructLayout:
    """What the state memory holds for a neuron: its potential ``u`` and whether it is ``armed``."""
    return data.StructLayout({"u": number(config.potential_bits, config.potential_signed), "armed": 1})


def parameter_layout(config: CoreConfig) -> data.StructLayout:
    """What the parameter memory holds for a neuron: the code of its ``leak``, and its ``bias`` if there are any."""
    return struct(neuron_layout(config), lambda name: is_signed(name, config))


def threshold_struct(config: CoreConfig) -> data.StructLayout:
    """What the threshold memory holds for a layer, see :func:`hysteron_spec.layouts.threshold_layout`."""
    return struct(threshold_layout(config), lambda name: is_signed(name, config))


class StagePort(Port, Protocol):
    """The signals of a :class:`StageSignature`."""

    add: Signal
    first: Signal
    double: Signal
    empty: Signal
    unit: Signal
    leak: Signal
    start: Signal
    sum: Signal
    limits: data.View
    thresholds: data.View


class StageSignature(wiring.Signature):
    """Enables and operands that all lanes share, in the order of the stages.

    ``add`` accumulates the weight (or nothing, if ``empty``), after clearing (``first``) or doubling
    (``double``) the accumulator; ``leak`` works on the state just read, as a fresh neuron's if
    ``start``; ``sum`` saturates; the outputs are valid in the cycle after.

    Members
    -------
    add, first, double, empty : Out(1)
        Stage 0: how the weight is accumulated.
    unit : Out(1)
        Stage 0: weights of one bit are 0 and 1, not −1 and 1.
    leak, start : Out(1)
        Stage 1, at least one cycle after ``add``: the update begins; the neuron is fresh.
    sum : Out(1)
        Stage 2, one cycle after ``leak``.
    limits : Out(threshold_struct)
        The layer's thresholds in stage 2, of which this stage uses ``u_min`` and ``u_max``.
    thresholds : Out(threshold_struct)
        The layer's thresholds in stage 3, one cycle after ``sum``.
    """

    def __init__(self, config: CoreConfig) -> None:
        thresholds = threshold_struct(config)
        super().__init__(
            {
                "add": Out(1),
                "first": Out(1),
                "double": Out(1),
                "empty": Out(1),
                "unit": Out(1),
                "leak": Out(1),
                "start": Out(1),
                "sum": Out(1),
                "limits": Out(thresholds),
                "thresholds": Out(thresholds),
            }
        )


def stage_port(config: CoreConfig) -> StagePort:
    """Make the signals of a :class:`StageSignature` in a module that has no port of them; they are called ``stage``."""
    return cast(StagePort, StageSignature(config).create(path=("stage",)))


class Neuron(wiring.Component):
    """A lane.

    Latency: weight → accumulator 1 cycle; state and parameters (``stage.leak``) → ``state_out`` and ``spike``
    2 cycles.

    Attributes
    ----------
    weight : In(weight_bits)
        What an event adds, with ``stage.add``.
    stage : In(StageSignature)
        What is done with it.
    state : In(state_layout), parameters : In(parameter_layout)
        Read from memory; used where ``stage.leak``.
    state_out : Out(state_layout), spike : Out(1)
        What is stored next, and whether the neuron spikes: combinational from the stage ``sum``'s registers and
        ``stage.thresholds``.
    """

    weight: Signal
    stage: StagePort
    state: data.View
    parameters: data.View
    state_out: data.View
    spike: Signal

    def __init__(self, config: CoreConfig) -> None:
        self.config = config
        super().__init__(
            {
                "weight": In(config.weight_bits),
                "stage": In(StageSignature(config)),
                "state": In(state_layout(config)),
                "parameters": In(parameter_layout(config)),
                "state_out": Out(state_layout(config)),
                "spike": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        stage = self.stage
        total = accumulate(m, self.config, stage, self.weight)
        state, spike = update(m, self.config, stage, total, self.state, self.parameters)
        m.d.comb += [self.state_out.eq(state), self.spike.eq(spike)]
        return m


def accumulate(m: Module, config: CoreConfig, stage: StagePort, weight: Value, name: str = "total") -> Signal:
    """Make a synaptic accumulator called ``name``.

    Returns its value, a signed number of ``accumulator_bits``, in the cycle after ``weight`` came with ``stage.add``.
    """
    total = Signal(signed(config.accumulator_bits), name=name, reset_less=True)
    before = Mux(stage.first, 0, Mux(stage.double, total << 1, total) if config.direct else total)
    with m.If(stage.add):
        m.d.sync += total.eq(before + Mux(stage.empty, 0, _weight(config, stage, weight)))
    return total


def update(
    m: Module, config: CoreConfig, stage: StagePort, total: Value, state: data.View, parameters: data.View
) -> tuple[data.View, Signal]:
    """Make the neuron update, in two stages.

    Returns what is stored next (:func:`state_layout`) and the spike, 2 cycles after ``stage.leak`` saw the sum
    ``total``, the ``state`` and the ``parameters``; ``stage.limits`` and ``stage.thresholds`` are used one cycle and
    two cycles after it.
    """
    potential = number(config.potential_bits, config.potential_signed)
    state_out, spike = record(state_layout(config), name="next_state"), Signal(name="next_spike")

    # leak: what is left of the magnitude; its sign is put back as it is added
    left = Signal(config.potential_bits, reset_less=True)
    negative = Signal(reset_less=True)
    driven = Signal(signed(max(config.accumulator_bits, config.bias_bits) + 1), reset_less=True)
    armed_before = Signal(reset_less=True)
    with m.If(stage.leak):
        m.d.sync += [
            # A fresh neuron's state is 0 (said last, for the way from memory is the longer one).
            left.eq(Mux(stage.start, 0, _leak(m, config, state.u, parameters.leak))),
            negative.eq(~stage.start & (state.u < 0)),
            driven.eq(total + parameters.bias if config.bias_bits else total),
            armed_before.eq(stage.start | state.armed),
        ]

    # saturate
    wide = Signal(signed(max(len(left) + 1, len(driven)) + 1))
    # driven + left or driven - left with one adder: -x is ~x + 1, and the 1 comes in as a carry from a lower bit.
    part = Cat(negative, left ^ negative.replicate(len(left)), negative).as_signed()
    m.d.comb += wide.eq((Cat(1, driven).as_signed() + part) >> 1)
    compared = Signal(potential, reset_less=True)
    armed = Signal(reset_less=True)
    with m.If(stage.sum):
        m.d.sync += [
            compared.eq(
                Mux(
                    wide < stage.limits.u_min,
                    stage.limits.u_min,
                    Mux(wide > stage.limits.u_max, stage.limits.u_max, wide),
                )
            ),
            armed.eq(armed_before),
        ]

    # fire, re-arm, reset
    thresholds = stage.thresholds
    below = Signal()
    m.d.comb += [
        spike.eq(armed & (compared > thresholds.theta_high)),
        below.eq(compared < thresholds.theta_low),
        state_out.u.eq(compared),
    ]
    with m.Switch(thresholds.mode):
        with m.Case(Mode.LATCH.value):
            m.d.comb += state_out.armed.eq(~spike & (armed | below))
        with m.Case(Mode.WINDOW.value):
            m.d.comb += state_out.armed.eq(~spike & below)
        with m.Default():
            m.d.comb += state_out.armed.eq(1)
    with m.If(spike):
        with m.Switch(thresholds.reset):
            with m.Case(Reset.ZERO.value):
                m.d.comb += state_out.u.eq(0)
            with m.Case(Reset.SUBTRACT.value):
                m.d.comb += state_out.u.eq(compared - thresholds.theta_high)
    return state_out, spike


def _weight(config: CoreConfig, stage: StagePort, weight: Value) -> Value:
    """The weight as a signed number; one bit stands for ±1, or 0/1 if ``unit``."""
    if config.weight_bits > 1:
        return weight.as_signed()
    return Mux(weight, Const(1, signed(2)), Mux(stage.unit, Const(0, signed(2)), Const(-1, signed(2))))


def _leak(m: Module, config: CoreConfig, u: Value, code: Value) -> Value:
    """Sum of ``|u| >> i`` over the set bits of the code."""
    top = config.leak_bits
    size = Signal(config.potential_bits)
    m.d.comb += size.eq(Mux(u < 0, -u, u) if config.potential_signed else u)
    kept = Signal(config.potential_bits)
    m.d.comb += kept.eq(sum((Mux(code[top - i], size >> i, 0) for i in range(1, top + 1)), Const(0)))
    return Mux(code[top], size, kept)
