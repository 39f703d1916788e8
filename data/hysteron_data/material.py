# SPDX-License-Identifier: Apache-2.0
"""Stress of a material with memory: regression in which the answer depends on the whole past.

The material is Iwan's (W. D. Iwan, "A distributed-element model for hysteresis", Journal of Applied Mechanics 33,
1966; the Prandtl model by another name): elastic-perfectly-plastic elements in parallel. Each is a *stop operator*,
a spring that slips at its yield stress, and remembers where it slipped; how fast the strain moves does not matter.
A network that is to follow it must keep a state for each scale of strain.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

#: Steps of a history.
STEPS = 100
#: Yield stress of each element, in units of the stress that strain 1 would give it were it elastic.
YIELDS = tuple(k / 10 for k in range(1, 9))
#: Bins of strain from -1 to 1; one of as many inputs spikes each step.
BINS = 32
#: Inputs: the bins, "rising", "falling".
INPUTS = BINS + 2
#: Steps from one turning point of the strain to the next: smallest, largest.
LEGS = (5, 25)
#: For each part: samples, seed.
PARTS = {"train": (2000, 1), "test": (500, 2)}


def stop(strain: ArrayLike, yield_stress: float, stiffness: float = 1.0) -> NDArray[np.float64]:
    """Compute the stress of one elastic-perfectly-plastic element that starts without stress at strain 0.

    Parameters
    ----------
    strain
        Histories of strain, ``(…, steps)``.
    yield_stress
        Largest magnitude that the stress can have, more than 0.
    stiffness
        Stress over strain while nothing slips.

    Returns
    -------
    ``(…, steps)`` float64, in the unit of ``yield_stress``.
    """
    strain = np.asarray(strain, np.float64)
    moves = stiffness * np.diff(strain, prepend=0.0)
    stress = np.empty_like(strain)
    now = np.zeros(strain.shape[:-1])
    for step in range(strain.shape[-1]):
        now = np.clip(now + moves[..., step], -yield_stress, yield_stress)
        stress[..., step] = now
    return stress


def strains(count: int, seed: int) -> NDArray[np.float64]:
    """Draw random smooth histories of strain from 0: ``(count, STEPS)`` float64 in -1 … 1, in units of 1e-6.

    The strain goes from turning point to turning point along half waves of a cosine. Each leg takes a random
    number of steps and covers a random part of what is left up to ±1, up and down by turns.
    """
    # The old generator on purpose: NumPy promises its stream never changes.
    random = np.random.RandomState(seed)
    legs = -(-STEPS // LEGS[0])
    lengths = random.randint(LEGS[0], LEGS[1] + 1, (count, legs))
    reach = random.uniform(0, 1, (count, legs))
    direction = 2 * random.randint(2, size=count) - 1
    times = np.concatenate([np.zeros((count, 1), np.int64), np.cumsum(lengths, axis=1)], axis=1)
    turns = np.zeros((count, legs + 1))
    for leg in range(legs):
        turns[:, leg + 1] = turns[:, leg] + reach[:, leg] * (direction - turns[:, leg])
        direction = -direction
    steps = np.arange(1, STEPS + 1)
    leg_of = (steps[None, :, None] > times[:, None, 1:]).sum(axis=2)
    begin, end = (np.take_along_axis(times, leg_of + k, axis=1) for k in (0, 1))
    low, high = (np.take_along_axis(turns, leg_of + k, axis=1) for k in (0, 1))
    part = (1 - np.cos(np.pi * (steps - begin) / (end - begin))) / 2
    # Rounded, so that another library's cosine puts no strain into another bin.
    return np.round(low + (high - low) * part, 6)


def encode(strain: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Code histories of strain as spikes.

    Parameters
    ----------
    strain
        Histories of strain, ``(samples, steps)``, -1 … 1.

    Returns
    -------
    ``(samples, steps, INPUTS)`` of 0 and 1, uint8: the bin of the strain, one of :data:`BINS` of equal width; then
    "rising" and "falling" against the step before (before the first: 0).
    """
    spikes = np.zeros((*strain.shape, INPUTS), np.uint8)
    place = np.clip(np.floor((strain + 1) * (BINS / 2)).astype(np.int64), 0, BINS - 1)
    np.put_along_axis(spikes, place[..., None], 1, axis=2)
    change = np.diff(strain, axis=1, prepend=0.0)
    spikes[..., BINS] = change > 0
    spikes[..., BINS + 1] = change < 0
    return spikes


def load(part: str, *, elements: bool) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Generate one part of the data set.

    Parameters
    ----------
    part
        Name of the part, "train" or "test".
    elements
        Whether the targets are the elements one by one, or the material they make up.

    Returns
    -------
    inputs, targets
        ``(n, STEPS, INPUTS)`` spikes uint8, and ``(n, STEPS, outputs)`` float32 in -1 … 1: for each element, its
        stress over its yield stress; for the material, its stress over the largest it can bear. Its elements have
        stiffnesses that let each bear the same part of that, so it is the mean of theirs.
    """
    strain = strains(*PARTS[part])
    targets = np.stack([stop(strain, limit) / limit for limit in YIELDS], axis=2)
    if not elements:
        targets = targets.mean(axis=2, keepdims=True)
    return encode(strain), targets.astype(np.float32)
