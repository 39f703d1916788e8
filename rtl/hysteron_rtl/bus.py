"""The register bus: Wishbone B4 classic, 32 bits, one word a transfer.

``adr`` counts words. A transfer is ``cyc & stb`` held until ``ack``, which comes in the cycle after; ``sel`` is
ignored, every access is a whole word.
"""

from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


class Signature(wiring.Signature):
    """A Wishbone classic bus as its initiator sees it.

    Parameters
    ----------
    address_bits
        Width of the word address.
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
