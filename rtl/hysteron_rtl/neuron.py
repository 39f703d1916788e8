"""One lane: a synaptic accumulator and the neuron update of :mod:`hysteron_golden.neuron`."""

from amaranth.hdl import Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hysteron_golden.hardware import CoreConfig
from hysteron_golden.network import Mode, Reset
from hysteron_golden.program import threshold_layout

from .bits import number, struct


def state_layout(config: CoreConfig) -> data.StructLayout:
    """What the state memory holds for a neuron."""
    return data.StructLayout({"u": number(config.potential_bits, config.potential_signed), "armed": 1})


def parameter_layout(config: CoreConfig) -> data.StructLayout:
    """What the parameter memory holds for a neuron."""
    return struct({"leak": config.leak_bits + 1, "bias": config.bias_bits}, lambda name: name == "bias")


def threshold_struct(config: CoreConfig) -> data.StructLayout:
    """What the threshold memory holds for a layer."""
    return struct(threshold_layout(config), lambda name: name not in ("mode", "reset") and config.potential_signed)


class StageSignature(wiring.Signature):
    """Enables and operands that all lanes share, in the order of the stages.

    ``add`` accumulates the weight (or nothing, if ``empty``), after clearing (``first``) or doubling
    (``double``) the accumulator; ``leak`` works on the state just read, as a fresh neuron's if
    ``start``; ``sum`` saturates; the outputs are valid in the cycle after.
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


class Neuron(wiring.Component):
    """A lane.

    Latency: weight → accumulator 1 cycle; state and parameters (``stage.leak``) → ``state_out`` and ``spike``
    2 cycles.

    Attributes
    ----------
    weight : In(weight_bits)
    stage : In(StageSignature)
    state, parameters : In
        Read from memory; used where ``stage.leak``.
    state_out, spike : Out
        Combinational from the stage ``sum``'s registers and ``stage.thresholds``.
    """

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
        config, stage = self.config, self.stage
        potential = number(config.potential_bits, config.potential_signed)

        # integrate
        total = Signal(signed(config.accumulator_bits))
        before = Signal.like(total)
        m.d.comb += before.eq(Mux(stage.first, 0, Mux(stage.double, total << 1, total) if config.direct else total))
        with m.If(stage.add):
            m.d.sync += total.eq(before + Mux(stage.empty, 0, self._weight()))

        # leak
        u = Signal(potential)
        m.d.comb += u.eq(Mux(stage.start, 0, self.state.u))
        leaked = Signal(signed(config.potential_bits + 1))
        driven = Signal(signed(max(config.accumulator_bits, config.bias_bits) + 1))
        armed_before = Signal()
        with m.If(stage.leak):
            m.d.sync += [
                leaked.eq(self._leak(m, u)),
                driven.eq(total + self.parameters.bias if config.bias_bits else total),
                armed_before.eq(stage.start | self.state.armed),
            ]

        # saturate
        wide = Signal(signed(max(len(leaked), len(driven)) + 1))
        m.d.comb += wide.eq(leaked + driven)
        compared = Signal(potential)
        armed = Signal()
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
            self.spike.eq(armed & (compared > thresholds.theta_high)),
            below.eq(compared < thresholds.theta_low),
            self.state_out.u.eq(compared),
        ]
        with m.Switch(thresholds.mode):
            with m.Case(Mode.LATCH.value):
                m.d.comb += self.state_out.armed.eq(~self.spike & (armed | below))
            with m.Case(Mode.WINDOW.value):
                m.d.comb += self.state_out.armed.eq(~self.spike & below)
            with m.Default():
                m.d.comb += self.state_out.armed.eq(1)
        with m.If(self.spike):
            with m.Switch(thresholds.reset):
                with m.Case(Reset.ZERO.value):
                    m.d.comb += self.state_out.u.eq(0)
                with m.Case(Reset.SUBTRACT.value):
                    m.d.comb += self.state_out.u.eq(compared - thresholds.theta_high)
        return m

    def _weight(self) -> Value:
        """The weight as a signed number; one bit stands for ±1, or 0/1 if ``unit``."""
        if self.config.weight_bits > 1:
            return self.weight.as_signed()
        return Mux(self.weight, Const(1, signed(2)), Mux(self.stage.unit, Const(0, signed(2)), Const(-1, signed(2))))

    def _leak(self, m: Module, u: Signal) -> Value:
        """Sum of ``|u| >> i`` over the set bits of the code, the sign put back."""
        code, top = self.parameters.leak, self.config.leak_bits
        size = Signal(self.config.potential_bits)
        m.d.comb += size.eq(Mux(u < 0, -u, u) if self.config.potential_signed else u)
        kept = Signal(self.config.potential_bits)
        m.d.comb += kept.eq(sum((Mux(code[top - i], size >> i, 0) for i in range(1, top + 1)), Const(0)))
        whole = Mux(code[top], size, kept)
        return Mux(u < 0, -whole, whole) if self.config.potential_signed else whole
