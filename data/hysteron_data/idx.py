# SPDX-License-Identifier: Apache-2.0
"""Arrays from gzipped IDX files (the format of MNIST; Y. LeCun, "The MNIST database")."""

import gzip
import math
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hysteron_base.errors import require
from hysteron_base.memory import allowed, check_size

from .damage import damaged

_DTYPES: dict[int, Any] = {
    8: np.uint8,
    9: np.int8,
    11: np.dtype(">i2"),
    12: np.dtype(">i4"),
    13: np.dtype(">f4"),
    14: np.dtype(">f8"),
}


def read_gzip(path: Path) -> bytes:
    """Read a gzip file and return what it holds.

    Raises
    ------
    HysteronError
        If the file is no whole gzip file, or holds more than memory allows. (A missing one raises
        :class:`FileNotFoundError`.)
    """
    most = allowed()
    try:
        with gzip.open(path) as file:
            # Of a file that stands for more than is allowed no more is unpacked.
            data = file.read(most + 1)
    except FileNotFoundError:
        raise
    except (OSError, EOFError, zlib.error) as error:
        raise damaged(path, error) from None
    check_size(f"what data file {str(path)!r} holds", len(data))
    return data


def parse_idx(data: bytes, path: Path) -> NDArray[Any]:
    """Return the array in the IDX file ``data``, of the shape and dtype that its header states.

    ``path`` is for messages only.

    Raises
    ------
    HysteronError
        If ``data`` is no IDX file or is not as long as its header says.
    """
    require(
        len(data) >= 4 and data[:2] == b"\0\0" and data[2] in _DTYPES,
        f"data file {str(path)!r} is no IDX file; get it again",
    )
    dtype, rank = np.dtype(_DTYPES[data[2]]), data[3]
    if len(data) < 4 + 4 * rank:
        raise damaged(path, "its header is cut off")
    shape = tuple(np.frombuffer(data[4 : 4 + 4 * rank], ">u4").tolist())
    body = data[4 + 4 * rank :]
    want = math.prod(shape) * dtype.itemsize
    if len(body) != want:
        raise damaged(path, f"its header announces {want} bytes, it has {len(body)}")
    # A copy: bytes are read-only, and PyTorch warns of every array that is.
    return np.frombuffer(body, dtype).reshape(shape).copy()
