# SPDX-License-Identifier: Apache-2.0
"""Figures of others' work that pages, pictures and tables show for comparison, each with where it is from."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Inference:
    """A whole inference of MNIST: ``microseconds`` an image at ``accuracy``, 0 to 1 (``at_least``: more than that)."""

    name: str
    microseconds: float
    accuracy: float
    at_least: bool
    hardware: str
    source: str


@dataclass(frozen=True)
class Step:
    """One step of a recurrent network: ``nanoseconds`` from its input to its answer, in ``cycles`` of ``clock_hz``."""

    name: str
    nanoseconds: float
    cycles: int
    clock_hz: float
    network: str
    hardware: str
    source: str


#: MNIST on FPGAs. (snn-fpga, arXiv 2507.07284, takes 520 µs at 100 MHz but states no accuracy to place it by.)
MNIST = (
    Inference("Spiker+", 780, 0.9385, False, "FPGA at 100 MHz", "arXiv 2401.01141"),
    Inference("Windhager et al.", 290, 0.99, True, "FPGA (UltraScale+)", "arXiv 2505.11252"),
)

#: A network with fast and slow neurons, in single precision on one core of a PC.
STEP = Step(
    "MTR-RSNN",
    4845,
    19864,
    4.1e9,
    "256 fast, 64 slow and 8 read-out neurons in float32",
    "one core of an Intel i7-12650H at 4.1 GHz",
    "its repository, github.com/riyaneel/Kinapse",
)


@dataclass(frozen=True)
class StepCycles:
    """Cycles that a step of 1024-1024-1024 takes another accelerator, whatever the activity."""

    name: str
    simulated: int
    hardened: int
    source: str


#: OpenSpike as its repository simulates it (four weight rows a cycle), and in the RTL that it hardened (two).
OPENSPIKE = StepCycles("OpenSpike", 518, 1092, "its repository, github.com/sfmth/OpenSpike; arXiv 2302.01015")


@dataclass(frozen=True)
class OnFpga:
    """Another accelerator on an FPGA.

    Attributes
    ----------
    name
        Its name, and the FPGA if its authors name one.
    cells
        Logic cells or look-up tables, as its authors count them.
    clock_mhz
        Its clock in MHz.
    microseconds
        Microseconds that an image of MNIST takes, or None if that is not told.
    accuracy
        Its accuracy on MNIST, 0 to 1, or None if that is not told.
    source
        The publication that the figures are from.
    address
        A link to that.
    """

    name: str
    cells: str
    clock_mhz: float
    microseconds: float | None
    accuracy: float | None
    source: str
    address: str


#: Spiking networks on FPGAs, which the reports of boards compare with.
FPGAS = (
    OnFpga("Spiker+, XC7Z020", "7,612 LC", 100, 780, 0.9385, "arXiv 2401.01141", "https://arxiv.org/abs/2401.01141"),
    OnFpga(
        "SYNtzulu, iCE40UP5K",
        "3,473 LC",
        24,
        None,
        None,
        "Leone et al., IEEE TCAS-I 72(2), 2025",
        "https://doi.org/10.1109/TCSI.2024.3450966",
    ),
    OnFpga("snn-fpga", "6,358 LUT", 100, 520, None, "arXiv 2507.07284", "https://arxiv.org/abs/2507.07284"),
)


@dataclass(frozen=True)
class Operation:
    """Energy in pJ that others report for a synaptic operation in a process of 130 nm.

    None is like a core's own energy at its peak rate: ``source`` says what it is of.
    """

    name: str
    picojoules: float
    source: str


#: Energies of a synaptic operation, which the flow to silicon compares with.
OPERATIONS = (
    Operation("SYNtzulA, IHP 130 nm", 36.5, "its authors, of a whole SoC with processor and memories"),
    Operation("OpenSpike, sky130, its claim", 17.6, "arXiv 2302.01015"),
)
