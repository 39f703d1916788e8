# SPDX-License-Identifier: Apache-2.0
"""Files are whole or not there; links are followed, devices and pipes written to, permissions kept."""

from __future__ import annotations

import errno
import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from hysteron_base.errors import HysteronError
from hysteron_base.files import build_root, holds, read_file, takes_files, told, usable_home, write_file, write_json


@pytest.fixture
def umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize(("mask", "wanted"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_the_umask_holds(tmp_path: Path, umask: None, mask: int, wanted: int) -> None:
    os.umask(mask)
    write_file(tmp_path / "new", b"data")
    assert mode(tmp_path / "new") == wanted


@pytest.mark.parametrize("kept", [0o600, 0o664, 0o755])
def test_a_file_keeps_its_permissions(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "old"
    path.write_bytes(b"old")
    path.chmod(kept)
    write_file(path, b"new")
    assert (path.read_bytes(), mode(path)) == (b"new", kept)


def test_a_file_that_may_not_be_written_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "kept"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "access", lambda _path, wanted: not wanted & os.W_OK)
    with pytest.raises(PermissionError) as caught:
        write_file(path, b"new")
    assert caught.value.filename == str(path) and path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_links_are_followed(tmp_path: Path) -> None:
    target = tmp_path / "folder" / "target"
    target.parent.mkdir()
    target.write_bytes(b"old")
    (tmp_path / "one").symlink_to("folder/target")
    (tmp_path / "two").symlink_to("one")
    write_file(tmp_path / "two", b"new")
    assert target.read_bytes() == b"new"
    assert (tmp_path / "one").is_symlink() and (tmp_path / "two").is_symlink()
    assert [path.name for path in target.parent.iterdir()] == ["target"]
    (tmp_path / "early").symlink_to("later/target")
    write_file(tmp_path / "early", b"new")
    assert (tmp_path / "later" / "target").read_bytes() == b"new" and (tmp_path / "early").is_symlink()


def test_devices_are_written_to(tmp_path: Path) -> None:
    before = Path("/dev/null").stat()
    link = tmp_path / "null"
    link.symlink_to("/dev/null")
    write_file(link, b"data")
    write_file(Path("/dev/null"), b"data")
    after = Path("/dev/null").stat()
    assert link.is_symlink() and (before.st_rdev, before.st_ino) == (after.st_rdev, after.st_ino)
    with pytest.raises(OSError, match="No space left") as caught:
        write_file(Path("/dev/full"), b"data")
    assert caught.value.filename == "/dev/full"


def test_a_named_pipe_is_written_to(tmp_path: Path) -> None:
    pipe, data = tmp_path / "pipe", bytes(range(256)) * 4096  # more than a pipe holds
    os.mkfifo(pipe)
    found: list[bytes] = []
    reader = threading.Thread(target=lambda: found.append(pipe.read_bytes()))
    reader.start()
    write_file(pipe, data)
    reader.join()
    assert found == [data] and pipe.is_fifo() and list(tmp_path.iterdir()) == [pipe]


def test_what_has_no_end_is_not_read(tmp_path: Path) -> None:
    file, pipe = tmp_path / "file", tmp_path / "pipe"
    file.write_bytes(b"data")
    os.mkfifo(pipe)
    assert read_file(file) == b"data"
    for path in (pipe, Path("/dev/zero"), Path("/dev/null")):
        with pytest.raises(HysteronError, match=f"'{path}' is a device or a pipe.*give the path of a file"):
            read_file(path)
    with pytest.raises(FileNotFoundError):
        read_file(tmp_path / "none")


@pytest.mark.parametrize("call", ["open", "fdopen", "replace"])
def test_a_failure_names_the_file_that_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """Of a full disk the system names no file, of the others the temporary one."""

    def fail(path: object, *_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", path)

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(OSError, match="No space left") as caught:
        write_file(tmp_path / "wanted", b"data")
    monkeypatch.undo()
    assert told(caught.value) == (
        f"{tmp_path / 'wanted'}: No space left on device; free space there, or give a path on another disk"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def __init__(self, handle: int, _: str) -> None:
            self.handle = handle

        def __enter__(self) -> Full:
            return self

        def __exit__(self, *_: object) -> None:
            os.close(self.handle)

        def write(self, _: bytes) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fdopen", Full)
    with pytest.raises(OSError, match="wanted"):
        write_file(tmp_path / "wanted", b"data")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("path", "number"),
    [("folder", errno.EISDIR), ("file/x", errno.ENOTDIR), ("file/x/y", errno.ENOTDIR), ("loop", errno.ELOOP)],
)
def test_paths_that_are_no_place_for_a_file(tmp_path: Path, path: str, number: int) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_bytes(b"old")
    (tmp_path / "loop").symlink_to("loop")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(OSError) as caught:
        write_file(tmp_path / path, b"data")
    assert (caught.value.errno, caught.value.filename) == (number, str(tmp_path / path))
    assert sorted(tmp_path.rglob("*")) == before


def test_a_long_name(tmp_path: Path) -> None:
    """The temporary file's is not longer than the system allows if the file's own is not."""
    path = tmp_path / ("x" * 255)
    write_file(path, b"data")
    assert path.read_bytes() == b"data"


def test_what_a_file_holds(tmp_path: Path) -> None:
    path = tmp_path / "some"
    assert not holds(path, b"") and not holds(path, b"data")
    path.write_bytes(b"data")
    assert holds(path, b"data")
    assert not any(holds(path, other) for other in (b"", b"dat", b"Data", b"data "))
    assert holds(Path("/dev/null"), b"") and not holds(Path("/dev/zero"), bytes(9))


def test_json(tmp_path: Path) -> None:
    write_json(tmp_path / "x.json", {"a": [1]})
    assert (tmp_path / "x.json").read_text() == '{\n  "a": [\n    1\n  ]\n}\n'


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (PermissionError(errno.EACCES, "Permission denied", "a"), "a: Permission denied; check who may use it"),
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device; free"),
        (OSError("odd"), "odd"),
        (OSError(errno.EIO, "Input/output error", b"b\xff"), "b\\udcff: Input/output error"),
        (OSError(errno.EIO, "Input/output error", "a\n\x1b"), "a \\x1b: Input/output error"),
    ],
)
def test_told(error: OSError, line: str) -> None:
    assert told(error).startswith(line) and "\n" not in told(error)


def test_a_home_that_takes_no_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYSTERON_BUILD", str(tmp_path / "build"))
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("HOME", str(tmp_path))
    usable_home()
    assert not os.environ["XDG_CACHE_HOME"], "a good one stays"
    monkeypatch.setenv("HOME", "/dev/null/home")
    usable_home()
    assert Path(os.environ["XDG_CACHE_HOME"]) == build_root() / "home" / "cache"
    assert Path(os.environ["XDG_CONFIG_HOME"]) == build_root() / "home" / "config"
    assert takes_files(build_root() / "home" / "cache") and not takes_files(Path("/dev/null/home"))
