# SPDX-License-Identifier: Apache-2.0
"""Whole networks against the scalar reference, read-outs, and the exactness of the float products."""

import importlib
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hysteron_base.errors import HysteronError
from hysteron_golden.run import product_dtype, run, winner
from hysteron_spec.encoder import Coding, Encoder
from hysteron_spec.network import Layer, Network
from hysteron_spec.neuron import NEVER, Mode, Potential, Readout, Reset
from support import scalar
from support.networks import examples, network, networks, random_network
from support.refusal import refusal


def check_against_scalar(net, inputs, rows):
    """Run ``inputs`` and compare every visible value with the scalar reference; returns what that met."""
    result = run(net, inputs, trace=True)
    assert result.predictions.dtype == np.int64
    assert result.values.dtype == np.int32
    assert result.events.dtype == np.int64
    seen = Counter()
    for n, sample in enumerate(rows):
        expected = scalar.run_sample(net, sample, net.readout.name)
        seen += expected.seen
        for index in range(len(net.layers)):
            assert result.spikes[index][n].tolist() == expected.spikes[index], f"spikes of layer {index}, sample {n}"
            assert result.potentials[index][n].tolist() == expected.potentials[index], f"potentials of layer {index}"
        assert result.values[n].tolist() == expected.step_values[-1]
        assert result.predictions[n] == expected.winners[-1]
        if net.readout_every_step:
            assert result.step_values[n].tolist() == expected.step_values
            assert winner(net.readout, result.step_values[n]).tolist() == expected.winners
        else:
            assert result.step_values is None
        spikes = [sum(map(sum, layer)) for layer in expected.spikes]
        assert result.events[n].tolist() == [expected.input_events, *spikes]
    return seen


# -- random networks -------------------------------------------------------------------------------------------


@examples(150)
@given(st.data())
def test_small_networks_equal_the_scalar_reference(data):
    net = data.draw(networks())
    shape = data.draw(st.tuples(st.integers(1, 3), st.integers(1, 7), st.just(net.n_in)))
    spikes = data.draw(arrays(np.uint8, shape, elements=st.integers(0, 1)))
    check_against_scalar(net, spikes, spikes.tolist())


@examples(80)
@given(st.data())
def test_small_encoded_networks_equal_the_scalar_reference(data):
    net = data.draw(networks(encoded=True))
    pixels = data.draw(arrays(np.uint8, (data.draw(st.integers(1, 3)), net.n_in)))
    encoder = net.encoder
    rows = [
        scalar.encode(encoder.coding.name, encoder.steps, encoder.thresholds, encoder.lfsr_state(), image)
        for image in pixels.tolist()
    ]
    check_against_scalar(net, pixels, rows)


POTENTIALS = [Potential(8), Potential(8, False), Potential(13), Potential(24), Potential(24, False)]


@pytest.mark.parametrize("potential", POTENTIALS, ids=lambda p: f"{'s' if p.signed else 'u'}{p.bits}")
@pytest.mark.parametrize("reset", Reset)
@pytest.mark.parametrize("mode", Mode)
def test_larger_networks_equal_the_scalar_reference(mode, reset, potential):
    """Eight networks of three layers; the last lines check that the interesting things happened."""
    rng = np.random.default_rng([mode, reset, potential.bits, potential.signed])
    seen = Counter()
    for bits in (1, 2, 4, 8) * 2:
        net = random_network(rng, (11, 9, 7, 5), mode=mode, reset=reset, potential=potential, bits=bits)
        spikes = (rng.random((2, 12, 11)) < 0.5).astype(np.uint8)
        seen += check_against_scalar(net, spikes, spikes.tolist())
    needed = {"leak truncated", "spikes"}
    if potential.signed:
        needed |= {"negative leak truncated"}
    else:
        needed |= {"clipped low"}
    if potential == Potential(8):
        needed |= {"clipped low", "clipped high"}
    if mode is not Mode.PLAIN:
        needed |= {"re-armed", "blocked"}
    if mode is Mode.LATCH:
        needed |= {"held armed", "held disarmed"}
    if mode is Mode.WINDOW:
        needed |= {"band disarmed"}
    assert not needed - set(+seen), "the networks did not show everything that this test is for"


