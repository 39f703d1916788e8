# SPDX-License-Identifier: Apache-2.0
"""From float to integers: what is exact stays, what is rounded is reported, and the scale that is chosen is good."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from hysteron_convert import FloatLayer, FloatNetwork, Timing, quantise
from hysteron_convert.candidates import Format, exact_candidate, leak_codes, make_candidate, normalise
from hysteron_convert.leaks import leak_in_effect, nearest_codes, shifted_sums
from hysteron_convert.report import LeakRounding, leak_text, leaks_of
from hysteron_convert.search import mismatch
from hysteron_golden import run
from hysteron_spec import Coding, Encoder, Mode, Potential, Readout, Reset
from support.convert import spikes
from support.networks import assert_same
from support.refusal import refusal


def float_layer(seed: int, n_in: int, n_out: int, **changes: Any) -> FloatLayer:
    """A layer with normally distributed weights that fires now and then."""
    rng = np.random.default_rng(seed)
    fields: dict[str, Any] = {
        "name": f"n{seed}",
        "weights": rng.normal(0.05, 0.3, (n_in, n_out)),
        "bias": rng.normal(0, 0.05, n_out),
        "beta": np.full(n_out, 0.875),
        "threshold": np.ones(n_out),
        "reset": Reset.ZERO,
    }
    return FloatLayer(**(fields | changes))


def float_network(**changes: Any) -> FloatNetwork:
    return FloatNetwork((float_layer(1, 20, 30), float_layer(2, 30, 10)), **changes)


SAMPLES = spikes(3, 64, 12, 20, rate=0.3)
TESTS = spikes(4, 200, 12, 20, rate=0.3)


def integers(layer: FloatLayer, factor: float, rng: np.random.Generator) -> FloatLayer:
    """``layer`` with integer weights and threshold, all times ``factor``."""
    return replace(
        layer,
        weights=rng.integers(-8, 8, layer.weights.shape) * factor,
        bias=rng.integers(-20, 20, layer.n_out) * factor,
        threshold=np.full(layer.n_out, 30 * factor),
    )


def test_integers_stay_as_they_are() -> None:
    rng = np.random.default_rng(5)
    layers = tuple(integers(layer, 1.0, rng) for layer in float_network().layers)
    quantised = quantise(FloatNetwork(layers), SAMPLES)
    assert quantised.rounding.exact
    for layer, got in zip(layers, quantised.network.layers, strict=True):
        assert (got.weights == layer.weights).all() and (got.biases == layer.bias).all()
        assert got.theta_high == 30 and set(got.leak_codes) == {7} and got.mode is Mode.PLAIN
    # What float32 in a file leaves of integers is still an integer.
    near = tuple(replace(layer, weights=layer.weights * (1 + 1e-6)) for layer in layers)
    assert_same(quantise(FloatNetwork(near), SAMPLES).network, quantised.network)


@pytest.mark.parametrize(
    ("change", "bits"),
    [
        ({"threshold": np.full(30, 30.5)}, 4),
        ({"threshold": np.full(30, 40000.0)}, 4),
        ({"beta": np.full(30, 0.9)}, 4),
        ({"bias": np.full(30, 0.5)}, 4),
        ({}, 2),
        ({}, 1),
    ],
)
def test_what_is_no_integer_that_fits_is_not_exact(change: dict[str, Any], bits: int) -> None:
    layer = replace(integers(float_layer(1, 20, 30), 1.0, np.random.default_rng(5)), **change)
    assert exact_candidate(normalise(layer, False), Format(weight_bits=bits, bias_bits=32)) is None


def test_the_unit_of_the_potential_does_not_matter() -> None:
    """A network in volts or in millivolts becomes the same integers."""
    network = float_network()

    def scaled(layer: FloatLayer, factor: float) -> FloatLayer:
        return replace(
            layer, weights=layer.weights * factor, bias=layer.bias * factor, threshold=layer.threshold * factor
        )

    milli = replace(network, layers=tuple(scaled(layer, 1024.0) for layer in network.layers))
    assert_same(quantise(network, SAMPLES).network, quantise(milli, SAMPLES).network)


def agreement(network: FloatNetwork, calibration: Any, bits: int) -> float:
    """Share of the last layer's spikes, and silences, that quantising leaves as they were."""
    quantised = quantise(network, calibration, weight_bits=bits).network
    assert all(layer.weight_bits == bits for layer in quantised.layers)
    wanted, got = network.run(TESTS, trace=True), run(quantised, TESTS, trace=True)
    assert wanted.spikes is not None and got.spikes is not None
    assert 0.05 < wanted.spikes[1].mean() < 0.6
    return float(np.mean(wanted.spikes[1] == got.spikes[1]))


