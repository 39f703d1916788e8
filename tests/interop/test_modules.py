# SPDX-License-Identifier: Apache-2.0
"""Chains of PyTorch's linear modules and snnTorch's neurons, imported, against the modules themselves: every spike."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.random import Generator

from hysteron_convert import from_snntorch
from support.convert import NEEDS_TORCH, run_snntorch

from .frameworks import filled, positive

torch = pytest.importorskip("torch", reason=NEEDS_TORCH)
snn = pytest.importorskip("snntorch", reason=NEEDS_TORCH)
nn = torch.nn
SAMPLES, STEPS = 3, 8


def small(rng: Generator, low: int, high: int, count: int) -> tuple[int, ...]:
    return tuple(int(n) for n in rng.integers(low, high, count))


def norm(rng: Generator, made: Any) -> Any:
    """A batch norm with factors that are powers of two."""
    n = len(made.running_mean)
    with torch.no_grad():
        made.running_mean.copy_(torch.as_tensor(rng.integers(-4, 5, n) / 8))
        made.running_var.copy_(torch.as_tensor(rng.choice((0.25, 1.0, 4.0), n) - made.eps))
        if made.affine:
            made.weight.copy_(torch.as_tensor(rng.choice((0.5, 1.0, -1.0, 2.0), n)))
            made.bias.copy_(torch.as_tensor(rng.integers(-4, 5, n) / 8))
    return made


def linear(rng: Generator, shape: tuple[int, ...]) -> Any:
    """A linear module of PyTorch for an input of ``shape``: of a list, of channels over a line, or over an area."""
    kernel = int(rng.integers(1, min(3, *shape[1:], 3) + 1)) if len(shape) > 1 else 1
    options = {"stride": int(rng.integers(1, 3)), "padding": int(rng.integers(0, kernel // 2 + 1))}
    dims = len(shape) - 1
    if dims == 0:
        return (
            nn.Linear(shape[0], int(rng.integers(1, 6)), bias=bool(rng.integers(2))),
            norm(rng, nn.BatchNorm1d(shape[0], eps=0.0)),
            nn.Unflatten(1, (shape[0], 1)),
            nn.Dropout(0.3),
        )[rng.choice(4, p=(0.6, 0.2, 0.1, 0.1))]
    more = {
        "dilation": int(rng.integers(1, 3))
        if (shape[-1] > 2 * (kernel - 1)) and min(shape[1:]) > 2 * (kernel - 1)
        else 1
    }
    channels = int(rng.integers(1, 4))
    groups = shape[0] if rng.random() < 0.3 else 1
    mean = {**options, "count_include_pad": bool(rng.integers(2)), "ceil_mode": bool(rng.integers(2))}
    # A mean over three places is no dyadic number.
    kernel_mean = min(kernel, 2)
    mean["padding"] = min(options["padding"], kernel_mean // 2)
    if mean["padding"] and not mean["count_include_pad"]:
        mean["ceil_mode"] = False
    if dims == 1:
        choices = (
            nn.Conv1d(shape[0], groups * channels, kernel, groups=groups, **options, **more),
            nn.AvgPool1d(kernel_mean, **(mean | {"ceil_mode": False})),
            norm(rng, nn.BatchNorm1d(shape[0], eps=0.0)),
            nn.Flatten(),
            nn.ConstantPad1d((1, 0), 0.5),
            nn.ConvTranspose1d(shape[0], channels, kernel, stride=2),
        )
    else:
        choices = (
            nn.Conv2d(shape[0], groups * channels, kernel, groups=groups, **options, **more),
            nn.AvgPool2d(kernel_mean, **(mean | {"ceil_mode": False})),
            norm(rng, nn.BatchNorm2d(shape[0], eps=0.0)),
            nn.Flatten(),
            nn.ZeroPad2d((1, 0, 0, 2)),
            nn.Upsample(scale_factor=2),
        )
    return choices[rng.choice(6, p=(0.35, 0.2, 0.15, 0.1, 0.1, 0.1))]


def network(rng: Generator) -> tuple[Any, tuple[int, ...], list[str]]:
    """A chain of one or two layers, the shape of its input and the names of its linear modules."""
    shape = given = (small(rng, 1, 6, 1), small(rng, 2, 5, 2), small(rng, 2, 5, 3))[rng.integers(3)]
    parts: list[Any] = []
    names = []
    for _ in range(int(rng.integers(1, 3))):
        for _ in range(int(rng.integers(1, 4))):
            part = linear(rng, shape).eval()
            if not hasattr(part, "running_mean"):
                filled(rng, part)
            shape = tuple(part(torch.zeros(1, *shape)).shape[1:])
            parts.append(part)
            names.append(type(part).__name__)
        threshold = torch.as_tensor(positive(rng, *(() if rng.random() < 0.5 or len(shape) > 1 else shape)))
        parts.append(
            snn.Leaky(
                beta=float(rng.choice((0.0, 0.5, 0.75, 1.0))),
                threshold=threshold,
                init_hidden=True,
                reset_mechanism=str(rng.choice(("zero", "subtract"))),
                reset_delay=bool(rng.integers(2)),
            )
        )
    return nn.Sequential(*parts).eval(), given, names


@pytest.mark.filterwarnings("ignore")
def test_every_linear_module_in_any_order() -> None:
    told: Counter[str] = Counter()

    @settings(max_examples=200, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(seed=st.integers(0, 2**32 - 1))
    def check(seed: int) -> None:
        rng = np.random.default_rng(seed)
        module, shape, names = network(rng)
        inputs = (rng.random((SAMPLES, STEPS, *shape)) < 0.5).astype(np.uint8)
        wanted = run_snntorch(module, inputs)[0]
        made = from_snntorch(module, input_shape=shape)
        got = made.run(inputs.reshape(SAMPLES, STEPS, -1), trace=True).spikes
        assert got is not None
        for mine, theirs in zip(got, wanted, strict=True):
            assert np.array_equal(mine, theirs)
            told["spikes"] += int(mine.sum())
        told.update(names)

    check()
    assert told["spikes"] > 5000 and len(told) > 12, told
