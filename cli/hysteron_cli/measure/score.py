"""How good answers are: against one label a sample, a label at every step, or real numbers at every step."""

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from hysteron_base.errors import require
from hysteron_data.sets import DataSet
from hysteron_golden import Result
from hysteron_golden.run import winner
from hysteron_spec import Network

Labels = NDArray[np.int64]


class Task(Enum):
    """What a data set asks of a network."""

    CLASSES = "classes"  #: one label a sample, for the sample's last answer
    STEPS = "classes of steps"  #: a label at every step, -1 where there is none
    REGRESSION = "regression"  #: real numbers at every step, for the scaled potentials

    @classmethod
    def of(cls, data: DataSet) -> "Task":
        """What ``data`` asks for; a :class:`HysteronError` if it holds neither labels nor targets."""
        if data.targets is not None:
            return cls.REGRESSION
        require(data.labels is not None, f"data set {data.name!r} has neither labels nor targets to judge answers by")
        assert data.labels is not None
        return cls.CLASSES if data.labels.ndim == 1 else cls.STEPS


@dataclass(frozen=True, eq=False)
class Answers:
    """What a network answered: once a sample, or after every step.

    Attributes
    ----------
    values
        ``(samples, answers, n_out)`` int32: spike counts, first spikes or potentials.
    winners
        ``(samples, answers)`` int64: the winning outputs.
    """

    values: NDArray[np.int32]
    winners: Labels

    @classmethod
    def golden(cls, network: Network, result: Result) -> "Answers":
        """Those of a golden run."""
        values = result.values[:, None] if result.step_values is None else result.step_values
        return cls(values, winner(network.readout, values))


def judged(labels: Labels, winners: Labels) -> tuple[Labels, Labels]:
    """The labels that there are and the answers they judge, as two flat arrays.

    Parameters
    ----------
    labels
        ``(samples,)``, for the last answer of each sample, or ``(samples, steps)``, for every one; below 0: none.
    winners
        ``(samples, answers)``.

    Raises
    ------
    HysteronError
        If there is no label, or not an answer for every step that may have one.
    """
    if labels.ndim == 1:
        labels, winners = labels[:, None], winners[:, -1:]
    require(
        labels.shape == winners.shape,
        f"labels of {labels.shape[1]} steps need a network that answers at each, not {winners.shape[1]} times; "
        "give it readout_every_step",
    )
    known = labels >= 0
    require(bool(known.any()), "there must be at least one label from 0 up, not none")
    return labels[known], winners[known]


def accuracy(labels: Labels, winners: Labels) -> float:
    """Fraction of labels whose answer is right; shapes and errors as in :func:`judged`."""
    wanted, got = judged(labels, winners)
    return float(np.mean(wanted == got))


def rms_error(targets: NDArray[np.float32], values: NDArray[np.int32], scale: float) -> float:
    """Root of the mean squared difference between ``targets`` and ``values * scale``.

    Both are ``(samples, steps, outputs)``; ``scale`` is what a unit of potential stands for.
    """
    require(
        targets.shape == values.shape,
        f"targets of shape {targets.shape} (samples, steps, outputs) need answers of that shape, not {values.shape}",
    )
    return float(np.sqrt(np.mean((values * scale - targets.astype(np.float64)) ** 2)))


def score(data: DataSet, answers: Answers, scale: float | None) -> float:
    """Accuracy on the first samples of ``data``, or for a regression the error of potentials times ``scale``."""
    samples = len(answers.winners)
    if data.targets is not None:
        assert scale is not None
        return rms_error(data.targets[:samples], answers.values, scale)
    assert data.labels is not None
    return accuracy(data.labels[:samples], answers.winners)


def confusion(labels: Labels, winners: Labels, outputs: int) -> NDArray[np.int64]:
    """``(classes, classes)`` counts of label (row) and answer (column); shapes as in :func:`judged`."""
    wanted, got = judged(labels, winners)
    classes = max(int(wanted.max()) + 1, outputs)
    counts = np.zeros((classes, classes), np.int64)
    np.add.at(counts, (wanted, got), 1)
    return counts


def accuracy_by_step(labels: Labels, winners: Labels) -> list[float | None]:
    """Accuracy of the answers at each step; None where no sample has a label.

    ``winners`` is ``(samples, steps)``. One label a sample judges every step, as if the sample ended there.
    """
    wanted = np.broadcast_to(labels if labels.ndim == 2 else labels[:, None], winners.shape)
    known = wanted >= 0
    right = (known & (wanted == winners)).sum(axis=0)
    return [int(r) / int(n) if n else None for r, n in zip(right, known.sum(axis=0), strict=True)]