def test_more_bits_come_closer() -> None:
    shares = [agreement(float_network(), SAMPLES, bits) for bits in (1, 2, 4, 8)]
    # With 1 and with 2 bits it is the same.
    assert shares[1:] == sorted(shares[1:]) and shares[0] < shares[2] and shares[0] > 0.65 and shares[3] > 0.95


def test_calibration_is_better_than_weights_alone() -> None:
    """With a few large weights, clipping those is better than holding them."""
    layers = float_network().layers
    weights = layers[0].weights.copy()
    weights[0, :5] = 3.0
    network = FloatNetwork((replace(layers[0], weights=weights), layers[1]))
    assert agreement(network, SAMPLES, 4) > agreement(network, None, 4) + 0.01


def test_the_same_again() -> None:
    one, two = (quantise(float_network(), SAMPLES, weight_bits=2) for _ in range(2))
    assert_same(one.network, two.network)
    assert one.rounding == two.rounding


def test_recurrent_weights_share_the_scale() -> None:
    layer = float_layer(1, 20, 30, recurrent=np.random.default_rng(6).normal(0, 0.2, (30, 30)))
    quantised = quantise(FloatNetwork((layer,)), SAMPLES, weight_bits=8)
    got, report = quantised.network.layers[0], quantised.rounding.layers[0]
    assert got.recurrent is not None and report.recurrent is not None
    assert np.abs(got.recurrent / report.scale - layer.recurrent).max() < 1 / report.scale
    assert report.agreement is not None and report.agreement > 0.95


def test_thresholds_of_each_neuron_are_folded() -> None:
    """Doubling a neuron's threshold, weights and bias changes no spike; nor does it change the integers."""
    plain = float_layer(1, 20, 30)
    factor = np.where(np.arange(30) % 2, 1.0, 0.5)
    other = replace(plain, weights=plain.weights * factor, bias=plain.bias * factor, threshold=plain.threshold * factor)
    one, two = (quantise(FloatNetwork((layer,)), SAMPLES) for layer in (plain, other))
    assert_same(one.network, two.network)
    assert two.rounding.layers[0].threshold is None
    assert "thresholds 0.5 … 1 are folded into the weights" in two.rounding.remarks[0]


def test_potentials_that_are_read_keep_their_order() -> None:
    network = FloatNetwork(
        (float_layer(1, 20, 30), float_layer(2, 30, 10, threshold=np.full(10, np.inf), reset=Reset.NONE)),
        readout=Readout.POTENTIAL,
    )
    quantised = quantise(network, SAMPLES, weight_bits=8)
    last = quantised.network.layers[1]
    assert last.theta_high == quantised.network.potential.high
    assert np.mean(run(quantised.network, TESTS).predictions == network.run(TESTS).predictions) > 0.9
    assert quantised.rounding.layers[1].agreement is not None


def test_a_threshold_of_0_leaves_the_scale_free() -> None:
    layer = float_layer(1, 20, 30, threshold=np.zeros(30), beta=np.zeros(30))
    got = quantise(FloatNetwork((layer,)), SAMPLES, weight_bits=8)
    assert got.network.layers[0].theta_high == 0
    assert got.rounding.layers[0].agreement is not None and got.rounding.layers[0].agreement > 0.97


