# SPDX-License-Identifier: Apache-2.0
"""Where files are looked for, and that they are checked."""

import gzip
import re
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from hysteron_base.errors import HysteronError
from hysteron_data.sets import load_data_set
from hysteron_data.sources import FILES, FOLDERS, MissingDataError, Presence, data_root, presence

#: One name for each folder, with its files.
NAMES = {folder: name for name, folder in reversed(FOLDERS.items())}
PATHS = [(name, file.name) for folder, name in NAMES.items() for file in FILES[folder]]


def part_of(file: str) -> str:
    """The part that needs a file."""
    return "train" if "train" in file else "test"


@pytest.mark.parametrize(("name", "file"), PATHS)
def test_missing_files_are_named(name: str, file: str, small_data: Path) -> None:
    (small_data / FOLDERS[name] / file).unlink()
    told = rf"^data set '{name}' is missing: no file '.*{file}'; run 'hysteron data fetch {name}', or set HYSTERON_DATA"
    with pytest.raises(MissingDataError, match=told) as error:
        load_data_set(name, part_of(file))
    assert "\n" not in str(error.value)
    assert presence(name) is (Presence.INCOMPLETE if len(FILES[FOLDERS[name]]) > 1 else Presence.MISSING)


def test_presence(small_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert {presence(name) for name in FOLDERS} == {Presence.WHOLE}
    assert presence("digits") is Presence.NEEDLESS
    monkeypatch.setenv("HYSTERON_DATA", str(small_data / "nowhere"))
    assert {presence(name) for name in FOLDERS} == {Presence.MISSING}


@pytest.mark.parametrize("damage", ["truncated", "other", "empty", "flipped"])
@pytest.mark.parametrize(("name", "file"), PATHS)
def test_damaged_files_are_refused_by_name(name: str, file: str, damage: str, small_data: Path) -> None:
    path = small_data / FOLDERS[name] / file
    content = path.read_bytes()
    middle = len(content) // 2
    path.write_bytes(
        {
            "truncated": content[:middle],
            "other": b"<html>404 not found</html>",
            "empty": b"",
            "flipped": content[:middle] + bytes([content[middle] ^ 0x10]) + content[middle + 1 :],
        }[damage]
    )
    with pytest.raises(HysteronError, match=r"(damaged|is no data file) .*get it again") as error:
        load_data_set(name, part_of(file))
    assert file in str(error.value)
    assert "\n" not in str(error.value)


def test_whole_files_of_another_content_are_refused(small_data: Path) -> None:
    for folder, one, other in (
        ("qtdb", "QTDB_test.mat", "QTDB_train.mat"),
        ("mnist", "t10k-images-idx3-ubyte.gz", "train-images-idx3-ubyte.gz"),
    ):
        shutil.copy(small_data / folder / other, small_data / folder / one)
        with pytest.raises(HysteronError, match=rf"{one}' is damaged \(what it holds has SHA-256"):
            load_data_set(folder)


def test_another_compression_of_the_same_content_is_accepted(small_data: Path) -> None:
    path = small_data / "mnist" / "t10k-images-idx3-ubyte.gz"
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()), compresslevel=0))
    load_data_set("mnist")


def test_the_archive_of_recordings_alone_is_accepted(small_data: Path) -> None:
    folder = small_data / "fsdd"
    (folder / FILES["fsdd"][0].name).rename(folder / "fsdd_0-14.tar.xz")
    assert load_data_set("fsdd").inputs.shape == (3, 32, 128)


def test_without_hysteron_data_the_cache_is_used(
    small_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HYSTERON_DATA")
    monkeypatch.setitem(sys.modules, "pooch", SimpleNamespace(os_cache=lambda name: tmp_path / "cache" / name))
    with pytest.raises(HysteronError, match=re.escape(str(tmp_path / "cache" / "hysteron" / "qtdb"))):
        load_data_set("qtdb")
    shutil.copytree(small_data, tmp_path / "cache" / "hysteron")
    assert load_data_set("qtdb").inputs.shape == (3, 12, 4)
    # Set to nothing is not set.
    monkeypatch.setenv("HYSTERON_DATA", "")
    assert data_root() == tmp_path / "cache" / "hysteron"


def test_without_hysteron_data_and_pooch_the_user_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HYSTERON_DATA", raising=False)
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(
        HysteronError, match=r"set it to the folder that holds the data, or .* pip install 'hyn\[data\]'"
    ):
        data_root()
    with pytest.raises(MissingDataError, match=r"or pip install 'hyn\[data\]' and run 'hysteron data fetch mnist'$"):
        load_data_set("mnist")
    assert presence("mnist") is Presence.MISSING


def test_addresses_name_a_fixed_version() -> None:
    for folder, files in FILES.items():
        for file in files:
            assert re.fullmatch(r"[0-9a-f]{64}", file.sha256)
            assert len(set(file.urls)) == len(file.urls) > 0
            for url in file.urls:
                if "github" in url:
                    assert re.search(r"/[0-9a-f]{40}(/|$)", url), folder
                else:
                    assert url.endswith(f"/{file.name}")
