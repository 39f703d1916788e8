# SPDX-License-Identifier: Apache-2.0
"""OpenRAM's macros as the PDK has them: sizes and pins from LEF, timing and energy from LIB.

Nothing about a macro is written down here but how its name and its pins are to be read; the same name has had
different sizes in different releases.
"""

import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hysteron_base.errors import require

from ..pdk import Pdk
from ..pdk.kit import read
from ..pdk.liberty import argument, groups, library_file, numbers, value
from .lef import pins_of, size_of

_BIT = re.compile(r"\[\d+\]$")
#: By how much an estimated macro is slower than the sister that it is estimated from.
SLOWER = 1.25
#: No macro at full speed takes less.
_LEAST_MW = 0.1


@dataclass(frozen=True)
class Timing:
    """What a macro's LIB says, at its typical corner, for the slowest of its table's loads and slopes.

    Attributes
    ----------
    access_ns
        Time from the falling clock edge to the data.
    setup_ns, hold_ns
        Times that inputs must keep before and after the rising edge.
    period_ns, pulse_ns
        Shortest clock period, and shortest high or low time.
    leakage_mw
        Power while nothing happens.
    read_pj, write_pj, idle_pj
        Energy of a clock cycle with an access, and of one without. OpenRAM's LIB has the mean power over a shortest
        period, of an access to a 1 where it says "rise" and to a 0 where it says "fall", and not an energy.
    second_read_pj, second_idle_pj
        The same energies of a second port's cycles; 0 without one.
    estimated
        Whether the PDK has no LIB for the macro, and this is a guess made of a smaller one's.
    """

    access_ns: float
    setup_ns: float
    hold_ns: float
    period_ns: float
    pulse_ns: float
    leakage_mw: float
    read_pj: float
    write_pj: float
    idle_pj: float
    second_read_pj: float
    second_idle_pj: float
    estimated: bool = False


@dataclass(frozen=True)
class Macro:
    """A memory macro.

    Attributes
    ----------
    pdk
        The PDK that has it.
    name
        Name of its cell.
    words, width
        Words, and bits of each; spare ones are not counted.
    mask
        Bits that one bit of the write mask covers.
    ports
        Number of ports: the first reads and writes, the others read.
    size
        Width and height in µm.
    pins
        Bits of each pin by its name; the LEF's, spare ones included.
    power, ground
        Names of the supply's pins.
    timing
        What its LIB says, or an estimate.
    """

    pdk: Pdk
    name: str
    words: int
    width: int
    mask: int
    ports: int
    size: tuple[float, float]
    pins: dict[str, int]
    power: str
    ground: str
    timing: Timing

    @property
    def bits(self) -> int:
        """Bits that it holds."""
        return self.words * self.width

    @property
    def area(self) -> float:
        """Area in mm²."""
        return self.size[0] * self.size[1] / 1e6


def macros(pdk: Pdk) -> dict[str, Macro]:
    """All macros of a PDK by their names, the smallest first.

    Raises
    ------
    HysteronError
        If there are none, one's name does not say what it is, or there is no LIB at all to estimate the others' from.
    """
    measured = {name: _measured(pdk, name) for name in pdk.macro_names()}
    known = {name: timing for name, timing in measured.items() if timing is not None}
    found = [_macro(pdk, name, timing or _estimated(pdk, name, known)) for name, timing in measured.items()]
    return {macro.name: macro for macro in sorted(found, key=lambda macro: macro.area)}


def _macro(pdk: Pdk, name: str, timing: Timing) -> Macro:
    path = pdk.macro_file("lef", name)
    text = read(path)
    ports, width, words, mask = pdk.macros.shape(name)
    require(f"MACRO {name}\n" in text, f"{str(path)!r} must hold a macro {name}")
    pins: dict[str, int] = {}
    uses: dict[str, str] = {}
    for pin, body in pins_of(text):
        bus = _BIT.sub("", pin)
        pins[bus] = pins.get(bus, 0) + 1
        use = re.search(r"^\s*USE (\w+) ;", body, re.M)
        if use is not None and use[1] in ("POWER", "GROUND"):
            uses[use[1]] = bus
    require(set(uses) == {"POWER", "GROUND"}, f"{str(path)!r} must have a pin each of use POWER and GROUND")
    return Macro(
        pdk,
        name,
        words,
        width,
        mask,
        ports,
        size_of(text, name),
        pins,
        uses["POWER"],
        uses["GROUND"],
        timing,
    )


