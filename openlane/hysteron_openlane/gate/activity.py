# SPDX-License-Identifier: Apache-2.0
"""How often the nets of a simulated netlist changed.

The changes of a VCD are read here and not by a library: there are ten million of them in three kinds of line, which
takes seconds, and minutes with a call for each.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from hysteron_base.errors import require


@dataclass
class Activity:
    """What changed in a netlist between two times.

    Attributes
    ----------
    seconds
        Length of that time.
    rises, falls
        Changes by net, or by ``net[bit]`` of one with several bits; every net of the file is there, also one that stood
        still. An unknown value in between keeps the value before it: 0, X, 1 is a rise, and 0, X, 0 is no change.
    accesses
        Accesses to macros, by instance: cycles in which it was read, and in which it was written.
    unknown
        Nets that were unknown at some time in it, in alphabetical order: how often they changed is not certain.
    """

    seconds: float
    rises: dict[str, int] = field(default_factory=dict)
    falls: dict[str, int] = field(default_factory=dict)
    accesses: dict[str, tuple[int, int]] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Port:
    """A macro's port whose accesses are counted: instance, net of its clock, and of its "no write", if it has one."""

    instance: str
    clock: str
    web: str | None


@dataclass
class _Bit:
    """A net in the file: its names, its value now (``x`` if it was never known), and what is counted of it."""

    names: list[str] = field(default_factory=list)
    value: str = "x"
    known: bool = False
    rises: int = 0
    falls: int = 0
    unknown: bool = True
    #: Numbers of the ports whose clock it is.
    clocks: list[int] = field(default_factory=list)


def activity(
    path: Path, scope: str, windows: Mapping[str, tuple[int, int]], ports: Sequence[Port], unit: float = 1e-12
) -> dict[str, Activity]:
    """Count changes in a VCD.

    Parameters
    ----------
    path
        The file.
    scope
        What the netlist's names begin with there.
    windows
        Begin and end of each window, in the file's unit of time: from the begin on, without the end. No two overlap.
    ports
        Ports of macros.
    unit
        The file's unit of time in seconds.

    Returns
    -------
    dict
        What changed, by window.

    Raises
    ------
    HysteronError
        If two windows overlap, or the clock of a port is not in the file.
    """
    order = sorted(windows, key=lambda name: windows[name])
    for one, other in pairwise(order):
        require(windows[one][1] <= windows[other][0], f"windows {one} and {other} of {str(path)!r} must not overlap")
    found: dict[str, Activity] = {}
    with path.open() as file:
        codes = _declared(file, scope)
        nets = {name: bit for bits in codes.values() for bit in bits for name in bit.names}
        for number, port in enumerate(ports):
            require(port.clock in nets, f"{str(path)!r} has no net {port.clock}, a macro's clock")
            nets[port.clock].clocks.append(number)
        webs = [None if port.web is None else nets[port.web] for port in ports]
        changes = _changes(file)
        after = next(changes, None)
        for name in order:
            begin, end = windows[name]
            while after is not None and after[0] < begin:
                _apply(codes, after[1], [], [])
                after = next(changes, None)
            for bit in nets.values():
                bit.rises = bit.falls = 0
            reads = [[0, 0] for _ in ports]
            if after is not None and after[0] == begin:
                # A file that begins with the window says only then what is known.
                _apply(codes, after[1], webs, reads)
                after = next(changes, None)
            for bit in nets.values():
                bit.unknown = not bit.known
            while after is not None and after[0] < end:
                _apply(codes, after[1], webs, reads)
                after = next(changes, None)
            found[name] = _counted(nets, ports, reads, (end - begin) * unit)
    return found


def _declared(file: Iterable[str], scope: str) -> dict[str, list[_Bit]]:
    """Nets of the scope by the file's code for them, the least significant bit first."""
    codes: dict[str, list[_Bit]] = {}
    path: list[str] = []
    for line in file:
        parts = line.split()
        if line.startswith("$scope"):
            path.append(parts[2])
        elif line.startswith("$upscope"):
            path.pop()
        elif line.startswith("$var"):
            width, code = int(parts[2]), parts[3]
            reference = ".".join([*path, "".join(parts[4:-1])])
            if not reference.startswith(scope):
                continue
            name = reference.removeprefix(scope).removeprefix("\\")
            base = name.rsplit("[", 1)[0] if width > 1 else name
            for number, bit in enumerate(codes.setdefault(code, [_Bit() for _ in range(width)])):
                bit.names.append(f"{base}[{number}]" if width > 1 else base)
        elif line.startswith("$enddefinitions"):
            break
    return codes


def _changes(file: Iterable[str]) -> Iterator[tuple[int, list[tuple[str, str]]]]:
    """Every time in the file, and what changes then: codes with their new values."""
    time, changes = 0, []
    for line in file:
        kind = line[0]
        if kind in "01xzXZ":
            changes.append((line[1:].rstrip(), kind))
        elif kind in "bB":
            value, code = line[1:].split()
            changes.append((code, value))
        elif kind == "#":
            if changes:
                yield time, changes
            time, changes = int(line[1:]), []
    if changes:
        yield time, changes


def _apply(
    codes: Mapping[str, list[_Bit]],
    changes: Iterable[tuple[str, str]],
    webs: Sequence[_Bit | None],
    reads: list[list[int]],
) -> None:
    """Take over the changes of one time, and count accesses if there are ``reads``."""
    for code, value in changes:
        bits = codes.get(code)
        if bits is None:
            continue
        if len(value) < len(bits):
            value = value.rjust(len(bits), "0" if value[0] == "1" else value[0])
        for bit, new in zip(bits, reversed(value), strict=True):
            if new not in "01":
                bit.known, bit.unknown = False, True
                continue
            bit.known = True
            old = bit.value
            if old == new:
                continue
            bit.value = new
            if old == "0":
                bit.rises += 1
                if reads:
                    for number in bit.clocks:
                        web = webs[number]
                        reads[number][0 if web is None or web.value != "0" else 1] += 1
            elif old == "1":
                bit.falls += 1


def _counted(
    nets: Mapping[str, _Bit], ports: Sequence[Port], reads: Sequence[Sequence[int]], seconds: float
) -> Activity:
    one = Activity(seconds)
    for name, bit in nets.items():
        one.rises[name], one.falls[name] = bit.rises, bit.falls
    one.unknown = sorted(name for name, bit in nets.items() if bit.unknown)
    for port, (reading, writing) in zip(ports, reads, strict=True):
        before = one.accesses.get(port.instance, (0, 0))
        one.accesses[port.instance] = (before[0] + reading, before[1] + writing)
    return one
