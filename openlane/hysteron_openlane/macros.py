"""OpenRAM's macros as the PDK has them: sizes and pins from LEF, timing and energy from LIB.

Nothing about a macro is written down here but how its name and its pins are to be read; the same name has had
different sizes in different releases.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from liberty.parser import parse_liberty

from hysteron_wire.errors import require

from .pdk import MACROS, library, read

_NAME = re.compile(r"sky130_sram_\d+kbyte_(1rw1r|1rw)_(\d+)x(\d+)_(\d+)$")
_BIT = re.compile(r"\[\d+\]$")


@dataclass(frozen=True)
class Timing:
    """What a macro's LIB says, at its typical corner (1.8 V, 25 °C), for the slowest of its table's loads and slopes.

    Attributes
    ----------
    access_ns
        From the falling clock edge to the data.
    setup_ns, hold_ns
        Around the rising edge.
    period_ns, pulse_ns
        Shortest clock period, and shortest high or low time.
    leakage_mw
        While nothing happens.
    read_pj, write_pj, idle_pj
        Energy of a clock cycle with an access, and of one without. OpenRAM's LIB has the mean power in W over a
        shortest period, of an access to a 1 where it says "rise" and to a 0 where it says "fall".
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


@dataclass(frozen=True)
class Macro:
    """A memory macro.

    Attributes
    ----------
    name
        Of its cell.
    words, width
        Words, and bits of each; spare ones are not counted.
    mask
        Bits that one bit of the write mask covers.
    ports
        Of these the first reads and writes, the others read.
    size
        Width and height in µm.
    pins
        Bits of each pin by its name; the LEF's, spare ones included.
    power, ground
        Names of the supply's pins.
    timing
        None if the PDK has no LIB for it.
    """

    name: str
    words: int
    width: int
    mask: int
    ports: int
    size: tuple[float, float]
    pins: dict[str, int]
    power: str
    ground: str
    timing: Timing | None

    @property
    def bits(self) -> int:
        """That it holds."""
        return self.words * self.width

    @property
    def area(self) -> float:
        """In mm²."""
        return self.size[0] * self.size[1] / 1e6


def macros() -> dict[str, Macro]:
    """All macros of the PDK, the smallest first.

    Raises
    ------
    HysteronError
        If there are none, or one's name does not say what it is.
    """
    folder = library(MACROS)
    found = [_macro(path) for path in sorted((folder / "lef").glob("*.lef"))]
    require(bool(found), f"the PDK has no macros in {str(folder / 'lef')!r}; another version of it may have")
    return {macro.name: macro for macro in sorted(found, key=lambda macro: macro.area)}


def _macro(path: Path) -> Macro:
    text = read(path)
    name = path.stem
    match = _NAME.match(name)
    require(match is not None, f"macro {name!r} must be called sky130_sram_<kbyte>_<ports>_<width>x<words>_<mask>")
    assert match is not None
    kind, width, words, mask = match[1], *(int(part) for part in match.groups()[1:])
    size = re.search(r"^\s*SIZE ([\d.]+) BY ([\d.]+) ;", text, re.M)
    require(size is not None and f"MACRO {name}\n" in text, f"{str(path)!r} must hold the size of a macro {name}")
    assert size is not None
    pins: dict[str, int] = {}
    uses: dict[str, str] = {}
    for pin, body in _pins(text):
        bus = _BIT.sub("", pin)
        pins[bus] = pins.get(bus, 0) + 1
        use = re.search(r"^\s*USE (\w+) ;", body, re.M)
        if use is not None and use[1] in ("POWER", "GROUND"):
            uses[use[1]] = bus
    require(set(uses) == {"POWER", "GROUND"}, f"{str(path)!r} must have a pin each of use POWER and GROUND")
    return Macro(
        name,
        words,
        width,
        mask,
        1 if kind == "1rw" else 2,
        (float(size[1]), float(size[2])),
        pins,
        uses["POWER"],
        uses["GROUND"],
        _timing(path.parents[1] / "lib", name),
    )


def _pins(text: str) -> Iterator[tuple[str, str]]:
    for match in re.finditer(r"^\s*PIN (\S+)\n(.*?)^\s*END \1$", text, re.M | re.S):
        yield match[1], match[2]


def liberty(name: str) -> Path | None:
    """The LIB of a macro, of its typical corner; None if there is none."""
    path = library(MACROS) / "lib" / f"{name}_TT_1p8V_25C.lib"
    return path if path.exists() else None


def _timing(folder: Path, name: str) -> Timing | None:
    path = folder / f"{name}_TT_1p8V_25C.lib"
    if not path.exists():
        return None
    (cell,) = parse_liberty(read(path)).get_groups("cell")
    ports = {group.args[0]: [group] for group in cell.get_groups("pin")}
    ports |= {bus.args[0]: bus.get_groups("pin") for bus in cell.get_groups("bus")}
    arcs = {
        (name, _text(arc["timing_type"])): arc
        for name, groups in ports.items()
        for group in groups
        for arc in group.get_groups("timing")
    }
    inputs = [name for name in ("csb0", "web0", "addr0", "din0", "wmask0") if name in ports]
    period = _largest(arcs["clk0", "minimum_period"])
    energy = {
        _text(power["when"]): 1000 * period * float(np.mean([table.get_array("values") for table in power.groups]))
        for power in ports["clk0"][0].get_groups("internal_power")
    }
    return Timing(
        access_ns=_largest(arcs["dout0", "falling_edge"], "cell_rise", "cell_fall"),
        setup_ns=max(_largest(arcs[name, "setup_rising"]) for name in inputs),
        hold_ns=max(_largest(arcs[name, "hold_rising"]) for name in inputs),
        period_ns=period,
        pulse_ns=_largest(arcs["clk0", "min_pulse_width"]),
        leakage_mw=float(cell["cell_leakage_power"]),
        read_pj=energy["!csb0 & web0"],
        write_pj=energy["!csb0 & !web0"],
        idle_pj=energy["csb0 & web0"],
    )


def _text(value: Any) -> str:
    return str(value).strip('"')


def _largest(arc: Any, *kinds: str) -> float:
    """The largest value in an arc's tables, or in those of ``kinds``."""
    return max(float(table.get_array("values").max()) for table in arc.groups if not kinds or table.group_name in kinds)
