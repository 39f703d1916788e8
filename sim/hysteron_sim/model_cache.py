# SPDX-License-Identifier: Apache-2.0
"""Which built simulators stay: the ones used last, and those that a running process has.

A folder of models holds ``lock``, which is held while models are claimed or removed, and a folder for each model. In
that, ``used`` is locked (shared) by every process that has asked for the model, until the process ends, and its time of
change tells when that was last.
"""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from filelock import FileLock

#: Models that a folder keeps. The tests need about forty; one takes some MB.
KEPT = 64
#: What only a build needs, and what takes most of its room: precompiled headers and object files.
_SCAFFOLDING = ("*.gch", "*.o", "*.a")

#: Files ``used`` that this process holds locked, by the model's folder.
_claims: dict[Path, IO[bytes]] = {}


def claim(folder: Path) -> None:
    """Make the folder of a model unless it is there, and keep it from being removed while this process runs."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.parent / "lock"):
        folder.mkdir(exist_ok=True)
        if folder not in _claims or not (folder / "used").exists():  # somebody may have emptied the build folder
            file = (folder / "used").open("ab")
            fcntl.flock(file, fcntl.LOCK_SH)
            _claims[folder] = file
        os.utime(folder / "used")


def strip(folder: Path) -> None:
    """Remove from a model's folder what only its build needed."""
    for pattern in _SCAFFOLDING:
        for path in folder.glob(pattern):
            path.unlink()


def prune(models: Path, keep: int | None = None) -> list[Path]:
    """Remove the models of a folder that were used longest ago.

    Parameters
    ----------
    models
        The folder of models.
    keep
        How many stay, by default :data:`KEPT`. Those that a running process has claimed stay in any case, and count.

    Returns
    -------
    removed
        Folders of the models that were removed, oldest first.
    """
    removed = []
    keep = KEPT if keep is None else keep
    with FileLock(models / "lock"):
        folders = sorted((path for path in models.iterdir() if path.is_dir()), key=_last_use)
        for folder in folders[: max(0, len(folders) - keep)]:
            with _unused(folder) as unused:
                if unused:
                    shutil.rmtree(folder)
                    removed.append(folder)
    return removed


def _last_use(folder: Path) -> int:
    """Time of the last use of a model, in ns; of one that was built by an earlier version, the time of its build."""
    for path in (folder / "used", folder / "complete", folder):
        with contextlib.suppress(FileNotFoundError):
            return path.stat().st_mtime_ns
    return 0


@contextlib.contextmanager
def _unused(folder: Path) -> Iterator[bool]:
    """Whether no process has the model; nobody gets it meanwhile, as the lock of the models is held."""
    with (folder / "used").open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
