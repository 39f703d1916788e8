# SPDX-License-Identifier: Apache-2.0
"""How long work tells how far it is: a callback that the caller gives, so that a library call prints nothing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Progress:
    """How far one stage of a work is.

    Attributes
    ----------
    what
        The stage, for people: ``golden model: 450 samples of digits``.
    done, total
        Things done and things to do; a total of 0 means that nobody knows how many there are.
    figures
        What to show beside the bar, for example an accuracy so far.
    finished
        The stage is over: its last message.
    """

    what: str
    done: float = 0
    total: float = 0
    figures: str = ""
    finished: bool = False


#: Takes the messages of a work; called in the thread that does the work.
Tell = Callable[[Progress], None]


class Step(Protocol):
    """Reports how many things of a stage are done, and figures to show beside them."""

    def __call__(self, done: float, /, figures: str = "") -> None:
        """Report."""


def quiet(_: Progress) -> None:
    """Tell nothing."""


@contextmanager
def stage(tell: Tell, what: str, total: float = 0) -> Iterator[Step]:
    """Tell when a stage begins and ends; the yielded function tells how much of it is done."""
    tell(Progress(what, 0, total))
    reached, shown = 0.0, ""

    def step(done: float, figures: str = "") -> None:
        nonlocal reached, shown
        reached, shown = done, figures
        tell(Progress(what, done, total, figures))

    try:
        yield step
    finally:
        tell(Progress(what, reached, total, shown, finished=True))
