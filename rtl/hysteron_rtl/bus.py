# SPDX-License-Identifier: Apache-2.0
"""The register bus: Wishbone B4 classic, 32 bits, one word a transfer.

``adr`` counts words. A transfer is ``cyc & stb`` held until ``ack``, which comes in the cycle after; ``sel`` is
ignored, every access is a whole word.
"""

from typing import Protocol

from amaranth.hdl import Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .ports import Port


class BusPort(Port, Protocol):
    """The signals of a :class:`Signature`."""

    cyc: Signal
    stb: Signal
    we: Signal
    adr: Signal
    dat_w: Signal
    sel: Signal
    dat_r: Signal
    ack: Signal


class Signature(wiring.Signature):
    """A Wishbone classic bus as its initiator sees it.

    Parameters
    ----------
    address_bits
        Width of the word address.

    Members
    -------
    cyc, stb : Out(1)
        A transfer, while both are 1 and until ``ack``.
    we : Out(1)
        The transfer writes.
    adr : Out(address_bits)
        Number of the word.
    dat_w : Out(32)
        The word to write.
    sel : Out(4)
        Bytes that are meant; ignored.
    dat_r : In(32)
        The word read, with ``ack``.
    ack : In(1)
        The transfer is done; one cycle after it began.
    """

    def __init__(self, address_bits: int) -> None:
        self.address_bits = address_bits
        super().__init__(
            {
                "cyc": Out(1),
                "stb": Out(1),
                "we": Out(1),
                "adr": Out(address_bits),
                "dat_w": Out(32),
                "sel": Out(4),
                "dat_r": In(32),
                "ack": In(1),
            }
        )
