# SPDX-License-Identifier: Apache-2.0
"""Files of the user's: an ``.npz`` archive with samples, and what should be answered to them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hysteron_base.errors import HysteronError, require
from hysteron_spec.archive import read_arrays

#: Arrays of a file, or of each of its parts with ``train_`` or ``test_`` before the name.
KEYS = ("inputs", "labels", "targets")
#: Classes that a core can tell apart: an answer's winner has 16 bits.
MOST_CLASSES = 1 << 16


@dataclass(frozen=True, eq=False)
class Arrays:
    """What a file holds of the part that was asked for.

    Attributes
    ----------
    inputs, labels, targets
        As a :class:`~hysteron_data.sets.DataSet` has them.
    part
        ``"train"`` or ``"test"``; None if the file is not divided.
    """

    inputs: NDArray[Any]
    labels: NDArray[np.int64] | None
    targets: NDArray[np.float32] | None
    part: str | None


def read_own(path: Path, part: str, *, whole: bool) -> Arrays:
    """A part of a file of the user's, checked.

    Parameters
    ----------
    path
        The file.
    part
        "train" or "test".
    whole
        Whether a file that is not divided stands for the training part too.

    Raises
    ------
    HysteronError
        If the file is missing, damaged or too large, has no such part, or an array is not what it should be.
    """
    name = repr(str(path))
    arrays = read_arrays(path, "data file", "write it again")
    parts = [key.partition("_")[0] for key in ("train_inputs", "test_inputs") if key in arrays]
    if parts:
        require("inputs" not in arrays, f"data file {name} must hold either 'inputs' or its parts, not both")
        require(part in parts, f"data file {name} must hold an array '{part}_inputs', it has {sorted(arrays)}")
        inputs, labels, targets = (arrays.get(f"{part}_{key}") for key in KEYS)
    else:
        require("inputs" in arrays, f"data file {name} must hold an array 'inputs', it has {sorted(arrays)}")
        require(
            whole or part == "test",
            f"data file {name} is not divided into samples to train with and samples to judge by; write "
            "'train_inputs', 'train_labels', 'test_inputs' and 'test_labels' into it, or hold some back "
            "(--held-back 0.2)",
        )
        inputs, labels, targets = (arrays.get(key) for key in KEYS)
    assert inputs is not None
    _check_inputs(name, inputs)
    return Arrays(
        inputs,
        None if labels is None else _labels(name, labels, inputs.shape),
        None if targets is None else _targets(name, targets, inputs.shape),
        part if parts else None,
    )


def _check_inputs(name: str, inputs: NDArray[Any]) -> None:
    require(inputs.ndim >= 2, f"inputs in {name} must have shape (samples, …), not {inputs.shape}")
    require(len(inputs) > 0, f"data file {name} must hold at least one sample, not 0")
    require(inputs.dtype.kind in "biuf", f"inputs in {name} must be numbers, not {inputs.dtype}")


def _labels(name: str, labels: NDArray[Any], shape: tuple[int, ...]) -> NDArray[np.int64]:
    """One label a sample, or one a step of samples that have steps."""
    # Only a sample of spikes has steps, which may have labels or targets of their own.
    steps = shape[:2] if len(shape) >= 3 else None
    if labels.shape not in (shape[:1], steps):
        raise HysteronError(
            f"data file {name} has {shape[0]} samples but labels of shape {labels.shape}; "
            + _remedy_of_shape(labels, shape)
        )
    if labels.dtype.kind not in "iu":
        remedy = ""
        if labels.dtype.kind == "b" or (labels.dtype.kind == "f" and bool((labels == np.rint(labels)).all())):
            remedy = "; write labels.astype(int)"
        raise HysteronError(f"labels in {name} must be integers, not {labels.dtype}{remedy}")
    low, high = int(labels.min(initial=0)), int(labels.max(initial=0))
    require(low >= -1, f"labels in {name} must be at least 0, or -1 for none, not {low}")
    require(
        high < MOST_CLASSES,
        f"labels in {name} must number classes from 0 to at most {MOST_CLASSES - 1}, not {high}",
    )
    return labels.astype(np.int64)


def _remedy_of_shape(labels: NDArray[Any], shape: tuple[int, ...]) -> str:
    """What to do with labels that are not as many as the samples."""
    if len(shape) >= 3 and labels.shape in (shape[1:2], shape[1::-1]):
        return (
            f"axis 0 of inputs {shape} seems to be time and axis 1 the sample: "
            "write np.swapaxes(inputs, 0, 1), as (samples, steps, inputs)"
        )
    if labels.ndim == 2 and labels.shape[0] == shape[0] and one_hot(labels):
        return "they look one-hot: write labels.argmax(axis=1)"
    return f"give one a sample, or one a step if inputs, {shape}, have steps"


def one_hot(labels: NDArray[Any]) -> bool:
    """Whether each row holds a single 1 and zeros, and not all rows the same."""
    if labels.ndim != 2 or labels.shape[1] < 2 or labels.dtype.kind not in "biuf":
        return False
    return bool(((labels == 0) | (labels == 1)).all() and (labels.sum(axis=1) == 1).all())


def _targets(name: str, targets: NDArray[Any], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Numbers for each output at each step."""
    require(targets.dtype.kind in "iuf", f"targets in {name} must be numbers, not {targets.dtype}")
    require(
        targets.ndim == 3 and len(shape) >= 3 and targets.shape[:2] == shape[:2],
        f"targets in {name} must have shape (samples, steps, outputs) for inputs of shape {shape}, not {targets.shape}",
    )
    with np.errstate(over="ignore"):
        found = targets.astype(np.float32)
    require(bool(np.isfinite(found).all()), f"targets in {name} must be finite float32 numbers; write it again")
    return found
