# SPDX-License-Identifier: Apache-2.0
"""The trainable layer: forwards what golden does, bit for bit; backwards the gradients that its text promises."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest

from hysteron_base.errors import HysteronError
from hysteron_golden import run
from hysteron_spec import Coding, Encoder, Layer, Mode, Network, Potential, Reset
from hysteron_spec.neuron import weight_range
from support.train import NEEDS_TORCH, spikes

torch = pytest.importorskip("torch", reason=NEEDS_TORCH)

from hysteron_train.layers import SpikingLayer  # noqa: E402 (it needs torch)

SAMPLES, STEPS, N_IN, N_OUT = 5, 9, 12, 10


def random_layer(
    seed: int, *, bits: int = 4, leak_bits: int = 3, potential: Potential, recurrent: float, direct: bool, **rest: Any
) -> SpikingLayer:
    """A layer whose parameters are fractions in and beyond their formats; some of its neurons must saturate."""
    torch.manual_seed(seed)
    reach = int(abs(weight_range(bits, unit=False)[0]) * N_IN**0.5 * (128 if direct else 1))
    high = min(reach // 2 + 1, potential.high * 3 // 4)
    layer = SpikingLayer(
        N_IN,
        N_OUT,
        leak=torch.rand(N_OUT),
        theta_high=high,
        theta_low=-(high // 3) if potential.signed and seed % 2 else high // 3,
        potential=potential,
        spread=0.0,
        recurrent=recurrent,
        weight_bits=bits,
        bias_bits=18,
        leak_bits=leak_bits,
        armed_gradient=bool(seed % 2),
        **rest,
    )
    low, top = weight_range(bits, unit=False)
    with torch.no_grad():
        layer.weights.uniform_(low - 1.4, top + 1.4)
        layer.bias.uniform_(-reach / 4, reach / 4)
        # The first neuron saturates below, the second fires at once and may saturate above.
        layer.leak[:2] = 1.0
        layer.bias[:2] = torch.tensor([-0.8, 0.8]) * potential.high
        layer.weights[:, :2] = layer.weights[:, :2].abs() * torch.tensor([-1.0, 1.0])
        if layer.recurrent is not None:
            layer.recurrent.uniform_(low - 1.4, top + 1.4)
    return layer


def golden(layer: Layer, potential: Potential, inputs: Any) -> tuple[Any, Any]:
    """Spikes and potentials of ``layer`` alone, for spikes or, if they have no steps, for currents."""
    encoder = Encoder(Coding.DIRECT, STEPS) if inputs.ndim == 2 else None
    result = run(Network((layer,), potential, encoder), inputs, trace=True)
    assert result.spikes is not None and result.potentials is not None
    return result.spikes[0], result.potentials[0]


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("reset", Reset)
@pytest.mark.parametrize("mode", Mode)
def test_the_exact_layer_equals_golden(mode: Mode, reset: Reset, bits: int) -> None:
    """Over leak widths, potentials that saturate, recurrence and currents."""
    feeds = itertools.cycle([(0.0, False), (0.5, False), (1.0, True), (1.0, False), (0.0, True)])
    seed = int(mode) * 31 + int(reset) * 7 + bits
    for potential, leak_bits in itertools.product((Potential(16), Potential(8, signed=False)), (1, 3, 6)):
        recurrent, direct = next(feeds)
        seed += 1
        # A weight of 1 bit cannot be 0, which an absent connection would be.
        recurrent = math.ceil(recurrent) if bits == 1 else recurrent
        layer = random_layer(
            seed, bits=bits, leak_bits=leak_bits, potential=potential, recurrent=recurrent, direct=direct,
            mode=mode, reset=reset,
        )  # fmt: skip
        exported = layer.export()
        if direct:
            inputs = np.random.default_rng(seed).integers(0, 256, (SAMPLES, N_IN), dtype=np.uint8)
            given = torch.from_numpy(inputs).float()[:, None]
        else:
            inputs = spikes(seed, SAMPLES, STEPS, N_IN)
            given = torch.from_numpy(inputs).float()
        mine, potentials = layer(given, STEPS)
        want, wanted_potentials = golden(exported, potential, inputs)
        assert np.array_equal(mine.detach().numpy(), want)
        assert np.array_equal(potentials.detach().numpy(), wanted_potentials)
        # The case tests something: potentials saturate, and there are spikes.
        assert not np.array_equal(golden(exported, Potential(24), inputs)[1], wanted_potentials)
        assert want.any() and not want.all()


def test_connections_that_do_not_exist_stay_0() -> None:
    layer = random_layer(3, potential=Potential(16), recurrent=0.3, direct=False)
    assert layer.recurrent is not None and layer.recurrent.detach().abs().min() > 0
    exported = layer.export().recurrent
    assert exported is not None
    absent = layer.connected.numpy() == 0
    assert 0.5 < absent.mean() < 0.9
    assert not exported[absent].any() and exported[~absent].any()


def test_the_fraction_of_connections() -> None:
    layer = SpikingLayer(1, 100, leak=torch.ones(100), theta_high=1, potential=Potential(16), spread=1.0, recurrent=0.2)
    assert float(layer.connected.mean()) == pytest.approx(0.2, abs=0.02)


def test_weights_of_1_bit_are_never_0() -> None:
    layer = random_layer(3, bits=1, potential=Potential(16), recurrent=1.0, direct=False)
    with torch.no_grad():
        layer.weights[0, :5] = torch.tensor([0.0, -0.0, 0.3, -0.3, -9.0])
    exported = layer.export()
    assert exported.weights[0, :5].tolist() == [1, 1, 1, -1, -1]
    assert exported.recurrent is not None
    assert set(np.unique(exported.weights)) == set(np.unique(exported.recurrent)) == {-1, 1}


def test_sparse_recurrence_of_1_bit_has_no_layer_in_hardware() -> None:
    """The recipe refuses it before anything is trained; see test_recipe."""
    layer = random_layer(3, bits=1, potential=Potential(16), recurrent=0.5, direct=False)
    with pytest.raises(HysteronError, match=r"recurrent\[.*\] must be -1 or 1 with 1 weight bits, not 0"):
        layer.export()


def test_a_read_out_only_integrates() -> None:
    layer = SpikingLayer(
        3, 2, leak=torch.ones(2), theta_high=127, mode=Mode.PLAIN, reset=Reset.NONE, potential=Potential(8), spread=9.0
    )
    assert not layer.fires
    fired, potentials = layer(torch.ones(1, 40, 3) * torch.tensor([1.0, 1.0, 0.0]), 40)
    assert fired.shape == potentials.shape == (1, 40, 2) and not fired.any()
    total = layer.export().weights[:2].sum(0)
    assert potentials[0, :, 0].tolist() == np.clip(total[0] * np.arange(1, 41), -128, 127).tolist()
    assert SpikingLayer(3, 2, leak=torch.ones(2), theta_high=126, potential=Potential(8), spread=1.0).fires


def test_export_rounds_to_the_nearest() -> None:
    layer = random_layer(4, potential=Potential(16), recurrent=0.0, direct=False, mode=Mode.WINDOW, reset=Reset.NONE)
    with torch.no_grad():
        layer.weights[0, :4] = torch.tensor([2.6, -2.6, 11.0, -11.0])
        layer.bias[:2] = torch.tensor([-3.7, 3.4])
        layer.leak[:5] = torch.tensor([0.0, 0.05, 0.3, 0.95, 1.0])
    exported = layer.export()
    assert exported.weights[0, :4].tolist() == [3, -3, 7, -8]
    assert exported.biases[:2].tolist() == [-4, 3]
    assert exported.leak_codes[:5].tolist() == [0, 0, 2, 8, 8]
    assert (exported.mode, exported.reset, exported.weight_bits) == (Mode.WINDOW, Reset.NONE, 4)
    assert exported.recurrent is None


@pytest.mark.parametrize(("scale", "high", "low"), [(0.25, 10, 3), (0.5, 20, 6), (0.3, 12, 4)])
def test_annealed_thresholds(scale: float, high: int, low: int) -> None:
    """While thresholds are scaled the layer is the golden layer with these thresholds, rounded."""
    layer = SpikingLayer(
        N_IN, N_OUT, leak=torch.full((N_OUT,), 0.5), theta_high=40, theta_low=12, potential=Potential(16), spread=5.0,
        reset=Reset.SUBTRACT,
    )  # fmt: skip
    layer.theta_scale = scale
    exported = layer.export()
    assert (exported.theta_high, exported.theta_low) == (40, 12)
    inputs = spikes(8, 20, STEPS, N_IN)
    mine, potentials = layer(torch.from_numpy(inputs).float(), STEPS)
    scaled = Layer(
        exported.weights, high, low, exported.leak_codes, exported.biases, mode=Mode.LATCH, reset=Reset.SUBTRACT
    )
    want, wanted_potentials = golden(scaled, Potential(16), inputs)
    assert want.any() and np.array_equal(mine.detach().numpy(), want)
    assert np.array_equal(potentials.detach().numpy(), wanted_potentials)
    assert not np.array_equal(want, golden(exported, Potential(16), inputs)[0])


@pytest.mark.parametrize("recurrent", [0.0, 0.5])
def test_the_float_twin_rounds_nothing(recurrent: float) -> None:
    """It follows a plain loop over fractions, outside of every format too."""
    layer = random_layer(
        5, potential=Potential(8), recurrent=recurrent, direct=False, mode=Mode.PLAIN, reset=Reset.SUBTRACT, exact=False
    )
    layer.theta_scale = 0.31
    with torch.no_grad():
        layer.weights *= 4
    weights, bias, leak = (p.detach().double().numpy() for p in (layer.weights, layer.bias, layer.leak))
    back = np.zeros((N_OUT, N_OUT))
    if layer.recurrent is not None:
        back = (layer.recurrent * layer.connected).detach().double().numpy()
    inputs = spikes(9, SAMPLES, STEPS, N_IN)
    mine, potentials = (values.detach().numpy() for values in layer(torch.from_numpy(inputs).float(), STEPS))
    u = fired = np.zeros((SAMPLES, N_OUT))
    largest = 0.0
    for t in range(STEPS):
        u = u * leak + inputs[:, t] @ weights + bias + fired @ back
        largest = max(largest, float(np.abs(u).max()))
        fired = (u > 0.31 * layer.theta_high).astype(float)
        u = u - fired * 0.31 * layer.theta_high
        assert np.array_equal(mine[:, t], fired)
        assert np.allclose(potentials[:, t], u, atol=1e-3)
    assert mine.any() and largest > 255


# -- gradients -------------------------------------------------------------------------------------------------


def one_neuron(weight: float = 1.0, **changes: Any) -> SpikingLayer:
    """One neuron that, unless told otherwise, keeps its potential, fires above 10 and is never reset."""
    settings: dict[str, Any] = {
        "leak": torch.ones(1), "theta_high": 10, "theta_low": 4, "mode": Mode.PLAIN, "reset": Reset.NONE,
        "potential": Potential(16), "spread": 1.0, "slope_width": 5.0, "bias_bits": 16,
    }  # fmt: skip
    layer = SpikingLayer(1, 1, **(settings | changes))
    with torch.no_grad():
        layer.weights.fill_(weight)
        if layer.recurrent is not None:
            layer.recurrent.fill_(3.0)
    return layer


def current(value: float) -> Any:
    return torch.full((1, 1, 1), float(value))


def slope(u: float, theta: float, width: float = 5.0) -> float:
    """Of ``sigmoid((u - theta) / width)`` at ``u``."""
    s = 1 / (1 + math.exp(-(u - theta) / width))
    return s * (1 - s) / width


@pytest.mark.parametrize("u", [-20, 0, 9, 10, 11, 25])
@pytest.mark.parametrize("width", [2.0, 5.0])
def test_the_surrogate_gradient_is_the_slope_of_a_sigmoid(u: int, width: float) -> None:
    layer = one_neuron(slope_width=width)
    fired, _ = layer(current(u), 1)
    assert fired.item() == (u > 10)
    fired.sum().backward()
    assert layer.bias.grad.item() == pytest.approx(slope(u, 10, width), rel=1e-3)
    assert layer.weights.grad.item() == pytest.approx(u * slope(u, 10, width), rel=1e-3)


@pytest.mark.parametrize(("weight", "free", "held"), [(-7, -70, 0), (7, 350, 255)])
def test_the_surrogate_gradient_is_that_of_the_potential_before_it_saturates(weight: int, free: int, held: int) -> None:
    layer = one_neuron(weight, potential=Potential(8, signed=False), slope_width=100.0)
    fired, potentials = layer(current(abs(free / weight)), 1)
    assert potentials.item() == held
    fired.sum().backward()
    assert layer.bias.grad.item() == pytest.approx(slope(free, 10, 100), rel=1e-3)


@pytest.mark.parametrize(
    ("bits", "weight", "used"), [(4, 2.7, 3), (4, 9.3, 7), (4, -9.3, -8), (1, 0.2, 1), (1, -7, -1)]
)
def test_rounding_and_saturation_pass_the_gradient_straight_through(bits: int, weight: float, used: int) -> None:
    layer = one_neuron(weight, weight_bits=bits, potential=Potential(8))
    with torch.no_grad():
        layer.bias.fill_(0.4)
    _, potentials = layer(current(50.0), 1)
    assert potentials.item() == np.clip(50 * used, -128, 127)
    potentials.sum().backward()
    assert (layer.weights.grad.item(), layer.bias.grad.item()) == (50, 1)


def test_the_leak_passes_the_gradient_straight_through() -> None:
    """Forwards the code's truncated terms, backwards the factor itself."""
    layer = one_neuron(-3.0, leak=torch.tensor([0.7]), learn_leak=True)
    _, potentials = layer(current(5.0), 2)
    # Code 6 of 8: 15 >> 1 and 15 >> 2, both truncated.
    assert potentials.flatten().tolist() == [-15, -15 - 7 - 3]
    potentials[0, 1].sum().backward()
    assert layer.leak.grad.item() == -15
    assert layer.bias.grad.item() == pytest.approx(1.7)
    assert layer.weights.grad.item() == pytest.approx(5 * 1.7)
    assert not one_neuron().leak.requires_grad


