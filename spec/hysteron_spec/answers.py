# SPDX-License-Identifier: Apache-2.0
"""What a machine answers to a sample, and what every kind of machine can be asked."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from .network import Network


@dataclass(frozen=True, eq=False)
class Answer:
    """What a machine answered to a sample.

    Attributes
    ----------
    index
        Number of the sample, from 0.
    prediction
        The winner.
    values
        ``(n_out,)`` int32 read-out values.
    steps
        ``(steps, n_out)`` int32 read-out values of a network that answers at every step, else None.
    """

    index: int
    prediction: int
    values: NDArray[np.int32]
    steps: NDArray[np.int32] | None = None


class Machine(Protocol):
    """What a program works with once a machine is open: a board, a simulation, or the golden model in its place."""

    def load(self, network: Network | str | Path, *, progress: Any = None) -> None:
        """Load a network, that of a file, or a shipped one by its name.

        ``progress`` is called with the share that is done, 0 to 1.
        """

    def infer(self, samples: Iterable[NDArray[np.integer]], *, first: int = 0) -> Iterator[Answer]:
        """Answers to samples, in their order; ``first`` is the index of the first one."""

    def stats(self) -> dict[str, Any]:
        """Figures of the machine so far."""

    def close(self) -> None:
        """Give the machine back."""

    def __enter__(self) -> Self:
        """The machine itself."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
