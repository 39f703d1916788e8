# SPDX-License-Identifier: Apache-2.0
"""What a layer and a network accept, what they make of it, and how they refuse the rest."""

import dataclasses

import numpy as np
import pytest

from hysteron_base.errors import HysteronError
from hysteron_golden.run import run
from hysteron_spec.encoder import Coding, Encoder
from hysteron_spec.network import Layer, Network
from hysteron_spec.neuron import Mode, Potential, Readout, Reset, weight_range
from support.networks import layer, network
from support.refusal import refusal

# -- formats ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bits", "signed", "low", "high"),
    [
        (8, True, -128, 127),
        (8, False, 0, 255),
        (16, True, -32768, 32767),
        (24, True, -8388608, 8388607),
        (24, False, 0, 16777215),
    ],
)
def test_potential_range(bits, signed, low, high):
    potential = Potential(bits, signed)
    assert (potential.low, potential.high) == (low, high)


@pytest.mark.parametrize("bits", [7, 25, 0, -8, 2**40])
def test_potential_bits_out_of_range(bits):
    assert refusal(lambda: Potential(bits)) == f"potential bits must be from 8 to 24, not {bits}"


@pytest.mark.parametrize("bits", [8.5, "16", None, np.nan, True])
def test_potential_bits_no_integer(bits):
    assert f"not {bits!r}" in refusal(lambda: Potential(bits))


@pytest.mark.parametrize(
    ("bits", "unit", "expected"),
    [(1, False, (-1, 1)), (1, True, (0, 1)), (2, False, (-2, 1)), (4, False, (-8, 7)), (8, False, (-128, 127))],
)
def test_weight_range(bits, unit, expected):
    assert weight_range(bits, unit) == expected


def test_codes_are_those_of_the_hardware():
    assert [(m.name, int(m)) for m in Mode] == [("PLAIN", 0), ("LATCH", 1), ("WINDOW", 2)]
    assert [(r.name, int(r)) for r in Reset] == [("ZERO", 0), ("SUBTRACT", 1), ("NONE", 2)]
    assert [(r.name, int(r)) for r in Readout] == [("COUNT", 0), ("FIRST", 1), ("POTENTIAL", 2)]


# -- a layer ---------------------------------------------------------------------------------------------------


def test_defaults():
    made = Layer([[1, 2], [3, 4], [5, 6]], 10)
    assert (made.n_in, made.n_out) == (3, 2)
    assert made.theta_low == 0
    assert made.leak_codes.tolist() == [8, 8], "the default leak keeps the potential"
    assert made.biases.tolist() == [0, 0]
    assert made.recurrent is None
    assert (made.mode, made.reset) == (Mode.LATCH, Reset.ZERO)
    assert (made.weight_bits, made.unit_weights, made.leak_bits) == (4, False, 3)


@pytest.mark.parametrize("m", range(1, 9))
def test_the_default_leak_keeps_the_potential(m):
    assert layer(leak_bits=m).leak_codes.tolist() == [2**m, 2**m]


def test_one_number_serves_all_neurons():
    made = layer(leak=3, bias=-7)
    assert made.leak_codes.tolist() == [3, 3] and made.biases.tolist() == [-7, -7]


@pytest.mark.parametrize("dtype", [bool, np.int8, np.uint8, np.int64, np.uint64, np.float32, np.float64])
def test_arrays_become_read_only_int32(dtype):
    made = layer(
        weights=np.array([[1, 0], [0, 1], [1, 1]], dtype),
        leak=np.array([0, 1], dtype),
        bias=np.array([1, 0], dtype),
        recurrent=np.array([[0, 1], [1, 0]], dtype),
    )
    for name, values in (
        ("weights", [[1, 0], [0, 1], [1, 1]]),
        ("leak", [0, 1]),
        ("bias", [1, 0]),
        ("recurrent", [[0, 1], [1, 0]]),
    ):
        array = getattr(made, name)
        assert array.dtype == np.int32
        assert array.tolist() == values
        with pytest.raises(ValueError, match="read-only"):
            array.flat[0] = 5


