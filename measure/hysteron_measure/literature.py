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
OPENSPIKE = StepCycles("OpenSpike", 518, 1092, "its repository, github.com/sfmth/OpenSpike")
