"""Data sets by name, or from a file of the user's."""

import gzip
import os
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hysteron_golden.errors import HysteronError, require
from hysteron_golden.store import read_arrays

from .digits import load_digits_split

#: Names that :func:`load_test_set` knows.
NAMES = ("digits", "mnist", "fashion-mnist")

_IDX_DTYPES: dict[int, Any] = {
    8: np.uint8,
    9: np.int8,
    11: np.dtype(">i2"),
    12: np.dtype(">i4"),
    13: np.dtype(">f4"),
    14: np.dtype(">f8"),
}


@dataclass(frozen=True, eq=False)
class TestSet:
    """Samples to classify.

    Attributes
    ----------
    name
        For people.
    inputs
        ``(samples, pixels…)`` pixels or ``(samples, steps, n_in)`` spikes.
    labels
        ``(samples,)`` integers, or None if unknown.
    """

    __test__ = False  # the name is no pytest class

    name: str
    inputs: NDArray[Any]
    labels: NDArray[np.int64] | None


def load_test_set(source: str) -> TestSet:
    """The test part of a named data set, or an ``.npz`` file with ``inputs`` and, if known, ``labels``.

    ``mnist`` and ``fashion-mnist`` are read from their IDX files in ``$HYSTERON_DATA/<name>``.
    """
    if source == "digits":
        _, _, images, labels = load_digits_split()
        return TestSet("digits", images, labels)
    if source in NAMES:
        folder = _data_folder(source)
        pixels = read_idx(folder / "t10k-images-idx3-ubyte.gz")
        return _paired(source, pixels, read_idx(folder / "t10k-labels-idx1-ubyte.gz").astype(np.int64))
    path = Path(source)
    require(
        path.suffix == ".npz",
        f"data must be one of {', '.join(NAMES)} or an .npz file with 'inputs' and 'labels', not {source!r}",
    )
    arrays = read_arrays(path, "data file", "write it again")
    require("inputs" in arrays, f"data file {source!r} must hold an array 'inputs', it has {sorted(arrays)}")
    given = arrays.get("labels")
    if given is not None:
        require(given.dtype.kind in "iu", f"labels in {source!r} must be integers, not {given.dtype}")
        given = given.astype(np.int64)
    return _paired(path.stem, arrays["inputs"], given)


def _paired(name: str, inputs: NDArray[Any], labels: NDArray[np.int64] | None) -> TestSet:
    require(inputs.ndim >= 2, f"data set {name!r} must have inputs of shape (samples, …), not {inputs.shape}")
    require(len(inputs) > 0, f"data set {name!r} must hold at least one sample, not 0")
    require(
        labels is None or labels.shape == (len(inputs),),
        f"data set {name!r} has {len(inputs)} samples but labels of shape {None if labels is None else labels.shape}",
    )
    return TestSet(name, inputs, labels)


def _data_folder(name: str) -> Path:
    root = os.environ.get("HYSTERON_DATA")
    require(
        root is not None, f"data set {name!r} is looked for in $HYSTERON_DATA/{name}; set HYSTERON_DATA to its folder"
    )
    assert root is not None
    folder = Path(root) / name
    require(
        folder.is_dir(), f"folder {str(folder)!r} does not exist; put {name}'s IDX files there or set HYSTERON_DATA"
    )
    return folder


def read_idx(path: Path) -> NDArray[Any]:
    """An array from a gzipped IDX file (the format of MNIST; Y. LeCun, "The MNIST database").

    Raises
    ------
    HysteronError
        If the file is missing, is no IDX file or is not as long as its header says.
    """
    try:
        data = gzip.decompress(path.read_bytes())
    except FileNotFoundError:
        raise HysteronError(f"data file {str(path)!r} does not exist; put it there or set HYSTERON_DATA") from None
    except (OSError, EOFError, zlib.error) as error:
        raise HysteronError(f"data file {str(path)!r} is damaged ({error}); get it again") from None
    require(
        len(data) >= 4 and data[:2] == b"\0\0" and data[2] in _IDX_DTYPES,
        f"data file {str(path)!r} is no IDX file; get it again",
    )
    dtype, rank = np.dtype(_IDX_DTYPES[data[2]]), data[3]
    require(len(data) >= 4 + 4 * rank, f"data file {str(path)!r} is damaged: its header is cut off; get it again")
    shape = tuple(np.frombuffer(data[4 : 4 + 4 * rank], ">u4").tolist())
    body = data[4 + 4 * rank :]
    want = int(np.prod(shape)) * dtype.itemsize
    require(
        len(body) == want,
        f"data file {str(path)!r} is damaged: its header announces {want} bytes, it has {len(body)}; get it again",
    )
    return np.frombuffer(body, dtype).reshape(shape)
