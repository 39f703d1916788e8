# SPDX-License-Identifier: Apache-2.0
"""Entry point of the command ``hysteron``; it imports next to nothing, so that Ctrl-C ends it well from the start."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from .stopping import ended_by_signals


@ended_by_signals
def main() -> None:
    """Run a command and exit with its status."""
    with _ends_at_once():
        from .commands import execute
    sys.exit(execute())


@contextmanager
def _ends_at_once() -> Iterator[None]:
    """Let Ctrl-C end the program at once: an import that is interrupted anywhere may raise anything."""
    before = signal.getsignal(signal.SIGINT)
    # Another handler is a caller's own, and a program in the background of a shell ignores the signal.
    if before is not signal.default_int_handler or threading.current_thread() is not threading.main_thread():
        yield
        return
    signal.signal(signal.SIGINT, _end)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _end(_number: int, _frame: FrameType | None) -> None:
    os.write(2, b"interrupted\n")
    os._exit(130)


if __name__ == "__main__":
    main()
