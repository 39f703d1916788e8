# SPDX-License-Identifier: Apache-2.0
"""What is to be closed may be used with ``with``, and is noted for that as soon as it is there."""

import signal
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self


class Closing(ABC):
    """Base of what holds something outside of Python: a line, a process."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @abstractmethod
    def close(self) -> None:
        """Give everything back; a second time changes nothing."""


@contextmanager
def undisturbed() -> Iterator[None]:
    """Let the signals that end a program wait until what is made inside is sure to be cleaned up.

    Only for the few lines between making a thing and noting that it is to be removed.
    """
    if threading.current_thread() is not threading.main_thread():  # only that one is disturbed
        yield
        return
    # Blocking them would not do: another thread, of NumPy's say, takes the signal, and this one runs its handler.
    came: list[int] = []
    before = {}
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if callable(signal.getsignal(each)):
            before[each] = signal.signal(each, lambda number, _: came.append(number))
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
        for number in came:
            signal.raise_signal(number)
