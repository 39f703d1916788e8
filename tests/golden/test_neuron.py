# SPDX-License-Identifier: Apache-2.0
"""The neuron, step by step, against the scalar reference and against sequences worked out by hand."""

import itertools

import numpy as np
import pytest

from hysteron_golden.neuron import Leak, starts_armed, step
from hysteron_spec.network import Layer
from hysteron_spec.neuron import Mode, Potential, Reset
from support import scalar


def one_layer(codes, m=3, **changes):
    """A layer of one input and as many neurons as there are leak codes."""
    return Layer(
        **{"weights": np.ones((1, len(codes)), int), "theta_high": 0, "leak": codes, "leak_bits": m, **changes}
    )


# -- leak ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.int32, np.int64])
@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("m", range(1, 9))
def test_leak_of_every_code_on_every_8_bit_potential(m, signed, dtype):
    potential = Potential(8, signed)
    codes = list(range((1 << m) + 1))
    values = list(range(potential.low, potential.high + 1))
    u = np.repeat(np.array(values, dtype)[:, None], len(codes), axis=1)
    got = Leak.of(one_layer(codes, m), potential, dtype)(u)
    assert got.tolist() == [[scalar.leak(v, k, m) for k in codes] for v in values]


@pytest.mark.parametrize("m", range(1, 9))
def test_leak_at_the_ends_of_24_bits(m):
    codes = list(range((1 << m) + 1))
    for potential in (Potential(24), Potential(24, False)):
        values = [potential.low, potential.low + 1, potential.high - 1, potential.high]
        u = np.repeat(np.array(values, np.int32)[:, None], len(codes), axis=1)
        got = Leak.of(one_layer(codes, m), potential, np.int32)(u)
        assert got.tolist() == [[scalar.leak(v, k, m) for k in codes] for v in values]


@pytest.mark.parametrize(
    ("u", "code", "expected"),
    [
        (-1, 4, 0),  # 1 >> 1 = 0: an arithmetic shift would stay at -1
        (-1, 7, 0),  # 0 + 0 + 0
        (-1, 8, -1),
        (-7, 7, -4),  # 7 >> 1, 2, 3 = 3, 1, 0
        (7, 7, 4),
        (-9, 5, -5),  # 9 >> 1, 3 = 4, 1; one shift of the sum 9 * 5 >> 3 would also give 5
        (-15, 3, -4),  # 15 >> 2, 3 = 3, 1; 15 * 3 >> 3 would give 5: each term truncates
        (15, 3, 4),
        (-128, 1, -16),
        (-128, 0, 0),
    ],
)
def test_leak_truncates_each_term_toward_zero(u, code, expected):
    leak = Leak.of(one_layer([code]), Potential(8), np.int32)
    assert leak(np.array([[u]], np.int32)).tolist() == [[expected]]


def test_negative_potential_decays_to_zero():
    """With a halving leak and no input -100 goes the way of +100 with the sign turned, down to 0."""
    layer = one_layer([4, 4])
    leak = Leak.of(layer, Potential(8), np.int32)
    u = np.array([[-100, 100]], np.int32)
    path = []
    for _ in range(8):
        u = leak(u)
        path.append(u[0].tolist())
    assert path == [[-50, 50], [-25, 25], [-12, 12], [-6, 6], [-3, 3], [-1, 1], [0, 0], [0, 0]]


def test_codes_of_one_layer_act_on_their_own_neurons():
    leak = Leak.of(one_layer([8, 0, 1, 4, 7]), Potential(16), np.int32)
    u = np.array([[1000, 1000, 1000, 1000, 1000], [-1000, -999, -998, -997, -996]], np.int32)
    # 1000: >> 3 = 125, >> 1 = 500, 500 + 250 + 125; 998 >> 3 = 124, 997 >> 1 = 498, 996: 498 + 249 + 124
    assert leak(u).tolist() == [[1000, 0, 125, 500, 875], [-1000, 0, -124, -498, -871]]


def test_leak_leaves_its_argument_alone():
    u = np.array([[-100, 77]], np.int32)
    for codes in ([8, 8], [4, 4], [8, 3]):
        Leak.of(one_layer(codes), Potential(8), np.int32)(u)
        assert u.tolist() == [[-100, 77]]


# -- one step --------------------------------------------------------------------------------------------------

TOTALS = [-1000, -256, -129, -31, -1, 0, 1, 9, 10, 11, 19, 20, 21, 22, 100, 255, 256, 1000]


@pytest.mark.parametrize("thetas", [(20, 10), (20, 20), (0, 0), (0, -5), (127, 126), (20, -128)])
@pytest.mark.parametrize("reset", Reset)
@pytest.mark.parametrize("mode", Mode)
def test_every_transition_of_8_bit_neurons(mode, reset, thetas):
    """All potentials times both armed flags times totals around every threshold and end."""
    high, low = thetas
    for signed in (True, False):
        if low < 0 and not signed:
            continue
        potential = Potential(8, signed)
        layer = one_layer([8], mode=mode, reset=reset, theta_high=high, theta_low=low)
        cases = list(itertools.product(range(potential.low, potential.high + 1), TOTALS, (False, True)))
        if mode is Mode.PLAIN:
            cases = [case for case in cases if case[2]]
        u, total = (np.array([case[k] for case in cases], np.int32)[:, None] for k in (0, 1))
        armed = None if mode is Mode.PLAIN else np.array([case[2] for case in cases])[:, None]
        after, flags, spikes, _ = step(u, armed, total, layer, Leak.of(layer, potential, np.int32), potential)
        expected = []
        for before, drive, flag in cases:
            neuron = scalar.Neuron(
                8, 3, 0, mode.name, reset.name, high, low, potential.low, potential.high, before, flag
            )
            fired = neuron.step(drive, scalar.Counter())
            expected.append((neuron.u, neuron.armed, fired))
        got_flags = [True] * len(cases) if flags is None else flags[:, 0].tolist()
        got = list(zip(after[:, 0].tolist(), got_flags, spikes[:, 0].tolist(), strict=True))
        wrong = [(case, a, b) for case, a, b in zip(cases, got, expected, strict=True) if a != b]
        assert not wrong, f"(u, total, armed), got, expected: {wrong[0]}"


