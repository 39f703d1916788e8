# SPDX-License-Identifier: Apache-2.0
"""Archives of arrays (``.npz``) from anywhere: no pickles, and no array is allocated before its size is known.

An entry of an archive says twice how large it is: in the archive's directory, and in the array's own head. Both may
lie, and an honest entry of zeros is a thousandth of its array.
"""

import errno
import io
import math
import os
import stat
import zipfile
from pathlib import Path
from typing import IO, Any

from numpy.lib import format as npy
from numpy.typing import NDArray

from hysteron_base.errors import HysteronError, require
from hysteron_base.files import told
from hysteron_base.memory import check_size
from hysteron_base.text import one_line

#: Versions of an array's head, and what reads them.
_HEADS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
#: Deflate makes no byte of more than so many.
_DEFLATE = 1032
#: Most bytes of an archive that comes through a pipe, which must be kept as a whole.
_PIPE = 1 << 30
#: Most characters of a library's reason.
_REASON = 200


def read_arrays(path: Path, what: str, remedy: str, most: int | None = None) -> dict[str, NDArray[Any]]:
    """All arrays of an ``.npz`` archive, without pickles. A named pipe will do, it is read once.

    Parameters
    ----------
    path
        The archive.
    what, remedy
        They complete the messages.
    most
        Values that all its arrays may have together; None: as many as may be in memory
        (:mod:`hysteron_base.memory`).

    Raises
    ------
    HysteronError
        If the file is missing, is another file, is damaged or is too large, which is known before memory is taken.
    """
    about = f"{str(path)!r} is no {what}"
    try:
        with path.open("rb") as file:
            start = file.read(8)
            require(
                start[:6] != b"\x89HDF\r\n",
                f"{str(path)!r} is an HDF5 file, as a NIR file is, not a {what}; 'hysteron import {path}' makes a "
                "network of a NIR file",
            )
            require(start[:2] == b"PK", f"{about} (it is no ZIP archive); {remedy}")
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                rest = file.read(_PIPE)
                require(len(rest) < _PIPE, f"{str(path)!r} gives more than {_PIPE >> 20} MiB; copy it to a file")
                return _read(io.BytesIO(start + rest), path, what, remedy, most)
            file.seek(0)
            return _read(file, path, what, remedy, most)
    except FileNotFoundError:
        raise HysteronError(f"{what} {str(path)!r} does not exist; check the path") from None
    except IsADirectoryError:
        raise HysteronError(f"{str(path)!r} is a folder, not a {what}; check the path") from None
    except (HysteronError, MemoryError):
        raise
    except Exception as error:  # zipfile, zlib, struct, tokenize … each have their own for a damaged file
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            # Of EINVAL a damaged file may be the reason: it asks for a place before its beginning.
            raise HysteronError(f"{what} {told(error)}") from None
        reason = one_line(str(error), _REASON) or type(error).__name__
        raise HysteronError(f"{about} or is damaged ({reason}); {remedy}") from None


def _read(file: IO[bytes], path: Path, what: str, remedy: str, most: int | None) -> dict[str, NDArray[Any]]:
    """The arrays of an open archive, of which the sizes of all are checked before the first is read."""
    about = f"{str(path)!r} is no {what}"
    arrays: dict[str, NDArray[Any]] = {}
    with zipfile.ZipFile(file) as archive:
        entries = archive.infolist()
        values = sum(_checked(archive, entry, about, remedy) for entry in entries)
        if most is not None:
            require(values <= most, f"{about}: its arrays have {values:,} values, more than {most:,}; {remedy}")
        check_size(f"what {str(path)!r} holds", sum(entry.file_size for entry in entries))
        for entry in entries:
            name = _name(entry)
            require(name not in arrays, f"{about}: it has entry {name!r} twice; {remedy}")
            with archive.open(entry) as member:
                arrays[name] = npy.read_array(member, allow_pickle=False)
    return arrays


def _name(entry: zipfile.ZipInfo) -> str:
    return entry.filename.removesuffix(".npy")


def _checked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, about: str, remedy: str) -> int:
    """The number of values of an entry, whose sizes agree."""
    name = one_line(repr(_name(entry)), _REASON)
    stored = entry.compress_type == zipfile.ZIP_STORED
    require(
        (stored or entry.compress_type == zipfile.ZIP_DEFLATED)
        and entry.file_size <= entry.compress_size * (1 if stored else _DEFLATE),
        f"{about} or is damaged (the size of entry {name}); {remedy}",
    )
    with archive.open(entry) as member:
        if member.read(len(npy.MAGIC_PREFIX)) != npy.MAGIC_PREFIX:
            raise HysteronError(f"{about}: entry {name} is no array; {remedy}")
        member.seek(0)
        version = npy.read_magic(member)
        require(version in _HEADS, f"{about}: entry {name} is of version {version}; {remedy}")
        shape, _, dtype = _HEADS[version](member)
        head = member.tell()
    require(not dtype.hasobject, f"{about}: entry {name} holds Python objects, not numbers; {remedy}")
    count, held = math.prod(shape), entry.file_size - head
    if min(shape, default=0) < 0 or count * dtype.itemsize != held:
        needs = f"array {name} of shape {one_line(str(shape), 80)} is not in {held:,} bytes"
        raise HysteronError(f"{about} or is damaged ({needs}); {remedy}")
    return count
