# SPDX-License-Identifier: Apache-2.0
"""The neuron: the one statement of what happens to a membrane potential in a time step.

For a potential ``u`` and an armed flag ``a`` (1 at the start), in this order:

1. leak       ``u = leak(u)``
2. integrate  ``u = u + total``, exact (``total`` is the bias plus the weights of the inputs that spiked)
3. saturate   ``u = clip(u, u_min, u_max)``
4. fire       ``spike = a and u > theta_high``
5. re-arm     latch: ``a = 0`` on a spike, ``1`` if ``u < theta_low``, else held;
              window: ``a = not spike and u < theta_low``; plain: ``a = 1``
6. reset      on a spike: to zero, minus ``theta_high``, or none

The lanes of the hardware do the same in stages ``leak``, ``sum``, ``fire``.

Specified in docs/specification.md, §3.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hysteron_spec.network import Layer
from hysteron_spec.neuron import Mode, Potential, Reset

Ints = NDArray[np.signedinteger]
Bits = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Leak:
    """The shift-and-add leak of one layer.

    A code ``k`` of ``0 … 2**m`` stands for the factor ``k / 2**m``: the sum over the set bits of ``k``
    of ``|u| >> i`` with the sign put back. Every term truncates toward zero, so a negative potential
    decays as a positive one does (an arithmetic shift would stop at -1).

    Attributes
    ----------
    terms
        ``(shift, mask)``: each shift that any neuron uses, with -1 (all ones) where a neuron uses
        it and 0 where not, or None where all do.
    """

    terms: tuple[tuple[int, Ints | None], ...]
    keeps: bool
    signed: bool

    @classmethod
    def of(cls, layer: Layer, potential: Potential, dtype: type[np.signedinteger]) -> "Leak":
        """The leak of ``layer``, for potentials held as ``dtype``."""
        m, codes = layer.leak_bits, layer.leak_codes
        terms: list[tuple[int, Ints | None]] = []
        for shift in range(m + 1):
            used = (codes >> (m - shift) & 1).astype(bool)
            if used.any():
                terms.append((shift, None if used.all() else -used.astype(dtype)))
        return cls(tuple(terms), bool((codes == 1 << m).all()), potential.signed)

    def __call__(self, u: Ints) -> Ints:
        """``leak(u)``, a new array unless every neuron keeps its potential."""
        if self.keeps:
            return u
        size = np.abs(u) if self.signed else u
        out = np.zeros_like(u)
        for shift, mask in self.terms:
            term = size >> shift if shift else size
            out += term if mask is None else term & mask
        if self.signed:
            np.negative(out, where=u < 0, out=out)
        return out


def step(
    u: Ints, armed: Bits | None, total: Ints, layer: Layer, leak: Leak, potential: Potential
) -> tuple[Ints, Bits | None, Bits, Ints]:
    """One time step of a layer's neurons.

    Parameters
    ----------
    u, armed
        ``(samples, n_out)`` potentials and armed flags before the step; ``armed`` is None in plain
        mode, which needs none.
    total
        ``(samples, n_out)`` bias plus weighted spikes.
    layer, leak, potential
        What they are neurons of; ``leak`` is ``Leak.of(layer, potential, …)``.

    Returns
    -------
    Potentials and flags after the step, spikes, and the potentials that were compared with the
    thresholds (after saturation, before the reset).
    """
    compared = leak(u) + total
    np.clip(compared, potential.low, potential.high, out=compared)
    spikes = compared > layer.theta_high
    if armed is not None:
        spikes &= armed
        below = compared < layer.theta_low
        armed = (armed & ~spikes) | below if layer.mode is Mode.LATCH else below & ~spikes
    after = compared
    if layer.reset is not Reset.NONE:
        after = (
            compared - spikes * compared.dtype.type(layer.theta_high)
            if layer.reset is Reset.SUBTRACT
            else (compared * ~spikes)
        )
    return after, armed, spikes, compared


def starts_armed(layer: Layer, shape: tuple[int, int]) -> Bits | None:
    """Armed flags at the start of a sample (None in plain mode)."""
    return None if layer.mode is Mode.PLAIN else np.ones(shape, bool)
