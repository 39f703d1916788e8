# SPDX-License-Identifier: Apache-2.0
"""The leak in effect: what truncation leaves of a potential, beside the factor that a code stands for.

The hardware's leak is a sum of shifted potentials, each cut off toward zero (``hysteron_golden.neuron.Leak``). A small
potential loses much by that: with code 7/8, potential 10 becomes 5 + 2 + 1 = 8, which is a leak of 0.8. The leak in
effect is the sum of ``leak(u)`` over the sum of ``u``, over the potentials that occurred.
"""

import numpy as np
from numpy.typing import NDArray

from .linear import Floats

Ints = NDArray[np.int64]


def shifted_sums(potentials: NDArray[np.integer], bits: int) -> Ints:
    """``(bits + 1, n)``: the sums of ``|u| >> i`` over ``(samples, steps, n)`` potentials, for each shift ``i``."""
    size = np.abs(potentials.reshape(-1, potentials.shape[-1]).astype(np.int64))
    return np.stack([(size >> shift).sum(axis=0) for shift in range(bits + 1)])


def leak_in_effect(sums: Ints, code: int) -> float | None:
    """The leak that ``code`` has on potentials of these :func:`shifted_sums`; None if all of them are 0."""
    totals = sums.sum(axis=1) if sums.ndim == 2 else sums
    if not totals[0]:
        return None
    bits = len(totals) - 1
    kept = sum(int(totals[shift]) for shift in range(bits + 1) if code >> (bits - shift) & 1)
    return kept / int(totals[0])


def nearest_codes(beta: Floats, sums: Ints, above: bool = False) -> Ints:
    """For each neuron the code whose leak in effect comes closest to its beta; of equals the smallest.

    ``above``: of those whose leak in effect is not less than beta. The code of no leak at all is always among them.

    Neurons of one beta share a code. A beta of 0 or 1 has a code that is exact, and keeps it.
    """
    bits = len(sums) - 1
    codes = np.rint(beta * (1 << bits)).astype(np.int64)
    for value in np.unique(beta[(beta > 0) & (beta < 1)]):
        own = beta == value
        effects = [leak_in_effect(sums[:, own], code) for code in range((1 << bits) + 1)]
        off = [effect - value for effect in effects if effect is not None]
        if off:
            codes[own] = int(np.argmin([np.inf if above and error < 0 else abs(error) for error in off]))
    return codes