def test_a_layer_does_not_share_the_callers_arrays():
    weights = np.array([[1, 2], [3, 4]], np.int32)
    leak = np.array([1, 2], np.int32)
    made = layer(weights=weights, leak=leak)
    weights[0, 0] = leak[0] = 7
    assert made.weights[0, 0] == 1 and made.leak[0] == 1


def test_a_layer_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        layer().theta_high = 3


def test_modes_and_resets_by_number():
    made = layer(mode=2, reset=1)
    assert made.mode is Mode.WINDOW and made.reset is Reset.SUBTRACT


@pytest.mark.parametrize("value", [10, 10.0, np.int16(10), np.float32(10)])
def test_thresholds_become_int(value):
    made = layer(theta_high=value, theta_low=value)
    assert type(made.theta_high) is int and type(made.theta_low) is int and made.theta_high == made.theta_low == 10


@pytest.mark.parametrize(
    ("bits", "unit", "values"),
    [(1, False, (-1, 1)), (1, True, (0, 1)), (2, False, (-2, 1)), (4, False, (-8, 7)), (8, False, (-128, 127))],
)
def test_ends_of_the_weight_range(bits, unit, values):
    low, high = values
    weights = [[low, high], [high, low]]
    made = layer(weights=weights, recurrent=weights, weight_bits=bits, unit_weights=unit)
    assert made.weights.tolist() == weights and made.recurrent.tolist() == weights
    for bad in (low - 1, high + 1):
        for name in ("weights", "recurrent"):
            both = {"weights": weights, "recurrent": weights, name: [[low, high], [bad, low]]}
            message = refusal(lambda both=both: layer(**both, weight_bits=bits, unit_weights=unit))
            allowed = "-1 or 1" if (bits, unit) == (1, False) else f"from {low} to {high}"
            assert message == f"{name}[1, 0] must be {allowed} with {bits} weight bits, not {bad}"


def test_zero_is_no_one_bit_weight():
    message = refusal(lambda: layer(weights=[[1, -1], [-1, 0]], weight_bits=1))
    assert message == "weights[1, 1] must be -1 or 1 with 1 weight bits, not 0"


