# SPDX-License-Identifier: Apache-2.0
"""Archives read in memory."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hysteron_base.errors import HysteronError
from hysteron_base.memory import VARIABLE
from hysteron_data.archive import read_members

Make = Callable[..., bytes]

PATTERN = re.compile(r"(?:^|/)wanted/(\w+\.txt)$")


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_only_what_the_pattern_finds_is_read(tmp_path: Path, make_tar: Make, mode: str) -> None:
    path = tmp_path / "archive"
    files = {"x/wanted/b.txt": b"B", "wanted/a.txt": b"A", "x/other/a.txt": b"no", "unwanted/c.txt": b"no"}
    path.write_bytes(make_tar(files, mode))
    assert list(read_members(path, PATTERN).items()) == [("a.txt", b"A"), ("b.txt", b"B")]


@pytest.mark.parametrize("mode", ["w:gz", "w:bz2", "w:xz"])
def test_damage_anywhere_is_no_crash(tmp_path: Path, make_tar: Make, mode: str) -> None:
    """Wherever bytes are wrong, the archive is refused by name, if it is refused."""
    rng = np.random.default_rng(4)
    words = rng.choice([b"spike ", b"leak ", b"reset ", b"threshold "], 20000).tolist()
    files = {"wanted/a.txt": b"".join(words)}
    whole = make_tar(files, mode)
    path = tmp_path / "archive"
    refused = 0
    for place in range(0, len(whole), len(whole) // 40):
        path.write_bytes(whole[:place] + bytes(b ^ 0x55 for b in whole[place : place + 9]) + whole[place + 9 :])
        try:
            read_members(path, PATTERN)
        except HysteronError as error:
            assert re.search(r"archive' is damaged \(.+\); get it again$", str(error))
            refused += 1
    # The gzip checksum at the end is not always reached; that of the content, which callers check, sees the rest.
    assert refused > 5


def test_a_missing_archive(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_members(tmp_path / "none", PATTERN)


def test_what_stands_for_too_much_is_not_unpacked(
    tmp_path: Path, make_tar: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "archive"
    path.write_bytes(make_tar({"wanted/a.txt": bytes(1 << 22), "wanted/b.txt": bytes(1 << 22)}, "w:gz"))
    monkeypatch.setenv(VARIABLE, str(2**-8.5))
    with pytest.raises(HysteronError, match=r"archive' holds takes .* set HYSTERON_MAX_GIB"):
        read_members(path, PATTERN)
