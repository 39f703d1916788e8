# SPDX-License-Identifier: Apache-2.0
"""A command that is told to end by another signal than Ctrl-C's ends as it does by that: everything is cleaned up."""

import functools
import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

#: From whoever wants it to end, and from a terminal that is closed.
_SIGNALS = (signal.SIGTERM, signal.SIGHUP)


class Stopped(BaseException):
    """A signal is to end the command: what it has begun is given back on the way out, as with any exception."""


class _Stop:
    """The handler of the signals: it raises, and remembers which one came, or 0."""

    def __init__(self) -> None:
        self.number = 0

    def __call__(self, number: int, _: FrameType | None) -> NoReturn:
        self.number = number
        raise Stopped


def ended_by_signals(main: Callable[[], None]) -> Callable[[], None]:
    """Let a signal end a program with one line and the status that shells give, 128 and the signal's number."""

    @functools.wraps(main)
    def wrapped() -> None:
        if threading.current_thread() is not threading.main_thread():  # only that one gets signals
            return main()
        stop = _Stop()
        # Another handler is a caller's own, and what is ignored (nohup) stays ignored.
        mine = [each for each in _SIGNALS if signal.getsignal(each) is signal.SIG_DFL]
        for each in mine:
            signal.signal(each, stop)
        try:
            main()
        except BaseException:
            # Whatever the work says that was stopped.
            if not stop.number:
                raise
        finally:
            for each in mine:
                signal.signal(each, signal.SIG_DFL)
        if stop.number:
            os.write(2, f"ended by {signal.Signals(stop.number).name}\n".encode())
            sys.exit(128 + stop.number)
        return None

    return wrapped
