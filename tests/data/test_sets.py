"""Data sets: the bundled digits, IDX files and files of the user's."""

import gzip
import os
import struct
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from hysteron_data.digits import load_digits_split
from hysteron_data.sets import load_test_set, read_idx
from hysteron_golden import HysteronError


def idx(array: np.ndarray) -> bytes:
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


def test_digits_split_is_fixed_and_complete() -> None:
    train, train_labels, test, test_labels = load_digits_split()
    assert (train.shape, test.shape) == ((1347, 64), (450, 64))
    assert np.bincount(test_labels).tolist() == [45, 46, 44, 46, 45, 46, 45, 45, 43, 45]
    assert test[0].tolist()[:16] == load_test_set("digits").inputs[0].tolist()[:16]
    assert (int(train.sum(dtype=np.int64)), int(test.sum(dtype=np.int64))) == (6728234, 2248798)
    everything = np.minimum(load_digits().data * 16, 255).astype(np.uint8)
    assert sorted(map(bytes, np.concatenate([train, test]))) == sorted(map(bytes, everything))
    assert len(train_labels) == len(train)


def test_mnist_from_idx_files() -> None:
    if not (Path(os.environ.get("HYSTERON_DATA", "")) / "mnist").is_dir():
        pytest.skip("HYSTERON_DATA has no mnist folder; set it to where the IDX files are")
    tests = load_test_set("mnist")
    assert tests.inputs.shape == (10000, 28, 28)
    assert tests.labels is not None
    assert np.bincount(tests.labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


def test_idx_round_trip(tmp_path: Path) -> None:
    array = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(idx(array)))
    assert np.array_equal(read_idx(path), array)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (gzip.compress(idx(np.zeros((2, 2), np.uint8)))[:-9], "damaged"),
        (gzip.compress(idx(np.zeros((2, 2), np.uint8))[:-1]), "announces 4 bytes, it has 3"),
        (gzip.compress(idx(np.zeros((2, 2), np.uint8)) + b"x"), "announces 4 bytes, it has 5"),
        (gzip.compress(b"PNG and so on"), "no IDX file"),
        (gzip.compress(b""), "no IDX file"),
        (b"not gzip", "damaged"),
    ],
)
def test_damaged_idx_files_are_refused_by_name(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "broken.gz"
    path.write_bytes(content)
    with pytest.raises(HysteronError, match=told) as error:
        read_idx(path)
    assert "broken.gz" in str(error.value)
    assert "\n" not in str(error.value)


def test_what_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HYSTERON_DATA", raising=False)
    with pytest.raises(HysteronError, match="set HYSTERON_DATA"):
        load_test_set("mnist")
    monkeypatch.setenv("HYSTERON_DATA", str(tmp_path))
    with pytest.raises(HysteronError, match="mnist' does not exist"):
        load_test_set("mnist")
    (tmp_path / "mnist").mkdir()
    with pytest.raises(HysteronError, match=r"t10k-images.* does not exist"):
        load_test_set("mnist")
