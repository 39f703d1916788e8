# SPDX-License-Identifier: Apache-2.0
"""Data sets by name and files of the user's."""

import gzip
import hashlib
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from hysteron_base.errors import HysteronError
from hysteron_data.catalogue import CATALOGUE
from hysteron_data.digits import load_digits_split
from hysteron_data.idx import parse_idx, read_gzip
from hysteron_data.sets import NAMES, DataSet, halve, load_data_set
from hysteron_data.sources import FILES, FOLDERS
from support.data import need_data


def test_digits_split_is_fixed_and_complete() -> None:
    train, train_labels, test, test_labels = load_digits_split()
    assert (train.shape, test.shape) == ((1347, 64), (450, 64))
    assert np.bincount(test_labels).tolist() == [45, 46, 44, 46, 45, 46, 45, 45, 43, 45]
    assert (int(train.sum(dtype=np.int64)), int(test.sum(dtype=np.int64))) == (6728234, 2248798)
    everything = np.minimum(load_digits().data * 16, 255).astype(np.uint8)
    assert sorted(map(bytes, np.concatenate([train, test]))) == sorted(map(bytes, everything))
    for part, images, labels in (("train", train, train_labels), ("test", test, test_labels)):
        loaded = load_data_set("digits", part)
        assert np.array_equal(loaded.inputs, images)
        assert np.array_equal(loaded.labels, labels)


def test_the_catalogue_has_every_set() -> None:
    assert tuple(CATALOGUE) == NAMES
    assert set(FOLDERS) < set(NAMES)
    assert set(FOLDERS.values()) == set(FILES)


def check(loaded: DataSet, name: str, part: str) -> None:
    """``loaded`` is as the class promises and as the catalogue says."""
    about = CATALOGUE[name]
    assert loaded.name == name
    assert loaded.inputs.dtype == np.uint8
    assert loaded.inputs.flags.writeable
    assert loaded.inputs.shape == (about.samples[part == "test"], *about.shape)
    if about.spikes:
        assert loaded.inputs.max() == 1
    else:
        assert loaded.inputs.max() > 200
    assert (loaded.labels is None) != (loaded.targets is None)
    if loaded.labels is not None:
        assert loaded.labels.dtype == np.int64
        least = 0 if loaded.labels.ndim == 1 else -1
        assert set(np.unique(loaded.labels)) == set(range(least, len(loaded.classes)))
        assert loaded.labels.shape == loaded.inputs.shape[: loaded.labels.ndim]
    if loaded.targets is not None:
        assert loaded.targets.dtype == np.float32
        assert loaded.targets.shape[:2] == loaded.inputs.shape[:2]
        assert loaded.classes == ()