def test_step_returns_what_was_compared():
    """The fourth value is the potential after saturation and before the reset."""
    layer = one_layer([8, 8, 8], theta_high=20, theta_low=10, reset=Reset.ZERO, mode=Mode.LATCH)
    potential = Potential(8)
    u = np.array([[0, 100, -100]], np.int32)
    total = np.array([[21, 100, -100]], np.int32)
    after, armed, spikes, compared = step(
        u, starts_armed(layer, u.shape), total, layer, Leak.of(layer, potential, np.int32), potential
    )
    assert compared.tolist() == [[21, 127, -128]]
    assert spikes.tolist() == [[True, True, False]]
    assert after.tolist() == [[0, 0, -128]]
    assert armed.tolist() == [[False, False, True]]
    assert u.tolist() == [[0, 100, -100]], "the potentials before the step were changed"
    assert total.tolist() == [[21, 100, -100]], "the totals were changed"


@pytest.mark.parametrize("mode", [Mode.LATCH, Mode.WINDOW])
def test_neurons_start_armed(mode):
    armed = starts_armed(one_layer([8, 8], mode=mode), (3, 2))
    assert armed.shape == (3, 2) and armed.all()


def drive(totals, mode, reset, *, signed=True, bits=8, high=20, low=10, code=8):
    """Potential, armed flag and spike of one neuron after each step of ``totals``."""
    layer = one_layer([code], mode=mode, reset=reset, theta_high=high, theta_low=low)
    potential = Potential(bits, signed)
    leak = Leak.of(layer, potential, np.int32)
    u, armed = np.zeros((1, 1), np.int32), starts_armed(layer, (1, 1))
    path = []
    for total in totals:
        u, armed, spikes, _ = step(u, armed, np.array([[total]], np.int32), layer, leak, potential)
        path.append((int(u[0, 0]), True if armed is None else bool(armed[0, 0]), bool(spikes[0, 0])))
    return path


def test_latch_is_a_schmitt_trigger():
    """High 20, low 10, no reset: fires once above 20, holds in the band both ways, re-arms below 10."""
    assert drive([20, 1, 5, -11, 10, -15, 1, 9, 2], Mode.LATCH, Reset.NONE) == [
        (20, True, False),  # on the threshold: not above it
        (21, False, True),  # above: fires and disarms
        (26, False, False),  # still above: silent
        (15, False, False),  # in the band: held disarmed
        (25, False, False),  # above again without having been below the band: silent
        (10, False, False),  # on theta_low: not below it
        (11, False, False),
        (20, False, False),
        (22, False, False),
    ]
    assert drive([25, -16, 3, 8, 1], Mode.LATCH, Reset.NONE) == [
        (25, False, True),
        (9, True, False),  # below 10: armed
        (12, True, False),  # in the band: held armed
        (20, True, False),
        (21, False, True),
    ]


def test_window_disarms_in_the_band():
    assert drive([9, 11, 5, -16, 12], Mode.WINDOW, Reset.NONE) == [
        (9, True, False),
        (20, False, False),  # not below 10: disarmed although it never fired
        (25, False, False),
        (9, True, False),
        (21, False, True),
    ]


def test_plain_fires_at_every_step_above():
    assert [row[2] for row in drive([21, 0, 0, -1, 1], Mode.PLAIN, Reset.NONE)] == [True, True, True, False, True]


def test_rearm_compares_before_the_reset():
    """Reset to zero brings u below theta_low, but only the next step's comparison re-arms."""
    for mode in (Mode.LATCH, Mode.WINDOW):
        assert drive([30, 30, 0], mode, Reset.ZERO) == [
            (0, False, True),
            (30, False, False),  # compared as 30, not below 10: still disarmed
            (30, False, False),
        ]
        assert drive([30, 9, 30], mode, Reset.ZERO) == [(0, False, True), (9, True, False), (0, False, True)]


def test_subtract_takes_theta_high_off_the_saturated_potential():
    assert drive([45, 0, 1000], Mode.PLAIN, Reset.SUBTRACT) == [
        (25, True, True),
        (5, True, True),  # 25 > 20
        (107, True, True),  # 1005 saturates at 127, minus 20
    ]


def test_saturation_comes_after_the_whole_sum():
    assert drive([100, 100, -1, -300, 100], Mode.PLAIN, Reset.NONE, high=127) == [
        (100, True, False),
        (127, True, False),
        (126, True, False),
        (-128, True, False),
        (-28, True, False),
    ]
    assert drive([-5, 3, 300, -1], Mode.PLAIN, Reset.NONE, signed=False, high=255) == [
        (0, True, False),
        (3, True, False),
        (255, True, False),
        (254, True, False),
    ]


def test_threshold_at_the_upper_end_never_fires():
    assert not any(row[2] for row in drive([1000, 1000], Mode.PLAIN, Reset.NONE, high=127))


def test_leak_comes_before_the_sum():
    """Halving 21 and adding 11 gives 21 (10 + 11), not 16."""
    assert drive([20, 11], Mode.PLAIN, Reset.NONE, code=4) == [(20, True, False), (21, True, True)]
