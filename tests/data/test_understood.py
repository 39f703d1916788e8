# SPDX-License-Identifier: Apache-2.0
"""What samples are taken for, in words."""

from typing import Any

import numpy as np
import pytest

from hysteron_data.sets import DataSet
from hysteron_data.understood import understood
from hysteron_spec import Encoder

PIXELS = Encoder.latency(10)


def of(inputs: Any, labels: Any = None, encoder: Encoder | None = None, **more: Any) -> tuple[str, tuple[str, ...]]:
    found = understood(
        DataSet("x", np.asarray(inputs), None if labels is None else np.asarray(labels), **more), encoder
    )
    return found.text, found.notes


def test_the_axes_and_the_range() -> None:
    images = np.zeros((450, 8, 8), np.uint8)
    images[0, 0, 0] = 16
    labels = np.arange(450) % 10
    assert of(images, labels, PIXELS) == ("450 samples of 8 × 8 pixels, 0 to 16 of 255; labels 0 to 9", ())
    assert of(images[:1], labels[:1], PIXELS)[0].startswith("1 sample of 8 × 8 pixels")
    spikes = np.zeros((100, 8, 64), np.uint8)
    spikes[:, 0, :6] = 1
    assert of(spikes, labels[:100]) == ("100 samples of 8 steps of 64 inputs, 1.2 % spikes; labels 0 to 9", ())
    frames = np.ones((12, 20, 2, 3, 4))
    assert of(frames, labels[:12])[0] == "12 samples of 20 steps of 2 × 3 × 4 inputs, 100.0 % spikes; labels 0 to 9"
    targets = np.zeros((100, 8, 3), np.float32)
    assert of(spikes, targets=targets)[0].endswith("; 3 targets a step")
    assert of(spikes)[0].endswith("; no labels")
    assert of(spikes, np.full((100, 8), -1))[0].endswith("; no labels of steps but -1")


@pytest.mark.parametrize(
    ("inputs", "labels", "encoder", "told"),
    [
        (np.eye(8, dtype=np.uint8), np.arange(8), PIXELS, "no pixel exceeds 1, and 255 is the brightest"),
        (np.zeros((8, 8)), np.arange(8), PIXELS, "all pixels are 0"),
        (np.zeros((8, 4, 8)), np.arange(8), None, "no input ever spikes"),
        (np.ones((10, 200, 8)), None, None, "axis 0, 10 long, is taken for samples and axis 1, 200 long, for time"),
        (np.full((10, 200, 8), 9), None, PIXELS, "it has as many as the network has steps, 10"),
        (np.ones((4, 3, 8)), [0, -1, 1, -1], None, "2 of 4 labels are -1"),
        (np.ones((3, 3, 8)), np.eye(3, dtype=int), None, "look one-hot"),
    ],
)
def test_what_looks_like_a_mistake(inputs: Any, labels: Any, encoder: Encoder | None, told: str) -> None:
    (note,) = of(inputs, labels, encoder)[1]
    assert told in note


def test_nothing_is_said_of_what_is_as_usual() -> None:
    assert of(np.ones((200, 10, 8)))[1] == ()
    assert of(np.ones((10, 200, 8)), np.arange(10))[1] == ()
    assert of(np.ones((10, 200, 8)), part="test")[1] == ()
