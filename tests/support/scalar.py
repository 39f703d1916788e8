# SPDX-License-Identifier: Apache-2.0
"""A second statement of the semantics, to compare the golden model with.

Written from docs/specification.md, §3, §4 and §5, not from the model: plain Python integers, one sample, one step,
one neuron at a time, in the order in which the text says it. Slow and obvious on purpose; nothing here imports the
model.
"""

from collections import Counter
from dataclasses import dataclass, field

#: Value of read-out FIRST for a neuron that never fired, and the ceiling of a spike count.
NEVER = 32767


def leak(u, code, m):
    """``u`` after the leak: the sum over the set bits of the code of ``|u| >> i``, with the sign put back."""
    size = -u if u < 0 else u
    total = 0
    for i in range(m + 1):
        if code & 2 ** (m - i):  # this bit stands for the factor 1 / 2**i
            total += size // 2**i
    return -total if u < 0 else total


@dataclass
class Neuron:
    """One neuron's state and what is the same for all of its steps."""

    code: int
    m: int
    bias: int
    mode: str
    reset: str
    theta_high: int
    theta_low: int
    u_min: int
    u_max: int
    u: int = 0
    armed: bool = True

    def step(self, total, seen):
        """One time step with ``total`` from the synapses; returns whether it fired, counts in ``seen`` what it met."""
        leaked = leak(self.u, self.code, self.m)
        if leaked * 2**self.m != self.u * self.code:
            seen["leak truncated"] += 1
            seen["negative leak truncated"] += self.u < 0
        u = leaked + self.bias + total
        if u < self.u_min:
            seen["clipped low"] += 1
            u = self.u_min
        if u > self.u_max:
            seen["clipped high"] += 1
            u = self.u_max

        spike = self.armed and u > self.theta_high
        if u > self.theta_high and not self.armed:
            seen["blocked"] += 1
        if u == self.theta_high or u == self.theta_low:
            seen["on a threshold"] += 1

        if self.mode == "LATCH":
            if spike:
                self.armed = False
            elif u < self.theta_low:
                seen["re-armed"] += not self.armed
                self.armed = True
            else:
                seen["held armed" if self.armed else "held disarmed"] += 1
        elif self.mode == "WINDOW":
            armed = (not spike) and u < self.theta_low
            seen["band disarmed"] += self.armed and not spike and not armed
            seen["re-armed"] += armed and not self.armed
            self.armed = armed
        else:
            assert self.mode == "PLAIN"
            self.armed = True

        if spike:
            seen["spikes"] += 1
            if self.reset == "ZERO":
                u = 0
            elif self.reset == "SUBTRACT":
                u = u - self.theta_high
            else:
                assert self.reset == "NONE"
        self.u = u
        return spike


@dataclass
class Trace:
    """What one sample made a network do; lists are indexed as their names say."""

    spikes: list  # [layer][step][neuron], booleans
    potentials: list  # [layer][step][neuron], after the reset
    step_values: list  # [step][output]
    winners: list  # [step]
    input_events: int
    seen: Counter = field(default_factory=Counter)


def run_sample(network, rows, kind):
    """Run ``network`` on one sample.

    ``rows`` is a list over time of the lists of inputs (0/1, or pixels that are currents). ``kind`` is the name
    of the read-out.
    """
    seen = Counter()
    u_min = -(2 ** (network.potential.bits - 1)) if network.potential.signed else 0
    u_max = 2 ** (network.potential.bits - 1) - 1 if network.potential.signed else 2**network.potential.bits - 1
    layers = []
    for layer in network.layers:
        weights = layer.weights.tolist()
        neurons = [
            Neuron(
                code=int(layer.leak[j]),
                m=int(layer.leak_bits),
                bias=int(layer.bias[j]),
                mode=layer.mode.name,
                reset=layer.reset.name,
                theta_high=int(layer.theta_high),
                theta_low=int(layer.theta_low),
                u_min=u_min,
                u_max=u_max,
            )
            for j in range(len(weights[0]))
        ]
        layers.append((weights, None if layer.recurrent is None else layer.recurrent.tolist(), neurons))
    spikes = [[] for _ in layers]
    potentials = [[] for _ in layers]
    step_values, winners = [], []
    for t, row in enumerate(rows):
        signal = row
        for index, (weights, recurrent, neurons) in enumerate(layers):
            before = spikes[index][t - 1] if t else [False] * len(neurons)
            fired = []
            for j, neuron in enumerate(neurons):
                total = 0
                for i, s in enumerate(signal):
                    total += weights[i][j] * int(s)
                if recurrent is not None:
                    for i, s in enumerate(before):
                        total += recurrent[i][j] * int(s)
                fired.append(neuron.step(total, seen))
            spikes[index].append(fired)
            potentials[index].append([neuron.u for neuron in neurons])
            signal = fired
        values = read(kind, spikes[-1], potentials[-1])
        step_values.append(values)
        winners.append(best(kind, values))
    return Trace(spikes, potentials, step_values, winners, sum(bin(s).count("1") for row in rows for s in row), seen)


def read(kind, spikes, potentials):
    """The outputs' values after the steps so far; ``spikes`` and ``potentials`` are ``[step][output]``."""
    values = []
    for j in range(len(spikes[0])):
        fired_at = [t for t, row in enumerate(spikes) if row[j]]
        if kind == "COUNT":
            values.append(min(len(fired_at), NEVER))
        elif kind == "FIRST":
            values.append(fired_at[0] if fired_at else NEVER)
        else:
            assert kind == "POTENTIAL"
            values.append(potentials[-1][j])
    return values


def best(kind, values):
    """The winner: the smallest first spike, else the largest value; of equal ones the lowest index."""
    winner = 0
    for j, value in enumerate(values):
        if (value < values[winner]) if kind == "FIRST" else (value > values[winner]):
            winner = j
    return winner


def shift_register(state, count):
    """``count`` sequence bits after ``state``: 127 bits, the newest in the lowest; x[i] = x[i-64] ^ x[i-127]."""
    cells = [state >> age & 1 for age in range(127)]  # cells[0] is x[i-1], cells[126] is x[i-127]
    out = []
    for _ in range(count):
        new = cells[63] ^ cells[126]
        cells = [new, *cells[:-1]]
        out.append(new)
    return out


def encode(coding, steps, thresholds, state, pixels):
    """Rows over time of what enters the network for one image of bytes."""
    if coding == "DIRECT":
        return [list(pixels) for _ in range(steps)]
    if coding == "RATE":
        width = (len(pixels) + 7) // 8 * 8  # eight pixels a cycle: the last group is filled up
        bits = shift_register(state, 8 * width * steps)
        noise = [sum(bits[8 * k + b] << b for b in range(8)) for k in range(width * steps)]
        return [[int(p > noise[t * width + i]) for i, p in enumerate(pixels)] for t in range(steps)]
    rows = []
    fired = [False] * len(pixels)
    for t in range(steps):
        row = []
        for i, p in enumerate(pixels):
            above = p > thresholds[t]
            row.append(int(above and not (coding == "LATENCY" and fired[i])))
            fired[i] = fired[i] or above
        rows.append(row)
    return rows
