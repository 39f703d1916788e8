# SPDX-License-Identifier: Apache-2.0
"""What is read is not written, what is written is written once, and there is a place for it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hysteron_base.doors import check_doors
from support.refusal import refusal


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("")
    Path("folder").mkdir()
    Path("link").symlink_to("file")
    Path("hard").hardlink_to("file")
    Path("loop").symlink_to("loop")
    Path("into").symlink_to("folder")
    os.mkfifo("pipe")


@pytest.mark.parametrize("path", ["file", "link", "hard", "./folder/../file", "into/../file"])
def test_what_is_read_is_not_written(path: str) -> None:
    assert refusal(lambda: check_doors(reads={"IN": "file"}, writes={"--out": Path(path)})) == (
        f"--out would write {str(Path(path))!r}, which is the file that IN reads; give another path"
    )
    assert "IN reads" in refusal(lambda: check_doors(reads={"IN": [Path(path)]}, writes={"--out": ["new", "file"]}))


def test_a_pipe_is_not_both() -> None:
    assert "IN reads" in refusal(lambda: check_doors(reads={"IN": "pipe"}, writes={"--out": "pipe"}))


@pytest.mark.parametrize("path", ["new", "folder/../new", "file", "link", "hard"])
def test_nothing_is_written_twice(path: str) -> None:
    first = "new" if "new" in path else "file"
    message = refusal(lambda: check_doors(writes={"--one": first, "--two": path}))
    assert "--two and --one would both write" in message


@pytest.mark.parametrize(("one", "two"), [("new", "new/x"), ("new/x/y", "new"), ("into/a", "folder/a/b")])
def test_no_file_is_below_another(one: str, two: str) -> None:
    assert "cannot be below" in refusal(lambda: check_doors(writes={"--one": one, "--two": two}))


def test_no_folder_is_below_a_file() -> None:
    assert "cannot be below" in refusal(lambda: check_doors(writes={"--one": "new"}, folders={"--two": "new"}))


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("folder", "is a folder"),
        ("into", "is a folder"),
        (".", "is a folder"),
        ("file/x", "a part of the path is a file"),
        ("file/x/y", "a part of the path is a file"),
        ("link/x", "a part of the path is a file"),
        ("/dev/null/x", "a part of the path is a file"),
        ("loop", "cannot be written"),
        ("x" * 300, "cannot be written"),
    ],
)
def test_a_place_for_a_file(path: str, words: str) -> None:
    message = refusal(lambda: check_doors(writes={"--out": path}))
    assert words in message and message.startswith(f"--out: {path!r}")


@pytest.mark.parametrize("path", ["file", "link", "file/x", "/dev/null", "loop"])
def test_a_place_for_a_folder(path: str) -> None:
    assert "--out" in refusal(lambda: check_doors(folders={"--out": path}))


def test_good_paths() -> None:
    before = sorted(Path().rglob("*"))
    check_doors(
        reads={"IN": "file", "--data": "digits", "--none": None},
        writes={"--out": ["new/a", "new/b", "folder/c"], "--null": ["/dev/null", "/dev/null"], "--none": None},
        folders={"--pictures": "new/pictures"},
    )
    check_doors(reads={"IN": "/dev/null"}, writes={"--out": "/dev/null"})
    check_doors(reads={"--data": "digits"}, writes={"--out": "digits"})
    check_doors()
    assert sorted(Path().rglob("*")) == before, "nothing is made"


def test_permissions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda _path, wanted: not wanted & os.W_OK)
    for path in ("file", "new", "folder/new/er"):
        assert "no permission" in refusal(lambda path=path: check_doors(writes={"--out": path}))
