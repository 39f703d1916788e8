# SPDX-License-Identifier: Apache-2.0
"""Commands that are interrupted, or told to end, whatever they are doing: nothing of theirs is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hysteron_cli.stopping import ended_by_signals
from support.command import DIGITS

#: Seconds after which a test gives up, which it does only if what it waits for never comes.
NEVER = 300.0
#: The signals, and the status that each ends a command with.
SIGNALS = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + NEVER
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.005)


def processes(mark: str) -> list[int]:
    """Running processes whose environment holds a text."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (place / "environ").read_bytes() and "Z" not in (place / "stat").read_text().split()[2]:
                found.append(int(place.name))
        except OSError:
            continue  # it has just ended, or is another user's
    return found


def as_typed() -> None:
    """Hear every signal, as a command typed in a terminal does, whatever started these tests (nohup say)."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for each in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_DFL)


class Command:
    """A command that runs, with a temporary folder of its own by which its processes are known."""

    def __init__(self, tmp_path: Path, *words: str | Path) -> None:
        self.temporary = tmp_path / "temporary"
        self.temporary.mkdir()
        command = [sys.executable, "-m", "hysteron_cli.main", *map(str, words)]
        self.process = subprocess.Popen(
            command,
            env={**os.environ, "TMPDIR": str(self.temporary)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=as_typed,
        )

    def ends(self, number: signal.Signals, status: int) -> None:
        """Send a signal; the command ends with a status and a line, and nothing of it is left."""
        self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=NEVER)
        # Python ends itself by the signal where that came while it ran a text as code, as dataclasses do; for a shell
        # both are the same status.
        assert self.process.returncode in (status, -number), errors
        assert "Traceback" not in errors
        assert errors.splitlines()[-1] == ("interrupted" if number == signal.SIGINT else f"ended by {number.name}")
        wait_for(lambda: not processes(str(self.temporary)))
        assert not list(self.temporary.iterdir())


@pytest.fixture
def sim_words(tmp_path: Path) -> list[str | Path]:
    pytest.importorskip("cocotb")
    return ["sim", DIGITS, "--data", "digits", "--out", tmp_path / "out", "--images"]


@pytest.mark.parametrize("number, status", SIGNALS)
def test_a_simulator_that_starts(
    tmp_path: Path, sim_words: list[str | Path], number: signal.Signals, status: int
) -> None:
    command = Command(tmp_path, *sim_words, "5")
    wait_for(lambda: any(command.temporary.iterdir()))
    command.ends(number, status)


@pytest.mark.parametrize("number, status", SIGNALS[:2])
def test_a_simulator_that_runs(
    tmp_path: Path, sim_words: list[str | Path], number: signal.Signals, status: int
) -> None:
    command = Command(tmp_path, *sim_words, "1797")
    wait_for(lambda: any(command.temporary.glob("*/0.0.beats")))
    command.ends(number, status)


@pytest.mark.parametrize("number, status", SIGNALS[:2])
def test_a_simulated_machine(tmp_path: Path, number: signal.Signals, status: int) -> None:
    pytest.importorskip("cocotb")
    words = ["soc-sim", DIGITS, "--data", "digits", "--images", "1797", "--out", tmp_path / "report.json"]
    command = Command(tmp_path, *words)
    wait_for(lambda: len(processes(str(command.temporary))) > 1)
    command.ends(number, status)
    assert not (tmp_path / "report.json").exists()


def test_a_machine_that_serves(tmp_path: Path) -> None:
    pytest.importorskip("cocotb")
    command = Command(tmp_path, "machine", "--preset", "digits", "--tcp", "127.0.0.1:0")
    assert command.process.stdout is not None
    next(line for line in command.process.stdout if "listening" in line)
    command.ends(signal.SIGTERM, 143)


def test_what_is_stopped_may_say_anything(capfd: pytest.CaptureFixture[str]) -> None:
    """Its message is that it was stopped, and the signals are what they were."""

    @ended_by_signals
    def main() -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(NEVER)
        finally:
            raise ValueError("something is half done")

    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 143
    assert capfd.readouterr().err == "ended by SIGTERM\n"
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_what_is_ignored_stays_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    """As under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    done = []

    @ended_by_signals
    def main() -> None:
        os.kill(os.getpid(), signal.SIGHUP)
        done.append(signal.getsignal(signal.SIGHUP))

    try:
        main()
    finally:
        signal.signal(signal.SIGHUP, before)
    assert done == [signal.SIG_IGN]
