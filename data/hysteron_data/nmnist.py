# SPDX-License-Identifier: Apache-2.0
"""N-MNIST: MNIST digits before an event camera that moves in three saccades of 100 ms.

A part of it: 1000 recordings to train with and 100 to test. (G. Orchard, A. Jayawant, G. K. Cohen, N. Thakor,
"Converting static image datasets to spiking neuromorphic datasets using saccades", Frontiers in Neuroscience 9, 2015.)
"""

import hashlib
import io
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hysteron_base.errors import require
from hysteron_spec.archive import read_arrays

from .archive import read_members
from .damage import damaged, reason

#: The camera's pixels in each direction.
SIDE = 34
#: Duration that counts, in microseconds: three saccades. What comes later is the camera at rest.
DURATION = 300_000
#: Time steps, pixels pooled in each direction, and events that make a spike, as :func:`select` has them.
STEPS = 12
POOL = 2
AT_LEAST = 1
#: Largest number of a training recording; the test recordings are numbered from the next.
LAST_TRAINING = 60_000
#: Arrays of the file, in the order of its checksum: columns of the events, then one entry a recording.
ARRAYS = {
    "x": np.uint8,
    "y": np.uint8,
    "p": np.uint8,
    "dt": np.uint16,
    "n": np.uint32,
    "id": np.uint32,
    "label": np.uint8,
}

#: Lists of recordings and labels in the repository: for training, for testing.
LISTS = ("train1K.txt", "test100.txt")
_MEMBER = re.compile(r"(?:^|/)test/test_files/NMNISTsmall/(\d+\.bs2|train1K\.txt|test100\.txt)$")

Arrays = dict[str, NDArray[Any]]


def read_events(path: Path) -> Arrays:
    """Read the arrays of :data:`ARRAYS` from an ``.npz`` file.

    ``x``, ``y`` (pixel), ``p`` (0: darker, 1: brighter) and ``dt`` (microseconds since the event before, the first:
    since the start) have an entry an event, ``n`` (events), ``id`` and ``label`` one a recording.

    Raises
    ------
    HysteronError
        If it is no such file. (A missing one raises :class:`FileNotFoundError`.)
    """
    path.stat()
    arrays = read_arrays(path, "data file", "get it again")
    for name, dtype in ARRAYS.items():
        if name not in arrays or arrays[name].dtype != dtype or arrays[name].ndim != 1:
            raise damaged(path, f"it has no {np.dtype(dtype)} column {name!r}")
    return {name: arrays[name] for name in ARRAYS}


def digest(arrays: Arrays) -> str:
    """SHA-256 over the bytes of the arrays, in the order of :data:`ARRAYS`, little-endian."""
    sha = hashlib.sha256()
    for name, dtype in ARRAYS.items():
        sha.update(arrays[name].astype(np.dtype(dtype).newbyteorder("<")).tobytes())
    return sha.hexdigest()


def convert(path: Path) -> bytes:
    """Make the ``.npz`` file from an archive of the repository slayerPytorch, which has each recording as a file.

    There an event is five bytes: column, row, then 24 bits, most significant first, of which the highest is the
    polarity and the others are the microseconds since the start. Two text files, :data:`LISTS`, give the recordings'
    numbers and labels.

    Raises
    ------
    HysteronError
        If it is no whole archive, or has no list, or lacks what it lists, or has events in disorder.
    """
    files = read_members(path, _MEMBER)
    try:
        # The first line of each list names its columns.
        lines = [line for name in LISTS for line in files[name].decode().splitlines()[1:]]
        entries = [(int(number), int(label)) for number, label in map(str.split, lines)]
        events = [np.frombuffer(files[f"{number}.bs2"], np.uint8).reshape(-1, 5) for number, _ in entries]
        table = np.concatenate(events).astype(np.int64)
    except (KeyError, ValueError) as error:
        raise damaged(path, f"N-MNIST in it: {reason(error)}") from None
    x, y, high, middle, low = table.T
    time = (high & 0x7F) << 16 | middle << 8 | low
    counts = np.array([len(one) for one in events])
    starts = (np.cumsum(counts) - counts)[counts > 0]
    delta = np.diff(time, prepend=0)
    delta[starts] = time[starts]
    if np.any(delta >> 16):
        raise damaged(path, "N-MNIST in it: events go back in time or are more than 65 ms apart")
    columns = (x, y, high >> 7, delta, counts, *np.array(entries).T)
    arrays = {name: column.astype(ARRAYS[name]) for name, column in zip(ARRAYS, columns, strict=True)}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def bin_events(
    x: NDArray[Any],
    y: NDArray[Any],
    polarity: NDArray[Any],
    time: NDArray[Any],
    counts: NDArray[Any],
    *,
    steps: int = STEPS,
    pool: int = POOL,
    at_least: int = AT_LEAST,
) -> NDArray[np.uint8]:
    """Turn recorded events into spikes: an input spikes in a step in which at least so many events fell into it.

    Parameters
    ----------
    x, y, polarity, time
        Each event's pixel 0 … 33, polarity 0 or 1, and microseconds since the start of its recording, ``(events,)``;
        recording after recording. Events from 300 ms on are left out.
    counts
        Number of events of each recording, ``(samples,)``.
    steps
        Time steps that share the 300 ms equally, at least 1.
    pool
        Pixels in each direction that make one input, at least 1.
    at_least
        Events that make a spike, at least 1.

    Returns
    -------
    ``(samples, steps, 2 * side * side)`` of 0 and 1, uint8; ``side`` is 34 / ``pool``, rounded up. Inputs are ordered
    by polarity, row, column.

    Raises
    ------
    HysteronError
        If ``steps``, ``pool`` or ``at_least`` is less than 1, or ``counts`` do not add up to the events.
    """
    for name, value in (("steps", steps), ("pool", pool), ("at_least", at_least)):
        require(value >= 1, f"{name} must be at least 1, not {value}")
    counts = counts.astype(np.int64)
    require(int(counts.sum()) == len(x), f"counts must add up to the {len(x)} events, not to {int(counts.sum())}")
    side = -(-SIDE // pool)
    place = np.repeat(np.arange(len(counts)), counts) * steps + time.astype(np.int64) * steps // DURATION
    for column, size in ((polarity, 2), (y // pool, side), (x // pool, side)):
        place = place * size + column
    cells = np.bincount(place[time < DURATION], minlength=len(counts) * steps * 2 * side * side)
    return (cells >= at_least).astype(np.uint8).reshape(len(counts), steps, 2 * side * side)


def select(arrays: Arrays, part: str) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Turn the recordings of the part "train" or "test" into spikes, as :data:`STEPS` and what follows it say.

    Returns
    -------
    inputs, labels
        ``(n, STEPS, 578)`` uint8 spikes, and ``(n,)`` int64.
    """
    wanted = (arrays["id"] > LAST_TRAINING) == (part == "test")
    counts = arrays["n"].astype(np.int64)
    ends = np.cumsum(arrays["dt"], dtype=np.int64)
    before = np.concatenate([[0], ends])[np.cumsum(counts) - counts]
    time = ends - np.repeat(before, counts)
    events = np.repeat(wanted, counts)
    x, y, polarity = (arrays[name][events] for name in ("x", "y", "p"))
    return bin_events(x, y, polarity, time[events], counts[wanted]), arrays["label"][wanted].astype(np.int64)
