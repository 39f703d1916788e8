# SPDX-License-Identifier: Apache-2.0
"""What answers are judged by."""

import numpy as np
import pytest

from hysteron_base.errors import HysteronError
from hysteron_data.sets import DataSet
from hysteron_measure.score import Answers, Task, accuracy, accuracy_by_step, confusion, judged, rms_error, score


def test_scores_of_small_arrays() -> None:
    winners = np.array([[0, 1, 2], [2, 2, 0]])
    assert accuracy(np.array([2, 1]), winners) == 0.5
    labels = np.array([[0, -1, 0], [-1, -1, 0]])
    assert accuracy(labels, winners) == 2 / 3
    assert accuracy_by_step(labels, winners) == [1.0, None, 0.5]
    assert accuracy_by_step(np.array([2, 2]), winners) == [0.5, 0.5, 0.5]
    assert confusion(labels, winners, 3).tolist() == [[2, 0, 1], [0, 0, 0], [0, 0, 0]]
    with pytest.raises(HysteronError, match="a label or an answer is 60000, but there are 3 classes, 0 to 2"):
        confusion(np.array([60000, 1]), winners, 3)
    assert rms_error(np.zeros((1, 2, 1), np.float32), np.array([[[3], [-4]]]), 2.0) == pytest.approx(50**0.5)
    with pytest.raises(HysteronError, match="not 1 times; give it readout_every_step"):
        judged(labels, winners[:, :1])


def test_every_task_has_a_word_for_recipes_and_one_for_results() -> None:
    assert {task.recipe: task.value for task in Task} == {
        "classify": "classes",
        "classify-steps": "classes of steps",
        "regress": "regression",
    }
    assert [Task.of_recipe(task.recipe) for task in Task] == list(Task)
    assert [task.figure for task in Task] == ["accuracy", "accuracy", "error"]
    with pytest.raises(HysteronError, match="task must be one of classify, classify-steps, regress, not 'classes'"):
        Task.of_recipe("classes")


def test_what_a_data_set_can_be_used_for() -> None:
    inputs, once, steps = np.zeros((2, 3, 4)), np.zeros(2, np.int64), np.zeros((2, 3), np.int64)
    targets = np.zeros((2, 3, 1), np.float32)
    for labels, numbers, tasks in (
        (once, None, (Task.CLASSES,)),
        (steps, None, (Task.STEPS,)),
        (None, targets, (Task.REGRESSION,)),
        (steps, targets, (Task.STEPS, Task.REGRESSION)),
        (None, None, ()),
    ):
        data = DataSet("toy", inputs, labels, numbers)
        assert Task.all_of(data) == tasks
        if tasks:
            assert Task.of(data) is tasks[-1]
        else:
            with pytest.raises(HysteronError, match="'toy' has neither labels nor targets"):
                Task.of(data)


def test_a_score_is_that_of_the_task_asked_for() -> None:
    """Of the first samples, as many as there are answers."""
    labels, targets = np.array([[1, -1], [0, 1], [0, 0]]), np.ones((3, 2, 2), np.float32)
    data = DataSet("toy", np.zeros((3, 2, 4)), labels, targets)
    answers = Answers.potentials(np.array([[[0, 4], [4, 0]], [[4, 4], [0, 4]]]))
    assert answers.winners.tolist() == [[1, 0], [0, 1]]
    assert score(Task.STEPS, data, answers) == 1
    assert score(Task.REGRESSION, data, answers, 0.25) == pytest.approx((3 / 8) ** 0.5)
    assert score(Task.CLASSES, DataSet("toy", data.inputs, np.array([0, 0, 1])), answers) == 0.5