@pytest.mark.parametrize(
    ("reset", "expected"),
    [(Reset.NONE, 1.0), (Reset.SUBTRACT, 1 - 10 * slope(14, 10)), (Reset.ZERO, -14 * slope(14, 10))],
)
def test_the_reset_passes_the_gradient(reset: Reset, expected: float) -> None:
    layer = one_neuron(reset=reset)
    _, potentials = layer(current(14.0), 1)
    assert potentials.item() == {Reset.NONE: 14, Reset.SUBTRACT: 4, Reset.ZERO: 0}[reset]
    potentials.sum().backward()
    assert layer.bias.grad.item() == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("mode", [Mode.LATCH, Mode.WINDOW])
@pytest.mark.parametrize("armed_gradient", [False, True])
def test_the_armed_flag_passes_the_gradient_if_asked(mode: Mode, armed_gradient: bool) -> None:
    """The first step fires and disarms, so the second cannot fire; only the flag connects them (the leak is 0)."""
    layer = one_neuron(mode=mode, armed_gradient=armed_gradient, leak=torch.zeros(1))
    fired, _ = layer(current(14.0), 2)
    assert fired.flatten().tolist() == [1, 0]
    fired[0, 1].sum().backward()
    # The flag falls as the first potential rises: over theta_high for the spike, over theta_low for the re-arming.
    # In window mode the potential was not below theta_low anyway, so the spike makes no difference.
    low = slope(14, 3.5)
    through = -(low + slope(14, 10)) if mode is Mode.LATCH else 0.0
    assert layer.bias.grad.item() == pytest.approx(through if armed_gradient else 0.0, rel=1e-3)


