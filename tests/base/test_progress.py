# SPDX-License-Identifier: Apache-2.0
"""A stage tells its beginning, its steps and its end."""

from __future__ import annotations

import pytest

from hysteron_base.progress import Progress, quiet, stage


def test_beginning_steps_and_end() -> None:
    told: list[Progress] = []
    with stage(told.append, "counting", 3) as step:
        assert told == [Progress("counting", 0, 3)]
        step(1)
        step(3, "50 %")
    assert told[1:] == [
        Progress("counting", 1, 3),
        Progress("counting", 3, 3, "50 %"),
        Progress("counting", 3, 3, "50 %", finished=True),
    ]
    assert [each.finished for each in told] == [False, False, False, True]


def test_the_end_is_told_of_work_that_fails() -> None:
    told: list[Progress] = []
    with pytest.raises(RuntimeError, match="broken"), stage(told.append, "counting", 3) as step:
        step(2)
        raise RuntimeError("broken")
    assert told[-1] == Progress("counting", 2, 3, finished=True)


def test_nobody_need_know_how_much_there_is() -> None:
    told: list[Progress] = []
    with stage(told.append, "building"):
        pass
    assert told == [Progress("building"), Progress("building", finished=True)]


def test_quiet_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    with stage(quiet, "counting", 3) as step:
        step(1)
    assert capfd.readouterr() == ("", "")