@pytest.mark.parametrize("coding", [Coding.DIRECT, Coding.RATE, Coding.LEVEL, Coding.LATENCY])
def test_pixels(coding: Coding) -> None:
    """Trained on normalised pixels; the pixel, or its spikes, go in."""
    rng = np.random.default_rng(7)
    images = rng.integers(0, 256, (100, 20), dtype=np.uint8)
    encoder = {
        Coding.DIRECT: Encoder(Coding.DIRECT, 8),
        Coding.RATE: Encoder(Coding.RATE, 8, seed=3),
        Coding.LEVEL: Encoder(Coding.LEVEL, 8, tuple(range(16, 256, 32))),
        Coding.LATENCY: Encoder.latency(8),
    }[coding]
    network = float_network().with_input(encoder, mean=0.25, std=0.5)
    if coding is Coding.DIRECT:
        x = (images / 255 - 0.25) / 0.5
        want = x @ float_network().layers[0].weights + float_network().layers[0].bias
        have = images @ network.layers[0].weights + network.layers[0].bias
        assert np.allclose(want, have, rtol=1e-12, atol=1e-12)
    quantised = quantise(network, images, weight_bits=8)
    assert quantised.network.encoder == encoder
    share = quantised.rounding.layers[1].agreement
    assert share is not None and share > 0.8


def test_no_biases() -> None:
    quantised = quantise(float_network(), SAMPLES, bias_bits=0)
    assert all(not layer.biases.any() for layer in quantised.network.layers)
    assert "biases do not fit 0 bits" in " ".join(quantised.rounding.remarks)


def test_progress_reaches_the_end() -> None:
    shares: list[float] = []
    quantise(float_network(), SAMPLES, progress=shares.append)
    assert shares == sorted(shares) and shares[-1] == 1 and len(shares) > 40


def test_hysteresis_scales_along() -> None:
    layer = float_layer(1, 20, 30, mode=Mode.LATCH, theta_low=0.25)
    quantised = quantise(FloatNetwork((layer,)), SAMPLES, weight_bits=8)
    got = quantised.network.layers[0]
    assert got.mode is Mode.LATCH
    assert abs(got.theta_low / got.theta_high - 0.25) < 0.01
    assert quantised.rounding.layers[0].agreement is not None and quantised.rounding.layers[0].agreement > 0.97


# -- small and large numbers ------------------------------------------------------------------------------------


def integrator(weights: Any, threshold: float = 1.0, **changes: Any) -> FloatNetwork:
    """A layer that keeps its potentials and adds up ``weights``."""
    values = np.asarray(weights, np.float64)
    n = values.shape[1]
    layer = FloatLayer("if", values, np.zeros(n), np.ones(n), np.full(n, threshold))
    return FloatNetwork((replace(layer, **changes),))


@pytest.mark.parametrize("dt", [1.0, 1e-2, 1e-3, 1e-4])
@pytest.mark.parametrize("calibrated", [False, True])
def test_small_weights_are_no_zeros(dt: float, calibrated: bool) -> None:
    """Sums of weights times dt against threshold 1: however small, they reach it, and as often as in NumPy."""
    rng = np.random.default_rng(1)
    network = integrator(dt * rng.uniform(-0.2, 0.9, (20, 5)))
    inputs = spikes(9, 8, 3000, 20, rate=0.5)
    v, want = np.zeros((8, 5)), 0
    for t in range(3000):
        v += inputs[:, t] @ network.layers[0].weights
        want += int((v > 1).sum())
        v[v > 1] = 0
    quantised = quantise(network, inputs[:4] if calibrated else None, weight_bits=8)
    # At the smallest, weights of 16 bits of potential are -1 to 3, which only a calibration balances.
    slack = 0.02 if calibrated or dt > 1e-4 else 0.5
    got = run(quantised.network, inputs).events[0:, 1].sum()
    assert not quantised.rounding.exact and want > 0 and abs(int(got) - want) <= slack * want + 1


@pytest.mark.parametrize(
    "change",
    [
        {"weights": np.full((20, 5), 5e-5)},
        {"weights": np.repeat([[3.0, 3.0, 3.0, 3.0, 5e-5]], 20, axis=0)},  # one neuron that only seems to be 0
        {"bias": np.full(5, 5e-5), "weights": np.zeros((20, 5))},
        {"recurrent": np.full((5, 5), 5e-5)},
        {"beta": np.full(5, 1 - 1e-4)},
        {"threshold": np.full(5, 5e-5)},
        {"threshold": np.full(5, 32767.0)},  # which no potential of 16 bits exceeds
    ],
)
def test_what_only_seems_to_be_an_integer(change: dict[str, Any]) -> None:
    network = integrator(np.full((20, 5), 3.0), 30.0)
    assert exact_candidate(normalise(network.layers[0], False), Format()) is not None
    layer = replace(network.layers[0], **change)
    assert exact_candidate(normalise(layer, False), Format()) is None


