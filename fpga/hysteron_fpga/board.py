# SPDX-License-Identifier: Apache-2.0
"""What a board is. docs/boards.md says how to add one."""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hysteron_base.errors import HysteronError, require
from hysteron_base.extras import MissingPackageError
from hysteron_base.settings import meant
from hysteron_spec.core import CoreConfig
from hysteron_spec.machine import MachineConfig

from .families.family import BLOCK_RAM, Family, Pll


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
class Board:
    """A board.

    Parameters
    ----------
    name
        The board's name, as in ``make fpga BOARD=…``.
    title
        The board's name for people.
    family
        The family of its FPGA.
    platform
        Makes a platform of amaranth-boards.
    pll
        What makes the machine's clock from the board's oscillator.
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
    pll: Pll
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
            "rom": (BLOCK_RAM, 32 * firmware_words),
        }

    @property
    def baud(self) -> float:
        """The rate of the serial line, in bits a second."""
        return self.core.clock_hz / self.machine.divisor


def names() -> list[str]:
    """The names of all boards, sorted."""
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
        raise HysteronError(f"a board is one of {', '.join(names())}, not {name!r}{meant(name, names())}")
    try:
        module = importlib.import_module(f".boards.{name}", __package__)
    except ModuleNotFoundError as error:
        raise MissingPackageError(error.name or name) from None
    found: Board = module.BOARD
    return found
