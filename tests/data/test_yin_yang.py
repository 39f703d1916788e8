# SPDX-License-Identifier: Apache-2.0
"""The Yin-Yang set."""

import numpy as np
import pytest

from hysteron_data import yin_yang
from hysteron_data.yin_yang import CLASSES, classify, points


@pytest.mark.parametrize(
    ("x", "y", "name"),
    [
        (0.25, 0.50, "dot"),  # in the middle of the left lobe
        (0.25, 0.59, "dot"),
        (0.25, 0.61, "yang"),  # the left lobe around its dot
        (0.25, 0.30, "yang"),
        (0.25, 0.24, "yin"),  # below the left lobe
        (0.50, 0.90, "yang"),  # the upper half
        (0.50, 0.10, "yin"),
        (0.75, 0.50, "dot"),
        (0.84, 0.50, "dot"),
        (0.86, 0.51, "yin"),  # the right lobe around its dot
        (0.75, 0.70, "yin"),
        (0.75, 0.76, "yang"),  # above the right lobe
    ],
)
def test_geometry(x: float, y: float, name: str) -> None:
    assert CLASSES[int(classify(x, y))] == name


def test_turning_the_symbol_swaps_yin_and_yang() -> None:
    where, classes = points(500, 7)
    turned = classify(1 - where[:, 0], 1 - where[:, 1])
    assert np.array_equal(turned, np.array([1, 0, 2])[classes])


def test_points_lie_in_the_symbol_and_classes_are_balanced() -> None:
    where, classes = points(1500, 1)
    assert np.all(np.hypot(*(where - 0.5).T) <= 0.5)
    assert np.bincount(classes).min() > 430
    assert np.array_equal(classify(*where.T), classes)


def test_seeds_give_the_published_points() -> None:
    """The first points of the sets that the paper's authors publish for these seeds."""
    for part, published, labels in (
        ("train", [[0.6803075385877797, 0.450499251969543], [0.09767211400638387, 0.6842330265121569]], [2, 1]),
        ("test", [[0.23409664559563403, 0.4017249751828972], [0.7513290219574494, 0.4682425192680968]], [2, 2]),
    ):
        where, classes = points(2, yin_yang.PARTS[part][1])
        assert where.tolist() == published
        assert classes.tolist() == labels


def test_pixels() -> None:
    inputs, labels = yin_yang.load("test")
    where, classes = points(*yin_yang.PARTS["test"])
    assert inputs.dtype == np.uint8
    assert np.array_equal(labels, classes)
    assert np.abs(inputs[:, :2] / 255 - where).max() <= 0.5 / 255 + 1e-12
    assert np.all(inputs[:, :2].astype(int) + inputs[:, 2:] == 255)
