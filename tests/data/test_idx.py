# SPDX-License-Identifier: Apache-2.0
"""IDX files."""

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hysteron_base.errors import HysteronError
from hysteron_base.memory import VARIABLE
from hysteron_data.idx import parse_idx, read_gzip

Make = Callable[[np.ndarray], bytes]

#: A file of 2 rows of 2 bytes.
GOOD = bytes([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 2, 1, 2, 3, 4])


def test_layout(tmp_path: Path, make_idx: Make) -> None:
    assert make_idx(np.array([[1, 2], [3, 4]], np.uint8)) == GOOD
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(GOOD))
    array = parse_idx(read_gzip(path), path)
    assert array.dtype == np.uint8
    assert array.tolist() == [[1, 2], [3, 4]]


def test_wider_elements_are_big_endian() -> None:
    array = parse_idx(bytes([0, 0, 11, 1, 0, 0, 0, 2, 1, 0, 255, 255]), Path("a"))
    assert array.tolist() == [256, -1]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (gzip.compress(GOOD)[:-9], "is damaged"),
        (gzip.compress(GOOD[:-1]), "announces 4 bytes, it has 3"),
        (gzip.compress(GOOD + b"x"), "announces 4 bytes, it has 5"),
        (gzip.compress(GOOD[:9]), "header is cut off"),
        (gzip.compress(b"PNG and so on"), "no IDX file"),
        (gzip.compress(b""), "no IDX file"),
        (b"not gzip", "is damaged"),
    ],
    # Not the contents: gzip writes the time into them, and test processes must agree on names.
    ids=["gzip cut off", "cut off", "too long", "header", "other", "empty", "not gzip"],
)
def test_damaged_files_are_refused_by_name(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "broken.gz"
    path.write_bytes(content)
    with pytest.raises(HysteronError, match=told) as error:
        parse_idx(read_gzip(path), path)
    assert "broken.gz" in str(error.value)
    assert "get it again" in str(error.value)
    assert "\n" not in str(error.value)


def test_what_stands_for_too_much_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(bytes(1 << 24)))
    monkeypatch.setenv(VARIABLE, str(2**-10))
    with pytest.raises(HysteronError, match=r"bomb\.gz' holds takes .* set HYSTERON_MAX_GIB"):
        read_gzip(path)
    monkeypatch.delenv(VARIABLE)
    assert len(read_gzip(path)) == 1 << 24
