# SPDX-License-Identifier: Apache-2.0
"""OpenSpike's neuron: window mode, 0/1 weights, 8-bit unsigned potentials, m = 3, thresholds 200 and 230.

Every sequence is worked out by hand in the comments. A 0/1 weight adds at most 1 for a spike, so a neuron is
driven with d by letting d of its inputs spike.
"""

import numpy as np
import pytest

from hysteron_golden.run import run
from hysteron_spec.network import Layer, Network
from hysteron_spec.neuron import Mode, Potential, Readout, Reset

FAN_IN = 400


def potentials_and_spikes(drives, *, code=8, mode=Mode.WINDOW, reset=Reset.ZERO):
    """Potential after each step and the steps that fired, of a neuron with so many spiking inputs a step."""
    layer = Layer(
        weights=np.ones((FAN_IN, 1), int),
        theta_high=230,
        theta_low=200,
        leak=code,
        mode=mode,
        reset=reset,
        weight_bits=1,
        unit_weights=True,
        leak_bits=3,
    )
    network = Network((layer,), potential=Potential(8, signed=False), readout=Readout.COUNT)
    spikes = np.zeros((1, len(drives), FAN_IN), np.uint8)
    for t, drive in enumerate(drives):
        spikes[0, t, :drive] = 1
    result = run(network, spikes, trace=True)
    fired = [t for t in range(len(drives)) if result.spikes[0][0, t, 0]]
    return result.potentials[0][0, :, 0].tolist(), fired


def test_a_neuron_that_stops_in_the_band_is_silent_for_ever():
    # No leak (code 8), 100 a step.
    # t0:   0 + 100 = 100, below 200: stays armed
    # t1: 100 + 100 = 200, not below 200: disarmed, and not above 230: no spike
    # t2: 200 + 100 = 300, saturates at 255, above 230 but disarmed: silent; never below 200 again
    u, fired = potentials_and_spikes([100] * 20)
    assert u == [100, 200] + [255] * 18
    assert fired == []


def test_a_latch_fires_on_the_same_input():
    # t0: 100, armed; t1: 200 in the band, armed is held; t2: 255 > 230: fires, reset to 0, disarmed
    # t3: 100, below 200: armed again; t4: 200; t5: fires; and so on, every third step
    u, fired = potentials_and_spikes([100] * 20, mode=Mode.LATCH)
    assert u == ([100, 200, 0] * 7)[:20]
    assert fired == [2, 5, 8, 11, 14, 17]


def test_the_band_silences_a_leaky_neuron_too():
    # Code 4 halves; 120 a step:
    # 0 + 120 = 120, 60 + 120 = 180, 90 + 120 = 210 (band), 105 + 120 = 225 (band), 112 + 120 = 232 > 230,
    # 116 + 120 = 236, 118 + 120 = 238, 119 + 120 = 239, 119 + 120 = 239
    path = [120, 180, 210, 225, 232, 236, 238, 239, 239]
    u, fired = potentials_and_spikes([120] * 9, code=4)
    assert u == path
    assert fired == []
    # The latch fires at 232, is reset to 0 and starts again: 0 + 120 = 120 (armed again), 180, 210, 225, 232.
    u, fired = potentials_and_spikes([120] * 10, code=4, mode=Mode.LATCH)
    assert u == [120, 180, 210, 225, 0] * 2
    assert fired == [4, 9]


def test_silence_ends_only_below_200():
    # Code 4. t0: 210 (band, disarmed); t1: 105 + 99 = 204 (band); t2: 102 + 130 = 232, above 230 but disarmed;
    # t3: 116 + 84 = 200, not below; t4: 100 + 131 = 231, disarmed; t5: 115 + 84 = 199, below 200: armed;
    # t6: 99 + 132 = 231 > 230: fires, reset to 0
    u, fired = potentials_and_spikes([210, 99, 130, 84, 131, 84, 132], code=4)
    assert u == [210, 204, 232, 200, 231, 199, 0]
    assert fired == [6]


@pytest.mark.parametrize("mode", [Mode.WINDOW, Mode.LATCH])
def test_fire_and_rearm(mode):
    # No leak. t0: 250 > 230, armed from the start: fires, u = 0, disarmed (250 was compared, not 0)
    # t1: 0 + 0 = 0, below 200: armed; t2: 231: fires, u = 0; t3: 231, disarmed, not below 200: silent
    u, fired = potentials_and_spikes([250, 0, 231, 231, 0], mode=mode)
    assert u == [0, 0, 0, 231, 231]
    assert fired == [0, 2]


