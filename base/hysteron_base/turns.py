# SPDX-License-Identifier: Apache-2.0
"""What serves one caller at a time refuses a second one at once, before anything of the first is disturbed."""

import threading
from collections.abc import Iterator
from types import TracebackType
from typing import TypeVar

from .errors import DeviceError, HysteronError, require

_T = TypeVar("_T")
_END = object()


class Turns:
    """The calls to a machine, one after another: each is made ``with`` this.

    A call while another one is made is refused, whether it comes from another thread or from what the first one calls.
    A run, of which the caller takes results one by one, is many calls; it is over when another begins.

    Parameters
    ----------
    what
        What is called, as in "the machine".
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._lock = threading.Lock()
        self._closed = False
        self._runs = 0

    def __enter__(self) -> None:
        require(not self._closed, f"{self._what} was closed; open it again")
        if not self._lock.acquire(blocking=False):
            raise HysteronError(
                f"{self._what} is busy with another call and serves one at a time; open one for each thread, or let "
                "the threads take turns with a lock"
            )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.release()
        # Whatever a line that was closed under a call's hands is said to be.
        if self._closed and isinstance(error, Exception):
            raise DeviceError(f"{self._what} was closed during a call; open it again") from None

    def begin(self) -> int:
        """End the run before, and return the number of the one that begins: part of a call."""
        self._runs += 1
        return self._runs

    def run(self, results: Iterator[_T]) -> Iterator[_T]:
        """Give the results of a run that begins with the first one; to compute each is a call.

        Raises
        ------
        HysteronError
            If another run has begun meanwhile, another call is made at the same time, or the machine was closed.
        """
        mine: int | None = None
        while True:
            with self:
                if mine is None:
                    mine = self.begin()
                require(self._runs == mine, "another load() or infer() has ended this run; begin it again")
                result = next(results, _END)
            if result is _END:
                return
            yield result  # type: ignore[misc]

    def close(self) -> None:
        """Let no further call begin. It does not wait for one that is made."""
        self._closed = True