@pytest.mark.parametrize("m", range(1, 9))
def test_every_leak_width(m):
    rng = np.random.default_rng(m)
    seen = Counter()
    for _ in range(3):
        net = random_network(rng, (9, 8, 4), m=m, potential=Potential(12), recurrent=True)
        spikes = (rng.random((2, 10, 9)) < 0.5).astype(np.uint8)
        seen += check_against_scalar(net, spikes, spikes.tolist())
    assert seen["leak truncated"] and seen["negative leak truncated"]


def test_networks_of_layers_of_different_kinds():
    rng = np.random.default_rng(77)
    for _ in range(12):
        net = random_network(rng, tuple(rng.integers(1, 12, rng.integers(2, 6))))
        spikes = (rng.random((2, 9, net.n_in)) < rng.random()).astype(bool)
        check_against_scalar(net, spikes, spikes.astype(int).tolist())


# -- directed --------------------------------------------------------------------------------------------------


def plain(weights, **changes):
    """A layer of plain neurons that reset to zero and keep their potential."""
    return Layer(**{"weights": weights, "theta_high": 0, "mode": Mode.PLAIN, "reset": Reset.ZERO, **changes})


def test_a_spike_crosses_all_layers_in_one_step():
    net = Network(tuple(plain([[1]]) for _ in range(4)))
    result = run(net, np.array([[[0], [1], [0]]]), trace=True)
    assert [layer[0, :, 0].tolist() for layer in result.spikes] == [[False, True, False]] * 4


def test_recurrent_spikes_arrive_one_step_later_source_first():
    # Input fires neuron 0 at t0; recurrent[0, 1] passes it on to neuron 1 at t1, [1, 2] to 2 at t2, then it is gone.
    ring = plain([[1, 0, 0]], recurrent=[[0, 1, 0], [0, 0, 1], [0, 0, 0]])
    result = run(Network((ring,)), np.array([[[1], [0], [0], [0]]]), trace=True)
    assert result.spikes[0][0].astype(int).tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]]


def test_self_inhibition():
    # 5 a step, -8 after a spike; theta 4: t0 5 fires (0); t1 5 - 8 = -3; t2 -3 + 5 = 2; t3 7 fires; t4 -3
    net = Network((plain([[5]], theta_high=4, recurrent=[[-8]]),))
    result = run(net, np.ones((1, 5, 1)), trace=True)
    assert result.potentials[0][0, :, 0].tolist() == [0, -3, 2, 0, -3]
    assert result.spikes[0][0, :, 0].tolist() == [True, False, False, True, False]


def test_bias_is_added_at_every_step():
    net = Network((plain([[1, 1]], theta_high=100, bias=[3, -2]),))
    result = run(net, np.array([[[0], [1], [0]]]), trace=True)
    assert result.potentials[0][0].tolist() == [[3, -2], [7, -3], [10, -5]]


def test_samples_do_not_depend_on_their_neighbours():
    rng = np.random.default_rng(5)
    net = random_network(rng, (10, 8, 6), recurrent=True, potential=Potential(10))
    spikes = rng.integers(0, 2, (6, 7, 10), np.uint8)
    together = run(net, spikes, trace=True)
    for n in range(6):
        alone = run(net, spikes[n : n + 1], trace=True)
        for index in range(2):
            assert np.array_equal(alone.spikes[index][0], together.spikes[index][n])
            assert np.array_equal(alone.potentials[index][0], together.potentials[index][n])


