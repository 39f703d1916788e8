"""What others report of spiking networks on FPGAs, each with where it is from."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Other:
    """Another accelerator on an FPGA.

    Attributes
    ----------
    name
        What it is called, and the FPGA if its authors name one.
    cells
        Logic cells or look-up tables, as its authors count them.
    clock_mhz
        Its clock in MHz.
    microseconds
        Microseconds that an image of MNIST takes, or None if that is not told.
    accuracy
        Its accuracy on MNIST, 0 to 1, or None if that is not told.
    source
        Where the figures are from.
    address
        Where to read that.
    """

    name: str
    cells: str
    clock_mhz: float
    microseconds: float | None
    accuracy: float | None
    source: str
    address: str


#: Those that reports compare with.
OTHERS = (
    Other("Spiker+, XC7Z020", "7,612 LC", 100, 780, 0.9385, "arXiv 2401.01141", "https://arxiv.org/abs/2401.01141"),
    Other(
        "SYNtzulu, iCE40UP5K",
        "3,473 LC",
        24,
        None,
        None,
        "Leone et al., IEEE TCAS-I 72(2), 2025",
        "https://doi.org/10.1109/TCSI.2024.3450966",
    ),
    Other("snn-fpga", "6,358 LUT", 100, 520, None, "arXiv 2507.07284", "https://arxiv.org/abs/2507.07284"),
)
