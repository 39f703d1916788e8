# SPDX-License-Identifier: Apache-2.0
"""One lane against the golden neuron: passes that overlap in the pipeline, garbage wherever nothing is enabled."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np
import pytest

from hysteron_golden.neuron import Leak, step
from hysteron_rtl.neuron import Neuron
from hysteron_spec.core import CoreConfig
from hysteron_spec.network import Layer
from hysteron_spec.neuron import Mode, Potential, Reset
from support.bench import TINY, core, plain, scramble, simulate

CORES = {
    "tiny": TINY,
    "one_bit_unsigned": core(weight_bits=1, potential_bits=8, potential_signed=False, bias_bits=0, direct=False),
    "one_bit": core(weight_bits=1, potential_bits=8, bias_bits=3),
    "two_bits": core(weight_bits=2, potential_bits=9, leak_bits=1, bias_bits=12),
    "unsigned": core(potential_bits=16, potential_signed=False, bias_bits=20),
    "widest": core(weight_bits=8, potential_bits=24, leak_bits=8, bias_bits=24),
}


@dataclass(frozen=True)
class Event:
    """One weight, as its memory code, or none (``empty``)."""

    code: int
    empty: bool = False
    double: bool = False

    def add(self, total: int, bits: int, unit: bool) -> int:
        """The accumulator after this event."""
        signed = self.code - (self.code >> bits - 1 << bits)
        weight = signed if bits > 1 else 1 if self.code else -int(not unit)
        return total * (1 + self.double) + (0 if self.empty else weight)


@dataclass(frozen=True)
class Pass:
    """One neuron's time step: its events, its state before, its parameters."""

    events: tuple[Event, ...]
    layer: Layer  # one neuron; its weights are not used
    potential: Potential
    u: int
    armed: int = 1
    start: int = 0
    unit: bool = False

    def expected(self, config: CoreConfig) -> tuple[dict[str, int], int]:
        """State after the step and spike, from the golden model."""
        total = 0
        for event in self.events:
            total = event.add(total, config.weight_bits, self.unit)
        u, armed = (0, 1) if self.start else (self.u, self.armed)
        leak = Leak.of(self.layer, self.potential, np.int64)
        after, flags, spikes, _ = step(
            np.array([[u]]),
            None if self.layer.mode is Mode.PLAIN else np.array([[bool(armed)]]),
            np.array([[total]]) + self.layer.biases,
            self.layer,
            leak,
            self.potential,
        )
        return {"u": int(after[0, 0]), "armed": 1 if flags is None else int(flags[0, 0])}, int(spikes[0, 0])

    def thresholds(self) -> dict[str, int]:
        layer, potential = self.layer, self.potential
        return {
            "theta_high": layer.theta_high,
            "theta_low": layer.theta_low,
            "u_min": potential.low,
            "u_max": potential.high,
            "mode": int(layer.mode),
            "reset": int(layer.reset),
        }


def check(config: CoreConfig, passes: list[Pass], rng: Random, gap: float = 0.0) -> None:
    """Run the passes through one lane, each as soon as the one before has had its last event."""
    dut = Neuron(config)
    stage = dut.stage
    # What happens in each cycle: settings by stage, and the pass whose result is due.
    adds: dict[int, tuple[Pass, int]] = {}
    leaks: dict[int, Pass] = {}
    sums: dict[int, Pass] = {}
    results: dict[int, Pass] = {}
    cycle = 0
    for one in passes:
        for index in range(len(one.events)):
            while rng.random() < gap:
                cycle += 1
            adds[cycle] = one, index
            cycle += 1
        leaks[cycle] = sums[cycle + 1] = results[cycle + 2] = one

    async def bench(ctx: Any) -> None:
        for now in range(cycle + 3):
            one, index = adds.get(now, (None, 0))
            ctx.set(stage.add, one is not None)
            for port in (dut.weight, stage.first, stage.double, stage.empty, stage.unit):
                scramble(ctx, port, rng)
            if one is not None:
                event = one.events[index]
                ctx.set(dut.weight, event.code)
                ctx.set(stage.first, index == 0)
                ctx.set(stage.double, event.double)
                ctx.set(stage.empty, event.empty)
                ctx.set(stage.unit, one.unit)
            ctx.set(stage.leak, now in leaks)
            for port in (dut.state, dut.parameters, stage.start):
                scramble(ctx, port, rng)
            if now in leaks:
                one = leaks[now]
                ctx.set(stage.start, one.start)
                ctx.set(dut.state, {"u": one.u, "armed": one.armed})
                bias = {"bias": int(one.layer.biases[0])} if config.bias_bits else {}
                ctx.set(dut.parameters, {"leak": int(one.layer.leak_codes[0])} | bias)
            ctx.set(stage.sum, now in sums)
            for port, table in ((stage.limits, sums), (stage.thresholds, results)):
                if now in table:
                    ctx.set(port, table[now].thresholds())
                else:
                    scramble(ctx, port, rng)
            if now in results:
                got = plain(ctx.get(dut.state_out)), ctx.get(dut.spike)
                assert got == results[now].expected(config), results[now]
            await ctx.tick()

    simulate(dut, bench)


