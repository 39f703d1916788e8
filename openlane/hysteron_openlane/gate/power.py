# SPDX-License-Identifier: Apache-2.0
"""Power of a simulated netlist from how often its nets changed: cells from their LIB, macros from their accesses.

For every cell: leakage, the mean over the states that its LIB knows; for every change of a pin the energy that its LIB
has for it, the mean over the conditions under which it has several; for every change of a net half of C·V². Debian's
OpenSTA takes no activity from a simulation and no internal energy from these libraries.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from hysteron_base.errors import require

from ..flow.netlist import read_netlist
from ..flow.tools import liberty
from ..memory.macros import Macro
from ..pdk import Pdk
from ..pdk.liberty import argument, groups, library_file, numbers, value
from .activity import Activity, Port

#: Without a layout: slope of every edge in ns, and capacitance of a wire in pF for each pin that it leads to.
SLOPE, WIRE = 0.1, 0.003


@dataclass(frozen=True)
class Table:
    """Energy in pJ over the load in pF, at one slope."""

    loads: tuple[float, ...]
    energies: tuple[float, ...]

    def at(self, load: float) -> float:
        """Energy at a load: between the table's points on a line, beyond them that of the last one."""
        return float(np.interp(load, self.loads, self.energies)) if self.loads else self.energies[0]


@dataclass(frozen=True)
class Pin:
    """A pin of a cell: its capacitance in pF if it is an input, and what a rise and a fall cost."""

    output: bool
    load: float
    rise: tuple[Table, ...]
    fall: tuple[Table, ...]

    def energy(self, rises: int, falls: int, load: float) -> float:
        """Energy in pJ of so many changes at a load in pF."""
        total = 0.0
        for count, tables in ((rises, self.rise), (falls, self.fall)):
            if count and tables:
                total += count * sum(table.at(load) for table in tables) / len(tables)
        return total


@dataclass(frozen=True)
class Cell:
    """A cell of the library: its leakage in nW, and its pins."""

    leakage: float
    pins: Mapping[str, Pin]


@dataclass(frozen=True)
class Power:
    """Mean power in W, by where it goes.

    Attributes
    ----------
    leakage, switching
        Leakage of standard cells, and charging of nets.
    clock
        Power inside flip-flops, latches and gates of the clock at edges of the clock.
    cells
        Power inside standard cells at all other changes.
    macros
        Power of accesses to macros, and their leakage, by their LIB.
    bit_lines
        Power of accesses in the macros' bit lines, which the LIB leaves out; None if it is not known of one. It is not
        in :attr:`total`.
    """

    leakage: float
    switching: float
    clock: float
    cells: float
    macros: float
    bit_lines: float | None

    @property
    def total(self) -> float:
        """The sum, with macros as their LIB has them."""
        return self.leakage + self.switching + self.clock + self.cells + self.macros