@pytest.mark.parametrize("mode", [Mode.WINDOW, Mode.LATCH])
def test_rearm_by_the_leak(mode):
    # Code 7 keeps 1/2 + 1/4 + 1/8. t0: 240: fires, u = 0. t1: 250: disarmed, silent.
    # t2: 250 -> 125 + 62 + 31 = 218: not below 200. t3: 218 -> 109 + 54 + 27 = 190: below, armed.
    # t4: 190 -> 95 + 47 + 23 = 165, + 66 = 231: fires.
    u, fired = potentials_and_spikes([240, 250, 0, 0, 66], code=7, mode=mode)
    assert u == [0, 250, 218, 190, 0]
    assert fired == [0, 4]


@pytest.mark.parametrize(("first", "fires"), [(229, False), (230, False), (231, True), (255, True)])
def test_fires_strictly_above_230(first, fires):
    assert potentials_and_spikes([first]) == ([0 if fires else first], [0] if fires else [])


@pytest.mark.parametrize(("first", "fires_next"), [(199, True), (200, False), (201, False), (230, False)])
def test_armed_strictly_below_200(first, fires_next):
    # Then 56 more: 199 + 56 = 255, and more than that saturates.
    assert potentials_and_spikes([first, 56])[1] == ([1] if fires_next else [])


@pytest.mark.parametrize(
    ("start", "by_code"),
    [
        # code:  0 1    2    3 (1/4+1/8) 4  5 (1/2+1/8) 6 (1/2+1/4) 7 (all three) 8
        (0, [0, 0, 0, 0, 0, 0, 0, 0, 0]),
        (1, [0, 0, 0, 0, 0, 0, 0, 0, 1]),  # 1 >> 1, 2, 3 = 0, 0, 0
        (7, [0, 0, 1, 1, 3, 3, 4, 4, 7]),  # 3, 1, 0
        (8, [0, 1, 2, 3, 4, 5, 6, 7, 8]),  # 4, 2, 1
        (15, [0, 1, 3, 4, 7, 8, 10, 11, 15]),  # 7, 3, 1
        (100, [0, 12, 25, 37, 50, 62, 75, 87, 100]),  # 50, 25, 12
        (199, [0, 24, 49, 73, 99, 123, 148, 172, 199]),  # 99, 49, 24
        (200, [0, 25, 50, 75, 100, 125, 150, 175, 200]),  # 100, 50, 25
        (230, [0, 28, 57, 85, 115, 143, 172, 200, 230]),  # 115, 57, 28
    ],
)
def test_leak_codes(start, by_code):
    for code, expected in enumerate(by_code):
        assert potentials_and_spikes([start, 0], code=code)[0] == [start, expected], f"leak code {code}"


def test_saturation_at_255():
    # Without a reset: 254 fires; 254 + 1 = 255; 255 + 1 = 256 saturates; 255 + 400 = 655 saturates.
    u, fired = potentials_and_spikes([254, 1, 1, 400], reset=Reset.NONE)
    assert u == [254, 255, 255, 255]
    assert fired == [0]
    # 256 in one step is 255, above 230, not 0 as an 8-bit register would wrap to.
    assert potentials_and_spikes([256], reset=Reset.NONE) == ([255], [0])
    # Then code 4 and silence: 255 >> 1 = 127, 63, 31: it was 255 that was kept.
    assert potentials_and_spikes([400, 0, 0, 0], code=4, reset=Reset.NONE)[0] == [255, 127, 63, 31]


def test_weight_zero_adds_nothing():
    layer = Layer(
        weights=np.array([[1, 0]] * 240),
        theta_high=230,
        theta_low=200,
        mode=Mode.WINDOW,
        weight_bits=1,
        unit_weights=True,
    )
    network = Network((layer,), potential=Potential(8, signed=False))
    result = run(network, np.ones((1, 1, 240), np.uint8), trace=True)
    assert result.potentials[0].tolist() == [[[0, 0]]]
    assert result.spikes[0].tolist() == [[[True, False]]]


def test_two_layers_of_window_neurons_in_one_step():
    # 240 inputs fire all 250 hidden neurons at t0 (240 > 230); the output gets 250 at the same t0 and fires.
    # t1: hidden neurons are disarmed with 240 (not below 200): silent; the output gets 0: armed again.
    first = Layer(np.ones((240, 250), int), 230, 200, mode=Mode.WINDOW, weight_bits=1, unit_weights=True)
    second = Layer(np.ones((250, 1), int), 230, 200, mode=Mode.WINDOW, weight_bits=1, unit_weights=True)
    network = Network((first, second), potential=Potential(8, signed=False))
    result = run(network, np.ones((1, 2, 240), np.uint8), trace=True)
    assert result.spikes[0].all(axis=2).tolist() == [[True, False]]
    assert not result.spikes[0][0, 1].any()
    assert result.spikes[1].tolist() == [[[True], [False]]]
    assert result.events.tolist() == [[480, 250, 1]]
