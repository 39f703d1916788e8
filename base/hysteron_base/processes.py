# SPDX-License-Identifier: Apache-2.0
"""Tools that are run, and that end with what runs them: an interrupted command leaves no process behind."""

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO


class Tool:
    """Programs that are run one after the other, each with all that it starts.

    Each gets a process group of its own: a key that interrupts the terminal's programs reaches it only through
    :meth:`end`, so it does not die before anybody expects it.

    Parameters
    ----------
    pass_fds
        File descriptors that become the first program's. They are closed here as soon as it has them, or never will.
    """

    def __init__(self, pass_fds: Sequence[int] = ()) -> None:
        self._pass_fds = list(pass_fds)
        self._process: subprocess.Popen[bytes] | None = None
        self._ended = False
        self._lock = threading.RLock()

    def run(
        self,
        command: Sequence[str | Path],
        *,
        output: IO[str] | None = None,
        cwd: Path | str | None = None,
        env: dict[str, str] | None = None,
    ) -> None:
        """Run the program until it ends; whatever goes wrong meanwhile, an interrupt too, ends it.

        Parameters
        ----------
        command
            The program and its words.
        output
            Where all that it says goes, by default where this process's output goes.
        cwd, env
            Its folder and its environment, by default those of this process.

        Raises
        ------
        subprocess.CalledProcessError
            If it fails, or was ended before it began.
        """
        words = [str(word) for word in command]
        try:
            with self._lock:
                if self._ended:
                    raise subprocess.CalledProcessError(-signal.SIGKILL, words)
                self._process = subprocess.Popen(
                    words,
                    cwd=cwd,
                    env=env,
                    stdout=output,
                    stderr=None if output is None else subprocess.STDOUT,
                    pass_fds=self._pass_fds,
                    start_new_session=True,
                )
                self._close_fds()
            status = self._process.wait()
        except BaseException:
            self.end()
            raise
        if status:
            raise subprocess.CalledProcessError(status, words)

    def end(self) -> None:
        """End the program and all that it has started, and wait for its end; if it was not begun, it never will be."""
        with self._lock:
            self._ended = True
            self._close_fds()
            if self._process is not None and self._process.returncode is None:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()

    def _close_fds(self) -> None:
        while self._pass_fds:
            os.close(self._pass_fds.pop())
