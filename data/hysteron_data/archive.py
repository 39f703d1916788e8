# SPDX-License-Identifier: Apache-2.0
"""Files in tar archives, read in memory: nothing is unpacked, so no name in an archive can reach the disk."""

import io
import lzma
import re
import tarfile
import zlib
from pathlib import Path

from hysteron_base.memory import check_size

from .damage import damaged


def read_members(path: Path, pattern: re.Pattern[str]) -> dict[str, bytes]:
    """Read the files whose path in the archive ``pattern`` finds; return contents by its first group, sorted.

    Parameters
    ----------
    path
        Path of an archive, plain or compressed by gzip, bzip2 or xz.
    pattern
        What to search for in each path; its first group is the name to return the content by.

    Raises
    ------
    HysteronError
        If it is no whole archive, or holds more than memory allows. (A missing one raises :class:`FileNotFoundError`.)
    """
    data = path.read_bytes()
    found, size = {}, 0
    try:
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            for member in archive:
                match = pattern.search(member.name)
                file = archive.extractfile(member) if match and member.isfile() else None
                if match and file:
                    size += member.size
                    check_size(f"what data file {str(path)!r} holds", size)
                    found[match[1]] = file.read()
    except (OSError, EOFError, tarfile.TarError, lzma.LZMAError, zlib.error) as error:
        raise damaged(path, error) from None
    return dict(sorted(found.items()))
