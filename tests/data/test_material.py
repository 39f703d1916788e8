# SPDX-License-Identifier: Apache-2.0
"""The material with memory."""

import numpy as np
import pytest

from hysteron_data import material
from hysteron_data.material import BINS, INPUTS, STEPS, encode, stop, strains


def test_stop_operator_on_a_known_path() -> None:
    """Loads, slips at 0.3, unloads elastically, slips at -0.3, loads again."""
    strain = [0.2, 0.5, 1.0, 0.5, -0.5, 0.0, 0.1]
    assert stop(strain, 0.3) == pytest.approx([0.2, 0.3, 0.3, -0.2, -0.3, 0.2, 0.3])


def test_stiffness_scales_stress_until_it_yields() -> None:
    assert stop([0.1, 0.2, 0.1], 0.3, stiffness=2.0) == pytest.approx([0.2, 0.3, 0.1])


def test_stop_depends_on_the_path_not_its_speed() -> None:
    strain = strains(20, 5)
    middle = (strain + np.concatenate([np.zeros((20, 1)), strain[:, :-1]], axis=1)) / 2
    slowly = np.stack([middle, strain], axis=2).reshape(20, -1)
    assert np.allclose(stop(slowly, 0.2)[:, 1::2], stop(strain, 0.2), rtol=0, atol=1e-12)


def test_a_closed_loop_of_strain_dissipates() -> None:
    """The area of the hysteresis loop: four times yield stress times the part of the amplitude that slips."""
    down = np.linspace(0.5, -0.5, 1001)
    loop = np.concatenate([np.linspace(0, 0.5, 501), down[1:], -down[1:]])
    stress = stop(loop, 0.2)
    work = np.sum((stress[501:] + stress[500:-1]) / 2 * np.diff(loop[500:]))
    assert work == pytest.approx(4 * 0.2 * (0.5 - 0.2), rel=1e-3)


def test_histories_are_smooth_turn_and_stay_within_one() -> None:
    strain = strains(300, 9)
    assert strain.shape == (300, STEPS)
    assert np.abs(strain).max() <= 1
    assert np.array_equal(strain, np.round(strain, 6))
    assert np.array_equal(strain, strains(300, 9))
    moves = np.diff(strain, axis=1, prepend=0)
    turns = (moves[:, 1:] * moves[:, :-1] < 0).sum(axis=1)
    assert turns.min() >= STEPS // material.LEGS[1] - 1
    assert turns.max() <= STEPS // material.LEGS[0]
    # Both first directions occur, and the whole range is visited.
    assert 0.4 < np.mean(moves[:, 0] > 0) < 0.6
    assert strain.max() > 0.95
    assert strain.min() < -0.95


def test_each_leg_is_half_a_wave_of_a_cosine() -> None:
    seen = 0
    for strain in strains(50, 4):
        moves = np.diff(strain, prepend=0)
        ends = np.flatnonzero(moves[1:] * moves[:-1] < 0) + 1
        for begin, end in zip([0, *ends], ends, strict=False):  # the last leg is cut off
            leg = moves[begin:end]
            wave = np.cos(np.pi * np.arange(len(leg) + 1) / len(leg))
            assert np.allclose(leg, -np.diff(wave) / 2 * leg.sum(), rtol=0, atol=1e-5)
            assert material.LEGS[0] <= len(leg) <= material.LEGS[1]
            seen += 1
    assert seen > 250


def test_coding_of_strain() -> None:
    spikes = encode(np.array([[-1.0, -0.99, -0.9375, 0.0, 0.0, 1.0, 0.5]]))
    assert spikes.shape == (1, 7, INPUTS)
    assert spikes.dtype == np.uint8
    assert [np.flatnonzero(step).tolist() for step in spikes[0]] == [
        [0, BINS + 1],
        [0, BINS],
        [1, BINS],
        [16, BINS],
        [16],  # stands still: neither rises nor falls
        [31, BINS],
        [24, BINS + 1],
    ]


def test_parts() -> None:
    inputs, one = material.load("test", elements=False)
    same, eight = material.load("test", elements=True)
    count = material.PARTS["test"][0]
    assert inputs.shape == (count, STEPS, INPUTS)
    assert (one.shape, one.dtype) == ((count, STEPS, 1), np.float32)
    assert (eight.shape, eight.dtype) == ((count, STEPS, 8), np.float32)
    assert np.array_equal(inputs, same)
    assert np.allclose(one[..., 0], eight.mean(axis=2), atol=1e-6)
    assert np.abs(eight).max() == 1
    # The weakest element yields soonest, so it is at its limit most often.
    at_limit = (np.abs(eight) == 1).mean(axis=(0, 1))
    assert np.all(np.diff(at_limit) < 0)
    strain = strains(*material.PARTS["test"])
    assert np.allclose(eight[..., 7], stop(strain, 0.8) / 0.8, atol=1e-6)
    train, _ = material.load("train", elements=False)
    assert not np.array_equal(train[:count], inputs)