def test_a_threshold_just_below_an_integer_is_that() -> None:
    candidate = exact_candidate(normalise(integrator(np.full((2, 1), 3.0), 29.99999).layers[0], False), Format())
    assert candidate is not None and candidate.layer.theta_high == 30


@pytest.mark.parametrize("calibrated", [False, True])
@pytest.mark.parametrize("bits", [8, 12, 16])
def test_no_threshold_is_out_of_reach(bits: int, calibrated: bool) -> None:
    """A threshold of 1,500 of the largest weight: the scale is lowered until a potential exceeds it."""
    network = integrator([[0.99], [0.99]], 1500.0 if bits > 8 else 100.0)
    ones = np.ones((2, 4000, 2), np.uint8)
    got = quantise(network, ones if calibrated else None, weight_bits=8, potential=Potential(bits))
    (layer,) = got.network.layers
    assert layer.theta_high < got.network.potential.high
    want = network.run(ones, trace=True).spikes
    assert want is not None and abs(run(got.network, ones).events[0, 1] / want[0][0].sum() - 1) < 0.45
    assert any("the scale is lowered to a threshold of" in remark for remark in got.rounding.remarks)


def test_weights_that_would_all_be_0_are_refused() -> None:
    says = refusal(lambda: quantise(integrator(np.full((2, 1), 1e-5))))
    assert "all weights of node 'if' would become 0: its threshold is 1e+05 times" in says
    assert "take 18 potential bits or more" in says
    quantise(integrator(np.full((2, 1), 1e-5)), potential=Potential(18))
    assert "no width of a potential is enough" in refusal(lambda: quantise(integrator(np.full((2, 1), 1e-9))))


def test_what_no_scale_can_hold_is_refused() -> None:
    says = "of node 'if' are as small as 1e-310, beyond what can be scaled"
    assert f"thresholds {says}" in refusal(lambda: quantise(integrator([[1.5], [0.0]], 1e-310)))
    assert f"weights {says}" in refusal(lambda: quantise(integrator([[1e-310], [0.0]], 1.0)))


@pytest.mark.parametrize("threshold", [1e-4, 1e-15, 1e-30, 1e-300])
def test_weights_far_above_the_threshold_keep_their_signs(threshold: float) -> None:
    got = quantise(integrator([[1.5], [-1.5]], threshold, bias=np.array([-1.5])))
    (layer,) = got.network.layers
    assert layer.weights.ravel().tolist() == [7, -8] and layer.biases.tolist() == [-2048]
    assert any("2 of 2 weights do not fit 4 bits and are clipped" in remark for remark in got.rounding.remarks)
    json.dumps(got.rounding.as_dict(), allow_nan=False)


def test_a_layer_that_is_silent_in_the_calibration_does_not_agree() -> None:
    got = quantise(float_network(), np.zeros((4, 10, 20), np.uint8) * SAMPLES[:4, :10]).rounding
    assert all(layer.silent and layer.agreement is None for layer in got.layers)
    assert sum("never fires on the calibration samples, neither in float" in remark for remark in got.remarks) == 2
    assert not any(layer.silent for layer in quantise(float_network(), SAMPLES).rounding.layers)


@pytest.mark.parametrize("beta", [0.9, 0.96])
def test_more_leak_bits_are_not_worse(beta: float) -> None:
    """By their effect, codes of more bits are a choice among more: what they cut off is counted."""
    network = FloatNetwork((float_layer(1, 20, 30, beta=np.full(30, beta)),))
    shares = [quantise(network, SAMPLES, leak_bits=bits).rounding.layers[0].agreement or 0 for bits in (3, 5, 8)]
    assert shares[0] > 0.9 and min(shares[1:]) > shares[0] - 0.01


