# SPDX-License-Identifier: Apache-2.0
"""What the tests of training share: a small problem, and a recipe for it that uses everything."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from hysteron_data.sets import DataSet
from hysteron_train.recipe import Recipe

NEEDS_TORCH = "torch is not installed (extra 'train')"
NEEDS_DIGITS = "scikit-learn carries the digits"

#: Runs ``hysteron`` with the words given; returns exit status, output and errors.
Run = Callable[..., tuple[int, str, str]]

#: Every part of the trainer that keeps a state of its own is in use.
TOY = Recipe(
    name="toy",
    dataset="toy",
    preset="digits",
    hidden=(12,),
    recurrent=(0.5,),
    theta_high=(8,),
    theta_low=(3,),
    spread=2.0,
    epochs=4,
    batch=16,
    restarts=1,
    annealing=0.6,
    activity=0.1,
    learn_leak=True,
    armed_gradient=True,
    dropout=0.2,
    noise=20.0,
    smoothing=0.05,
)


def spikes(seed: int, *shape: int, rate: float = 0.4) -> npt.NDArray[np.uint8]:
    """Random spikes."""
    return (np.random.default_rng(seed).random(shape) < rate).astype(np.uint8)


def toy_images(count: int = 40, seed: int = 5) -> DataSet:
    """Images of 16 pixels in 3 classes, each a pattern of its own with some noise."""
    patterns = np.random.default_rng(0).integers(0, 256, (3, 16))
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 3
    pixels = np.clip(patterns[labels] + rng.normal(0, 50, (count, 16)), 0, 255)
    return DataSet("toy", pixels.astype(np.uint8), labels)


def toy_spikes(count: int = 20, steps: int = 8) -> DataSet:
    """Spikes of 6 inputs over some steps; every step is labelled by whether input 0 or input 1 spiked last, if any."""
    inputs = spikes(1, count, steps, 6)
    labels = np.full((count, steps), -1)
    for sample, step in np.ndindex(count, steps):
        if inputs[sample, step, 0] != inputs[sample, step, 1]:
            labels[sample, step] = inputs[sample, step, 1]
        elif step:
            labels[sample, step] = labels[sample, step - 1]
    return DataSet("toy", inputs, labels)


def toy_targets(count: int = 20, steps: int = 8) -> DataSet:
    """Spikes of 6 inputs, and two numbers for each step: slow averages of inputs 0 and 1."""
    inputs = spikes(2, count, steps, 6)
    targets = np.cumsum(inputs[..., :2], axis=1, dtype=np.float32) / np.arange(1, steps + 1, dtype=np.float32)[:, None]
    return DataSet("toy", inputs, None, targets)