@pytest.mark.parametrize("encoder", [None, Encoder(Coding.DIRECT, 2), Encoder(Coding.RATE, 2, seed=1)])
def test_more_samples_than_a_chunk(monkeypatch, encoder):
    """In chunks of 8 samples, the last one incomplete, results are those of single samples, in order."""
    monkeypatch.setattr(importlib.import_module("hysteron_golden.run"), "_CHUNK", 8 * 40)
    rng = np.random.default_rng(6)
    net = random_network(
        rng, (5, 40, 3), bits=4, m=3, potential=Potential(12), recurrent=False, encoder=encoder, every_step=True
    )
    inputs = rng.integers(0, 2, (19, 2, 5)) if encoder is None else rng.integers(0, 256, (19, 5))
    result = run(net, inputs, trace=True)
    assert result.values.shape == (19, 3) and result.step_values.shape == (19, 2, 3)
    for n in range(19):
        alone = run(net, inputs[n : n + 1], trace=True)
        for name in ("predictions", "values", "step_values", "events", "inputs"):
            assert np.array_equal(getattr(result, name)[n], getattr(alone, name)[0]), name
        for index in range(2):
            assert np.array_equal(result.spikes[index][n], alone.spikes[index][0])
            assert np.array_equal(result.potentials[index][n], alone.potentials[index][0])


@pytest.mark.parametrize("encoder", [None, Encoder(Coding.DIRECT, 4), Encoder(Coding.RATE, 4)])
def test_an_empty_batch_gives_empty_results(encoder):
    net = network(encoder=encoder, readout_every_step=True)
    result = run(net, np.zeros((0, 4, 3) if encoder is None else (0, 3), np.uint8), trace=True)
    assert result.predictions.shape == (0,)
    assert result.values.shape == (0, 2)
    assert result.step_values.shape == (0, 4, 2)
    assert result.events.shape == (0, 2)
    assert result.spikes[0].shape == result.potentials[0].shape == (0, 4, 2)


def test_trace_changes_no_answer():
    rng = np.random.default_rng(8)
    net = random_network(rng, (6, 5, 4), every_step=True)
    spikes = rng.integers(0, 2, (5, 6, 6))
    plain_result, traced = run(net, spikes), run(net, spikes, trace=True)
    assert plain_result.spikes is None and plain_result.potentials is None
    for name in ("predictions", "values", "step_values", "events", "inputs"):
        assert np.array_equal(getattr(plain_result, name), getattr(traced, name)), name


def test_inputs_are_left_alone_and_returned():
    net = network()
    spikes = np.array([[[1, 0, 1], [0, 0, 1]]], np.uint8)
    result = run(net, spikes)
    assert spikes.tolist() == [[[1, 0, 1], [0, 0, 1]]]
    assert result.inputs.dtype == np.uint8 and np.array_equal(result.inputs, spikes)


def test_inputs_returned_are_what_entered():
    pixels = np.array([[0, 100, 200]], np.uint8)
    level = run(network(encoder=Encoder(Coding.LEVEL, 2, (150, 50))), pixels)
    assert level.inputs.tolist() == [[[0, 0, 1], [0, 1, 1]]]
    direct = run(network(encoder=Encoder(Coding.DIRECT, 2)), pixels)
    assert direct.inputs.tolist() == [[0, 100, 200]]


def test_direct_coding_adds_the_pixel_at_every_step():
    # Weights (1, 2), (3, -4), (-5, 6) times pixels 10, 20, 3: 10 + 60 - 15 = 55 and 20 - 80 + 18 = -42, each step
    net = network(layers=(plain([[1, 2], [3, -4], [-5, 6]], theta_high=1000),), encoder=Encoder(Coding.DIRECT, 3))
    result = run(net, np.array([[10, 20, 3]]), trace=True)
    assert result.potentials[0][0].tolist() == [[55, -42], [110, -84], [165, -126]]
    # Bits set in 10, 20 and 3: 2 + 2 + 2, at each of 3 steps.
    assert result.events.tolist() == [[18, 0]]


def test_images_may_have_rows_and_columns():
    rng = np.random.default_rng(9)
    net = random_network(rng, (12, 3), encoder=Encoder(Coding.LEVEL, 3, (200, 100, 50)))
    images = rng.integers(0, 256, (4, 3, 4))
    for shaped in (images, images.reshape(4, 12), images.astype(np.float32)):
        assert np.array_equal(run(net, shaped).values, run(net, images.reshape(4, 12).astype(np.uint8)).values)


# -- read-outs -------------------------------------------------------------------------------------------------


