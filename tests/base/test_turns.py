# SPDX-License-Identifier: Apache-2.0
"""One call at a time; what machines make of it is in their own tests."""

from __future__ import annotations

import threading

import pytest

from hysteron_base.errors import DeviceError, HysteronError
from hysteron_base.turns import Turns
from support.refusal import refusal


def call(turns: Turns) -> None:
    with turns:
        pass


def test_a_second_call_is_refused_and_the_next_one_not() -> None:
    turns = Turns("the thing")
    told: list[str] = []
    with turns:
        told.append(refusal(lambda: call(turns)))
        thread = threading.Thread(target=lambda: told.append(refusal(lambda: call(turns))))
        thread.start()
        thread.join()
    assert len(told) == 2 and all(message.startswith("the thing is busy with another call") for message in told)
    with pytest.raises(KeyError), turns:
        raise KeyError
    call(turns)


def test_a_run_is_many_calls() -> None:
    turns = Turns("the thing")
    run = turns.run(iter(range(3)))
    assert next(run) == 0
    call(turns)
    assert list(run) == [1, 2]
    old = turns.run(iter(range(3)))
    next(old)
    assert list(turns.run(iter("ab"))) == ["a", "b"]
    assert "has ended this run" in refusal(lambda: next(old))


def test_a_run_begins_with_its_first_result() -> None:
    turns = Turns("the thing")
    first, second = turns.run(iter(range(3))), turns.run(iter(range(3)))
    assert list(second) == list(first) == [0, 1, 2]


def test_an_error_of_a_call_that_was_closed_is_that() -> None:
    turns = Turns("the thing")

    def closing(error: BaseException) -> None:
        with turns:
            turns.close()
            raise error

    assert (
        refusal(lambda: closing(ValueError("-1")), DeviceError) == "the thing was closed during a call; open it again"
    )
    assert refusal(lambda: call(turns), HysteronError) == "the thing was closed; open it again"
