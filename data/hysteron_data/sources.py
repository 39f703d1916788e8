# SPDX-License-Identifier: Apache-2.0
"""The files that data sets are read from: where they lie, which mirrors serve them, and how they are known.

Files lie in ``$HYSTERON_DATA/<folder>`` or, if that is not set, in a folder of the user's cache. A file is known
by a SHA-256 of what it holds, so it does not matter who compressed it; it is checked whenever it is read.
"""

import enum
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hysteron_base.errors import HysteronError
from hysteron_base.extras import remedy
from hysteron_base.settings import meant

from . import fsdd, idx, nmnist
from .damage import damaged


class MissingDataError(HysteronError):
    """The files of a named data set are not on this machine; the message has the command that gets them.

    What needs no images can go on without them.
    """


@dataclass(frozen=True)
class DataFile:
    """A file of a data set.

    Attributes
    ----------
    name
        File name in the set's folder.
    urls
        Addresses that serve it, in the order in which they are tried.
    sha256
        Checksum of what it holds, in hexadecimal.
    read
        Function that takes the file's path and returns what it holds; it raises :class:`HysteronError` for a damaged
        file and :class:`FileNotFoundError` for a missing one.
    digest
        Function that takes what the file holds and returns its checksum.
    also
        Other names under which it may lie in the set's folder.
    convert
        Function that takes the path of what an address serves and returns the bytes of the file; None if an address
        serves the file itself.
    """

    name: str
    urls: tuple[str, ...]
    sha256: str
    read: Callable[[Path], Any] = Path.read_bytes
    digest: Callable[[Any], str] = lambda content: hashlib.sha256(content).hexdigest()
    also: tuple[str, ...] = ()
    convert: Callable[[Path], bytes] | None = None


def _idx_files(*mirrors: str, **checksums: str) -> tuple[DataFile, ...]:
    names = {part: f"{part.replace('_', '-')}-idx{3 if 'images' in part else 1}-ubyte.gz" for part in checksums}
    return tuple(
        DataFile(names[part], tuple(f"{mirror}/{names[part]}" for mirror in mirrors), sha256, read=idx.read_gzip)
        for part, sha256 in checksums.items()
    )


_ARCHIVES = "https://codeload.github.com"
_GITHUB = "https://raw.githubusercontent.com"
_QTDB = f"{_GITHUB}/byin-cwi/Efficient-spiking-networks/bfd47cff62d26b0812bb2cc24c5f220245443a32/data"

#: Folder of each data set that needs files.
FOLDERS = {
    "mnist": "mnist",
    "mnist-14": "mnist",
    "mnist-levels": "mnist",
    "fashion-mnist": "fashion-mnist",
    "nmnist": "nmnist-small",
    "fsdd": "fsdd",
    "qtdb": "qtdb",
}