W = [[1, 2], [3, -4], [-5, 6]]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        # arrays that hold no integers
        ({"weights": [[1, np.nan], [3, 4], [5, 6]]}, ["weights[0, 1]", "nan", "quantise"]),
        ({"weights": [[1, 2], [3, 4], [5, np.inf]]}, ["weights[2, 1]", "inf"]),
        ({"weights": [[1, 2], [-np.inf, 4], [5, 6]]}, ["weights[1, 0]", "-inf"]),
        ({"weights": [[1, 2], [3, 0.25], [5, 6]]}, ["weights[1, 1]", "0.25", "quantise"]),
        ({"weights": [["a", "b"]]}, ["weights must hold integers", "<U1"]),
        ({"weights": None}, ["weights must hold integers", "object"]),
        ({"weights": [[1j, 2]]}, ["weights must hold integers", "complex128"]),
        ({"weights": [[1, 2], [3]]}, ["weights must be a rectangular array"]),
        ({"weights": [[2**70, 2]]}, ["weights must hold integers", "object"]),
        ({"leak": np.nan}, ["leak[0]", "nan"]),
        ({"leak": [1, np.nan]}, ["leak[1]", "nan"]),
        ({"leak": 2.5}, ["leak[0]", "2.5"]),
        ({"leak": "8"}, ["leak must hold integers", "<U1"]),
        ({"bias": [0.5, 1]}, ["bias[0]", "0.5"]),
        ({"bias": None}, ["bias must hold integers", "object"]),
        ({"recurrent": [[1, 2], [np.nan, 4]]}, ["recurrent[1, 0]", "nan"]),
        # shapes
        ({"weights": [1, 2]}, ["weights must have shape (any, any), not (2,)"]),
        ({"weights": 3}, ["weights must have shape (any, any), not ()"]),
        ({"weights": [[[1]]]}, ["weights must have shape (any, any), not (1, 1, 1)"]),
        ({"weights": np.zeros((0, 2))}, ["inputs and neurons", "not 0 and 2"]),
        ({"weights": np.zeros((3, 0))}, ["inputs and neurons", "not 3 and 0"]),
        ({"leak": [1, 2, 3]}, ["leak must have shape (2,), not (3,)"]),
        ({"leak": [[1, 2]]}, ["leak must have shape (2,), not (1, 2)"]),
        ({"bias": [1]}, ["bias must have shape (2,), not (1,)"]),
        ({"recurrent": [[1, 2, 3], [4, 5, 6]]}, ["recurrent must have shape (2, 2), not (2, 3)"]),
        ({"recurrent": 1}, ["recurrent must have shape (2, 2), not ()"]),
        # 32 bits: the value that does not fit is named
        ({"weights": [[2**31, 2], [3, 4]]}, ["weights must fit 32 bits", str(2**31)]),
        ({"bias": [5, -(2**31) - 1]}, ["bias must fit 32 bits", str(-(2**31) - 1)]),
        ({"weights": [[-3e9, 1.0]]}, ["weights must fit 32 bits", "-3000000000"]),
        # leaks
        ({"leak": 9}, ["leak[0] must be from 0 to 8, not 9"]),
        ({"leak": [8, 9]}, ["leak[1] must be from 0 to 8, not 9"]),
        ({"leak": [-1, 0]}, ["leak[0] must be from 0 to 8, not -1"]),
        ({"leak": 3, "leak_bits": 1}, ["leak[0] must be from 0 to 2, not 3"]),
        ({"leak": 257, "leak_bits": 8}, ["leak[0] must be from 0 to 256, not 257"]),
        ({"leak_bits": 0}, ["leak bits must be from 1 to 8, not 0"]),
        ({"leak_bits": 9}, ["leak bits must be from 1 to 8, not 9"]),
        ({"leak_bits": None}, ["leak bits must be an integer from 1 to 8, not None"]),
        # weight formats
        ({"weight_bits": 3}, ["weight bits must be one of (1, 2, 4, 8), not 3"]),
        ({"weight_bits": 0}, ["not 0"]),
        ({"weight_bits": "4"}, ["not '4'"]),
        ({"weight_bits": None}, ["not None"]),
        ({"unit_weights": True}, ["0/1 weights need 1 weight bit, not 4"]),
        # modes
        ({"mode": 3}, ["mode must be one of", "not 3"]),
        ({"mode": "LATCH"}, ["mode must be one of", "not 'LATCH'"]),
        ({"mode": None}, ["mode must be one of", "not None"]),
        ({"reset": -1}, ["reset must be one of", "not -1"]),
        ({"reset": 3}, ["reset must be one of", "not 3"]),
        # thresholds
        ({"theta_high": -1}, ["theta_high must be from 0 to 16777215, not -1"]),
        ({"theta_high": 2**24}, ["theta_high must be", "not 16777216"]),
        ({"theta_high": 1.5}, ["theta_high must be an integer", "not 1.5"]),
        ({"theta_high": np.nan}, ["theta_high must be an integer", "not nan"]),
        ({"theta_high": "10"}, ["theta_high must be an integer", "not '10'"]),
        ({"theta_low": 11}, ["theta_low must be from -8388608 to 10, not 11"]),
        ({"theta_low": -(2**23) - 1}, ["theta_low must be from -8388608 to 10, not -8388609"]),
        ({"theta_low": None}, ["theta_low must be an integer", "not None"]),
        ({"theta_low": 0.5}, ["theta_low must be an integer", "not 0.5"]),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, dict) else "",
)
def test_a_bad_layer_is_refused(changes, words):
    message = refusal(lambda: layer(**changes))
    assert all(word in message for word in words), message


@pytest.mark.parametrize(
    "changes",
    [
        {"theta_high": 0, "theta_low": 0},
        {"theta_high": 2**24 - 1, "theta_low": 2**24 - 1},
        {"theta_low": -(2**23)},
        {"theta_low": 10},
        {"leak": 0},
        {"leak": 8},
        {"leak": 256, "leak_bits": 8},
        {"leak": 2, "leak_bits": 1},
    ],
)
def test_the_ends_are_accepted(changes):
    made = layer(**changes)
    for name, value in changes.items():
        assert np.all(getattr(made, name) == value)


# -- a network -------------------------------------------------------------------------------------------------


def test_a_network_of_layers():
    net = Network([layer(), Layer([[1, 2, 3, 4]] * 2, 5)])
    assert isinstance(net.layers, tuple)
    assert (net.n_in, net.n_out, net.shape) == (3, 4, "3-2-4")
    assert net.readout is Readout.COUNT and not net.readout_every_step and net.encoder is None


