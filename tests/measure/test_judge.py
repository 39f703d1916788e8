# SPDX-License-Identifier: Apache-2.0
"""How answers are made of the outputs, and labels that none of them can match."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hysteron_base.errors import HysteronError
from hysteron_data.sets import DataSet
from hysteron_golden import run
from hysteron_measure.judge import FORMS, WINNER, Judge, check_labels
from hysteron_measure.score import Answers, accuracy
from hysteron_spec import Layer, Mode, Network, Potential, Readout
from hysteron_spec.answers import Answer


def network(n_out: int = 6, readout: Readout = Readout.COUNT, **more: Any) -> Network:
    return Network((Layer(np.ones((4, n_out), int), 4),), Potential(12), readout=readout, name="net", **more)


def data(labels: Any, **more: Any) -> DataSet:
    array = np.asarray(labels)
    return DataSet("set", np.zeros((len(array), 3, 4), np.uint8), array, **more)


def refusal(judge: str, made: Network, labels: Any = (0, 1)) -> str:
    with pytest.raises(HysteronError) as error:
        Judge.of(judge).check_data(made, data(labels))
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("text", ["winner", "groups:3", "threshold:-2", "max", "mean"])
def test_a_judge_is_its_text(text: str) -> None:
    assert str(Judge.of(text)) == text
    assert Judge.of(Judge.of(text)) == Judge.of(text)
    assert text.partition(":")[0] in [form.partition(":")[0] for form in FORMS]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("most", "must be one of winner, groups:C, threshold:N, max, mean, not 'most'"),
        ("group:3", "did you mean 'groups'"),
        ("max:3", "max takes no number"),
        ("groups", "takes the number of classes, as in 'groups:3'"),
        ("groups:1", "a number of classes from 2 up, not 1"),
        ("threshold:x", "takes the least value that means class 1"),
    ],
)
def test_wrong_judges_are_told(text: str, told: str) -> None:
    with pytest.raises(HysteronError, match=told):
        Judge.of(text)


def test_answers_by_hand() -> None:
    """Two samples of two steps, four outputs."""
    values = np.array([[[5, 0, 2, 2], [1, 0, 3, 0]], [[0, 1, 1, 1], [0, 3, 1, 1]]], np.int32)

    def answers(judge: str, readout: Readout = Readout.POTENTIAL) -> list[list[int]]:
        return Judge.of(judge).answers(readout, values).tolist()

    assert answers("winner") == [[0, 2], [1, 1]]
    assert answers("winner", Readout.FIRST) == [[1, 1], [0, 0]]
    assert answers("groups:2") == [[0, 1], [1, 0]]
    assert answers("max") == [[0, 0], [1, 1]]
    assert answers("mean") == [[0, 0], [1, 1]]
    assert Judge.of("threshold:3").answers(Readout.COUNT, values[..., 1:2]).tolist() == [[0, 0], [0, 1]]
    late = np.array([[[3, 0], [0, 2], [0, 2]]])
    assert Judge.of("max").answers(Readout.POTENTIAL, late)[0, -1] == 0
    assert Judge.of("mean").answers(Readout.POTENTIAL, late)[0, -1] == 1


@given(st.integers(2, 5), st.integers(1, 4), st.integers(0, 1 << 20))
def test_a_population_is_right_where_its_sum_is(classes: int, size: int, seed: int) -> None:
    """Neighbouring outputs make a group, as in snnTorch; counts near their ceiling do not wrap."""
    values = np.random.default_rng(seed).integers(0, 1 << 15, (7, 1, classes * size)).astype(np.int16)
    wanted = [
        int(np.argmax([sum(map(int, row[0][size * c : size * (c + 1)])) for c in range(classes)])) for row in values
    ]
    assert Judge("groups", classes).answers(Readout.COUNT, values)[:, 0].tolist() == wanted


def test_of_a_machine_as_of_golden() -> None:
    made = network(readout_every_step=True)
    result = run(made, np.random.default_rng(0).integers(0, 2, (9, 5, 4)))
    assert result.step_values is not None
    told = [Answer(k, 0, result.values[k], result.step_values[k]) for k in range(9)]
    for judge in map(Judge.of, ("winner", "groups:3", "max", "mean")):
        judge.check(made)
        assert np.array_equal(Answers.machine(made, told, judge).winners, Answers.golden(made, result, judge).winners)


@pytest.mark.parametrize(
    ("judge", "made", "told"),
    [
        ("groups:4", network(), "has 6 outputs, which 4 does not divide"),
        ("groups:3", network(readout=Readout.FIRST), "times of first spikes"),
        ("threshold:3", network(), "is for one output, but network 'net' has 6"),
        ("threshold:0", network(1), "a count takes a threshold from 1 up"),
        ("max", network(), "answers once a sample; give it readout_every_step"),
        ("mean", network(readout=Readout.FIRST, readout_every_step=True), "times of first spikes"),
    ],
)
def test_what_a_read_out_cannot_do_is_refused(judge: str, made: Network, told: str) -> None:
    assert told in refusal(judge, made)


def test_labels_by_step_have_no_answer_of_a_whole_sample() -> None:
    assert "a label at every step" in refusal("max", network(readout_every_step=True), [[0, 1, 1]])


@pytest.mark.parametrize(
    ("judge", "n_out", "labels", "told"),
    [
        ("winner", 6, [0, 6, 60000], "label 6 of sample 1 in data set 'set' cannot be answered by 6 outputs"),
        ("winner", 6, [[0, 0, 9]], "label 9 of sample 0, step 2, in data set"),
        ("winner", 1, [0, 1], "one output always wins: judge by threshold:N"),
        ("winner", 1, [0, 4], "or give the network an output for each class"),
        ("groups:3", 6, [3], "which give 0 to 2; give the number of classes to groups:C"),
        ("threshold:3", 1, [2], "a threshold tells 0 from 1"),
        ("winner", 6, [-1, -1], "none from 0 up"),
    ],
)
def test_labels_that_no_answer_can_match(judge: str, n_out: int, labels: Any, told: str) -> None:
    assert told in refusal(judge, network(n_out), labels)


def test_labels_that_answers_can_match() -> None:
    for judge, n_out, labels in (
        ("winner", 6, [5, -1]),
        ("groups:3", 6, [2, 0]),
        ("threshold:3", 1, [0, 1]),
        ("winner", 6, [[5, -1, 0]]),
    ):
        Judge.of(judge).check_data(network(n_out), data(labels))
    check_labels(DataSet("none", np.zeros((2, 3, 4)), None), 1)


@pytest.mark.parametrize(
    ("n_out", "labels", "classes", "told"),
    [
        (12, [0, 2], (), "a population code of 3 groups of 4, judge by groups:3"),
        (10, [0, 3], (), "answers 4 to 9 are never right"),
        (3, [0, 1], (), "answers 2 are never right"),
        (1, [0, 0], (), "one output always wins"),
    ],
)
def test_outputs_that_no_label_names_are_noted(n_out: int, labels: Any, classes: tuple[str, ...], told: str) -> None:
    (note,) = WINNER.notes(network(n_out), data(labels, classes=classes))
    assert told in note
    assert "\n" not in note


def test_no_note_where_all_is_well() -> None:
    assert WINNER.notes(network(3), data([0, 2])) == ()
    assert WINNER.notes(network(10), data([0, 3], classes=tuple("0123456789"))) == ()
    assert Judge.of("groups:3").notes(network(12), data([0, 2])) == ()


def test_a_binary_and_a_population_network_are_right() -> None:
    """Networks that answer rightly in the field's ways; the winning output says something else."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 60)
    spikes = np.zeros((60, 10, 4), np.uint8)
    spikes[labels == 1] = 1
    binary = Network((Layer(np.ones((4, 1), int), 3, mode=Mode.PLAIN),), Potential(12), readout=Readout.COUNT)
    answers = Answers.golden(binary, run(binary, spikes), Judge.of("threshold:3"))
    assert accuracy(labels, answers.winners) == 1.0
    # Three classes of two outputs; the second of each group fires, so the winner is 1, 3 or 5.
    weights = np.zeros((3, 6), int)
    for k in range(3):
        weights[k, 2 * k + 1] = 7
    population = Network((Layer(weights, 3),), Potential(12), readout=Readout.COUNT)
    labels = rng.integers(0, 3, 60)
    one = np.repeat(np.eye(3, dtype=np.uint8)[labels][:, None], 5, axis=1)
    result = run(population, one)
    assert accuracy(labels, Answers.golden(population, result).winners) == 0.0
    assert accuracy(labels, Answers.golden(population, result, Judge.of("groups:3")).winners) == 1.0