#: Files of each folder.
FILES: dict[str, tuple[DataFile, ...]] = {
    "mnist": _idx_files(
        "https://ossci-datasets.s3.amazonaws.com/mnist",
        "https://storage.googleapis.com/cvdf-datasets/mnist",
        train_images="ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        train_labels="65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        t10k_images="0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        t10k_labels="ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
    "fashion-mnist": _idx_files(
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
        f"{_GITHUB}/zalandoresearch/fashion-mnist/b2617bb6d3ffa2e429640350f613e3291e10b141/data/fashion",
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets",
        train_images="c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        train_labels="bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        t10k_images="5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        t10k_labels="0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ),
    "nmnist-small": (
        DataFile(
            "nmnist_small.npz",
            (f"{_ARCHIVES}/bamsumit/slayerPytorch/tar.gz/01beeeb6a181546d6c6830382ce6086bfc587836",),
            "9918aee52c7670a105d73fab479d2af6517bb8d7048c8391ed61adf7d30d0768",
            read=nmnist.read_events,
            digest=nmnist.digest,
            convert=nmnist.convert,
        ),
    ),
    "fsdd": (
        DataFile(
            "free-spoken-digit-dataset.tar.gz",
            (f"{_ARCHIVES}/Jakobovski/free-spoken-digit-dataset/tar.gz/26eb9aaf76e81b692f806f9140c2d2777410d7a1",),
            "f2ebef1ad3d4ee4ce2204e9a39e1b9f3c034a459bfdb5e803900219ac24bedf1",
            read=fsdd.read_recordings,
            digest=fsdd.digest,
            also=("fsdd_0-14.tar.xz",),
        ),
    ),
    "qtdb": (
        DataFile(
            "QTDB_train.mat",
            (f"{_QTDB}/QTDB_train.mat",),
            "72d1a10c96f1540880447e07256835d66da419c0b34f3dff495731a7928c5bc7",
        ),
        DataFile(
            "QTDB_test.mat",
            (f"{_QTDB}/QTDB_test.mat",),
            "916f11e21679a5b61988305bbb7cd1e6df8b34f1ed4a157a7a4e295d400ef232",
        ),
    ),
}


class Presence(enum.Enum):
    """How much of a data set is on this machine; the values are for people."""

    NEEDLESS = "(none needed)"
    WHOLE = "whole"
    INCOMPLETE = "incomplete"
    MISSING = "missing"


def presence(name: str) -> Presence:
    """How many files of the data set ``name`` are there, without looking into them."""
    if name not in FOLDERS:
        return Presence.NEEDLESS
    folder = FOLDERS[name]
    try:
        found = [locate(folder, file) is not None for file in FILES[folder]]
    except MissingDataError:
        return Presence.MISSING
    return Presence.WHOLE if all(found) else Presence.INCOMPLETE if any(found) else Presence.MISSING


def folder_of(name: str) -> str:
    """The folder of the data set ``name``, which must be one that needs files.

    Raises
    ------
    HysteronError
        If it is not.
    """
    if name not in FOLDERS:
        raise HysteronError(
            f"{name!r} is no data set to download; those are {', '.join(FOLDERS)}{meant(name, FOLDERS)}"
        )
    return FOLDERS[name]


def data_root() -> Path:
    """Where the folders are: ``$HYSTERON_DATA`` or, if that is not set, a folder of the user's cache.

    Raises
    ------
    MissingDataError
        If HYSTERON_DATA is not set and pooch, which knows where caches are, is not installed.
    """
    root = os.environ.get("HYSTERON_DATA")
    if root:
        return Path(root)
    try:
        from pooch import os_cache
    except ImportError:
        raise MissingDataError(
            "HYSTERON_DATA is not set; set it to the folder that holds the data, "
            f"or keep data in the cache with {remedy('pooch')}"
        ) from None
    return Path(os_cache("hysteron"))


def locate(folder: str, file: DataFile) -> Path | None:
    """The path of a file of ``folder``, under whichever of its names it lies there; None if it does not."""
    paths = (data_root() / folder / name for name in (file.name, *file.also))
    return next((path for path in paths if path.is_file()), None)


def read(name: str, index: int = 0) -> tuple[Any, Path]:
    """What a file of data set ``name`` holds, checked, and its path; ``index`` counts the files of its folder.

    Raises
    ------
    MissingDataError
        If it is missing.
    HysteronError
        If it does not hold what it should.
    """
    folder = FOLDERS[name]
    file = FILES[folder][index]
    get = f"run 'hysteron data fetch {name}'"
    try:
        path = locate(folder, file)
    except MissingDataError:  # HYSTERON_DATA is not set, and there is no pooch
        raise MissingDataError(
            f"data set {name!r} is missing; set HYSTERON_DATA to the folder that holds {folder!r}, "
            f"or {remedy('pooch')} and {get}"
        ) from None
    if path is None:
        raise MissingDataError(
            f"data set {name!r} is missing: no file {str(data_root() / folder / file.name)!r}; {get}, "
            f"or set HYSTERON_DATA to the folder that holds {folder!r}"
        )
    return read_checked(file, path), path


def read_checked(file: DataFile, path: Path) -> Any:
    """What ``path`` holds, which must be what ``file`` says.

    Raises
    ------
    HysteronError
        If it does not.
    """
    content = file.read(path)
    found = file.digest(content)
    if found != file.sha256:
        raise damaged(path, f"what it holds has SHA-256 {found[:16]}…, not {file.sha256[:16]}…")
    return content
