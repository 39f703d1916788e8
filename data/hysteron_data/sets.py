# SPDX-License-Identifier: Apache-2.0
"""Data sets by name, or from a file of the user's."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hysteron_base.errors import integer_in, require
from hysteron_base.html import table_of
from hysteron_base.settings import meant
from hysteron_spec.encoder import Coding, Encoder, encode

from . import fsdd, material, nmnist, qtdb, yin_yang
from .digits import load_digits_split
from .idx import parse_idx
from .own import read_own
from .sources import read

#: Parts of a data set.
PARTS = ("train", "test")

#: What a pixel must exceed in each step to spike in ``mnist-levels``.
MNIST_LEVELS = (32, 80, 128, 176)

DIGITS = tuple("0123456789")
CLOTHES = ("T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")


@dataclass(frozen=True, eq=False, repr=False)
class DataSet:
    """Samples, and what a network should answer to them.

    Attributes
    ----------
    name
        Name to show to people.
    inputs
        ``(samples, pixels…)`` pixels, or ``(samples, steps, n_in)`` spikes of 0 and 1; uint8 in the named sets.
    labels
        ``(samples,)`` int64; or ``(samples, steps)`` int64, -1 where a step has no label; or None if unknown.
    targets
        What the outputs should be, for regression: ``(samples, steps, outputs)`` float32; or None.
    classes
        Names of the classes, or () if unknown.
    part
        "train" or "test"; None for a file that is not divided, or an array.
    """

    name: str
    inputs: NDArray[Any]
    labels: NDArray[np.int64] | None
    targets: NDArray[np.float32] | None = None
    classes: tuple[str, ...] = ()
    part: str | None = None

    def _rows(self) -> dict[str, str]:
        count, *shape = self.inputs.shape
        what = "labels" if self.labels is not None else "targets" if self.targets is not None else "neither"
        each = (
            "" if what == "neither" else " by step" if self.targets is not None or self.labels_by_step else " by sample"
        )
        rows = {"samples": f"{count:,}", "each": f"{' × '.join(map(str, shape))} {self.inputs.dtype}"}
        rows["to be answered"] = "unknown" if what == "neither" else what + each
        if self.classes:
            rows["classes"] = ", ".join(self.classes)
        return rows

    @property
    def labels_by_step(self) -> bool:
        """Whether there is a label at every step instead of one a sample."""
        return self.labels is not None and self.labels.ndim == 2

    def __repr__(self) -> str:
        return f"DataSet {self.name!r} (" + "; ".join(f"{name}: {value}" for name, value in self._rows().items()) + ")"

    def _repr_html_(self) -> str:
        return table_of(f"Data set {self.name}", self._rows())

    def take(self, which: slice | NDArray[np.integer[Any]]) -> "DataSet":
        """Some samples of the set, in the order that ``which`` names them in."""
        return replace(
            self,
            inputs=self.inputs[which],
            labels=None if self.labels is None else self.labels[which],
            targets=None if self.targets is None else self.targets[which],
        )

    def first(self, images: int | None) -> "DataSet":
        """The first so many samples, or as many as there are; all for None.

        Raises
        ------
        HysteronError
            If it is no whole number from 1 up.
        """
        return self if images is None else self.take(slice(integer_in("images", images, 1, 1 << 31)))


def load_data_set(source: str, part: str = "test", *, whole: bool = False) -> DataSet:
    """Load a part of a named data set, or of an ``.npz`` file.

    A file has ``inputs`` and, if known, ``labels`` or ``targets``; or these for each part: ``train_inputs``,
    ``train_labels``, ``test_inputs``, ``test_labels`` and so on. One that is not divided is the part "test".

    Parameters
    ----------
    source
        One of :data:`NAMES`, or the path of an ``.npz`` file.
    part
        "train" or "test".
    whole
        Whether a file that is not divided is taken for the part "train" as well. What is judged on it then is judged
        on the samples it has seen.

    Raises
    ------
    MissingDataError
        If a file of the set is not on this machine.
    HysteronError
        If there is no such set or part, or a file of it is damaged, or a package that reads it is not installed.
    """
    require(part in PARTS, f"part must be one of {', '.join(PARTS)}, not {part!r}")
    if source in _LOADERS:
        return replace(_LOADERS[source](part), part=part)
    path = Path(source)
    require(
        path.suffix == ".npz",
        f"data must be one of {', '.join(NAMES)} or an .npz file with 'inputs' and 'labels', not {source!r}"
        + meant(source, NAMES),
    )
    own = read_own(path, part, whole=whole)
    return DataSet(path.stem, own.inputs, own.labels, own.targets, part=own.part)


def _digits(part: str) -> DataSet:
    train_images, train_labels, test_images, test_labels = load_digits_split()
    if part == "train":
        return DataSet("digits", train_images, train_labels, classes=DIGITS)
    return DataSet("digits", test_images, test_labels, classes=DIGITS)


def _images(name: str, part: str, classes: tuple[str, ...]) -> DataSet:
    # Of each part first the images, then the labels.
    images, labels = (parse_idx(*read(name, 2 * PARTS.index(part) + k)) for k in (0, 1))
    return DataSet(name, images, labels.astype(np.int64), classes=classes)


def _mnist_14(part: str) -> DataSet:
    full = _images("mnist-14", part, DIGITS)
    return replace(full, inputs=halve(full.inputs))


def halve(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """``(n, 2 h, 2 w)`` images averaged over squares of 2×2 pixels to ``(n, h, w)`` uint8; halves are rounded up."""
    n, height, width = images.shape
    sums = images.reshape(n, height // 2, 2, width // 2, 2).sum(axis=(2, 4), dtype=np.uint16)
    return ((sums + 2) // 4).astype(np.uint8)


def _mnist_levels(part: str) -> DataSet:
    full = _images("mnist-levels", part, DIGITS)
    encoder = Encoder(Coding.LEVEL, len(MNIST_LEVELS), MNIST_LEVELS)
    return replace(full, inputs=encode(encoder, full.inputs.reshape(len(full.inputs), -1)))


def _nmnist(part: str) -> DataSet:
    arrays, _ = read("nmnist")
    return DataSet("nmnist", *nmnist.select(arrays, part), classes=DIGITS)


def _fsdd(part: str) -> DataSet:
    recordings, _ = read("fsdd")
    return DataSet("fsdd", *fsdd.select(recordings, part), classes=DIGITS)


def _qtdb(part: str) -> DataSet:
    arrays = qtdb.read_mat(*read("qtdb", PARTS.index(part)))
    return DataSet("qtdb", *qtdb.convert(arrays["x"], arrays["y"]), classes=qtdb.CLASSES)


def _yin_yang(part: str) -> DataSet:
    return DataSet("yin-yang", *yin_yang.load(part), classes=yin_yang.CLASSES)


def _material(part: str) -> DataSet:
    inputs, targets = material.load(part, elements=False)
    return DataSet("material", inputs, None, targets)


def _materials(part: str) -> DataSet:
    inputs, targets = material.load(part, elements=True)
    return DataSet("materials", inputs, None, targets)


_LOADERS: dict[str, Callable[[str], DataSet]] = {
    "digits": _digits,
    "mnist": lambda part: _images("mnist", part, DIGITS),
    "mnist-14": _mnist_14,
    "mnist-levels": _mnist_levels,
    "fashion-mnist": lambda part: _images("fashion-mnist", part, CLOTHES),
    "nmnist": _nmnist,
    "fsdd": _fsdd,
    "qtdb": _qtdb,
    "yin-yang": _yin_yang,
    "material": _material,
    "materials": _materials,
}

#: Names that :func:`load_data_set` knows.
NAMES = tuple(_LOADERS)
