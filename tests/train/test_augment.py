# SPDX-License-Identifier: Apache-2.0
"""Augmentation: what moves by how much, against pixels known beforehand and a plain loop over spikes."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from hysteron_base.errors import HysteronError
from hysteron_train.recipe import Recipe
from support.train import NEEDS_TORCH, spikes

pytest.importorskip("torch", reason=NEEDS_TORCH)

from hysteron_train import augment as module
from hysteron_train.augment import augment

Bytes = npt.NDArray[np.uint8]


class Known:
    """In place of a generator: every uniform number is the same, every choice of moves is given."""

    def __init__(self, uniform: float = 0.0, random: float = 1.0, moves: Any = None) -> None:
        self._uniform, self._random, self._moves = uniform, random, moves

    def uniform(self, low: float, high: float, size: Any) -> npt.NDArray[np.float64]:
        assert low <= self._uniform <= high
        return np.full(size, self._uniform)

    def random(self, size: int) -> npt.NDArray[np.float64]:
        return np.full(size, self._random)

    def integers(self, low: Any, high: Any, size: Any, endpoint: bool) -> npt.NDArray[np.int64]:
        moves = np.array(self._moves)
        assert endpoint and moves.shape == size and (moves >= low).all() and (moves <= high).all()
        return moves


def of_images(**changes: Any) -> Recipe:
    return Recipe(name="images", dataset="toy", preset="digits", **changes)


def of_spikes(**changes: Any) -> Recipe:
    return Recipe(name="spikes", dataset="toy", preset="digits", coding="spikes", **changes)


def images(*shape: int) -> Bytes:
    """Random pixels, some of them 0."""
    rng = np.random.default_rng(3)
    return np.where(rng.random(shape) < 0.7, rng.integers(0, 256, shape), 0).astype(np.uint8)


def call(recipe: Recipe, inputs: Bytes, rng: Any) -> Bytes:
    before = inputs.copy()
    result = augment(recipe, inputs, rng)
    assert np.array_equal(inputs, before), "the samples themselves must stay as they are for the next epoch"
    assert result.shape == inputs.shape and result.dtype == np.uint8
    return result


@pytest.mark.parametrize("shape", [(5, 16), (5, 8, 6)])
def test_images_stay_if_nothing_is_asked(shape: tuple[int, ...]) -> None:
    assert np.array_equal(call(of_images(), images(*shape), np.random.default_rng(1)), images(*shape))


def test_spikes_stay_if_nothing_is_asked() -> None:
    given = spikes(1, 5, 7, 12)
    assert np.array_equal(call(of_spikes(), given, np.random.default_rng(1)), given)
    # Without rows and columns there is nothing to shift, and a grid alone asks for nothing.
    assert np.array_equal(call(of_spikes(shift=2.0), given, np.random.default_rng(1)), given)
    assert np.array_equal(call(of_spikes(grid=(2, 2, 3)), given, np.random.default_rng(1)), given)


# -- images ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("uniform", "pixels"), [(1.0, 2), (-1.0, -2), (0.5, 1)])
def test_a_shift_moves_whole_pixels(uniform: float, pixels: int) -> None:
    """The same number of pixels along both sides of an image that is not square; zeros move in."""
    given = images(4, 9, 6)
    expected = np.zeros_like(given)
    for row, column in np.ndindex(9, 6):
        if 0 <= row + pixels < 9 and 0 <= column + pixels < 6:
            expected[:, row, column] = given[:, row + pixels, column + pixels]
    assert np.array_equal(call(of_images(shift=2.0), given, Known(uniform)), expected)


def test_a_shift_moves_up_to_its_pixels_to_every_side() -> None:
    given = np.zeros((400, 15, 15), np.uint8)
    given[:, 7, 7] = 240
    moved = call(of_images(shift=3.0), given, np.random.default_rng(1)).astype(float)
    total = moved.sum((1, 2))
    rows = (moved.sum(2) * (np.arange(15) - 7)).sum(1) / total
    columns = (moved.sum(1) * (np.arange(15) - 7)).sum(1) / total
    for places in (rows, columns):
        assert -3.05 < places.min() < -2.8 and 2.8 < places.max() < 3.05 and abs(places.mean()) < 0.3
    assert abs(np.corrcoef(rows, columns)[0, 1]) < 0.2


def test_a_flip_mirrors_half_of_the_images_left_to_right() -> None:
    given = images(4, 5, 6)
    assert np.array_equal(call(of_images(flip=True), given, Known(random=0.49)), given[:, :, ::-1])
    assert np.array_equal(call(of_images(flip=True), given, Known(random=0.51)), given)
    assert np.array_equal(call(of_images(shift=2.0), given, Known(random=0.0)), given)


@pytest.mark.parametrize(("degrees", "turns"), [(90.0, 1), (180.0, 2), (-90.0, -1)])
def test_a_rotation_by_right_angles(degrees: float, turns: int) -> None:
    given = images(4, 7, 7)
    expected = np.rot90(given, turns, axes=(1, 2))
    assert np.array_equal(call(of_images(rotate=degrees), given, Known(1.0)), expected)


@pytest.mark.parametrize(("uniform", "side"), [(-1.0, 24), (1.0, 8)])
def test_a_zoom_scales_about_the_middle(uniform: float, side: float) -> None:
    """Sampled at half the distance a square of 12 pixels' side becomes one of 24, at 3/2 of it one of 8."""
    given = np.zeros((1, 40, 40), np.uint8)
    given[0, 14:26, 14:26] = 200
    zoomed = call(of_images(zoom=0.5), given, Known(uniform)).astype(float) / 200
    assert zoomed.sum() == pytest.approx(side**2, rel=0.05)
    assert np.allclose(zoomed, zoomed[:, ::-1]) and np.allclose(zoomed, zoomed[:, :, ::-1])


