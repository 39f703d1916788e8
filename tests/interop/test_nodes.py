# SPDX-License-Identifier: Apache-2.0
"""Chains of NIR nodes against their equations, computed here once more with PyTorch's own convolutions and pools.

Every supported node, with parameters of every shape that a file may have and with odd values. All numbers are dyadic,
so that both sides compute without rounding and every spike must be the same; or the graph is refused in one line.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.random import Generator
from numpy.typing import NDArray

from hysteron_base.errors import HysteronError
from hysteron_convert import from_nir
from support.convert import NEEDS_NIR, NEEDS_TORCH, chain

torch = pytest.importorskip("torch", reason=NEEDS_TORCH)
nir = pytest.importorskip("nir", reason=NEEDS_NIR)
F = torch.nn.functional
DT = 2.0**-10
SAMPLES, STEPS = 2, 8
TYPES = (np.float64, np.float32, np.float16, ">f4", np.int64)
Array = NDArray[Any]


def odd(rng: Generator, *shape: int, unit: float = 1 / 16) -> Array:
    """Multiples of ``unit``: usual ones, or all 0, all small, one large among small, or all equal."""
    values = rng.integers(-16, 25, shape) * unit
    kind = rng.integers(8)
    if kind == 0:
        values = values * 0.0
    elif kind == 1:
        values = values * 2.0**-10
    elif kind == 2 and values.size:
        values = values * 2.0**-6
        values.flat[rng.integers(values.size)] = 64.0
    elif kind == 3:
        values = np.full(shape, float(rng.integers(-2, 4)))
    return values


def of_type(rng: Generator, values: Array) -> Array:
    """The same numbers in another type, if it holds them."""
    with np.errstate(over="ignore"):
        made = np.asarray(values).astype(TYPES[rng.integers(len(TYPES))])
    return made if np.array_equal(made.astype(np.float64), values) else np.asarray(values)


def parameter_shape(rng: Generator, shape: tuple[int, ...]) -> tuple[int, ...]:
    """One that a parameter of neurons of ``shape`` may have: all that broadcast, and those of other writers."""
    choices = [(), (1,), shape]
    if len(shape) == 3:
        choices += [(shape[0], 1, 1), (int(np.prod(shape)),), (shape[0],)]
    return choices[rng.integers(len(choices))]


def spread(values: Array, shape: tuple[int, ...]) -> Array:
    """A parameter for each neuron: channels are the first axis, and a list is of all neurons or of the channels."""
    if values.size == 1:
        return np.full(shape, float(values.reshape(())))
    if values.ndim == 1 and len(shape) == 3:
        if values.size == np.prod(shape):
            return values.reshape(shape)
        return np.broadcast_to(values[:, None, None], shape)
    return np.broadcast_to(values, shape)


class Maker:
    """Draws a chain, and says what each of its nodes computes."""

    def __init__(self, rng: Generator) -> None:
        self.rng = rng
        self.steps: list[tuple[str, Any]] = []
        self.nodes: list[tuple[str, Any]] = []
        self.shape = tuple(int(n) for n in rng.integers(2, 5, 3)) if rng.random() < 0.6 else (int(rng.integers(1, 6)),)
        self.input = self.shape
        for _ in range(int(rng.integers(1, 3))):
            for _ in range(int(rng.integers(1, 3))):
                self.linear()
            self.neuron()

    def add(self, node: Any, compute: Any) -> None:
        self.nodes.append((f"n{len(self.nodes)}", node))
        self.steps.append(("linear", compute))
        self.shape = tuple(compute(torch.zeros(1, *self.shape, dtype=torch.float64)).shape[1:])

    def linear(self) -> None:
        rng, shape = self.rng, self.shape
        if len(shape) == 1:
            kind = rng.choice(["Linear", "Affine", "Scale", "Conv1d"] if shape[0] > 1 else ["Linear", "Affine"])
            if kind == "Scale":
                scale = of_type(rng, odd(rng, *shape))
                self.add(nir.Scale(scale=scale), lambda x: x * torch.as_tensor(scale.astype(float)))
                return
            weight = of_type(rng, odd(rng, int(rng.integers(1, 6)), shape[0]))
            bias = of_type(rng, odd(rng, len(weight)))
            w, b = torch.as_tensor(weight.astype(float)), torch.as_tensor(bias.astype(float))
            if kind == "Affine":
                self.add(nir.Affine(weight=weight, bias=bias), lambda x: F.linear(x, w, b))
            else:
                self.add(nir.Linear(weight=weight), lambda x: F.linear(x, w))
            return
        kind = rng.choice(["Conv2d", "SumPool2d", "AvgPool2d", "Flatten", "Scale"])
        if kind == "Flatten":
            node = nir.Flatten(input_type={"input": np.array(shape)}, start_dim=0, end_dim=-1)
            self.add(node, lambda x: x.flatten(1))
        elif kind == "Scale":
            scale = odd(rng, *parameter_shape(rng, shape))
            full = torch.as_tensor(spread(scale, shape).astype(float))
            self.add(nir.Scale(scale=scale), lambda x: x * full)
        elif kind == "Conv2d":
            self.convolution()
        else:
            # Two or four places in a window, so that a mean is dyadic.
            kernel = ((1, 2), (2, 1), (2, 2))[rng.integers(3)]
            kernel = tuple(min(k, n) for k, n in zip(kernel, shape[1:], strict=True))
            stride = tuple(int(n) for n in rng.integers(1, 3, 2))
            padding = tuple(int(rng.integers(0, k // 2 + 1)) for k in kernel)
            divide = 1 if kind == "AvgPool2d" else kernel[0] * kernel[1]
            node = getattr(nir, kind)(kernel_size=np.array(kernel), stride=np.array(stride), padding=np.array(padding))
            self.add(node, lambda x: F.avg_pool2d(x, kernel, stride, padding, count_include_pad=True) * divide)

    def convolution(self) -> None:
        rng, (channels, height, width) = self.rng, self.shape
        groups = int(rng.choice([g for g in (1, channels) if channels % g == 0]))
        kernel = tuple(int(rng.integers(1, min(3, n) + 1)) for n in (height, width))
        padding = tuple(int(n) for n in rng.integers(0, 2, 2))
        stride = tuple(int(n) for n in rng.integers(1, 3, 2))
        room = [n + 2 * p for n, p in zip((height, width), padding, strict=True)]
        dilation = tuple(int(rng.integers(1, 3)) if 2 * (k - 1) < n else 1 for k, n in zip(kernel, room, strict=True))
        weight = of_type(rng, odd(rng, groups * int(rng.integers(1, 3)), channels // groups, *kernel))
        bias = of_type(rng, odd(rng, len(weight)))
        w, b = torch.as_tensor(weight.astype(float)), torch.as_tensor(bias.astype(float))
        node = nir.Conv2d(None, weight, stride, padding, dilation, groups, bias)
        self.add(node, lambda x: F.conv2d(x, w, b, stride, padding, dilation, groups))

    def neuron(self) -> None:
        rng, shape = self.rng, self.shape
        own = parameter_shape(rng, shape)
        kind = str(rng.choice(["LIF", "IF", "Threshold", "CubaLIF"]))
        steps = rng.choice((1.0, 2.0, 4.0), own)
        r = rng.choice((-1.0, 0.5, 1.0, 2.0, 8.0), own)
        v_leak = rng.choice((0.0, 0.0, 0.5, -0.25), own)
        v_reset = rng.choice((0.0, 0.0, 0.125, -0.5), own) * float(rng.random() < 0.5)
        theta = rng.integers(1, 24, own) / 8
        full = {
            name: spread(np.asarray(values), shape).astype(float)
            for name, values in (("steps", steps), ("r", r), ("leak", v_leak), ("reset", v_reset), ("theta", theta))
        }
        if kind == "Threshold":
            node = nir.Threshold(threshold=theta)
        elif kind == "IF":
            node = nir.IF(r=r / DT, v_threshold=theta, v_reset=v_reset)
        elif kind == "LIF":
            node = nir.LIF(tau=steps * DT, r=r, v_leak=v_leak, v_threshold=theta, v_reset=v_reset)
        else:
            node = nir.CubaLIF(
                tau_syn=np.full(own, DT),
                tau_mem=steps * DT,
                r=r,
                v_leak=v_leak,
                v_threshold=theta,
                v_reset=v_reset,
                w_in=np.full(own, 2.0),
            )
        self.nodes.append((f"n{len(self.nodes)}", node))
        self.steps.append((kind, full))

    def run(self, inputs: Array, reset: str, at: bool) -> list[Array]:
        """Spikes of each layer: NIR's equations, by Euler's rule."""
        x = torch.as_tensor(inputs.astype(float)).flatten(0, 1)
        fired = []
        for kind, what in self.steps:
            if kind == "linear":
                x = what(x)
                continue
            drive = x.numpy().reshape(SAMPLES, STEPS, -1)
            p = {name: values.reshape(-1) for name, values in what.items()}
            u = np.zeros((SAMPLES, drive.shape[2]))
            spikes = np.zeros(drive.shape, bool)
            for t in range(STEPS):
                if kind == "Threshold":
                    u = drive[:, t]
                elif kind == "IF":
                    u = u + p["r"] * drive[:, t]
                else:
                    current = drive[:, t] * (2.0 if kind == "CubaLIF" else 1.0)
                    u = u + (p["leak"] - u + p["r"] * current) / p["steps"]
                spikes[:, t] = u >= p["theta"] if at else u > p["theta"]
                if reset == "zero":
                    u = np.where(spikes[:, t], p["reset"], u)
                elif reset == "subtract":
                    u = u - spikes[:, t] * p["theta"]
            fired.append(spikes)
            x = torch.as_tensor(spikes.astype(float)).reshape(SAMPLES * STEPS, *x.shape[1:])
        return fired


def test_every_node_and_shape_of_its_parameters() -> None:
    told: Counter[str] = Counter()

    @settings(max_examples=600, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(
        seed=st.integers(0, 2**32 - 1),
        reset=st.sampled_from(["zero", "subtract", "none"]),
        firing=st.sampled_from(["above", "at-or-above"]),
    )
    def check(seed: int, reset: str, firing: str) -> None:
        rng = np.random.default_rng(seed)
        made = Maker(rng)
        for _, node in made.nodes:
            told[type(node).__name__] += 1
        try:
            network = from_nir(chain(made.input, *made.nodes), dt=DT, reset=reset, firing=firing)
        except HysteronError as error:
            assert "\n" not in str(error) and "node" in str(error), error
            told["refused"] += 1
            return
        inputs = (rng.random((SAMPLES, STEPS, *made.input)) < 0.5).astype(np.uint8)
        wanted = made.run(inputs, reset, firing == "at-or-above")
        got = network.run(inputs.reshape(SAMPLES, STEPS, -1), trace=True).spikes
        assert got is not None
        for layer, mine, theirs in zip(network.layers, got, wanted, strict=True):
            if layer.spiking:
                assert np.array_equal(mine, theirs)
                told["spikes"] += int(mine.sum())
        told["exact"] += 1

    check()
    assert told["exact"] > 300 and told["spikes"] > 10_000
    assert all(told[kind] > 10 for kind in ("LIF", "IF", "CubaLIF", "Threshold", "Conv2d", "SumPool2d", "AvgPool2d")), (
        told
    )
