# SPDX-License-Identifier: Apache-2.0
"""What samples are taken for, in words: axes, ranges, and what looks like a mistake."""

from dataclasses import dataclass

import numpy as np

from hysteron_spec.encoder import Encoder

from .own import one_hot
from .sets import DataSet


@dataclass(frozen=True)
class Understood:
    """What samples are taken for.

    Attributes
    ----------
    text
        Number, axes, range and labels: ``450 samples of 8 × 8 pixels, 0 to 16 of 255; labels 0 to 9``.
    notes
        What looks like a mistake, a sentence each with the remedy; nothing of a set that looks as it should.
    """

    text: str
    notes: tuple[str, ...]


def understood(data: DataSet, encoder: Encoder | None) -> Understood:
    """What a network takes samples for.

    Parameters
    ----------
    data
        Samples that suit the network (:func:`hysteron_spec.encoder.check_inputs`), at least one.
    encoder
        The network's: with one it takes pixels, without one spikes.
    """
    count, *axes = data.inputs.shape
    samples = f"{count:,} sample" + "s" * (count != 1)
    if encoder is not None:
        low, high = int(data.inputs.min()), int(data.inputs.max())
        text = f"{samples} of {_times(axes)} pixels, {low} to {high} of 255"
    else:
        steps, *inputs = axes
        share = np.count_nonzero(data.inputs) / data.inputs.size
        text = f"{samples} of {steps:,} steps of {_times(inputs)} inputs, {100 * share:.1f} % spikes"
    return Understood(f"{text}; {_wanted(data)}", tuple(_notes(data, encoder)))


def _times(axes: list[int]) -> str:
    return " × ".join(map(str, axes))


def _wanted(data: DataSet) -> str:
    """What is to be answered, in words."""
    if data.labels is not None:
        known = data.labels[data.labels >= 0]
        each = "labels of steps" if data.labels_by_step else "labels"
        return f"{each} {known.min()} to {known.max()}" if known.size else f"no {each} but -1"
    return f"{data.targets.shape[2]} targets a step" if data.targets is not None else "no labels"


def _notes(data: DataSet, encoder: Encoder | None) -> list[str]:
    found = []
    shape, labels = data.inputs.shape, data.labels
    high = data.inputs.max()
    if encoder is not None and high == 1:
        found.append("no pixel exceeds 1, and 255 is the brightest: if 1 stands for white, take 255 * inputs")
    elif high == 0:
        found.append("all pixels are 0" if encoder is not None else "no input ever spikes")
    if labels is None and data.targets is None and data.part is None and len(shape) >= 3:
        if encoder is None and shape[0] < shape[1]:
            found.append(
                f"axis 0, {shape[0]} long, is taken for samples and axis 1, {shape[1]} long, for time: if it is the "
                "other way round, as frameworks have it, take np.swapaxes(inputs, 0, 1)"
            )
        elif encoder is not None and shape[0] == encoder.steps:
            found.append(
                f"axis 0 is taken for samples, and it has as many as the network has steps, {encoder.steps}: "
                "the network makes its steps itself, of one image a sample"
            )
    if labels is not None and labels.ndim == 1 and (none := int((labels < 0).sum())):
        found.append(f"{none:,} of {len(labels):,} labels are -1, which stands for none: these are not judged")
    if labels is not None and labels.ndim == 2 and one_hot(labels):
        found.append(
            f"labels of shape {labels.shape} are taken for one a step, but look one-hot: if they are, take "
            "labels.argmax(axis=1)"
        )
    return found
