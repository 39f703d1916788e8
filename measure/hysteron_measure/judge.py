# SPDX-License-Identifier: Apache-2.0
"""How an answer is made of what the outputs show: the hardware's own winner, or one of the field's other ways.

=============  ==========================================================================================
winner         the output that wins, as the hardware answers itself
groups:C       population code: the outputs are C groups of neighbours, and the group with the largest sum wins
threshold:N    one output: 1 if its spikes (or its potential) are at least N, else 0
max            the output with the largest value over all steps
mean           the output with the largest mean value over all steps
=============  ==========================================================================================

The host judges; the hardware's answers stay as they are. Ties go to the lowest class.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hysteron_base.errors import HysteronError, require, shown
from hysteron_base.settings import meant
from hysteron_data.sets import DataSet
from hysteron_golden.run import winner
from hysteron_spec import Network, Readout

#: What ``--judge`` takes.
FORMS = ("winner", "groups:C", "threshold:N", "max", "mean")
#: Ways that take a number, and what it is.
_NUMBERS = {"groups": "the number of classes", "threshold": "the least value that means class 1"}
_WAYS = tuple(form.partition(":")[0] for form in FORMS)


@dataclass(frozen=True)
class Judge:
    """A way to make one class of the values of the outputs.

    Attributes
    ----------
    way
        ``winner``, ``groups``, ``threshold``, ``max`` or ``mean``.
    number
        Number of groups, or the threshold; 0 for the other ways.
    """

    way: str = "winner"
    number: int = 0

    def __str__(self) -> str:
        return f"{self.way}:{self.number}" if self.way in _NUMBERS else self.way

    @classmethod
    def of(cls, given: "str | Judge") -> "Judge":
        """The judge that a text names, one of :data:`FORMS`.

        Raises
        ------
        HysteronError
            If there is none of that name, or its number is missing or wrong.
        """
        if isinstance(given, Judge):
            return given
        require(isinstance(given, str), f"judge must be one of {', '.join(FORMS)}, not {shown(given)}")
        way, colon, text = given.partition(":")
        require(
            way in _WAYS,
            f"what answers are judged by must be one of {', '.join(FORMS)}, not {given!r}{meant(way, _WAYS)}",
        )
        if way not in _NUMBERS:
            require(not colon, f"{way} takes no number, but {given!r} has one; give {way!r}")
            return cls(way)
        try:
            number = int(text)
        except ValueError:
            raise HysteronError(f"{way} takes {_NUMBERS[way]}, as in '{way}:3', not {given!r}") from None
        require(way != "groups" or number >= 2, f"groups takes a number of classes from 2 up, not {number}")
        return cls(way, number)

    @property
    def every_step(self) -> bool:
        """Whether it needs the values of every step."""
        return self.way in ("max", "mean")

    def classes(self, n_out: int) -> int:
        """How many classes ``n_out`` outputs can name."""
        if self.way == "groups":
            return self.number
        return 2 if self.way == "threshold" else n_out

    def check(self, network: Network) -> None:
        """Refuse a network whose read-out cannot be judged so.

        Raises
        ------
        HysteronError
            With the reason.
        """
        n_out, readout = network.n_out, network.readout
        if self.way == "winner":
            return
        require(
            readout is not Readout.FIRST,
            f"{self} needs spike counts or potentials, but network {network.name!r} answers with the times of first "
            "spikes, which do not add up or compare so; judge by winner",
        )
        if self.way == "groups":
            require(
                n_out % self.classes(n_out) == 0,
                f"{self} needs groups of the same size, but network {network.name!r} has {n_out} outputs, "
                f"which {self.number} does not divide",
            )
        if self.way == "threshold":
            require(
                n_out == 1,
                f"{self} is for one output, but network {network.name!r} has {n_out}; judge by winner or groups",
            )
            require(
                readout is not Readout.COUNT or self.number >= 1,
                f"{self} is passed by an output that never spikes; a count takes a threshold from 1 up",
            )
        require(
            network.readout_every_step or not self.every_step,
            f"{self} needs the values of every step, but network {network.name!r} answers once a sample; "
            "give it readout_every_step",
        )

    def check_data(self, network: Network, data: DataSet) -> None:
        """Refuse labels that no answer of the network can match, and a read-out that cannot be judged so.

        Raises
        ------
        HysteronError
            Naming the first label that cannot be matched, with the remedy.
        """
        self.check(network)
        check_labels(data, network.n_out, self)
        require(
            not (self.every_step and data.labels_by_step),
            f"{self} makes one answer of a whole sample, but data set {data.name!r} has a label at every step; "
            "judge by winner",
        )

    def check_steps(self, network: Network, data: DataSet) -> None:
        """Refuse labels of steps that the network does not answer.

        Raises
        ------
        HysteronError
            With the remedy.
        """
        if data.labels is None or not data.labels_by_step:
            return
        require(
            network.readout_every_step,
            f"data set {data.name!r} has a label at every step, but network {network.name!r} answers once a sample; "
            "give it readout_every_step, or give one label a sample",
        )
        steps = data.inputs.shape[1] if network.encoder is None else network.encoder.steps
        require(
            data.labels.shape[1] == steps,
            f"data set {data.name!r} has labels of {data.labels.shape[1]} steps, but samples take {steps}; "
            "give a label for each step, -1 where there is none",
        )

    def answers(self, readout: Readout, values: NDArray[Any]) -> NDArray[np.int64]:
        """The classes that are answered.

        Parameters
        ----------
        readout
            What the outputs show.
        values
            ``(samples, answers, n_out)``: the values after every step, or after the last.

        Returns
        -------
        ``(samples, answers)``; of ``max`` and ``mean`` each as if the sample ended there.
        """
        if self.way == "winner":
            return winner(readout, values)
        wide = values.astype(np.int64) if values.dtype.kind in "iu" else values
        if self.way == "threshold":
            return (wide[..., 0] >= self.number).astype(np.int64)
        if self.way == "groups":
            wide = wide.reshape(*wide.shape[:-1], self.number, -1).sum(axis=-1)
        elif self.way == "max":
            wide = np.maximum.accumulate(wide, axis=1)
        else:
            wide = np.cumsum(wide, axis=1)  # the steps so far are the same for all outputs
        return wide.argmax(axis=-1).astype(np.int64)

    def notes(self, network: Network, data: DataSet) -> tuple[str, ...]:
        """What looks wrong about labels and outputs, though it may be meant; a sentence each."""
        labels = data.labels
        if self.way != "winner" or labels is None or not (labels >= 0).any():
            return ()
        n_out, seen = network.n_out, max(int(labels.max()) + 1, len(data.classes))
        if n_out == 1:
            return ("one output always wins, so every answer is 0: judge by threshold:N if it answers by firing",)
        if seen >= n_out:
            return ()
        never = f"{seen} to {n_out - 1}" if seen < n_out - 1 else f"{seen}"
        told = f"labels go from 0 to {seen - 1}, but the network has {n_out} outputs: answers {never} are never right"
        if seen > 1 and n_out % seen == 0:
            told += f"; if they are a population code of {seen} groups of {n_out // seen}, judge by groups:{seen}"
        return (told,)


#: The hardware's own answer.
WINNER = Judge()


def check_labels(data: DataSet, n_out: int, judge: Judge = WINNER) -> None:
    """Refuse labels that no answer of ``n_out`` outputs can match.

    Raises
    ------
    HysteronError
        Naming the first of them, with the remedy.
    """
    labels = data.labels
    if labels is None:
        return
    require(
        labels.size == 0 or bool((labels >= 0).any()),
        f"data set {data.name!r} has labels, but none from 0 up; leave them away",
    )
    classes = judge.classes(n_out)
    beyond = np.argwhere(labels >= classes)
    if not len(beyond):
        return
    place = tuple(int(k) for k in beyond[0])
    label = int(labels[place])
    sample = f"label {label} of sample {place[0]}" + (f", step {place[1]}," if len(place) > 1 else "")
    if judge.way == "winner" and n_out == 1:
        remedy = "one output always wins: judge by threshold:N, which answers 1 from the value N up"
        remedy += "" if label == 1 else ", or give the network an output for each class"
    elif judge.way == "groups":
        remedy = "give the number of classes to groups:C"
    elif judge.way == "threshold":
        remedy = "a threshold tells 0 from 1; give the network an output for each class"
    else:
        remedy = "give the network an output for each class, or number the classes from 0"
    have = "1 output" if n_out == 1 else f"{n_out} outputs"
    raise HysteronError(
        f"{sample} in data set {data.name!r} cannot be answered by {have}, judged by {judge}, "
        f"which give 0 to {classes - 1}; {remedy}"
        if classes > 1
        else f"{sample} in data set {data.name!r} cannot be answered by {have}, judged by {judge}: only 0 can; {remedy}"
    )
