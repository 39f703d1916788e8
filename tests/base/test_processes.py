# SPDX-License-Identifier: Apache-2.0
"""Tools that are run, with all that they start."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from hysteron_base.processes import Tool

#: Starts a process that waits for ever, tells its number, and waits for ever.
PARENT = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(10**6)"])
print(child.pid, flush=True)
child.wait()
"""


def test_what_it_says_goes_to_a_file(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as log:
        Tool().run(
            [sys.executable, "-c", "import os; print(os.getcwd(), os.environ['A'])"],
            output=log,
            cwd=tmp_path,
            env={"A": "b"},
        )
    assert (tmp_path / "log").read_text() == f"{tmp_path} b\n"


def test_a_failure_is_told() -> None:
    with pytest.raises(subprocess.CalledProcessError) as caught:
        Tool().run([sys.executable, "-c", "raise SystemExit(3)"])
    assert caught.value.returncode == 3
    with pytest.raises(FileNotFoundError):
        Tool().run(["no-such-program"])


def test_it_ends_with_all_that_it_started() -> None:
    reading, writing = os.pipe()
    tool = Tool()
    failures: list[BaseException] = []

    def run() -> None:
        with os.fdopen(writing, "w") as out:
            try:
                tool.run([sys.executable, "-c", PARENT], output=out)
            except subprocess.CalledProcessError as error:
                failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    with os.fdopen(reading) as lines:
        child = int(lines.readline())
        tool.end()
        thread.join()
        # The child had the pipe's other end, too: it is over when the child is.
        assert lines.read() == ""
    assert len(failures) == 1
    assert not Path(f"/proc/{child}/cmdline").exists() or not Path(f"/proc/{child}/cmdline").read_bytes()
    tool.end()


def test_what_was_ended_does_not_begin(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    tool = Tool((writing,))
    tool.end()
    with pytest.raises(subprocess.CalledProcessError):
        tool.run([sys.executable, "-c", f"open({str(tmp_path / 'begun')!r}, 'w')"])
    assert not (tmp_path / "begun").exists()
    assert os.read(reading, 1) == b"", "what was to be the program's is closed"
    os.close(reading)


def test_an_interrupt_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[subprocess.Popen[bytes]] = []
    wait = subprocess.Popen.wait

    def interrupted(process: subprocess.Popen[bytes], timeout: float | None = None) -> int:
        if process in begun:
            return wait(process, timeout)
        begun.append(process)
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess.Popen, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        Tool().run([sys.executable, "-c", "import time; time.sleep(10**6)"])
    assert begun[0].returncode == -9