def _measured(pdk: Pdk, name: str) -> Timing | None:
    """What a macro's LIB says; None if there is none."""
    path = pdk.macro_liberty(name)
    if path is None:
        return None
    (cell,) = groups(library_file(path), "cell")
    ports = {argument(pin): [pin] for pin in groups(cell, "pin")}
    ports |= {argument(bus): groups(bus, "pin") for bus in groups(cell, "bus")}
    arcs = {
        (name, value(arc, "timing_type")): arc
        for name, pins in ports.items()
        for pin in pins
        for arc in groups(pin, "timing")
    }
    inputs = [name for name in ("csb0", "web0", "addr0", "din0", "wmask0") if name in ports]
    period = _largest(arcs["clk0", "minimum_period"])

    def energy(clock: str, when: str) -> float:
        (found,) = (power for power in groups(ports[clock][0], "internal_power") if value(power, "when") == when)
        tables = [table for kind in ("rise_power", "fall_power") for table in groups(found, kind)]
        mean = float(np.mean([numbers(table) for table in tables]))
        # mW by the file's unit; the figures of macros with one port can only be W.
        return (1000 * mean if mean < _LEAST_MW else mean) * period

    second = "clk1" in ports
    return Timing(
        access_ns=max(
            _largest(arcs[name, "falling_edge"], "cell_rise", "cell_fall")
            for name in ("dout0", "dout1")
            if name in ports
        ),
        setup_ns=max(_largest(arcs[name, "setup_rising"]) for name in inputs),
        hold_ns=max(_largest(arcs[name, "hold_rising"]) for name in inputs),
        period_ns=period,
        pulse_ns=_largest(arcs["clk0", "min_pulse_width"]),
        leakage_mw=float(value(cell, "cell_leakage_power")),
        read_pj=energy("clk0", "!csb0 & web0"),
        write_pj=energy("clk0", "!csb0 & !web0"),
        idle_pj=energy("clk0", "csb0 & web0"),
        second_read_pj=energy("clk1", "!csb1") if second else 0.0,
        second_idle_pj=energy("clk1", "csb1") if second else 0.0,
    )


def _estimated(pdk: Pdk, name: str, known: dict[str, Timing]) -> Timing:
    """Timing of a macro without a LIB: like its largest sister, slower, and with the energy of as many more bits.

    The 4 KB macros with one port have twice the columns of the 2 KB one and as many rows (counted in their GDS), so
    that a word line drives twice as much and twice as many bit lines move.
    """
    shape = pdk.macros.shape
    ports, width, words, _ = shape(name)
    sisters = [other for other in known if shape(other)[0] == ports]
    require(bool(sisters), f"macro {name!r} has no LIB, and no other of its kind has one to estimate it from")
    largest = max(sisters, key=lambda other: shape(other)[1] * shape(other)[2])
    timing = known[largest]
    more = width * words / (shape(largest)[1] * shape(largest)[2])
    slower = {each: SLOWER * getattr(timing, each) for each in ("access_ns", "period_ns", "pulse_ns")}
    costly = ("leakage_mw", "read_pj", "write_pj", "idle_pj", "second_read_pj", "second_idle_pj")
    return replace(timing, **slower, **{each: more * getattr(timing, each) for each in costly}, estimated=True)


def _largest(arc: Any, *kinds: str) -> float:
    """The largest value in an arc's tables, or in those of ``kinds``."""
    found = [table for table in arc.children if table.children and (not kinds or table.id in kinds)]
    return max(max(numbers(table)) for table in found)