def repeat_inputs(readout, every_step=False, n=4):
    """A network whose ``n`` outputs spike when their inputs do."""
    return Network((plain(np.eye(n, dtype=int)),), readout=readout, readout_every_step=every_step)


def test_count():
    spikes = np.array([[[0, 1, 0, 1], [0, 1, 1, 0], [0, 0, 1, 0]]])
    result = run(repeat_inputs(Readout.COUNT, True), spikes)
    assert result.step_values.tolist() == [[[0, 1, 0, 1], [0, 2, 1, 1], [0, 2, 2, 1]]]
    assert result.values.tolist() == [[0, 2, 2, 1]]
    assert result.predictions.tolist() == [1], "1 and 2 tie: the lowest index wins"


def test_first():
    spikes = np.array([[[0, 0, 0, 0], [0, 0, 1, 1], [0, 1, 1, 0]]])
    result = run(repeat_inputs(Readout.FIRST, True), spikes)
    no = NEVER
    assert result.step_values.tolist() == [[[no, no, no, no], [no, no, 1, 1], [no, 2, 1, 1]]]
    assert result.predictions.tolist() == [2], "2 and 3 tie: the lowest index wins"
    assert winner(Readout.FIRST, result.step_values).tolist() == [[0, 2, 2]], "nobody has fired: 0 wins"


def test_first_at_step_0_beats_all():
    spikes = np.array([[[0, 0, 1, 0], [1, 1, 1, 1]]])
    result = run(repeat_inputs(Readout.FIRST), spikes)
    assert result.values.tolist() == [[1, 1, 0, 1]] and result.predictions.tolist() == [2]


def test_potential_is_read_after_the_reset():
    net = Network(
        (plain([[9, 7, -1, 7]], theta_high=8, weight_bits=8),), readout=Readout.POTENTIAL, readout_every_step=True
    )
    result = run(net, np.array([[[1], [0]]]))
    assert result.step_values.tolist() == [[[0, 7, -1, 7]] * 2]
    assert result.predictions.tolist() == [1], "1 and 3 tie: the lowest index wins"


def test_all_potentials_negative():
    net = Network((plain([[-3, -2, -2, -9]], weight_bits=8),), readout=Readout.POTENTIAL)
    assert run(net, np.ones((1, 1, 1))).predictions.tolist() == [1]


@pytest.mark.parametrize("readout", Readout)
def test_all_equal_gives_the_lowest_index(readout):
    for spike in (0, 1):
        assert run(repeat_inputs(readout), np.full((1, 3, 4), spike)).predictions.tolist() == [0]


def test_counts_and_steps_stop_at_15_bits():
    """A value has 15 bits: a count stops at NEVER, a first spike later than that reads NEVER - 1."""
    steps = NEVER + 3
    spikes = np.ones((1, steps, 2), np.uint8)
    result = run(repeat_inputs(Readout.COUNT, True, 2), spikes)
    assert NEVER == scalar.NEVER == 2**15 - 1
    assert result.step_values[0, -5:, 0].tolist() == [NEVER - 1, NEVER, NEVER, NEVER, NEVER]
    spikes = np.zeros((1, steps, 2), np.uint8)
    spikes[0, -1, 1] = 1
    result = run(repeat_inputs(Readout.FIRST, False, 2), spikes)
    assert result.values.tolist() == [[NEVER, NEVER - 1]] and result.predictions.tolist() == [1]


# -- exactness of the products ---------------------------------------------------------------------------------


def exact_totals(net, inputs):
    """Potentials after one step of neurons that start at 0 and neither fire nor clip: the sums themselves."""
    return run(net, inputs, trace=True).potentials[0][:, 0]


def silent(weights, bias=0, **changes):
    """A layer of 8-bit weights that never fires in unsigned 24-bit potentials."""
    return Layer(
        **{
            "weights": weights,
            "theta_high": 2**24 - 1,
            "bias": bias,
            "mode": Mode.PLAIN,
            "reset": Reset.NONE,
            "weight_bits": 8,
            **changes,
        }
    )


def column(total):
    """One column of 8-bit weights whose absolute values sum to ``total``, with both signs."""
    whole, rest = divmod(total, 128)
    return np.array([-128] * whole + [rest] * (rest > 0))[:, None]


