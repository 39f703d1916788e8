# SPDX-License-Identifier: Apache-2.0
"""Golden and snnTorch run the same integers: every spike and every potential is equal, no tolerance.

The integers are put into snnTorch's own modules with ``reset_delay=False``. Where the hardware's leak does not truncate
(beta 1, or potentials that stay divisible) these are unmodified; for any other leak only the leak is replaced, by the
shift-and-add written here once more, and everything else is snnTorch's own forward.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hysteron_convert import FloatLayer, FloatNetwork, from_snntorch, quantise
from hysteron_golden import run
from hysteron_spec import Layer, Mode, Network, Potential, Reset
from support.convert import NEEDS_TORCH, run_snntorch, spikes

torch = pytest.importorskip("torch", reason=NEEDS_TORCH)
snn = pytest.importorskip("snntorch", reason=NEEDS_TORCH)
nn = torch.nn

SAMPLES = 100


def shift_and_add(mem: Any, codes: Any, bits: int) -> Any:
    """Sum over the set bits of each code of ``|mem| >> i``, the sign put back: truncation toward zero."""
    size = mem.abs()
    total = torch.zeros_like(mem)
    for shift in range(bits + 1):
        used = torch.bitwise_and(codes >> (bits - shift), 1).to(mem.dtype)
        total = total + used * torch.floor(size / 2**shift)
    return torch.sign(mem) * total


class TruncatingLeaky(snn.Leaky):
    """snnTorch's Leaky with the hardware's leak."""

    codes: Any
    bits: int

    def _base_state_function(self, input_: Any) -> Any:
        return shift_and_add(self.mem, self.codes, self.bits) + input_


class TruncatingRLeaky(snn.RLeaky):
    """snnTorch's RLeaky with the hardware's leak."""

    codes: Any
    bits: int

    def _base_state_function(self, input_: Any) -> Any:
        return shift_and_add(self.mem, self.codes, self.bits) + input_ + self.recurrent(self.spk)


def as_snntorch(network: Network, *, truncating: bool) -> Any:
    """Modules of snnTorch with the integers of ``network`` as weights, biases and thresholds."""
    parts: list[Any] = []
    for layer in network.layers:
        dense = nn.Linear(layer.n_in, layer.n_out)
        dense.weight.data = torch.tensor(layer.weights.T.astype(np.float32))
        dense.bias.data = torch.tensor(layer.biases.astype(np.float32))
        full = 1 << layer.leak_bits
        options = {
            "beta": torch.tensor(layer.leak_codes / full, dtype=torch.float32),
            "threshold": float(layer.theta_high),
            "reset_mechanism": layer.reset.name.lower(),
            "reset_delay": False,
            "init_hidden": True,
        }
        if layer.recurrent is None:
            neuron = (TruncatingLeaky if truncating else snn.Leaky)(**options)
        else:
            neuron = (TruncatingRLeaky if truncating else snn.RLeaky)(linear_features=layer.n_out, **options)
            neuron.recurrent.weight.data = torch.tensor(layer.recurrent.T.astype(np.float32))
            neuron.recurrent.bias.data.zero_()
        neuron.codes, neuron.bits = torch.tensor(layer.leak_codes), layer.leak_bits
        parts += [dense, neuron]
    return nn.Sequential(*parts)  # single precision holds every integer up to 2**24


def assert_equal(network: Network, module: Any, inputs: NDArray[np.uint8]) -> None:
    """All layers, all steps; with spikes in each layer, and no potential at the ends of its range."""
    result = run(network, inputs, trace=True)
    fired, held = run_snntorch(module, inputs)
    assert result.spikes is not None and result.potentials is not None
    for layer, got, want, u, mem in zip(network.layers, result.spikes, fired, result.potentials, held, strict=True):
        assert (got == want).all()
        assert (u == mem).all()
        assert 0.01 < got.mean() < 0.99
        assert layer.reset is not Reset.SUBTRACT or u.max() <= layer.theta_high
        assert network.potential.low < u.min() and u.max() < network.potential.high


def random_layer(rng: np.random.Generator, n_in: int, n_out: int, **options: Any) -> Layer:
    """A layer that fires now and then.

    One that subtracts is never driven by more than θ in a step, so that no spike leaves a potential above θ, where
    snnTorch without delay would ask 2 θ of the next spike (``test_snntorch`` has that case).
    """
    unit, recurrent = options.pop("unit", 1), options.pop("recurrent", False)
    bound = (128 if unit > 8 else 8) // unit
    weights = rng.integers(-bound // 4, bound, (n_in, n_out)) * unit
    loop = rng.integers(-bound // 4, bound // 4, (n_out, n_out)) * unit if recurrent else None
    bias = rng.integers(-1, 2, n_out) * unit
    most = np.maximum(weights, 0).sum(axis=0) + bias + (0 if loop is None else np.maximum(loop, 0).sum(axis=0))
    theta = int(most.max() // (1 if options["reset"] is Reset.SUBTRACT else 3)) // unit * unit
    return Layer(
        weights,
        theta_high=theta,
        bias=bias,
        recurrent=loop,
        mode=Mode.PLAIN,
        weight_bits=8 if unit > 1 else 4,
        **options,
    )


@pytest.mark.parametrize("recurrent", [False, True])
@pytest.mark.parametrize("reset", [Reset.ZERO, Reset.SUBTRACT])
def test_unmodified_with_beta_1(reset: Reset, recurrent: bool) -> None:
    rng = np.random.default_rng(1)
    sizes = ((10, 16), (16, 6))
    network = Network(
        tuple(random_layer(rng, *size, reset=reset, recurrent=recurrent) for size in sizes),
        Potential(16),
    )
    assert_equal(network, as_snntorch(network, truncating=False), spikes(2, SAMPLES, 20, 10, rate=0.7))


@pytest.mark.parametrize(
    ("codes", "unit", "steps"),
    # A leak by k/8 needs potentials divisible by 2 (k = 4), 4 (2, 6) or 8 in each of the steps but the last.
    [((0, 4, 8), 32, 6), ((0, 2, 4, 6, 8), 64, 4), (tuple(range(9)), 64, 3)],
)
@pytest.mark.parametrize("reset", [Reset.ZERO, Reset.SUBTRACT])
def test_unmodified_with_leaks_that_never_truncate(reset: Reset, codes: tuple[int, ...], unit: int, steps: int) -> None:
    rng = np.random.default_rng(3)
    network = Network((random_layer(rng, 12, 18, reset=reset, unit=unit, leak=rng.choice(codes, 18)),), Potential(16))
    assert_equal(network, as_snntorch(network, truncating=False), spikes(4, SAMPLES, steps, 12, rate=0.8))


@pytest.mark.parametrize("recurrent", [False, True])
@pytest.mark.parametrize("reset", [Reset.ZERO, Reset.SUBTRACT])
@pytest.mark.parametrize("bits", [1, 3, 8])
def test_any_leak_with_only_the_leak_replaced(bits: int, reset: Reset, recurrent: bool) -> None:
    rng = np.random.default_rng(5 + bits)
    full = 1 << bits

    def one(n_in: int, n_out: int) -> Layer:
        codes = rng.integers(full // 2, full, n_out, endpoint=True)
        return random_layer(rng, n_in, n_out, reset=reset, recurrent=recurrent, leak=codes, leak_bits=bits)

    network = Network((one(10, 16), one(16, 6)), Potential(16))
    module = as_snntorch(network, truncating=True)
    assert_equal(network, module, spikes(6, SAMPLES, 25, 10, rate=0.7))
    # The leak does truncate: snnTorch with exact factors would do something else.
    if bits > 1:
        exact, _ = run_snntorch(as_snntorch(network, truncating=False), spikes(6, SAMPLES, 25, 10, rate=0.7))
        truncated, _ = run_snntorch(module, spikes(6, SAMPLES, 25, 10, rate=0.7))
        assert any((a != b).any() for a, b in zip(exact, truncated, strict=True))


@pytest.mark.parametrize("recurrent", [False, True])
def test_integers_of_a_quantised_network(recurrent: bool) -> None:
    """From float weights through quantising; then the same integers in snnTorch."""
    rng = np.random.default_rng(8)

    def one(n_in: int, n_out: int, name: str) -> FloatLayer:
        return FloatLayer(
            name,
            rng.normal(0.1, 0.3, (n_in, n_out)),
            rng.normal(0, 0.1, n_out),
            np.full(n_out, 0.9),
            np.ones(n_out),
            Reset.ZERO,
            recurrent=rng.normal(0, 0.3, (n_out, n_out)) if recurrent else None,
        )

    wanted = FloatNetwork((one(12, 20, "a"), one(20, 6, "b")))
    network = quantise(wanted, spikes(9, 64, 20, 12)).network
    assert_equal(network, as_snntorch(network, truncating=True), spikes(10, SAMPLES, 20, 12))


def test_importing_the_integers_changes_nothing() -> None:
    """The modules with the integers, imported, are the network they were made of."""
    rng = np.random.default_rng(11)
    network = Network(tuple(random_layer(rng, *size, reset=Reset.ZERO, recurrent=True) for size in ((10, 16), (16, 6))))
    back = quantise(from_snntorch(as_snntorch(network, truncating=False)))
    assert back.rounding.exact
    for one, two in zip(network.layers, back.network.layers, strict=True):
        for name in ("weights", "recurrent", "bias", "leak", "theta_high", "reset", "mode"):
            assert np.array_equal(getattr(one, name), getattr(two, name)), name