@pytest.mark.parametrize(("truncate", "steps_back"), [(0, 6), (1, 1), (2, 2), (4, 2), (5, 1), (6, 6), (9, 6)])
def test_truncation_cuts_the_gradient_of_the_potential(truncate: int, steps_back: int) -> None:
    """The last potential is the sum of 6 biases; those before the cut count no more."""
    layer = one_neuron(theta_high=(1 << 15) - 1)
    _, potentials = layer(current(2.0), 6, truncate)
    assert potentials[0, 5].item() == 12
    potentials[0, 5].sum().backward()
    assert layer.bias.grad.item() == steps_back


def test_truncation_cuts_the_gradient_of_recurrent_spikes_and_of_the_armed_flag() -> None:
    for truncate, expected in ((0, 1 + 3 * slope(14, 10)), (1, 1.0)):
        layer = one_neuron(recurrent=1.0, leak=torch.zeros(1))
        _, potentials = layer(current(14.0), 2, truncate)
        assert potentials[0, 1].item() == 17
        potentials[0, 1].sum().backward()
        assert layer.bias.grad.item() == pytest.approx(expected, rel=1e-3)
    layer = one_neuron(mode=Mode.LATCH, armed_gradient=True, leak=torch.zeros(1))
    fired, _ = layer(current(14.0), 2, 1)
    fired[0, 1].sum().backward()
    assert layer.bias.grad.item() == 0


