"""Augmentation of images: a new set of slightly different images for every epoch."""

import math

import numpy as np
import torch
from numpy.typing import NDArray

from .recipe import Recipe

#: Images warped together: bounds the memory of the sampling grid.
_CHUNK = 5000


def augment(recipe: Recipe, images: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
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
