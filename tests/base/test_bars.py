# SPDX-License-Identifier: Apache-2.0
"""Progress for whoever waits: lines where there is no terminal, a bar where there is one; never on standard output."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from hysteron_base import bars
from hysteron_base.progress import stage


def test_without_a_terminal_each_stage_is_a_line(capfd: pytest.CaptureFixture[str]) -> None:
    with bars.watching() as tell:
        with stage(tell, "golden model: [bold]3[/bold] samples", 3) as step:
            step(1)
            step(2, "50 %")
        with stage(tell, "long " * 60):
            pass
    assert capfd.readouterr() == ("", "golden model: [bold]3[/bold] samples\n" + "long " * 60 + "\n")


def test_a_stage_that_comes_again_is_a_line_again(capfd: pytest.CaptureFixture[str]) -> None:
    with bars.watching() as tell:
        for _ in range(2):
            with stage(tell, "training"):
                pass
    assert capfd.readouterr().err == "training\ntraining\n"


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What a terminal of 120 columns got."""
    screen = io.StringIO()

    def console(*, stderr: bool) -> Console:
        assert stderr
        return Console(file=screen, force_terminal=True, width=120, legacy_windows=False)

    monkeypatch.setattr(bars, "Console", console)
    return screen


def lines(screen: io.StringIO) -> list[str]:
    """The lines that stay on the screen at the end: those of the last drawing."""
    plain = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", screen.getvalue()).replace("\r", "\n")
    return [line.rstrip() for line in plain.splitlines() if line.strip()]


def test_a_terminal_gets_a_bar(terminal: io.StringIO) -> None:
    with bars.watching() as tell:
        with stage(tell, "simulating [x]", 40) as step:
            step(20, "97.50 %")
        with stage(tell, "building"):
            pass
    *_, first, second = lines(terminal)
    assert "simulating [x]" in first and "40/40" in first and "97.50 %" in first
    assert "building" in second and "1/1" in second


def test_a_stage_that_fails_does_not_go_on_in_the_next_of_its_name(terminal: io.StringIO) -> None:
    with bars.watching() as tell:
        with pytest.raises(RuntimeError), stage(tell, "training", 7):
            raise RuntimeError
        with stage(tell, "training", 7) as step:
            step(3)
    assert sum("training" in line for line in lines(terminal)[-2:]) == 2
