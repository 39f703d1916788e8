# SPDX-License-Identifier: Apache-2.0
"""Arrays from archives: exact, and no larger than is allowed."""

import io
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from hysteron_base.errors import HysteronError
from hysteron_base.memory import VARIABLE
from hysteron_spec.archive import read_arrays


def read(path: Path) -> dict[str, np.ndarray]:
    return read_arrays(path, "data file", "write it again")


def refused(path: Path) -> str:
    with pytest.raises(HysteronError) as error:
        read(path)
    text = str(error.value)
    assert "\n" not in text and path.name in text and "pickle" not in text
    return text


@given(st.lists(arrays.arrays(st.sampled_from([np.uint8, np.int64, np.float32]), arrays.array_shapes(min_dims=0))))
def test_what_was_written_comes_back(tmp_path_factory: pytest.TempPathFactory, values: list[np.ndarray]) -> None:
    path = tmp_path_factory.mktemp("archive") / "some.npz"
    np.savez(path, *values)
    found = read(path)
    assert list(found) == [f"arr_{k}" for k in range(len(values))]
    for value, got in zip(values, found.values(), strict=True):
        assert got.dtype == value.dtype
        assert np.array_equal(got, value, equal_nan=value.dtype.kind == "f")


def test_a_file_that_only_begins_as_an_archive(tmp_path: Path) -> None:
    path = tmp_path / "some.npz"
    path.write_bytes(b"PK and then something else")
    assert "is no data file or is damaged (File is not a zip file); write it again" in refused(path)


def test_objects_are_not_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "some.npz", inputs=np.array([{}, None]))
    assert "entry 'inputs' holds Python objects, not numbers" in refused(tmp_path / "some.npz")


def test_an_entry_that_is_no_array(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "some.npz", "w") as archive:
        archive.writestr("inputs", "text")
    assert "entry 'inputs' is no array" in refused(tmp_path / "some.npz")


@pytest.mark.parametrize("shape", ["(1000000, 1000000)", "(1000000, 1000000, 1000000, 1000000)", "(3,)"])
def test_a_header_that_announces_what_is_not_there(tmp_path: Path, shape: str) -> None:
    """Nothing is allocated for it."""
    buffer = io.BytesIO()
    np.save(buffer, np.zeros(8, np.uint8))
    head = "{'descr': '|u1', 'fortran_order': False, 'shape': %s, }" % shape  # noqa: UP031
    content = buffer.getvalue()[:10] + head.ljust(117).encode() + b"\n" + bytes(8)
    with zipfile.ZipFile(tmp_path / "some.npz", "w") as archive:
        archive.writestr("inputs.npy", content)
    tracemalloc.start()
    assert "array 'inputs' of shape" in refused(tmp_path / "some.npz")
    assert tracemalloc.get_traced_memory()[1] < 1 << 24
    tracemalloc.stop()


def test_a_small_file_that_stands_for_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it holds is not unpacked, unless more is allowed."""
    path = tmp_path / "some.npz"
    np.savez_compressed(path, inputs=np.zeros((1 << 24,), np.uint8), labels=np.zeros(9, np.uint8))
    assert path.stat().st_size < 1 << 16
    monkeypatch.setenv(VARIABLE, str(2**-7))
    tracemalloc.start()
    assert f"holds takes 0.0 GiB of memory, more than 0.0078125 GiB; set {VARIABLE}" in refused(path)
    assert tracemalloc.get_traced_memory()[1] < 1 << 23
    tracemalloc.stop()
    monkeypatch.setenv(VARIABLE, str(2**-5))
    assert read(path)["inputs"].shape == (1 << 24,)
