# SPDX-License-Identifier: Apache-2.0
"""What a neuron can be: its modes, resets and read-outs, and the formats of its potential and its weights.

What a neuron *does* with them is in :mod:`hysteron_golden.neuron`; the hardware uses the same codes.

Specified in docs/specification.md, §2.
"""

from dataclasses import dataclass
from enum import IntEnum

from hysteron_base.errors import integer_in, set_flags

#: Weight widths that the hardware is generated for.
WEIGHT_BITS = (1, 2, 4, 8)
#: Read-out of a neuron that has not fired (read-out FIRST), and the ceiling of a spike count.
NEVER = (1 << 15) - 1


class Mode(IntEnum):
    """How a neuron re-arms after it could have fired (the hardware uses the same codes)."""

    PLAIN = 0  #: always armed: an ordinary leaky integrate-and-fire neuron
    LATCH = 1  #: a spike disarms, ``u < theta_low`` arms, the band between holds: a Schmitt trigger
    WINDOW = 2  #: armed only by ``u < theta_low`` one step earlier: OpenSpike's published behaviour


class Reset(IntEnum):
    """What a spike does to the potential (the hardware uses the same codes)."""

    ZERO = 0  #: ``u = 0``
    SUBTRACT = 1  #: ``u = u - theta_high``
    NONE = 2  #: ``u`` is kept


class Readout(IntEnum):
    """What the network answers with, one value for each neuron of its last layer."""

    COUNT = 0  #: spikes since the sample began; the largest wins
    FIRST = 1  #: step of the first spike; the smallest wins
    POTENTIAL = 2  #: membrane potential after the step; the largest wins


@dataclass(frozen=True)
class Potential:
    """Format of a membrane potential.

    Parameters
    ----------
    bits
        Width, 8 to 24.
    signed
        Two's complement if true, else ``0 … 2**bits - 1``.
    """

    bits: int = 16
    signed: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "bits", integer_in("potential bits", self.bits, 8, 24))
        set_flags(self, "signed")

    @property
    def low(self) -> int:
        """Smallest potential, ``u_min``."""
        return -(1 << self.bits - 1) if self.signed else 0

    @property
    def high(self) -> int:
        """Largest potential, ``u_max``."""
        return (1 << self.bits - self.signed) - 1


def weight_range(bits: int, unit: bool) -> tuple[int, int]:
    """Smallest and largest weight of a format (1 bit: ±1, or 0/1 if ``unit``)."""
    if bits == 1:
        return (0, 1) if unit else (-1, 1)
    return -(1 << bits - 1), (1 << bits - 1) - 1