# -- clipping --------------------------------------------------------------------------------------------------


def beyond(**changes: Any) -> SpikingLayer:
    """A neuron all of whose parameters lie outside of their formats."""
    layer = one_neuron(20.0, recurrent=1.0, **({"bias_bits": 5} | changes))
    with torch.no_grad():
        layer.recurrent.fill_(-20.0)
        layer.bias.fill_(40.0)
        layer.leak.fill_(1.2)
    return layer


def parameters(layer: SpikingLayer) -> list[float]:
    return [p.item() for p in (layer.weights, layer.recurrent, layer.bias, layer.leak)]


def test_clip_pulls_everything_into_its_range() -> None:
    layer = beyond()
    layer.clip_()
    assert parameters(layer) == [7, -8, 15, 1]
    with torch.no_grad():
        layer.bias.fill_(-40.0)
        layer.leak.fill_(-0.1)
    layer.clip_()
    assert parameters(layer) == [7, -8, -16, 0]


def test_clip_may_leave_the_weights() -> None:
    layer = beyond()
    layer.clip_(weights=False)
    assert parameters(layer) == [20, -20, 15, 1]


def test_clip_leaves_the_float_twin_but_its_leak() -> None:
    layer = beyond(exact=False)
    layer.clip_()
    assert parameters(layer) == [20, -20, 40, 1]


def test_a_core_without_biases() -> None:
    layer = beyond(bias_bits=0)
    assert not layer.bias.requires_grad
    layer.clip_()
    assert layer.export().biases.tolist() == [0]
