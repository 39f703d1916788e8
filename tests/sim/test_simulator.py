# SPDX-License-Identifier: Apache-2.0
"""What happens to a simulator from outside: it is killed, its folder is full, two callers want it at once."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from hysteron_base.errors import SimulationError
from hysteron_base.processes import Tool
from hysteron_sim.build import LeanVerilator
from hysteron_sim.simulator import Script, Simulator
from support.cores import TINY
from support.refusal import refusal


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(TINY) as made:
        made.reset()
        yield made


def reading() -> Script:
    script = Script()
    script.read("ID")
    return script


def process_of(simulator: Simulator) -> int:
    """The simulator's process, which has its folder among its words."""
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if f"+folder={simulator.folder}".encode() in (place / "cmdline").read_bytes():
                return int(place.name)
        except OSError:
            continue
    raise AssertionError("it does not run")


def test_one_that_is_killed_is_told(simulator: Simulator) -> None:
    os.kill(process_of(simulator), signal.SIGKILL)
    message = refusal(lambda: simulator.read_back(reading()), SimulationError)
    assert message.startswith("the simulator ended (") and "SIGKILL" in message
    simulator.close()
    assert not simulator.folder.exists()
    assert "was closed; open it again" in refusal(lambda: simulator.read_back(reading()))


def test_one_that_does_not_start_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Tool) -> LeanVerilator:
        raise RuntimeError("no such thing")

    monkeypatch.setattr("hysteron_sim.simulator.LeanVerilator", broken)
    with Simulator(TINY) as made:
        message = refusal(lambda: made.read_back(reading()), SimulationError)
    assert "no such thing" in message
    assert not made.folder.exists()


def test_two_callers_are_refused(simulator: Simulator) -> None:
    with simulator._turns:
        assert "busy with another call" in refusal(lambda: simulator.read_back(reading()))
    assert len(simulator.read_back(reading())) == 1


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_full_folder_is_told(simulator: Simulator, monkeypatch: pytest.MonkeyPatch, when: str) -> None:
    """A simulator says nothing of what it could not write."""

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        if when == "after":
            patch.setattr(Path, "write_bytes", full)
        else:
            patch.setattr("hysteron_sim.simulator.write_script", full)
        message = refusal(lambda: simulator.play(reading()), SimulationError)
    assert "No space left on device" in message and "set TMPDIR" in message and "\n" not in message
    assert len(simulator.read_back(reading())) == 1


def test_who_fails_does_not_wait_for_it() -> None:
    """In mid-run it does not hear that it is to stop."""
    with pytest.raises(KeyError), Simulator(TINY) as made:
        made.reset()
        raise KeyError
    assert not made.folder.exists() and not made.thread.is_alive()