@pytest.mark.parametrize(
    ("sum_of_weights", "largest_input", "expected"),
    [
        (2**24 - 1, 1, np.float32),
        (2**24, 1, np.float32),
        (2**24 + 1, 1, np.float64),
        (2**16, 256, np.float32),
        (2**16, 257, np.float64),
        (65793, 255, np.float32),  # 16,777,215
        (65794, 255, np.float64),  # 16,777,470
        (8192 * 128, 255, np.float64),
    ],
)
def test_the_bound_chooses_the_float_type(sum_of_weights, largest_input, expected):
    assert product_dtype(silent(column(sum_of_weights)), largest_input) is expected


def test_the_bound_takes_the_largest_column_and_the_recurrent_weights():
    weights = np.concatenate([column(2**24 - 200), np.ones_like(column(2**24 - 200))], axis=1)
    assert product_dtype(silent(weights)) is np.float32
    assert product_dtype(silent(weights, recurrent=[[100, 0], [-100, 0]])) is np.float32
    assert product_dtype(silent(weights, recurrent=[[100, 0], [-101, 0]])) is np.float64


def test_a_sum_that_float32_rounds():
    """2**24 + 1 is no float32. The bias brings it back into the potential's range: 1, or 0 or 2 if it was rounded."""
    weights = np.array([127] * 132104 + [9])[:, None]
    assert int(weights.sum()) == 2**24 + 1
    ones = np.ones((1, 1, len(weights)), np.uint8)
    assert int((ones[0].astype(np.float32) @ weights.astype(np.float32))[0, 0]) != 2**24 + 1, "nothing is rounded"
    net = Network((silent(weights, bias=-(2**24)),), potential=Potential(24, False))
    assert exact_totals(net, ones).tolist() == [[1]]


def test_a_direct_sum_that_float32_rounds():
    """The same with pixels: 8,192 inputs, 255 * 65,795 = 16,777,725 is odd and above 2**24."""
    weights = np.array([8] * 8191 + [267 - 140])[:, None]
    weights[:140] += 1
    assert int(weights.sum()) == 65795
    pixels = np.full((1, 8192), 255, np.uint8)
    assert int((pixels.astype(np.float32) @ weights.astype(np.float32))[0, 0]) != 255 * 65795, "nothing is rounded"
    net = Network((silent(weights, bias=-(2**24)),), potential=Potential(24, False), encoder=Encoder(Coding.DIRECT, 1))
    assert exact_totals(net, pixels).tolist() == [[255 * 65795 - 2**24]]


