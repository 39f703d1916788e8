# SPDX-License-Identifier: Apache-2.0
"""The float network: with integers and a leak that does not truncate it is golden, in every mode and reset."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hysteron_convert import FloatLayer, FloatNetwork, Timing
from hysteron_convert.model import run_layer
from hysteron_golden import run
from hysteron_spec import Layer, Mode, Network, Potential, Readout, Reset
from support.convert import spikes
from support.networks import random_network


def as_float(network: Network) -> FloatNetwork:
    """The same network in floats."""

    def one(index: int, layer: Layer) -> FloatLayer:
        return FloatLayer(
            f"n{index}",
            layer.weights.astype(float),
            layer.biases.astype(float),
            layer.leak_codes / (1 << layer.leak_bits),
            np.full(layer.n_out, float(layer.theta_high)),
            layer.reset,
            recurrent=None if layer.recurrent is None else layer.recurrent.astype(float),
            mode=layer.mode,
            theta_low=float(layer.theta_low),
        )

    layers = tuple(one(index, layer) for index, layer in enumerate(network.layers))
    return FloatNetwork(layers, network.encoder, network.readout)


@pytest.mark.parametrize("seed", range(30))
def test_it_is_golden_where_nothing_is_rounded(seed: int) -> None:
    rng = np.random.default_rng(seed)
    network = random_network(
        rng,
        (7, 9, 5),
        potential=Potential(24),
        bits=4,
        mode=Mode(seed % 3),
        reset=Reset(seed // 3 % 3),
        bias=3,
        others=False,  # the float model has no others
    )
    layers = []
    for layer in network.layers:
        full = 1 << layer.leak_bits
        layers.append(replace(layer, leak=np.where(rng.random(layer.n_out) < 0.5, 0, full)))
    network = replace(network, layers=tuple(layers))
    inputs = spikes(seed, 20, 12, 7)
    got, want = as_float(network).run(inputs, trace=True), run(network, inputs, trace=True)
    assert got.spikes is not None and want.spikes is not None
    assert got.potentials is not None and want.potentials is not None
    for a, b in zip(got.spikes, want.spikes, strict=True):
        assert (a == b).all()
    for u, v in zip(got.potentials, want.potentials, strict=True):
        assert (u == v).all()
    assert (got.values == want.values).all()
    assert (got.predictions == want.predictions).all()
    assert np.allclose(got.rates, want.events[:, 1:].mean(axis=0) / (12 * np.array([9, 5])))


def test_chunks_are_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    network = as_float(random_network(np.random.default_rng(1), (7, 9, 5), readout=Readout.COUNT))
    inputs = spikes(1, 23, 6, 7)
    whole = network.run(inputs, trace=True)
    monkeypatch.setattr("hysteron_convert.model._ELEMENTS", 6 * 9 * 5)
    shares: list[float] = []
    parts = network.run(inputs, trace=True, progress=shares.append)
    assert len(shares) == 5 and shares[-1] == 1
    assert (parts.values == whole.values).all() and parts.rates == whole.rates
    assert parts.spikes is not None and whole.spikes is not None
    assert all((a == b).all() for a, b in zip(parts.spikes, whole.spikes, strict=True))


def test_timings_by_hand() -> None:
    """β = 1/2, θ = 1, subtract; input 3, then 2, then nothing.

    Same step: 3 fires → 2; 1 + 2 = 3 fires → 2; 1 is not above 1. Guarded: after u = 2 > 1 θ is taken first: 3 - 1 = 2
    fires and stays 2; 1 - 1 = 0 does not fire, θ comes back: 1. Next step: 3 fires, stays; 1.5 + 2 - 1 = 2.5 fires;
    1.25 - 1 = 0.25.
    """

    def trace(timing: Timing, reset: Reset = Reset.SUBTRACT) -> tuple[list[int], list[float]]:
        layer = FloatLayer("n", np.ones((1, 1)), np.zeros(1), np.full(1, 0.5), np.ones(1), reset, timing)
        drive = np.array([[[3.0], [2.0], [0.0]]])
        fired, held = run_layer(layer, drive, 3)
        return fired.astype(int).ravel().tolist(), held.ravel().tolist()

    assert trace(Timing.SAME_STEP) == ([1, 1, 0], [2, 2, 1])
    assert trace(Timing.SAME_STEP_GUARDED) == ([1, 1, 0], [2, 2, 1])
    assert trace(Timing.NEXT_STEP) == ([1, 1, 0], [3, 2.5, 0.25])
    assert trace(Timing.NEXT_STEP_BLANKING) == ([1, 1, 0], [3, 2.5, 0.25])
    assert trace(Timing.SAME_STEP, Reset.ZERO) == ([1, 1, 0], [0, 0, 0])
    assert trace(Timing.NEXT_STEP, Reset.ZERO) == ([1, 1, 0], [3, 2, 0])
    assert trace(Timing.NEXT_STEP_BLANKING, Reset.ZERO) == ([1, 0, 0], [3, 0, 0])
    assert trace(Timing.SAME_STEP, Reset.NONE) == ([1, 1, 1], [3, 3.5, 1.75])