def near(rng: Random, potential: Potential, places: list[int]) -> int:
    """A potential anywhere, or close to one of ``places``."""
    if rng.random() < 0.4:
        return rng.randint(potential.low, potential.high)
    return min(max(rng.choice(places) + rng.randint(-6, 6), potential.low), potential.high)


def random_pass(rng: Random, config: CoreConfig) -> Pass:
    signed = config.potential_signed and rng.random() < 0.7
    bits = config.potential_bits - (config.potential_signed and not signed)
    signed |= bits < 8
    potential = Potential(rng.choice((max(bits, 8), rng.randint(8, max(bits, 8)))), signed)
    ends = [potential.low, 0, potential.high]
    theta_high = max(0, near(rng, potential, ends))
    theta_low = min(near(rng, potential, [*ends, theta_high]), theta_high)
    bound = 1 << config.bias_bits >> 1
    bias = rng.choice((0, rng.randint(-bound, bound - 1), -bound, bound - 1)) if bound else 0
    layer = Layer(
        weights=np.ones((1, 1), int),
        theta_high=theta_high,
        theta_low=max(theta_low, -(1 << 23)),
        leak=rng.randint(0, 1 << config.leak_bits),
        bias=bias,
        mode=rng.choice(list(Mode)),
        reset=rng.choice(list(Reset)),
        leak_bits=config.leak_bits,
    )

    def event(double: bool = False) -> Event:
        return Event(rng.getrandbits(config.weight_bits), rng.random() < 0.2, double)

    if config.direct and rng.random() < 0.3:
        planes = [tuple(event(double=k == 0 and plane > 0) for k in range(rng.randint(1, 3))) for plane in range(8)]
        events = sum(planes, ())
    else:
        events = tuple(event() for _ in range(rng.choice((1, 1, 2, rng.randint(1, 12)))))
    return Pass(
        events=events,
        layer=layer,
        potential=potential,
        u=near(rng, potential, [*ends, theta_high, theta_low]),
        armed=1 if layer.mode is Mode.PLAIN else rng.getrandbits(1),
        start=int(rng.random() < 0.15),
        unit=config.weight_bits == 1 and rng.random() < 0.5,
    )


@pytest.mark.parametrize(("name", "gap"), [("tiny", 0.0), *((name, 0.3) for name in CORES)])
def test_random_passes(name: str, gap: float) -> None:
    rng = Random(f"{name} {gap}")
    passes = [random_pass(rng, CORES[name]) for _ in range(150)]
    spikes = sum(one.expected(CORES[name])[1] for one in passes)
    assert 20 < spikes < 120, "the vectors shall fire now and then"
    check(CORES[name], passes, rng, gap)


@pytest.mark.parametrize(("m", "signed"), [(3, True), (3, False), (8, True)])
def test_every_leak_code(m: int, signed: bool) -> None:
    config = core(potential_bits=8, potential_signed=signed, leak_bits=m)
    potential = Potential(8, signed)
    stride = 1 if (m, signed) == (3, True) else 7 if m == 3 else 73
    passes = []
    for code in range((1 << m) + 1):
        layer = Layer(np.ones((1, 1), int), potential.high, leak=code, leak_bits=m, mode=Mode.PLAIN, reset=Reset.NONE)
        passes += [
            Pass((Event(0, empty=True),), layer, potential, u) for u in range(potential.low, potential.high + 1, stride)
        ]
    check(config, passes, Random(m))


@pytest.mark.parametrize("weight_bits", [1, 2, 4, 8])
def test_the_accumulator_holds_the_largest_sums(weight_bits: int) -> None:
    """All inputs at 255 and all recurrent spikes, with the heaviest weights of both signs."""
    config = core(weight_bits=weight_bits, potential_bits=24, max_inputs=5, max_neurons=4, max_outputs=4)
    layer = Layer(np.ones((1, 1), int), Potential(24).high, mode=Mode.PLAIN, reset=Reset.NONE)

    def heavy(code: int) -> Pass:
        planes = [Event(code, double=plane > 0 and k == 0) for plane in range(8) for k in range(config.max_inputs)]
        return Pass((*planes, *(Event(code),) * config.max_neurons), layer, Potential(24), u=0)

    codes = (0, 1) if weight_bits == 1 else (1 << weight_bits - 1, (1 << weight_bits - 1) - 1)
    passes = [heavy(code) for code in codes]
    low = -1 if weight_bits == 1 else -(1 << weight_bits - 1)
    assert passes[0].expected(config)[0]["u"] == low * (5 * 255 + 4)
    check(config, passes, Random(0))


@pytest.mark.parametrize("name", CORES)
def test_saturation_at_the_ends_of_everything(name: str) -> None:
    """Potential, bias and weights at their ends together, in all combinations."""
    config = CORES[name]
    potential, bound = config.potential, 1 << config.bias_bits >> 1
    heavy = (0, 1) if config.weight_bits == 1 else (1 << config.weight_bits - 1, (1 << config.weight_bits - 1) - 1)
    passes = []
    for bias in {-bound, max(bound - 1, 0)}:
        layer = Layer(
            np.ones((1, 1), int),
            potential.high,
            bias=bias,
            leak=1 << config.leak_bits,
            leak_bits=config.leak_bits,
            reset=Reset.NONE,
        )
        passes += [
            Pass((Event(code),) * 5, layer, potential, u) for code in heavy for u in (potential.low, potential.high)
        ]
    check(config, passes, Random(0))