def test_the_nearest_codes_in_effect() -> None:
    """Potentials of 10: with three bits, 7/8 leaves 5 + 2 + 1 = 8, 6/8 leaves 7, 8/8 leaves all."""
    sums = shifted_sums(np.full((3, 4, 2), 10), 3)
    assert leak_in_effect(sums, 7) == 0.8 and leak_in_effect(sums, 6) == 0.7
    assert nearest_codes(np.array([0.8, 0.91]), sums).tolist() == [7, 8]
    assert nearest_codes(np.array([0.75, 0.81]), sums, above=True).tolist() == [7, 8]
    assert nearest_codes(np.array([0.0, 1.0]), sums).tolist() == [0, 8]
    assert nearest_codes(np.array([0.9, 0.5]), 0 * sums).tolist() == [7, 4]
    assert leak_in_effect(0 * sums, 7) is None


# -- the report ------------------------------------------------------------------------------------------------


def test_the_report_of_weights() -> None:
    """At scale 2: 3.4 is 6.8 and becomes 7; -5 is -10 and is clipped to -8; 0.5 is 1."""
    layer = float_layer(1, 3, 1, weights=np.array([[3.4], [-5.0], [0.5]]), bias=np.array([0.3]))
    candidate = make_candidate(normalise(layer, False), 2.0, 2, Format())
    assert candidate.layer.weights.ravel().tolist() == [7, -8, 1]
    report = candidate.weights
    assert (report.count, report.clipped, report.low, report.high) == (3, 1, -8, 7)
    assert report.largest_error == 2.0
    assert np.isclose(report.rms_error, np.sqrt((0.2**2 + 2**2) / 3))
    assert candidate.layer.biases.tolist() == [1]
    assert np.isclose(candidate.bias.largest_error, 0.4) and candidate.bias.clipped == 0


def test_biases_make_up_for_the_mean_of_rounding() -> None:
    """Inputs fire half of the time; weights 0.4 and 0.3 become 0, which the bias makes up for: 0.35, rounded."""
    layer = float_layer(1, 2, 1, weights=np.array([[4.0], [3.0]]), bias=np.array([0.0]))
    rounded = make_candidate(normalise(layer, False), 0.1, 1, Format(), np.array([1.0, 1.0]))
    assert rounded.layer.weights.ravel().tolist() == [0, 0]
    assert rounded.layer.biases.tolist() == [1]  # 0.7
    assert make_candidate(normalise(layer, False), 0.1, 1, Format()).layer.biases.tolist() == [0]


def test_1_bit_weights_are_signs() -> None:
    layer = float_layer(1, 3, 1, weights=np.array([[0.4], [-3.0], [0.0]]))
    candidate = make_candidate(normalise(layer, False), 1.0, 1, Format(weight_bits=1))
    assert candidate.layer.weights.ravel().tolist() == [1, -1, 1]


def test_the_report_of_leaks() -> None:
    beta = np.array([0.9, 0.5, 0.9, 0.95])
    codes = leak_codes(beta, 3)
    assert codes.tolist() == [7, 4, 7, 8]
    leaks = leaks_of(beta, codes, 3)
    assert leaks == (
        LeakRounding(0.5, 4, 0.5, 1),
        LeakRounding(0.9, 7, 0.875, 2),
        LeakRounding(0.95, 8, 1.0, 1),
    )
    assert np.isclose(leaks[1].error, -0.025)
    assert leak_text(leaks).splitlines()[1] == "0.9 → 0.875 (code 7, 2 neurons)"
    # In effect: 7/8 of 10 is 5 + 2 + 1 = 8, of 3 it is 1; 4/8 of 10 and 3 is 5 and 1.
    sums = shifted_sums(np.array([[[10, 10, 10, 10], [-3, -3, -3, 0]]]), 3)
    effects = [leak.effect for leak in leaks_of(beta, codes, 3, sums)]
    assert effects == [6 / 13, 18 / 26, 1.0]


def test_of_many_leaks_the_worst_are_listed() -> None:
    beta = np.linspace(0.5, 0.99, 40)
    leaks = leaks_of(beta, leak_codes(beta, 3), 3)
    lines = leak_text(leaks).splitlines()
    assert len(lines) == 9 and lines[-1].startswith("… and 32 more, each off by at most 0.0")
    worst = max(leaks, key=lambda leak: abs(leak.error))
    assert lines[0].startswith(f"{worst.beta:.6g} →")