def test_noise_is_added_to_pixels_that_are_not_0() -> None:
    given = np.repeat(np.array([[0, 1, 120, 255]], np.uint8), 20_000, axis=0)
    noisy = call(of_images(noise=30.0), given, np.random.default_rng(1)).astype(float)
    assert not noisy[:, 0].any()
    # Truncated to a whole number, so half a unit darker.
    assert noisy[:, 2].mean() == pytest.approx(119.5, abs=1) and noisy[:, 2].std() == pytest.approx(30, rel=0.05)
    # Clipped at the ends, where about half of them lie beyond.
    assert 0.4 < (noisy[:, 1] == 0).mean() < 0.6 and 0.4 < (noisy[:, 3] == 255).mean() < 0.6


def test_images_are_warped_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CHUNK", 3)
    given = images(7, 5, 6)
    assert np.array_equal(call(of_images(flip=True), given, Known(random=0.0)), given[:, :, ::-1])


# -- spikes ----------------------------------------------------------------------------------------------------


def moved(sample: Bytes, grid: tuple[int, int, int], moves: tuple[int, int, int]) -> Bytes:
    """A sample of which every spike is moved by steps, rows and columns, one by one."""
    later, down, right = moves
    planes, height, width = grid
    result = np.zeros_like(sample)
    for step, index in np.argwhere(sample):
        plane, place = divmod(int(index), height * width)
        row, column = divmod(place, width)
        if 0 <= step + later < len(sample) and 0 <= row + down < height and 0 <= column + right < width:
            result[step + later, plane * height * width + (row + down) * width + column + right] = 1
    assert planes * height * width == sample.shape[1]
    return result


@pytest.mark.parametrize("moves", [(1, 0, 0), (-2, 0, 0), (0, 1, 0), (0, 0, -1), (2, -1, 1)])
def test_spikes_move_by_steps_rows_and_columns(moves: tuple[int, int, int]) -> None:
    given = spikes(5, 3, 6, 2 * 3 * 4)
    rng = Known(moves=[moves, (0, 0, 0), moves])
    result = call(of_spikes(grid=(2, 3, 4), shift=1.0, delay=2), given, rng)
    assert np.array_equal(result[[0, 2]], [moved(given[0], (2, 3, 4), moves), moved(given[2], (2, 3, 4), moves)])
    assert np.array_equal(result[1], given[1])


@pytest.mark.parametrize(
    ("grid", "shift", "delay", "most"),
    [
        ((2, 3, 4), 1.0, 1, (1, 1, 1)),
        ((2, 3, 4), 0.0, 2, (2, 0, 0)),
        ((1, 4, 6), 1.9, 0, (0, 1, 1)),
        ((12, 1, 2), 5.0, 0, (0, 0, 1)),
        ((), 3.0, 1, (1, 0, 0)),
    ],
)
def test_every_sample_moves_by_its_own_and_all_moves_occur(
    grid: tuple[int, int, int] | tuple[()], shift: float, delay: int, most: tuple[int, int, int]
) -> None:
    given = spikes(6, 150, 5, 24, rate=0.5)
    result = call(of_spikes(grid=grid, shift=shift, delay=delay), given, np.random.default_rng(2))
    later, down, right = (range(-m, m + 1) for m in most)
    every = list(itertools.product(later, down, right))
    found = set()
    for before, after in zip(given, result, strict=True):
        fits = [moves for moves in every if np.array_equal(moved(before, grid or (24, 1, 1), moves), after)]
        assert len(fits) == 1
        found.add(fits[0])
    assert found == set(every)


def test_a_grid_of_another_number_of_inputs() -> None:
    with pytest.raises(HysteronError, match=r"grid must have 20 inputs as 'toy' has, not \(2, 3, 4\)"):
        augment(of_spikes(grid=(2, 3, 4), shift=1.0), spikes(1, 2, 5, 20), np.random.default_rng(1))


# -- randomness ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("recipe", "inputs"),
    [
        (of_images(shift=2.0, rotate=10.0, zoom=0.1, flip=True, noise=20.0), images(20, 8, 8)),
        (of_spikes(grid=(1, 4, 3), shift=1.0, delay=1), spikes(2, 20, 6, 12)),
    ],
)
def test_the_same_generator_gives_the_same_samples(recipe: Recipe, inputs: Bytes) -> None:
    rng = np.random.default_rng(4)
    first, second = (call(recipe, inputs, rng) for _ in range(2))
    assert np.array_equal(first, call(recipe, inputs, np.random.default_rng(4)))
    assert not np.array_equal(first, second)
    assert not np.array_equal(first, call(recipe, inputs, np.random.default_rng(5)))
