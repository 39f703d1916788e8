# SPDX-License-Identifier: Apache-2.0
"""What a data set asks of a network, and how good answers are: the one place for both.

Training, simulation and measurement judge by these functions, so that an accuracy is the same figure everywhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hysteron_base.errors import HysteronError, require
from hysteron_data.sets import DataSet
from hysteron_golden import Result
from hysteron_spec import Network, Readout
from hysteron_spec.answers import Answer

from .judge import WINNER, Judge

Labels = NDArray[np.int64]


class Task(Enum):
    """A task that a data set sets a network. The value is its word in ``results.json``."""

    CLASSES = "classes"  #: one label a sample, for the sample's last answer
    STEPS = "classes of steps"  #: a label at every step, -1 where there is none
    REGRESSION = "regression"  #: real numbers at every step, for the scaled potentials

    @property
    def recipe(self) -> str:
        """The task's word in a recipe and in a training record: what the network is to do."""
        return _RECIPE_WORDS[self]

    @property
    def figure(self) -> str:
        """The name of the figure that tells how good answers are: ``accuracy``, or ``error`` for a regression."""
        return "error" if self is Task.REGRESSION else "accuracy"

    @classmethod
    def of_recipe(cls, word: str) -> "Task":
        """The task that a recipe names; a :class:`HysteronError` if there is none of that name."""
        for task, text in _RECIPE_WORDS.items():
            if text == word:
                return task
        raise HysteronError(f"task must be one of {', '.join(_RECIPE_WORDS.values())}, not {word!r}")

    @classmethod
    def all_of(cls, data: DataSet) -> tuple["Task", ...]:
        """All tasks that ``data`` can be used for: it may hold both labels and targets, or neither."""
        labels = () if data.labels is None else (cls.CLASSES if data.labels.ndim == 1 else cls.STEPS,)
        return labels + ((cls.REGRESSION,) if data.targets is not None else ())

    @classmethod
    def of(cls, data: DataSet) -> "Task":
        """The task that ``data`` sets, targets before labels; a :class:`HysteronError` if it holds neither."""
        tasks = cls.all_of(data)
        require(bool(tasks), f"data set {data.name!r} has neither labels nor targets to judge answers by")
        return tasks[-1]


_RECIPE_WORDS = {Task.CLASSES: "classify", Task.STEPS: "classify-steps", Task.REGRESSION: "regress"}


@dataclass(frozen=True, eq=False)
class Answers:
    """The answers of a network: one a sample, or one after every step.

    Attributes
    ----------
    values
        ``(samples, answers, n_out)``: spike counts, first spikes or potentials. They are int32 of golden and of the
        hardware, and may be float32 of a network that is being trained.
    winners
        ``(samples, answers)`` int64: the answered classes, which are the winning outputs unless a judge says else.
    """

    values: NDArray[Any]
    winners: Labels

    @classmethod
    def potentials(cls, values: NDArray[Any]) -> "Answers":
        """The answers of a network whose read-out potentials are ``(samples, answers, n_out)`` values."""
        return cls(values, WINNER.answers(Readout.POTENTIAL, values))

    @classmethod
    def golden(cls, network: Network, result: Result, judge: Judge = WINNER) -> "Answers":
        """The answers of a golden run, as ``judge`` makes them; it must suit the network."""
        values = result.values[:, None] if result.step_values is None else result.step_values
        return cls(values, judge.answers(network.readout, values))

    @classmethod
    def machine(cls, network: Network, answers: Sequence[Answer], judge: Judge = WINNER) -> "Answers":
        """The answers of a machine, one a sample; every step's of a network that answers at each.

        All samples must have as many steps.
        """
        values = np.stack([answer.values[None] if answer.steps is None else answer.steps for answer in answers])
        return cls(values, judge.answers(network.readout, values))


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


def rms_error(targets: NDArray[np.float32], values: NDArray[Any], scale: float) -> float:
    """Root of the mean squared difference between ``targets`` and ``values * scale``.

    Both are ``(samples, steps, outputs)``; ``scale`` is what a unit of potential stands for.
    """
    require(
        targets.shape == values.shape,
        f"targets of shape {targets.shape} (samples, steps, outputs) need answers of that shape, not {values.shape}",
    )
    return float(np.sqrt(np.mean((values * scale - targets.astype(np.float64)) ** 2)))


def score(task: Task, data: DataSet, answers: Answers, scale: float | None = None) -> float:
    """How good answers to the first samples of a data set are.

    Parameters
    ----------
    task
        What is asked of the network; ``data`` must suit it.
    data
        The samples, as many as there are answers or more.
    answers
        What the network answered.
    scale
        For a regression: what a unit of potential stands for, in units of the targets.

    Returns
    -------
    The accuracy as a fraction, as in :func:`accuracy`; for a regression the error, as in :func:`rms_error`.
    """
    samples = len(answers.winners)
    if task is Task.REGRESSION:
        assert scale is not None and data.targets is not None
        return rms_error(data.targets[:samples], answers.values, scale)
    assert data.labels is not None
    return accuracy(data.labels[:samples], answers.winners)


def confusion(labels: Labels, winners: Labels, classes: int) -> NDArray[np.int64]:
    """``(classes, classes)`` counts of label (row) and answer (column); shapes as in :func:`judged`.

    Raises
    ------
    HysteronError
        If a label is not below ``classes``.
    """
    wanted, got = judged(labels, winners)
    high = int(max(wanted.max(), got.max()))
    require(high < classes, f"a label or an answer is {high}, but there are {classes} classes, 0 to {classes - 1}")
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
