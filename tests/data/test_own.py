# SPDX-License-Identifier: Apache-2.0
"""Files of the user's: their parts, and what is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hysteron_base.errors import HysteronError
from hysteron_data.own import one_hot
from hysteron_data.sets import load_data_set

SPIKES = np.zeros((10, 200, 8), np.uint8)


def write(path: Path, **arrays: Any) -> str:
    np.savez(path / "mine.npz", **arrays)
    return str(path / "mine.npz")


def test_a_file_with_two_parts(tmp_path: Path) -> None:
    source = write(
        tmp_path,
        train_inputs=np.zeros((3, 4), np.uint8),
        train_labels=np.arange(3),
        test_inputs=np.ones((2, 4), np.uint8),
        test_labels=np.arange(2),
    )
    train, test = load_data_set(source, "train"), load_data_set(source)
    assert (train.part, len(train.inputs), train.inputs.max()) == ("train", 3, 0)
    assert (test.part, len(test.inputs), test.inputs.max()) == ("test", 2, 1)
    assert load_data_set(source, "train", whole=True).part == "train"
    assert load_data_set("yin-yang").part == "test"


def test_a_file_that_is_not_divided_is_not_the_training_part(tmp_path: Path) -> None:
    source = write(tmp_path, inputs=np.zeros((3, 4), np.uint8), labels=np.arange(3))
    assert load_data_set(source).part is None
    with pytest.raises(HysteronError, match=r"not divided .* write 'train_inputs', .*--held-back") as error:
        load_data_set(source, "train")
    assert "\n" not in str(error.value)
    assert len(load_data_set(source, "train", whole=True).inputs) == 3


@pytest.mark.parametrize(
    ("arrays", "told"),
    [
        ({"train_inputs": SPIKES}, "must hold an array 'test_inputs'"),
        ({"inputs": SPIKES, "test_inputs": SPIKES}, "either 'inputs' or its parts"),
        ({"inputs": SPIKES * 1j}, "must be numbers, not complex128"),
        ({"inputs": SPIKES.astype(str)}, "must be numbers, not <U"),
        ({"inputs": SPIKES, "labels": np.zeros(200, int)}, r"axis 0 .* seems to be time .*np.swapaxes\(inputs, 0, 1\)"),
        ({"inputs": SPIKES, "labels": np.zeros((200, 10), int)}, "axis 0 .* seems to be time"),
        ({"inputs": SPIKES, "labels": np.eye(2)[[0, 1] * 5]}, r"look one-hot: write labels.argmax\(axis=1\)"),
        ({"inputs": SPIKES, "labels": np.zeros(10)}, r"must be integers, not float64; write labels.astype\(int\)"),
        ({"inputs": SPIKES, "labels": np.full(10, 0.5)}, "must be integers, not float64$"),
        ({"inputs": SPIKES, "labels": np.full(10, 10**12)}, "to at most 65535, not 1000000000000"),
        ({"inputs": SPIKES, "labels": np.full(10, 2**64 - 1, np.uint64)}, "not 18446744073709551615"),
        ({"inputs": SPIKES, "labels": np.full(10, -2)}, "-1 for none, not -2"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, arrays: dict[str, Any], told: str) -> None:
    with pytest.raises(HysteronError, match=told):
        load_data_set(write(tmp_path, **arrays))


def test_what_is_one_hot() -> None:
    assert one_hot(np.eye(3))
    assert not one_hot(np.ones((3, 3)))
    assert not one_hot(np.arange(3))
    assert not one_hot(np.full((3, 2), "a"))
