# SPDX-License-Identifier: Apache-2.0
"""Where generated files go, and how a file is written so that it is never half there."""

import errno
import json
import os
import secrets
import stat
from pathlib import Path
from typing import Any

from .errors import HysteronError
from .text import one_line

#: What to do about an error of the operating system.
_REMEDIES = {
    errno.ENOSPC: "free space there, or give a path on another disk",
    errno.EDQUOT: "free space there, or give a path on another disk",
    errno.ENOTDIR: "a part of the path is a file; check the path",
    errno.EISDIR: "give the path of a file",
    errno.EACCES: "check who may use it, or give another path",
    errno.EROFS: "give a path on another disk",
    errno.ELOOP: "a link points at itself; check the path",
    errno.ENAMETOOLONG: "give a shorter name",
}


def build_root() -> Path:
    """Where generated files go: ``$HYSTERON_BUILD`` or ``./build``."""
    return Path(os.environ.get("HYSTERON_BUILD", "build")).resolve()


def there(path: Path) -> bool:
    """Whether a path leads to something that this user can see."""
    return os.path.exists(path)  # noqa: PTH110 (that of Path raises, of a folder that may not be looked into)


def holds(path: Path, data: bytes) -> bool:
    """Whether a file is there and holds these data and nothing else; of an endless one no more is read than that."""
    if not there(path):
        return False
    with path.open("rb") as file:
        return file.read(len(data) + 1) == data


def read_file(path: Path) -> bytes:
    """The content of a file that is written and read again whole: no device, which may be endless, and no pipe.

    Raises
    ------
    HysteronError
        If it is a device, a pipe or the like.
    OSError
        If it cannot be read.
    """
    with open(path, "rb", opener=_without_waiting) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise HysteronError(f"{str(path)!r} is a device or a pipe, where a file is read; give the path of a file")
        return file.read()


def _without_waiting(path: str, flags: int) -> int:
    """Open a file; a named pipe that nobody writes to is opened, too, instead of waited for."""
    return os.open(path, flags | os.O_NONBLOCK)


def nearest_folder(path: Path) -> Path:
    """The last part of a path that is there already, with links followed; it may be no folder."""
    place = Path(os.path.realpath(path))
    while not there(place) and place.parent != place:
        place = place.parent
    return place


def takes_files(folder: Path) -> bool:
    """Whether files may be put into a folder, or into the one that will be made for it."""
    place = nearest_folder(folder)
    return place.is_dir() and os.access(place, os.W_OK | os.X_OK)


def usable_home() -> None:
    """Give tools that keep something in the user's home folder another place, if that folder takes no files.

    Some of them fail otherwise, for nothing but a cache. It changes this process's environment, which they inherit.
    """
    for variable, usual in (("XDG_CACHE_HOME", "~/.cache"), ("XDG_CONFIG_HOME", "~/.config")):
        if not takes_files(Path(os.environ.get(variable) or os.path.expanduser(usual))):  # noqa: PTH111 (never raises)
            os.environ[variable] = str(build_root() / "home" / usual.removeprefix("~/."))


def told(error: OSError) -> str:
    """An error of the operating system as one line: the file, what is wrong, and the remedy if one is known."""
    where = "" if error.filename is None else f"{os.fsdecode(error.filename)}: "
    remedy = _REMEDIES.get(error.errno or 0)
    return one_line(f"{where}{error.strerror or error}" + (f"; {remedy}" if remedy else ""))


def write_file(path: Path, data: bytes) -> None:
    """Write ``data`` so that ``path`` is never half a file.

    The data go into a temporary file beside it, which is then renamed. Links are followed: the file that they point at
    is replaced, the links stay. A device and a named pipe are written to, never replaced. A new file gets the
    permissions that the umask leaves, one that was there keeps its own.

    Raises
    ------
    OSError
        If that is impossible; its ``filename`` is ``path``, and nothing is left behind.
    """
    try:
        _write(path, data)
    except OSError as error:
        # Not the temporary file, of which the caller knows nothing, and with a full disk there is no name at all.
        error.filename, error.filename2 = str(path), None
        raise


def _write(path: Path, data: bytes) -> None:
    mode = _mode(path)
    if mode is not None and stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if mode is not None and not stat.S_ISREG(mode):
        with path.open("wb", buffering=0) as device:
            left = memoryview(data)
            while left:
                left = left[device.write(left) :]
        return
    target = Path(os.path.realpath(path))
    if mode is not None and not os.access(target, os.W_OK):
        # A rename would replace it all the same.
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)) from None
    part = target.with_name(f".{secrets.token_hex(8)}.part")
    # Not tempfile: its files are for their owner alone, whatever the umask.
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with os.fdopen(handle, "wb") as file:
            if mode is not None:
                os.fchmod(handle, stat.S_IMODE(mode) & 0o777)
            file.write(data)
        os.replace(part, target)  # noqa: PTH105 (tests make this step fail)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _mode(path: Path) -> int | None:
    """Type and permissions of the file that a path leads to, or None if there is none yet."""
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        return None


def write_json(path: Path, values: Any) -> None:
    """Write ``values`` as JSON, for machines and for people."""
    write_file(path, (json.dumps(values, indent=2) + "\n").encode())
