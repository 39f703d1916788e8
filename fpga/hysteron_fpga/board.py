"""What a board is. docs/boards.md says how to add one."""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hysteron_base.errors import HysteronError, require
from hysteron_spec.core import CoreConfig
from hysteron_spec.machine import MachineConfig

if TYPE_CHECKING:
    from .clocks import Pll


@dataclass(frozen=True)
class Lines:
    """The machine's side of a board's pins; each is a one-bit value of Amaranth, LEDs are 8.

    Attributes
    ----------
    rx, tx
        The serial line.
    leds
        What the machine's register LEDS says.
    """

    rx: Any
    tx: Any
    leds: Any


@dataclass(frozen=True)
class Family:
    """FPGAs that the same tools serve.

    Parameters
    ----------
    name
        As yosys calls it.
    synthesis
        Options of the synthesis.
    placed, bitstream
        Files that place and route leaves, and packing.
    pack
        Tool that makes the bitstream.
    large
        Kind of RAM that weights and the processor's RAM belong in, see :data:`hysteron_fpga.memories.KINDS`.
    """

    name: str
    synthesis: tuple[str, ...]
    placed: str
    bitstream: str
    pack: str
    large: str

    @property
    def tools(self) -> tuple[str, ...]:
        """In the order in which they are used."""
        return "yosys", f"nextpnr-{self.name}", self.pack


ECP5 = Family("ecp5", ("-abc9",), "top.config", "top.bit", "ecppack", "block RAM")
ICE40 = Family("ice40", (), "top.asc", "top.bin", "icepack", "single-port RAM")


@dataclass(frozen=True)
class Board:
    """A board.

    Parameters
    ----------
    name
        As in ``make fpga BOARD=…``.
    title
        For people.
    family
        Of its FPGA.
    platform
        Makes a platform of amaranth-boards.
    pll
        From the board's oscillator to the machine's clock.
    core, machine
        What is generated; ``core.clock_hz`` is the clock that is aimed at.
    connect
        ``connect(m, platform)`` requests the pins, adds their buffers to ``m`` and returns the machine's lines.
    network, data
        Shipped network whose speed the report states, and its data set.
    loader
        What openFPGALoader calls the board.
    volatile
        Whether it can be loaded without writing its flash memory.
    """

    name: str
    title: str
    family: Family
    platform: Callable[[], Any]
    pll: "Pll"
    core: CoreConfig
    machine: MachineConfig
    connect: Callable[[Any, Any], Lines]
    network: str
    data: str
    loader: str
    volatile: bool = True

    def __post_init__(self) -> None:
        made = self.pll.output_hz
        require(
            made == self.core.clock_hz,
            f"board {self.name}: the PLL makes {made:,} Hz, the core is for {self.core.clock_hz:,}; make both the same",
        )

    def memories(self, firmware_words: int) -> dict[str, tuple[str, int]]:
        """Where the large memories belong, and how many bits they hold."""
        core, large = self.core, self.family.large
        return {
            "core.engine.weights": (large, core.weight_rows * core.weight_row_bits),
            "ram": (large, 8 * self.machine.ram_bytes),
            "rom": ("block RAM", 32 * firmware_words),
        }

    @property
    def baud(self) -> float:
        """Bits a second of the serial line."""
        return self.core.clock_hz / self.machine.divisor


def names() -> list[str]:
    """Of all boards."""
    from . import boards

    return sorted(module.name for module in pkgutil.iter_modules(boards.__path__))


def board(name: str) -> Board:
    """The board of that name.

    Raises
    ------
    HysteronError
        If there is none, or a package for it is missing.
    """
    if name not in names():
        raise HysteronError(f"a board is one of {', '.join(names())}, not {name!r}")
    try:
        module = importlib.import_module(f".boards.{name}", __package__)
    except ModuleNotFoundError as error:
        raise HysteronError(f"{error.name} is missing, which boards need; pip install 'hysteron[fpga]'") from None
    found: Board = module.BOARD
    return found
