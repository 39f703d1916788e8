# SPDX-License-Identifier: Apache-2.0
"""Augmentation: slightly different samples for every epoch."""

import math

import numpy as np
import torch
from numpy.typing import NDArray

from hysteron_base.errors import require

from .recipe import Recipe

#: Images warped together: bounds the memory of the sampling grid.
_CHUNK = 5000


def augment(recipe: Recipe, inputs: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Samples as different as the recipe says: images or spikes, see the two functions below."""
    return augment_spikes(recipe, inputs, rng) if recipe.coding == "spikes" else augment_images(recipe, inputs, rng)


def augment_spikes(recipe: Recipe, spikes: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """``spikes`` moved at random over the rows and columns of their inputs, and in time.

    Parameters
    ----------
    recipe
        Its fields ``grid``, ``shift`` and ``delay``; without a grid samples move in time only.
    spikes
        ``(n, steps, inputs)`` of 0 and 1.
    rng
        Source of the random numbers.

    Returns
    -------
    Spikes of the same shape; where nothing moves in there are none.

    Raises
    ------
    HysteronError
        If the grid has another number of inputs.
    """
    n, steps, inputs = spikes.shape
    grid = recipe.grid or (inputs, 1, 1)
    require(math.prod(grid) == inputs, f"grid must have {inputs} inputs as {recipe.dataset!r} has, not {grid}")
    most = (recipe.delay, *(min(int(recipe.shift), side - 1) for side in grid[1:]))
    if not any(most):
        return spikes
    planes = spikes.reshape(n, steps, *grid)
    moved = np.zeros_like(planes)
    for sample, moves in enumerate(rng.integers([-m for m in most], most, (n, 3), endpoint=True)):
        moved[sample][_inside(moves)] = planes[sample][_inside(-moves)]
    return moved.reshape(spikes.shape)


def _inside(moves: NDArray[np.int64]) -> tuple[slice, slice, slice, slice]:
    """Where what moves by so many steps, rows and columns arrives; the opposite moves give where it comes from."""
    time, row, column = (slice(max(move, 0), min(move, 0) or None) for move in moves)
    return time, slice(None), row, column


def augment_images(recipe: Recipe, images: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """``images`` moved, turned, zoomed, mirrored and made noisy at random as the recipe says.

    Parameters
    ----------
    recipe
        Its fields ``shift``, ``rotate``, ``zoom``, ``flip`` and ``noise``.
    images
        ``(n, height, width)`` bytes, or ``(n, pixels)`` where only noise is asked for.
    rng
        Source of the random numbers.

    Returns
    -------
    Bytes of the same shape; what moves in from outside is 0.
    """
    if recipe.shift or recipe.rotate or recipe.zoom or recipe.flip:
        images = np.concatenate(
            [_warp(recipe, images[first : first + _CHUNK], rng) for first in range(0, len(images), _CHUNK)]
        )
    if recipe.noise:
        noisy = images + rng.normal(0, recipe.noise, images.shape) * (images > 0)
        images = np.clip(noisy, 0, 255).astype(np.uint8)
    return images


def _warp(recipe: Recipe, images: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    n, height, width = images.shape
    angle = rng.uniform(-1, 1, n) * math.radians(recipe.rotate)
    size = 1 + rng.uniform(-1, 1, (2, n)) * recipe.zoom
    mirror = np.where(rng.random(n) < 0.5 * recipe.flip, -1.0, 1.0)
    move = rng.uniform(-1, 1, (2, n)) * recipe.shift * 2 / np.array([[width], [height]])
    cos, sin = np.cos(angle), np.sin(angle)
    matrix = np.stack(
        [
            np.stack([mirror * cos * size[0], -sin * size[0], move[0]], 1),
            np.stack([mirror * sin * size[1], cos * size[1], move[1]], 1),
        ],
        1,
    )
    grid = torch.nn.functional.affine_grid(
        torch.from_numpy(matrix.astype(np.float32)), [n, 1, height, width], align_corners=False
    )
    pixels = torch.from_numpy(images[:, None].astype(np.float32))
    warped = torch.nn.functional.grid_sample(pixels, grid, align_corners=False)
    return warped[:, 0].round().clamp(0, 255).numpy().astype(np.uint8)
