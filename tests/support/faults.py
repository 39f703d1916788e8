# SPDX-License-Identifier: Apache-2.0
"""A line that damages what goes over it, by a seed."""

import numpy as np

from hysteron_host.transports import Transport


class FaultyLine:
    """A transport around another one: bits flip, bytes vanish or come twice, in both directions."""

    def __init__(
        self, inner: Transport, *, flips: float = 0.0, dropped: float = 0.0, doubled: float = 0.0, seed: int = 0
    ) -> None:
        self.inner, self.flips, self.dropped, self.doubled = inner, flips, dropped, doubled
        self.name, self.patience = inner.name, inner.patience
        self._rng = np.random.default_rng(seed)

    def _damaged(self, data: bytes) -> bytes:
        values = np.frombuffer(data, np.uint8)
        wrong = (self._rng.random((len(values), 8)) < self.flips) << np.arange(8)
        values = values ^ wrong.sum(axis=1).astype(np.uint8)
        fate = self._rng.random(len(values))
        copies = np.where(fate < self.dropped, 0, np.where(fate < self.dropped + self.doubled, 2, 1))
        return np.repeat(values, copies).tobytes()

    def read(self, seconds: float) -> bytes:
        return self._damaged(self.inner.read(seconds))

    def write(self, data: bytes) -> None:
        self.inner.write(self._damaged(data))

    def close(self) -> None:
        self.inner.close()
