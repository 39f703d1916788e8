# SPDX-License-Identifier: Apache-2.0
"""Convolutions and pools, unrolled: against plain loops, and against torch.nn.functional where it is installed."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hysteron_convert.linear import Signal
from hysteron_convert.windows import Convolution, Pool, Windows, numbers, paddings
from support.convert import NEEDS_TORCH
from support.networks import examples
from support.refusal import refusal


def matrix_of(node: Any, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray, tuple[int, ...]]:
    """The matrix ``(n_in, n_out)``, the bias and the shape that comes out."""
    signal = Signal.of("x", shape).through(node)
    return signal.matrix("x"), signal.constant, signal.shape


def slow_convolution(x: np.ndarray, node: Convolution) -> np.ndarray:
    """``x`` (channels, height, width) convolved one output at a time, from the definition."""
    w = node.windows
    padded = np.pad(x, ((0, 0), *w.pads))
    counts = w.counts(x.shape)
    out = np.zeros((len(node.weight), *counts))
    per_in, per_out = node.weight.shape[1], len(node.weight) // node.groups
    for channel, *place in itertools.product(range(len(node.weight)), *map(range, counts)):
        first = channel // per_out * per_in
        for source, *tap in itertools.product(range(per_in), *map(range, w.kernel)):
            at = tuple(p * s + k * d for p, s, k, d in zip(place, w.stride, tap, w.dilation, strict=True))
            out[(channel, *place)] += padded[(first + source, *at)] * node.weight[(channel, source, *tap)]
    return out + node.bias.reshape(-1, *(1 for _ in counts))


@st.composite
def convolutions(draw: st.DrawFn) -> tuple[Convolution, tuple[int, ...]]:
    """A convolution with integer weights and the shape of its input."""
    rank = draw(st.integers(1, 2))
    groups = draw(st.integers(1, 3))

    def each(low: int, high: int) -> tuple[int, ...]:
        return tuple(draw(st.integers(low, high)) for _ in range(rank))

    kernel, dilation, padding = each(1, 3), each(1, 2), each(0, 2)
    same = draw(st.booleans())
    stride = (1,) * rank if same else each(1, 3)
    size = tuple(d * (k - 1) + 1 + draw(st.integers(0, 3)) for k, d in zip(kernel, dilation, strict=True))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    weight = rng.integers(-9, 9, (groups * draw(st.integers(1, 2)), draw(st.integers(1, 2)), *kernel)).astype(float)
    windows = Windows("c", kernel, stride, None if same else tuple((p, p) for p in padding), dilation)
    bias = rng.integers(-9, 9, len(weight)).astype(float)
    return Convolution(windows, weight, bias, groups), (groups * weight.shape[1], *size)


@examples(30)
@given(convolutions(), st.integers(0, 999))
def test_a_convolution_is_its_definition(case: tuple[Convolution, tuple[int, ...]], seed: int) -> None:
    node, shape = case
    x = np.random.default_rng(seed).integers(-9, 9, shape).astype(float)
    matrix, bias, out = matrix_of(node, shape)
    want = slow_convolution(x, node)
    assert out == want.shape
    assert (x.reshape(-1) @ matrix + bias == want.reshape(-1)).all()


@examples(60)
@pytest.mark.filterwarnings("ignore:Using padding='same'")
@given(convolutions(), st.integers(0, 999))
def test_a_convolution_is_torchs(case: tuple[Convolution, tuple[int, ...]], seed: int) -> None:
    torch = pytest.importorskip("torch", reason=NEEDS_TORCH)
    node, shape = case
    x = np.random.default_rng(seed).integers(-9, 9, shape).astype(float)
    matrix, bias, out = matrix_of(node, shape)
    call = torch.nn.functional.conv1d if len(shape) == 2 else torch.nn.functional.conv2d
    w = node.windows
    want = call(
        torch.tensor(x)[None],
        torch.tensor(node.weight),
        torch.tensor(node.bias),
        stride=w.stride,
        padding="same" if w.padding is None else tuple(before for before, _ in w.padding),
        dilation=w.dilation,
        groups=node.groups,
    )[0].numpy()
    assert out == want.shape
    assert (x.reshape(-1) @ matrix + bias == want.reshape(-1)).all()


@examples(40)
@given(st.data())
def test_pools_are_torchs(data: st.DataObject) -> None:
    torch = pytest.importorskip("torch", reason=NEEDS_TORCH)
    kernel = tuple(data.draw(st.integers(1, 4)) for _ in range(2))
    stride = tuple(data.draw(st.integers(1, 3)) for _ in range(2))
    padding = tuple(data.draw(st.integers(0, k // 2)) for k in kernel)
    shape = (data.draw(st.integers(1, 3)), *(k + data.draw(st.integers(0, 4)) for k in kernel))
    windows = Windows("p", kernel, stride, tuple((p, p) for p in padding), (1, 1))
    x = np.random.default_rng(1).integers(0, 9, shape).astype(float)
    want = torch.nn.functional.avg_pool2d(torch.tensor(x)[None], kernel, stride, padding, divisor_override=1)[0].numpy()
    matrix, _, out = matrix_of(Pool(windows), shape)
    assert out == want.shape
    assert (x.reshape(-1) @ matrix == want.reshape(-1)).all()
    average, _, _ = matrix_of(Pool(windows, 16.0), shape)
    assert (average == matrix / 16).all()


def test_chains_compose() -> None:
    """Convolution, pool and matrix in a chain are one matrix and one bias: what padding sees includes the bias."""
    rng = np.random.default_rng(2)
    first = Convolution(
        Windows("a", (3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1)), rng.integers(-9, 9, (2, 1, 3, 3)) * 1.0, np.ones(2)
    )
    second = Convolution(
        Windows("b", (3, 3), (2, 2), ((1, 1), (1, 1)), (1, 1)), rng.integers(-9, 9, (3, 2, 3, 3)) * 1.0, np.ones(3)
    )
    x = rng.integers(0, 2, (1, 6, 6)) * 1.0
    signal = Signal.of("x", x.shape).through(first).through(second)
    want = slow_convolution(slow_convolution(x, first), second)
    assert (x.reshape(-1) @ signal.matrix("x") + signal.constant == want.reshape(-1)).all()


def windows(**changes: Any) -> Windows:
    return Windows(
        **{"name": "c", "kernel": (3, 3), "stride": (1, 1), "padding": ((0, 0),) * 2, "dilation": (1, 1), **changes}
    )


@pytest.mark.parametrize(
    ("act", "says"),
    [
        (lambda: windows(stride=(0, 1)), "node 'c' has stride 0×1; it must be positive"),
        (lambda: windows(padding=((-1, -1), (0, 0))), "it must not be negative"),
        (lambda: windows(padding=None, stride=(2, 1)), "node 'c' has padding 'same' and stride 2×1"),
        (lambda: matrix_of(Pool(windows()), (1, 2, 9)), "node 'c' has a kernel of 3×3, larger than 1×2×9"),
        (lambda: matrix_of(Pool(windows()), (64,)), "node 'c' takes (channels, height, width), not 64"),
        (
            lambda: matrix_of(Convolution(windows(), np.ones((2, 2, 3, 3)), np.zeros(2)), (3, 5, 5)),
            "node 'c' has weights for 2 channels in 1 groups, its input has 3",
        ),
        (lambda: numbers("c", "stride", [1, 2, 3], 2), "node 'c' has stride [1, 2, 3]; it must be 2 integers"),
        (lambda: numbers("c", "stride", 1.5, 2), "node 'c' has stride 1.5"),
        (lambda: paddings("c", "reflect", 2), "node 'c' has padding 'reflect'; it must be same, valid or 2 numbers"),
        (
            lambda: Signal.of("x", (1, 40, 40)).through(Pool(windows()), limit=1000),
            "node 'c' unrolls to a dense matrix of 1600 × 1444 weights, more than 1000 × 1000",
        ),
    ],
)
def test_refused(act: Any, says: str) -> None:
    assert says in refusal(act)