class Design:
    """A netlist of cells and macros with what their LIBs say.

    Parameters
    ----------
    pdk
        The PDK whose cells they are.
    netlist
        Verilog, as it was simulated: nets have the same names.
    top
        Its module.
    macros
        The macros in it.
    folder
        Folder for files of the tools.
    spef
        Capacitance of a layout's wires.

    Raises
    ------
    HysteronError
        If there is a cell that is in no library.
    """

    def __init__(
        self, pdk: Pdk, netlist: Path, top: str, macros: Sequence[Macro], folder: Path, *, spef: Path | None = None
    ) -> None:
        self.cells = pdk.cells
        self.macros = {macro.name: macro for macro in macros}
        self.netlist = read_netlist(netlist, top, folder)
        # Fill, taps and decoupling have nothing but the supply; the leakage of decoupling is left out (0.003 nW each).
        self.netlist["cells"] = {name: cell for name, cell in self.netlist["cells"].items() if cell["connections"]}
        kinds = {cell["type"] for cell in self.netlist["cells"].values()} - set(self.macros)
        self.library, self.volts = _library(pdk, kinds)
        unknown = sorted(kinds - set(self.library))
        require(not unknown, f"the netlist has cells that no library has: {', '.join(unknown[:5])}")
        self.wires = None if spef is None else read_spef(spef)

    @cached_property
    def names(self) -> dict[int, list[str]]:
        """Names of every net, by yosys's number."""
        found: dict[int, list[str]] = defaultdict(list)
        for name, net in self.netlist["netnames"].items():
            several = len(net["bits"]) > 1
            for place, bit in enumerate(net["bits"]):
                if isinstance(bit, int):
                    found[bit].append(f"{name}[{place + net.get('offset', 0)}]" if several else name)
        return found

    @cached_property
    def connected(self) -> set[int]:
        """Numbers of the nets that lead to a pin of a cell or of the top; the netlist also names some that do not."""
        cells = (bits for cell in self.netlist["cells"].values() for bits in cell["connections"].values())
        ports = (port["bits"] for port in self.netlist["ports"].values())
        return {bit for bits in (*cells, *ports) for bit in bits if isinstance(bit, int)}

    @cached_property
    def loads(self) -> dict[int, float]:
        """Capacitance of every net in pF: of the pins that it leads to, and of its wire."""
        pins: Counter[int] = Counter()
        count: Counter[int] = Counter()
        for _, kind, links in self._cells():
            for pin, bit in links:
                known = self.library[kind].pins.get(pin)
                if known is not None and not known.output:
                    pins[bit] += known.load  # type: ignore[assignment]
                    count[bit] += 1
        return {bit: pins[bit] + self._wire(bit, count[bit]) for bit in self.names}

    def _wire(self, bit: int, pins: int) -> float:
        if self.wires is None:
            return WIRE * pins
        found = [self.wires[name] for name in self.names[bit] if name in self.wires]
        require(bool(found) or not pins, f"the SPEF has no wire {self.names[bit][0]}; is it of another netlist?")
        return found[0] if found else 0.0

    def _cells(self) -> Iterable[tuple[str, str, list[tuple[str, int]]]]:
        for name, cell in self.netlist["cells"].items():
            if cell["type"] not in self.macros:
                links = [
                    (pin, bits[0]) for pin, bits in cell["connections"].items() if bits and isinstance(bits[0], int)
                ]
                yield name, cell["type"], links

    def ports(self) -> list[Port]:
        """Ports of the macros, whose accesses are to be counted."""
        found: list[Port] = []
        for name, cell in self.netlist["cells"].items():
            if cell["type"] in self.macros:
                links = cell["connections"]
                found.extend(
                    Port(name, clock, self._name(links[web]) if web else None)
                    for clock_pin, web in (("clk0", "web0"), ("clk1", None))
                    if clock_pin in links and (clock := self._name(links[clock_pin])) is not None
                )
        return found

    def _name(self, bits: list[Any]) -> str | None:
        return self.names[bits[0]][0] if isinstance(bits[0], int) else None

    def power(self, activity: Activity) -> Power:
        """Mean power while that was going on; see :meth:`unknown` for what would not be counted."""
        per_second = 1e-12 / activity.seconds
        changes = {bit: self._changes(bit, activity) for bit in self.names}
        internal = {True: 0.0, False: 0.0}
        leakage = switching = 0.0
        for _, kind, links in self._cells():
            cell = self.library[kind]
            leakage += 1e-9 * cell.leakage
            for pin, bit in links:
                known = cell.pins.get(pin)
                if known is None:
                    continue
                rises, falls = changes[bit]
                load = self.loads[bit] if known.output else 0.0
                clock = pin in self.cells.clock_pins or self.cells.is_for_clock(kind)
                internal[clock] += known.energy(rises, falls, load)
                if known.output:
                    switching += 0.5 * load * self.volts**2 * (rises + falls)
        macros = 0.0
        bit_lines: float | None = 0.0
        for name, cell in self.netlist["cells"].items():
            macro = self.macros.get(cell["type"])
            if macro is not None:
                reads, writes = activity.accesses[name]
                energy = reads * macro.timing.read_pj + writes * macro.timing.write_pj
                macros += energy * per_second + 1e-3 * macro.timing.leakage_mw
                more = dict(macro.pdk.macros.bit_lines_pj).get(macro.name)
                if bit_lines is not None:
                    bit_lines = None if more is None else bit_lines + (reads + writes) * more * per_second
        at_edges, at_others = internal[True] * per_second, internal[False] * per_second
        return Power(leakage, switching * per_second, at_edges, at_others, macros, bit_lines)

    def _changes(self, bit: int, activity: Activity) -> tuple[int, int]:
        for name in self.names[bit]:
            if name in activity.rises:
                return activity.rises[name], activity.falls[name]
        return 0, 0

    def unknown(self, activity: Activity) -> list[str]:
        """Nets whose energy is not certain, in alphabetical order; none is what is wanted.

        Those that the simulation does not have, or that were unknown in it at some time, and those that are in the
        simulation only.
        """
        nets = {bit: names for bit, names in self.names.items() if bit in self.connected}
        lost = {names[0] for names in nets.values() if not any(name in activity.rises for name in names)}
        ours = {name for names in nets.values() for name in names}
        others = activity.rises.keys() - {name for names in self.names.values() for name in names}
        return sorted(lost | others | (ours & set(activity.unknown)))


def _library(pdk: Pdk, kinds: set[str]) -> tuple[dict[str, Cell], float]:
    """Cells of the typical corner's LIB, and its voltage."""
    path = liberty(pdk, pdk.typical)
    tree = library_file(path)
    (load,) = groups(tree, "capacitive_load_unit")
    require(
        value(tree, "leakage_power_unit") == "1nW" and [float(load.args[0]), load.args[1].strip('"')] == [1, "pf"],
        f"{str(path)!r} must count in nW and pF; another version of the PDK does",
    )
    found = {
        argument(node): Cell(
            float(value(node, "cell_leakage_power") or 0), {argument(pin): _pin(pin) for pin in groups(node, "pin")}
        )
        for node in groups(tree, "cell")
        if argument(node) in kinds
    }
    return found, float(value(tree, "nom_voltage"))


def _pin(node: Any) -> Pin:
    powers = groups(node, "internal_power")
    rise, fall = (
        tuple(_table(table) for power in powers for table in groups(power, kind))
        for kind in ("rise_power", "fall_power")
    )
    return Pin(value(node, "direction") == "output", float(value(node, "capacitance") or 0), rise, fall)


def _table(node: Any) -> Table:
    """At the slope :data:`SLOPE`; the first index is the slope, the second, if there is one, the load."""
    slopes, loads = numbers(node, "index_1"), numbers(node, "index_2")
    rows = np.array(numbers(node)).reshape(len(slopes), -1)
    return Table(tuple(loads), tuple(float(np.interp(SLOPE, slopes, column)) for column in rows.T))


def read_spef(path: Path) -> dict[str, float]:
    """Capacitance of every net in pF.

    Raises
    ------
    HysteronError
        If the file counts in something else, or has no net.
    """
    text = path.read_text()
    require("*C_UNIT 1 PF" in text.upper(), f"{str(path)!r} must count in pF")
    names = dict(re.findall(r"^(\*\d+) (\S+)$", text, re.M))
    wires = {
        names.get(net, net).replace("\\", ""): float(load)
        for net, load in re.findall(r"^\*D_NET (\S+) ([\d.eE+-]+)", text, re.M)
    }
    require(bool(wires), f"{str(path)!r} has no nets")
    return wires
