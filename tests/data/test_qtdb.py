# SPDX-License-Identifier: Apache-2.0
"""Electrocardiograms."""

from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from hysteron_base.errors import HysteronError
from hysteron_data import qtdb
from hysteron_data.sets import PARTS, load_data_set
from hysteron_data.sources import read
from support.data import need_data


def test_conversion_of_a_hand_made_sequence() -> None:
    x = np.array([[[1, 0, 0, 1], [0, 1, 1, 0], [-1, 0, 0, 0]]], np.int16)
    y = np.zeros((1, 3, 6), np.uint8)
    y[0, 0, 0] = y[0, 2, 5] = 1
    inputs, labels = qtdb.convert(x, y)
    assert (inputs.dtype, labels.dtype) == (np.uint8, np.int64)
    assert inputs.tolist() == [[[1, 0, 0, 1], [0, 1, 1, 0], [0, 0, 0, 0]]]
    assert labels.tolist() == [[0, -1, 5]]


def test_other_shapes_are_refused() -> None:
    with pytest.raises(HysteronError, match=r"not \(1, 3, 5\) and \(1, 3, 6\)"):
        qtdb.convert(np.zeros((1, 3, 5)), np.zeros((1, 3, 6)))
    with pytest.raises(HysteronError, match=r"not \(1, 3, 4\) and \(1, 2, 6\)"):
        qtdb.convert(np.zeros((1, 3, 4)), np.zeros((1, 2, 6)))


@pytest.mark.parametrize("content", [b"", b"MATLAB", b"MATLAB 5.0 MAT-file" + bytes(200), None])
def test_other_files_are_refused_by_name(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "some.mat"
    savemat(path, {"x": np.zeros(3)})
    with pytest.raises(HysteronError, match=r"some\.mat' is damaged .*get it again") as error:
        qtdb.read_mat(path.read_bytes() if content is None else content, path)
    assert "\n" not in str(error.value)


def test_real_sequences() -> None:
    need_data("qtdb")
    tests = load_data_set("qtdb")
    assert tests.labels is not None
    assert np.bincount(tests.labels.ravel() + 1).tolist() == [19056, 24153, 10145, 9840, 9065, 55885, 55297]
    assert tests.inputs.sum(axis=(0, 1), dtype=np.int64).tolist() == [15968, 12650, 14923, 14356]
    assert tests.classes == ("P", "PQ", "QR", "RS", "ST", "TP")
    # A beat goes through its phases in their order.
    now, following = tests.labels[:, :-1], tests.labels[:, 1:]
    changes = (now != following) & (now >= 0) & (following >= 0)
    assert np.all((now[changes] + 1) % 6 == following[changes])
    # What convert leaves out is a mark at the end of each sequence, not a signal.
    arrays = qtdb.read_mat(*read("qtdb", PARTS.index("test")))
    assert {(int(step), int(channel)) for _, step, channel in np.argwhere(arrays["x"] < 0)} == {(1300, 0)}


def test_too_little_memory_is_no_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr("scipy.io.loadmat", fail)
    with pytest.raises(MemoryError):
        qtdb.read_mat(b"", "some.mat")