@pytest.mark.parametrize("part", ["train", "test"])
@pytest.mark.parametrize("name", [name for name in NAMES if name not in FOLDERS])
def test_sets_that_need_no_files(name: str, part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HYSTERON_DATA", raising=False)
    check(load_data_set(name, part), name, part)


@pytest.mark.parametrize("part", ["train", "test"])
@pytest.mark.parametrize("name", FOLDERS)
def test_real_data(name: str, part: str) -> None:
    need_data(name)
    check(load_data_set(name, part), name, part)


def test_real_labels() -> None:
    need_data("mnist")
    labels = load_data_set("mnist").labels
    assert labels is not None
    assert np.bincount(labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


def test_small_sets_load(small_data: Path) -> None:
    """Where the real data is not: what comes from which file."""
    for name, part, prefix in (("mnist", "test", "t10k"), ("fashion-mnist", "train", "train")):
        loaded = load_data_set(name, part)
        for kind, values in (("images-idx3", loaded.inputs), ("labels-idx1", loaded.labels)):
            path = small_data / name / f"{prefix}-{kind}-ubyte.gz"
            assert np.array_equal(values, parse_idx(read_gzip(path), path))
    assert np.array_equal(load_data_set("mnist-14", "train").inputs, halve(load_data_set("mnist", "train").inputs))
    for name, shape in (("nmnist", (12, 578)), ("fsdd", (32, 128)), ("qtdb", (12, 4))):
        train, test = load_data_set(name, "train"), load_data_set(name)
        assert train.inputs.shape == (4, *shape)
        assert test.inputs.shape == (3, *shape)
        for loaded in (train, test):
            assert loaded.labels is not None
            assert loaded.labels.shape == loaded.inputs.shape[: 2 if name == "qtdb" else 1]
    assert load_data_set("qtdb").labels[0].tolist() == [0, 1, 2, 3, 4, 5, -1, 0, 1, 2, 3, 4]  # type: ignore[index]
    assert load_data_set("nmnist").labels.tolist() == [4, 5, 6]  # type: ignore[union-attr]
    # Recording 0 before recording 4, digits in order; recording 15 belongs to neither part.
    assert load_data_set("fsdd").labels.tolist() == [1, 3, 2]  # type: ignore[union-attr]
    assert load_data_set("fsdd", "train").labels.tolist() == [4, 5, 7, 6]  # type: ignore[union-attr]


def test_levels_are_thermometers_of_the_pixels(small_data: Path) -> None:
    pixels, coded = load_data_set("mnist"), load_data_set("mnist-levels")
    assert coded.name == "mnist-levels"
    assert coded.inputs.shape == (3, 4, 784)
    for step, level in enumerate((32, 80, 128, 176)):
        assert np.array_equal(coded.inputs[:, step], pixels.inputs.reshape(3, -1) > level)
    assert np.array_equal(coded.labels, pixels.labels)  # type: ignore[arg-type]


def test_halving_averages_and_rounds_halves_up() -> None:
    image = np.array([[[0, 1, 255, 255], [0, 0, 255, 255], [1, 1, 255, 0], [0, 0, 3, 0]]], np.uint8)
    halved = halve(image)
    assert halved.dtype == np.uint8
    assert halved.tolist() == [[[0, 255], [1, 65]]]


def test_wrong_names_and_parts_are_refused() -> None:
    with pytest.raises(HysteronError, match=r"digits, mnist, .*not 'mnits'; did you mean 'mnist'\?$"):
        load_data_set("mnits")
    with pytest.raises(HysteronError, match=r"digits, mnist, .*not 'zzz'$"):
        load_data_set("zzz")
    with pytest.raises(HysteronError, match="part must be one of train, test, not 'validation'"):
        load_data_set("digits", "validation")


@pytest.mark.parametrize("name", ["digits", "fsdd", "qtdb"])
def test_a_missing_library_is_named(name: str, small_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("sklearn.datasets", "scipy.io"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(HysteronError, match=r"is missing, which this needs; pip install 'hyn\[data\]'"):
        load_data_set(name)


def write(path: Path, **arrays: object) -> str:
    np.savez(path, **arrays)  # type: ignore[arg-type]
    return str(path)


SPIKES = np.zeros((3, 5, 2), np.uint8)


def test_files_of_the_users(tmp_path: Path) -> None:
    path = tmp_path / "mine.npz"
    loaded = load_data_set(write(path, inputs=SPIKES))
    assert (loaded.name, loaded.labels, loaded.targets, loaded.classes) == ("mine", None, None, ())
    loaded = load_data_set(write(path, inputs=SPIKES, labels=np.array([1, 0, 2], np.uint8)), "train", whole=True)
    assert loaded.labels is not None
    assert loaded.labels.dtype == np.int64
    assert loaded.labels.tolist() == [1, 0, 2]
    by_step = np.array([[-1, 0, 1, 2, 3]] * 3, np.int8)
    targets = np.arange(30.0).reshape(3, 5, 2)
    loaded = load_data_set(write(path, inputs=SPIKES, labels=by_step, targets=targets))
    assert np.array_equal(loaded.labels, by_step)
    assert loaded.targets is not None
    assert loaded.targets.dtype == np.float32
    assert np.array_equal(loaded.targets, targets)
    pixels = load_data_set(write(path, inputs=np.ones((2, 28, 28), np.uint8), labels=np.array([5, 6])))
    assert pixels.inputs.shape == (2, 28, 28)


@pytest.mark.parametrize(
    ("arrays", "told"),
    [
        ({"images": SPIKES}, r"must hold an array 'inputs', it has \['images'\]"),
        ({"inputs": np.zeros(3)}, r"shape \(samples, …\), not \(3,\)"),
        ({"inputs": np.zeros((0, 5, 2))}, "at least one sample, not 0"),
        ({"inputs": SPIKES, "labels": np.zeros(3)}, "must be integers, not float64"),
        ({"inputs": SPIKES, "labels": np.zeros(2, int)}, r"3 samples but labels of shape \(2,\)"),
        ({"inputs": SPIKES, "labels": np.zeros((3, 4), int)}, r"labels of shape \(3, 4\)"),
        ({"inputs": SPIKES[:, 0], "labels": np.zeros((3, 2), int)}, r"labels of shape \(3, 2\)"),
        ({"inputs": SPIKES, "labels": np.full((3, 5), -2)}, "-1 for none, not -2"),
        ({"inputs": SPIKES, "targets": np.full((3, 5, 1), "a")}, "must be numbers, not <U1"),
        ({"inputs": SPIKES, "targets": np.zeros((3, 5))}, r"shape \(samples, steps, outputs\) .*not \(3, 5\)"),
        ({"inputs": SPIKES, "targets": np.zeros((3, 4, 1))}, r"not \(3, 4, 1\)"),
        ({"inputs": SPIKES[:, 0], "targets": np.zeros((3, 2, 1))}, r"inputs of shape \(3, 2\)"),
        ({"inputs": SPIKES, "targets": np.full((3, 5, 1), np.nan)}, "must be finite"),
        ({"inputs": SPIKES, "targets": np.full((3, 5, 1), 1e99)}, "must be finite"),
    ],
)
def test_wrong_files_of_the_users_are_refused_by_name(tmp_path: Path, arrays: dict[str, np.ndarray], told: str) -> None:
    with pytest.raises(HysteronError, match=told) as error:
        load_data_set(write(tmp_path / "mine.npz", **arrays))
    assert "mine.npz" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_that_is_checked_says_what_the_checksum_says(small_data: Path) -> None:
    """The right name and format, other content."""
    folder = small_data / "mnist"
    wrong = folder / "t10k-labels-idx1-ubyte.gz"
    other = gzip.decompress(wrong.read_bytes())[:-1] + b"\x0b"
    wrong.write_bytes(gzip.compress(other))
    with pytest.raises(HysteronError, match=r"t10k-labels.* is damaged \(.*SHA-256 .*get it again"):
        load_data_set("mnist")
    with pytest.raises(HysteronError, match=r"t10k-labels.* is damaged"):
        load_data_set("mnist-14")
    load_data_set("mnist", "train")


@pytest.mark.parametrize(
    ("name", "part", "fingerprint"),
    [
        ("yin-yang", "train", "5a2f12ff180a7623"),
        ("yin-yang", "test", "9df3142db781f399"),
        ("material", "train", "da316f48a8aa1c2c"),
        ("material", "test", "1742bedae9e58ea7"),
    ],
)
def test_generated_sets_stay_as_they_are(name: str, part: str, fingerprint: str) -> None:
    """Figures published for a set must not come to be of another."""
    inputs = load_data_set(name, part).inputs
    assert hashlib.sha256(inputs.tobytes()).hexdigest()[:16] == fingerprint