@pytest.mark.parametrize("sum_of_weights", [65793, 65794, 8192 * 100])
def test_direct_products_equal_integer_products(sum_of_weights):
    """8,192 inputs of 8-bit weights around the bound, all bytes, random signs, biased into the potential's range."""
    rng = np.random.default_rng(sum_of_weights)
    size = np.full((8192, 8), sum_of_weights // 8192)
    size[: sum_of_weights % 8192] += 1
    rng.shuffle(size, axis=0)
    weights = size * rng.choice([-1, 1], size.shape)
    weights[:, 0] = -size[:, 0]
    weights[:, 1] = size[:, 1]
    pixels = rng.integers(0, 256, (5, 8192), dtype=np.uint8)
    pixels[0] = 255
    products = pixels.astype(np.int64) @ weights.astype(np.int64)
    for n in range(5):
        bias = 2**23 - products[n]  # this sample's sums land in the middle of 24 unsigned bits
        net = Network((silent(weights, bias=bias),), potential=Potential(24, False), encoder=Encoder(Coding.DIRECT, 1))
        expected = np.clip(products + bias, 0, 2**24 - 1)
        assert np.array_equal(exact_totals(net, pixels), expected)
        assert expected[n].tolist() == [2**23] * 8


def test_spike_products_equal_integer_products():
    rng = np.random.default_rng(3)
    for bits in (1, 2, 4, 8):
        net = random_network(
            rng, (8192, 6), bits=bits, m=3, potential=Potential(24), recurrent=False, mode=Mode.PLAIN, reset=Reset.NONE
        )
        spikes = rng.integers(0, 2, (3, 1, 8192), dtype=np.uint8)
        layer = net.layers[0]
        expected = spikes[:, 0].astype(np.int64) @ layer.weights.astype(np.int64) + layer.biases
        assert np.array_equal(exact_totals(net, spikes), expected)


@pytest.mark.parametrize("bias", [2**31 - 1, -(2**31), 2**31 - 2**24, 2**24, -(2**24)])
@pytest.mark.parametrize("weight", [7, -7])
def test_a_huge_bias_does_not_wrap(bias, weight):
    """The sum is exact whatever the bias: a layer that is accepted saturates to the right side."""
    try:
        net = Network((plain([[weight]], bias=bias, theta_high=2**23 - 1, reset=Reset.NONE),), potential=Potential(24))
    except HysteronError:
        return  # refusing such a bias is as good
    spikes = np.ones((1, 3, 1), np.uint8)
    check_against_scalar(net, spikes, spikes.tolist())


# -- what is refused -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        (np.zeros((3,)), ["(3,)", "(samples, steps, 3)"]),
        (np.zeros((2, 3)), ["(2, 3)"]),
        (np.zeros((1, 2, 3, 4)), ["(1, 2, 3, 4)", "not 12", "axis 2 has 3"]),
        (np.zeros((1, 2, 4)), ["3 inputs", "not 4"]),
        (np.zeros((1, 2, 0)), ["3 inputs", "not 0"]),
        (np.zeros((1, 0, 3)), ["time step", "not 0"]),
        ([[[0, 0, 0], [0, 2, 0]]], ["[0, 1, 1]", "not 2"]),
        ([[[0, 0, -1]]], ["[0, 0, 2]", "not -1"]),
        ([[[0, 0.5, 0]]], ["[0, 0, 1]", "not 0.5"]),
        ([[[0, 0, 0]], [[np.nan, 0, 0]]], ["[1, 0, 0]", "not nan"]),
        ([[[0, np.inf, 0]]], ["[0, 0, 1]", "not inf"]),
        (np.full((1, 1, 3), 255, np.uint8), ["[0, 0, 0]", "not 255"]),
        (np.full((1, 1, 3), 256, np.int32), ["[0, 0, 0]", "not 256"]),
        (np.full((1, 1, 3), "x"), ["numbers", "<U1"]),
        (np.full((1, 1, 3), 1j), ["numbers", "complex128"]),
        (np.full((1, 2, 4), 1)[:, :1].reshape(1, 4), ["(1, 4)"]),
        ([[[0, 0, 0], [0, 0]]], ["shape"]),
    ],
)
def test_bad_spikes_are_refused(inputs, words):
    message = refusal(lambda: run(network(), inputs))
    assert all(word in message for word in words), message


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (np.zeros(3), ["(3,)"]),
        (np.zeros((2, 4)), ["3 pixels", "not 4"]),
        (np.zeros((2, 2, 2)), ["3 pixels", "not 4 (2, 2)"]),
        (np.zeros((2, 0)), ["3 pixels", "not 0"]),
        ([[0, 1, 300]], ["pixel 2 of image 0", "not 300"]),
        ([[0, 1, 2], [0, -1, 2]], ["pixel 1 of image 1", "not -1"]),
        ([[0, 1, np.nan]], ["pixel 2 of image 0", "not nan"]),
        ([[0, 1, np.inf]], ["pixel 2 of image 0", "not inf"]),
        ([[0, 1, -np.inf]], ["pixel 2 of image 0", "not -inf"]),
        ([[0.5, 1, 2]], ["pixel 0 of image 0", "not 0.5"]),
        ([["a", "b", "c"]], ["numbers", "<U1"]),
        ([[True, False, True]], ["numbers", "bool"]),
        ([[0, 1, 2], [0, 1]], ["shape"]),
    ],
)
def test_bad_images_are_refused(images, words):
    net = network(encoder=Encoder(Coding.LEVEL, 1, (100,)))
    message = refusal(lambda: run(net, images))
    assert all(word in message for word in words), message