def test_readout_by_number():
    assert network(readout=2).readout is Readout.POTENTIAL


UNSIGNED = Potential(8, False)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"layers": ()}, ["at least one layer", "not 0"]),
        ({"layers": (layer(), layer())}, ["layer 1 must have 2 inputs, not 3"]),
        (
            {"layers": (layer(), Layer([[1]] * 2, 5), Layer([[1]] * 4, 5))},
            ["layer 2 must have 1 inputs, not 4"],
        ),
        ({"layers": (layer(), Layer([[1]] * 2, 5, leak_bits=5))}, ["layer 1 must have 3 leak bits", "not 5"]),
        ({"readout": 3}, ["readout must be one of", "not 3"]),
        ({"readout": "COUNT"}, ["readout must be one of", "not 'COUNT'"]),
        ({"potential": Potential(8), "layers": (layer(theta_high=128),)}, ["layer 0: theta_high", "127", "not 128"]),
        ({"potential": UNSIGNED, "layers": (layer(theta_high=256),)}, ["theta_high", "0 to 255", "not 256"]),
        ({"potential": UNSIGNED, "layers": (layer(theta_low=-1),)}, ["layer 0: theta_low", "0 to 255", "not -1"]),
        ({"potential": Potential(8), "layers": (layer(theta_low=-129),)}, ["theta_low", "-128 to 127", "not -129"]),
        (
            {"potential": Potential(8), "layers": (layer(), Layer([[1]] * 2, 200))},
            ["layer 1: theta_high", "not 200"],
        ),
        (
            {"layers": (Layer(np.ones((65536, 1)), 5),), "encoder": Encoder(Coding.DIRECT, 1)},
            ["inputs of an encoded network must be from 1 to 65535, not 65536"],
        ),
    ],
)
def test_a_bad_network_is_refused(changes, words):
    message = refusal(lambda: network(**changes))
    assert all(word in message for word in words), message


def test_the_largest_inputs_are_accepted():
    encoded = network(layers=(Layer(np.ones((65535, 1)), 5),), encoder=Encoder(Coding.DIRECT, 1))
    assert encoded.n_in == 65535
    assert network(layers=(Layer(np.ones((65536, 1)), 5),)).n_in == 65536, "spikes have no such limit"


@pytest.mark.parametrize("potential", [Potential(8), UNSIGNED])
def test_thresholds_at_the_ends_of_the_potential(potential):
    net = network(layers=(layer(theta_high=potential.high, theta_low=potential.low),), potential=potential)
    assert net.layers[0].theta_high == potential.high and net.layers[0].theta_low == potential.low


# -- whole numbers of other types ------------------------------------------------------------------------------

WHOLE = {
    "potential bits": lambda number: network(potential=Potential(number(16))),
    "weight bits": lambda number: network(layers=(layer(weight_bits=number(4)),)),
    "leak bits": lambda number: network(layers=(layer(leak_bits=number(3)),)),
    "theta_high": lambda number: network(layers=(layer(theta_high=number(12)),)),
    "encoder steps": lambda number: network(encoder=Encoder(Coding.RATE, number(4))),
    "encoder seed": lambda number: network(encoder=Encoder(Coding.RATE, 4, seed=number(6))),
    "thresholds": lambda number: network(encoder=Encoder(Coding.LEVEL, 1, (number(100),))),
}


@pytest.mark.parametrize("what", WHOLE)
@pytest.mark.parametrize("number", [np.int64, np.uint8, float])
def test_a_whole_number_of_any_type_serves_as_the_int(what, number):
    """It is either refused like any mistake or runs as the plain integer does."""
    try:
        net = WHOLE[what](number)
    except HysteronError:
        assert number not in (np.int64, np.uint8), f"{what} refuses an integer"
        return
    same = WHOLE[what](int)
    assert (net.potential.low, net.potential.high) == (same.potential.low, same.potential.high)
    inputs = np.array([[10, 100, 200]]) if net.encoder else np.ones((1, 4, 3))
    assert np.array_equal(run(net, inputs).values, run(same, inputs).values)
