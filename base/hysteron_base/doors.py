# SPDX-License-Identifier: Apache-2.0
"""What a work reads and writes, checked before it begins: nothing that it reads is overwritten, all can be written."""

import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path

from .errors import HysteronError, require, shown
from .files import nearest_folder, takes_files, there

#: One path, several, or none, under the name that the user knows: an option, an argument.
Paths = Mapping[str, "Path | str | Iterable[Path | str] | None"]


def check_doors(*, reads: Paths | None = None, writes: Paths | None = None, folders: Paths | None = None) -> None:
    """Refuse a work that would overwrite what it reads, write one file twice, or find no place for a file.

    Parameters
    ----------
    reads
        Files that are read. One that does not exist is none of this function's business: it may be the name of
        something else.
    writes
        Files that are written, every one of them, not the folders that they go to.
    folders
        Folders that files go to whose names are not known yet.

    Raises
    ------
    HysteronError
        Naming the paths. Links are followed. Devices may be named as often as one likes.
    """
    before = [(name, path) for name, path in _each(reads or {}) if there(path)]
    after: list[tuple[str, Path]] = []
    for name, path in [*_each(writes or {}), *((name, folder / "file") for name, folder in _each(folders or {}))]:
        _check_place(name, path)
        if path.is_char_device():
            continue
        for other, file in before:
            require(
                not _same(path, file),
                f"{name} would write {str(path)!r}, which is the file that {other} reads; give another path",
            )
        for other, file in after:
            require(
                not _same(path, file),
                f"{name} and {other} would both write {str(path)!r}; give each a path of its own",
            )
            inside, folder = (path, file) if _beneath(path, file) else (file, path)
            require(
                not _beneath(inside, folder),
                f"{str(inside)!r} ({name}, {other}) cannot be below {str(folder)!r}, which is to be a file; "
                "give another path",
            )
        after.append((name, path))


def file_to_write(path: object) -> Path:
    """The path of a file that can be written.

    Raises
    ------
    HysteronError
        If it is no path, or no file can be written there.
    """
    require(
        isinstance(path, str | os.PathLike),
        f"path must be the path of a file, not {shown(path)}; give a text or a pathlib.Path",
    )
    assert isinstance(path, str | os.PathLike)
    check_doors(writes={"path": Path(path)})
    return Path(path)


def _each(paths: Paths) -> Iterable[tuple[str, Path]]:
    for name, some in paths.items():
        if some is not None:
            for path in (some,) if isinstance(some, str | Path) else some:
                yield name, Path(path)


def _real(path: Path) -> str:
    return os.path.realpath(path)


def _same(one: Path, other: Path) -> bool:
    if there(one) and there(other):
        return one.samefile(other)
    return _real(one) == _real(other)


def _beneath(path: Path, folder: Path) -> bool:
    return Path(_real(folder)) in Path(_real(path)).parents


def _check_place(name: str, path: Path) -> None:
    """Refuse a path at which no file can be written."""
    what = f"{name}: {str(path)!r}"
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        pass
    except NotADirectoryError:
        raise HysteronError(f"{what} cannot be written: a part of the path is a file; give another path") from None
    except OSError as error:
        raise HysteronError(f"{what} cannot be written ({error.strerror}); give another path") from None
    else:
        require(not stat.S_ISDIR(mode), f"{what} is a folder, where a file is to be written; give the path of a file")
        require(os.access(path, os.W_OK), f"{what} cannot be written: no permission; give another path")
        if not stat.S_ISREG(mode):
            return
    folder = nearest_folder(Path(_real(path)).parent)
    require(folder.is_dir(), f"{what} cannot be written: {str(folder)!r} is no folder; give another path")
    require(
        takes_files(folder), f"{what} cannot be written: no permission for folder {str(folder)!r}; give another path"
    )