@pytest.mark.parametrize(
    ("change", "options", "says"),
    [
        (
            {"beta": np.full(30, 0.9)},
            {"weight_bits": 8},
            "leak 0.9 becomes 0.875, in effect 0.8655 as each of its shifts cuts off; with 5 leak bits 99.4 instead of "
            "98.8 % agree in the calibration",
        ),
        ({"beta": np.full(30, 0.9)}, {"weight_bits": 8, "leak_bits": 5}, None),
        ({"bias": np.full(30, 300.0)}, {"bias_bits": 4}, "node 'n1': 30 of 30 biases do not fit 4 bits"),
        ({"beta": np.ones(30)}, {"weight_bits": 8, "potential": Potential(8)}, "reach the ends of 8 bits"),
        ({"timing": Timing.NEXT_STEP}, {}, "the float reference resets as the framework that trained it"),
    ],
)
def test_remarks(change: dict[str, Any], options: dict[str, Any], says: str | None) -> None:
    remarks = quantise(FloatNetwork((float_layer(1, 20, 30, **change),)), SAMPLES, **options).rounding.remarks
    assert remarks == () if says is None else any(says in remark for remark in remarks)


def test_more_potential_bits_are_said_to_help_only_if_they_do() -> None:
    """Where they do not, there is no promise."""
    network = FloatNetwork((float_layer(1, 20, 30, beta=np.ones(30)),))
    narrow = quantise(network, SAMPLES, weight_bits=8, potential=Potential(8)).rounding
    (told,) = [remark for remark in narrow.remarks if "reach the ends" in remark]
    found = re.search(r"with (\d+) potential bits ([\d.]+) instead of ([\d.]+) % agree in the calibration$", told)
    assert found and float(found[2]) > float(found[3])
    assert narrow.layers[0].agreement is not None
    assert f"{100 * narrow.layers[0].agreement:.1f}" == found[3]
    wide = quantise(network, SAMPLES, weight_bits=8, potential=Potential(int(found[1]))).rounding
    assert wide.layers[0].agreement is not None and wide.layers[0].agreement > narrow.layers[0].agreement
    # Biases so large that every width is full: only the fault is told.
    full = FloatNetwork((float_layer(1, 20, 30, beta=np.ones(30), bias=np.full(30, -3000.0)),))
    remarks = quantise(full, SAMPLES, weight_bits=8, potential=Potential(8), bias_bits=24).rounding.remarks
    (told,) = [remark for remark in remarks if "reach the ends" in remark]
    assert told.endswith("reach the ends of 8 bits")


@pytest.mark.parametrize("bits", [8, 16])
def test_more_weight_bits_are_said_to_help_only_if_they_do(bits: int) -> None:
    weights = np.random.default_rng(3).normal(0, 0.1, (20, 30))
    weights[:, :3] *= 0.02
    weights[0, 5] = 1.0
    network = FloatNetwork((replace(float_layer(1, 20, 30), weights=weights),))
    widths = (2, 4, 8)
    told, gone = {}, {}
    for width in widths:
        made = quantise(network, weight_bits=width, potential=Potential(bits))
        gone[width] = int((~made.network.layers[0].weights.any(axis=0)).sum())
        told[width] = next((remark for remark in made.rounding.remarks if "became 0" in remark), "")
    assert gone[2] > gone[4] > 0
    for width, remark in told.items():
        assert f"all weights of {gone[width]} of 30 neurons became 0" in remark
        found = re.search(r"; with (\d) weight bits of (\d+|none)$", remark)
        if found:
            assert gone[int(found[1])] == int(found[2].replace("none", "0")) < gone[width]
        else:
            assert remark.endswith("became 0")
            assert all(gone[other] >= gone[width] for other in widths if other > width) or width == 8
    assert any("; with" in remark for remark in told.values())


def test_lost_recurrent_weights() -> None:
    recurrent = np.random.default_rng(3).normal(0, 0.004, (30, 30))
    network = FloatNetwork((replace(float_layer(1, 20, 30), recurrent=recurrent),))
    remarks = quantise(network, weight_bits=4).rounding.remarks
    wide = quantise(network, weight_bits=8)
    (told,) = [remark for remark in remarks if "recurrent weights became 0" in remark]
    helps = wide.network.layers[0].recurrent is not None and wide.network.layers[0].recurrent.any()
    assert told.endswith("with 8 weight bits they do not") == helps


