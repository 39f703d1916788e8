# SPDX-License-Identifier: Apache-2.0
"""Projections: what turns the events of a source into rows of the weight memory.

A layer has one or more. Each has a source and a kind; the kind says how many weight rows a tile has of it, which of
them an event reads, and which weights these hold. Golden model, program, schedule and reports ask the projection and
know of no kind. Today there is one kind, :class:`Dense`.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Source(IntEnum):
    """Whose spikes a projection listens to, and of which time step."""

    BEFORE = 0  #: the layer before, or the input: of the same step
    OWN = 1  #: the layer itself: of the step before


@dataclass(frozen=True, eq=False)
class Dense:
    """Every source reaches every neuron; an event reads one row, that of its source.

    Attributes
    ----------
    name
        The field of a layer that holds the weights.
    source
        Whose spikes it listens to.
    weights
        ``(sources, n_out)`` integers, source first.
    """

    name: str
    source: Source
    weights: NDArray[Any]

    @property
    def sources(self) -> int:
        """Number of sources."""
        return int(self.weights.shape[0])

    @property
    def rows(self) -> int:
        """Weight rows of a tile."""
        return self.sources

    @property
    def fan_out(self) -> int:
        """Neurons that an event reaches: synaptic operations of an event."""
        return int(self.weights.shape[1])

    def read(self, spikes: NDArray[Any]) -> NDArray[np.int64]:
        """Rows that the ``(sources,)`` spikes of a step read in a tile, in the order of the reads, from 0."""
        return np.flatnonzero(spikes)

    def matrix(self) -> NDArray[Any]:
        """``(rows, n_out)`` weights, row for row as a tile holds those of its neurons."""
        return self.weights
