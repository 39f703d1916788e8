# SPDX-License-Identifier: Apache-2.0
"""Electrocardiograms of the QT Database as spikes, with the phase of the heartbeat at every step.

The recordings were coded by level crossing: an input spikes when its lead has risen (or fallen) by one level. They
are the sequences of B. Yin, F. Corradi, S. M. Bohte, "Accurate and efficient time-domain classification with adaptive
spiking recurrent neural networks", Nature Machine Intelligence 3, 2021; the phases are named as there.

The labels follow the waves they name by some 16 steps, as one sees in the mean over all beats.
"""

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hysteron_base.errors import require
from hysteron_base.extras import MissingPackageError

from .damage import damaged

#: Phases of a heartbeat, in their order: a wave or what lies between two peaks.
CLASSES = ("P", "PQ", "QR", "RS", "ST", "TP")
#: Inputs: two leads, each rising and falling.
INPUTS = 4


def read_mat(data: bytes, path: object) -> dict[str, NDArray[Any]]:
    """Read the arrays ``x`` and ``y`` of a MATLAB file.

    ``path`` is for messages only.

    Raises
    ------
    HysteronError
        If SciPy is not installed, or ``data`` is no MATLAB file with these two arrays.
    """
    try:
        from scipy.io import loadmat
    except ImportError:
        raise MissingPackageError("scipy") from None
    try:
        arrays = loadmat(io.BytesIO(data), variable_names=["x", "y"])
        return {name: arrays[name] for name in ("x", "y")}
    except MemoryError:
        raise
    except Exception as error:  # struct, zlib, NotImplementedError … SciPy has many for a damaged file
        raise damaged(path, error) from None


def convert(x: NDArray[Any], y: NDArray[Any]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Make spikes and labels from the arrays of the file.

    Parameters
    ----------
    x
        Spikes as the file has them, ``(n, steps, 4)`` of 0 and 1. The last step's first channel is -1 in every
        sequence, which marks the end and says nothing about the heart; it becomes 0.
    y
        Phases, ``(n, steps, 6)`` one-hot, or all 0 where the phase is unknown.

    Returns
    -------
    inputs, labels
        ``(n, steps, 4)`` uint8, and ``(n, steps)`` int64 with -1 where the phase is unknown.
    """
    require(
        x.ndim == 3 and x.shape[2] == INPUTS and y.shape == (*x.shape[:2], len(CLASSES)),
        f"sequences must have shapes (n, steps, {INPUTS}) and (n, steps, {len(CLASSES)}), not {x.shape} and {y.shape}",
    )
    labels = np.where(y.any(axis=2), y.argmax(axis=2), -1)
    return (x > 0).astype(np.uint8), labels.astype(np.int64)