def test_remarks_of_the_importer_and_of_missing_samples() -> None:
    remarks = quantise(float_network(remarks=("first",))).rounding.remarks
    assert remarks[0] == "first" and "no calibration samples were given" in remarks[-1]


def test_the_report_is_json() -> None:
    rounding = quantise(float_network(), SAMPLES).rounding
    values = json.loads(json.dumps(rounding.as_dict()))
    assert values["exact"] is False and len(values["layers"]) == 2
    leak = values["layers"][0]["leaks"][0]
    assert set(leak) == {"beta", "code", "got", "neurons", "effect", "error"} and leak["neurons"] == 30
    assert 0.7 < leak["effect"] <= leak["got"] == leak["code"] / 8 and leak["error"] == leak["effect"] - 0.875
    assert {"name", "weights", "recurrent", "bias", "theta_high", "scale", "agreement", "saturated"} <= set(
        values["layers"][0]
    )


def test_read_outs_are_compared_whatever_their_scale() -> None:
    wanted = np.random.default_rng(8).normal(0, 1, (50, 4))
    assert np.isclose(mismatch(wanted * 300 + 70, wanted), 0)
    assert mismatch(-wanted, wanted) > 1.9
    assert mismatch(np.zeros((50, 4)), wanted) == 1


# -- refusals --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("network", "options", "says"),
    [
        (float_network, {"weight_bits": 3}, "weight bits must be one of (1, 2, 4, 8), not 3"),
        (float_network, {"leak_bits": 9}, "leak bits must be from 1 to 8, not 9"),
        (float_network, {"bias_bits": 33}, "bias bits must be from 0 to 32, not 33"),
        (
            lambda: FloatNetwork((float_layer(1, 20, 30, threshold=np.arange(30.0)),)),
            {},
            "node 'n1' has some thresholds 0 and some not",
        ),
        (
            lambda: FloatNetwork(
                (float_layer(1, 20, 30, threshold=np.where(np.arange(30) % 2, 1, np.inf)),), readout=Readout.POTENTIAL
            ),
            {},
            "node 'n1' has neurons with and without a threshold",
        ),
        (
            lambda: FloatNetwork((float_layer(1, 20, 30, threshold=1.0 + np.arange(30)),), readout=Readout.POTENTIAL),
            {},
            "node 'n1' has a threshold for each neuron and its potentials are read",
        ),
        (
            lambda: FloatNetwork((float_layer(1, 20, 30, weights=np.eye(20, 30)),)),
            {"weight_bits": 1},
            "580 of 600 weights of node 'n1' are 0, which 1 bit cannot hold",
        ),
        (lambda: FloatNetwork((float_layer(1, 20, 30, weights=np.full((20, 30), np.inf)),)), {}, "must be finite"),
        (
            lambda: FloatNetwork((float_layer(1, 20, 30, beta=np.full(30, 1.5)),)),
            {},
            "beta of node 'n1' must lie between",
        ),
        (
            lambda: FloatNetwork((float_layer(1, 20, 30, bias=np.zeros(3)),)),
            {},
            "bias of node 'n1' must have shape (30,)",
        ),
        (lambda: FloatNetwork((float_layer(1, 20, 30), float_layer(2, 20, 30))), {}, "node 'n2' must have 30 inputs"),
        (
            lambda: FloatNetwork((float_layer(1, 20, 30, mode=Mode.LATCH, timing=Timing.NEXT_STEP),)),
            {},
            "node 'n1' has hysteresis and a late reset",
        ),
        (
            lambda: FloatNetwork((float_layer(1, 20, 30, threshold=np.full(30, np.inf)),)),
            {},
            "node 'n1' only integrates, so its spikes cannot be read",
        ),
        (lambda: FloatNetwork(()), {}, "a network needs at least one layer of neurons"),
        (lambda: float_network().with_input(None, std=0.0), {}, "std positive, not 0 and 0"),
    ],
)
def test_refused(network: Any, options: dict[str, Any], says: str) -> None:
    assert says in refusal(lambda: quantise(network(), SAMPLES, **options))


def test_wrong_samples_are_refused() -> None:
    assert "spikes must have 20 inputs" in refusal(lambda: quantise(float_network(), spikes(1, 3, 4, 5)))
    assert "at least one sample" in refusal(lambda: float_network().run(SAMPLES[:0]))
