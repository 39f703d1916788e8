# SPDX-License-Identifier: Apache-2.0
"""N-MNIST: binning of events, and the file."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hysteron_base.errors import HysteronError
from hysteron_data import nmnist
from hysteron_data.nmnist import bin_events
from hysteron_data.sets import load_data_set
from support.data import need_data

#: Five events of one recording and one of another: x, y, polarity, microseconds.
EVENTS = np.array(
    [
        (0, 0, 0, 0),
        (1, 1, 0, 99_999),
        (2, 0, 1, 100_000),
        (33, 33, 1, 299_999),
        (33, 33, 1, 300_000),
        (4, 2, 0, 150_000),
    ]
)
COUNTS = np.array([5, 1])


def spikes(**settings: int) -> list[list[int]]:
    """Sample, step and input of each spike."""
    return np.argwhere(bin_events(*EVENTS.T, COUNTS, **{"steps": 3} | settings)).tolist()


def test_binning_of_five_events() -> None:
    result = bin_events(*EVENTS.T, COUNTS, steps=3)
    assert result.shape == (2, 3, 578)
    assert result.dtype == np.uint8
    # Pixels (0, 0) and (1, 1) are one input; what comes at 300 ms is left out.
    assert spikes() == [[0, 0, 0], [0, 1, 289 + 1], [0, 2, 577], [1, 1, 17 + 2]]


def test_a_spike_may_take_several_events() -> None:
    assert spikes(at_least=2) == [[0, 0, 0]]
    assert spikes(at_least=3) == []
    assert set(np.unique(bin_events(*EVENTS.T, COUNTS, steps=1))) == {0, 1}


def test_pooling_and_steps() -> None:
    assert spikes(pool=1) == [[0, 0, 0], [0, 0, 35], [0, 1, 1156 + 2], [0, 2, 2311], [1, 1, 2 * 34 + 4]]
    # 34 pixels make 12 inputs of 3; the last has one pixel only.
    assert spikes(pool=3) == [[0, 0, 0], [0, 1, 144], [0, 2, 287], [1, 1, 1]]
    assert [step for _, step, _ in spikes(steps=300)] == [0, 99, 100, 299, 150]
    # Steps that do not divide the time: 7 of 42857.14 µs each.
    limits = np.array([(0, 0, 0, 42_857), (0, 0, 0, 42_858)])
    assert np.argwhere(bin_events(*limits.T, np.array([2]), steps=7))[:, 1].tolist() == [0, 1]


def test_a_recording_without_events_is_silent() -> None:
    result = bin_events(*EVENTS[:1].T, np.array([0, 1, 0]), steps=2)
    assert result.sum(axis=(1, 2)).tolist() == [0, 1, 0]


@pytest.mark.parametrize("name", ["steps", "pool", "at_least"])
def test_wrong_settings_are_refused(name: str) -> None:
    with pytest.raises(HysteronError, match=f"{name} must be at least 1, not 0"):
        spikes(**{name: 0})


def test_wrong_counts_are_refused() -> None:
    with pytest.raises(HysteronError, match="add up to the 6 events, not to 5"):
        bin_events(*EVENTS.T, np.array([5]), steps=2)


def test_time_restarts_with_each_recording() -> None:
    """The file has the time since the event before; the first event's is since the start."""
    arrays = {
        "x": np.zeros(4, np.uint8),
        "y": np.zeros(4, np.uint8),
        "p": np.zeros(4, np.uint8),
        "dt": np.array([30_000, 30_000, 60_000, 10], np.uint16),
        "n": np.array([2, 2], np.uint32),
        "id": np.array([7, 60_001], np.uint32),
        "label": np.array([5, 9], np.uint8),
    }
    for part, steps, label in (("train", [1, 2], 5), ("test", [2, 2], 9)):
        inputs, labels = nmnist.select(arrays, part)
        assert inputs.shape == (1, nmnist.STEPS, 578)
        assert np.flatnonzero(inputs[0, :, 0]).tolist() == sorted(set(steps))
        assert labels.tolist() == [label]


def aer(events: np.ndarray) -> bytes:
    """Events as the repository's files have them."""
    return b"".join(bytes([x, y]) + (int(p) << 23 | int(t)).to_bytes(3, "big") for x, y, p, t in events)


#: Three events of a recording, two of another.
TIMED = np.array([(0, 0, 0, 7), (1, 33, 1, 40_000), (2, 0, 1, 90_000), (33, 3, 1, 65_535), (4, 2, 0, 131_070)])

FOLDER = "slayerPytorch-1/test/test_files/NMNISTsmall/"
LISTS = {
    FOLDER + "train1K.txt": b"#sample #class\r\n1\t4\r\n2\t0\r\n",
    FOLDER + "test100.txt": b"#sample #class\r\n60001\t9\r\n60002\t3\r\n",
}
FILES = LISTS | {
    FOLDER + "1.bs2": aer(TIMED[:3]),
    FOLDER + "2.bs2": b"",
    FOLDER + "60001.bs2": aer(TIMED[3:]),
    FOLDER + "60002.bs2": b"",
    "slayerPytorch-1/other/1.bs2": b"something else",
}


def test_conversion_of_the_repository(tmp_path: Path, make_tar: Callable[..., bytes]) -> None:
    path = tmp_path / "served"
    path.write_bytes(make_tar(FILES))
    arrays = {name: values.tolist() for name, values in np.load(io.BytesIO(nmnist.convert(path))).items()}
    assert arrays == {
        "x": [0, 1, 2, 33, 4],
        "y": [0, 33, 0, 3, 2],
        "p": [0, 1, 1, 1, 0],
        "dt": [7, 39_993, 50_000, 65_535, 65_535],
        "n": [3, 0, 2, 0],
        "id": [1, 2, 60001, 60002],
        "label": [4, 0, 9, 3],
    }


@pytest.mark.parametrize(
    "change",
    [
        {FOLDER + "1.bs2": None},
        {FOLDER + "1.bs2": b"1234"},
        {FOLDER + "1.bs2": aer(TIMED[2::-1])},
        {FOLDER + "1.bs2": aer(np.array([(0, 0, 0, 0), (0, 0, 0, 65_536)]))},
        {FOLDER + "test100.txt": None},
        {FOLDER + "train1K.txt": b"#sample #class\n1 4 4\n"},
        {FOLDER + "train1K.txt": b"#sample #class\none 4\n"},
    ],
)
def test_incomplete_repositories_are_refused(
    tmp_path: Path, make_tar: Callable[..., bytes], change: dict[str, bytes | None]
) -> None:
    path = tmp_path / "served"
    path.write_bytes(make_tar({name: content for name, content in (FILES | change).items() if content is not None}))
    with pytest.raises(HysteronError, match=r"served' is damaged .*get it again"):
        nmnist.convert(path)


def test_files_without_a_column_are_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "events.npz"
    np.savez(path, x=np.zeros(3, np.uint8), y=np.zeros(3))
    with pytest.raises(HysteronError, match=r"events\.npz' is damaged \(it has no uint8 column 'y'\)"):
        nmnist.read_events(path)


def test_real_recordings() -> None:
    need_data("nmnist")
    tests, train = load_data_set("nmnist"), load_data_set("nmnist", "train")
    assert tests.labels is not None and train.labels is not None
    assert np.bincount(tests.labels).tolist() == [8, 14, 8, 11, 14, 7, 10, 15, 2, 11]
    assert np.bincount(train.labels).tolist() == [97, 116, 99, 93, 105, 92, 94, 117, 87, 100]
    assert int(tests.inputs.sum(dtype=np.int64)) == 84745
