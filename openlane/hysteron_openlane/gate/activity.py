# SPDX-License-Identifier: Apache-2.0
"""How often the nets of a simulated netlist changed."""

import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# As it is imported vcdvcd lets a write to a closed pipe or socket end the process, which Python tells as an error.
_on_pipe = signal.getsignal(signal.SIGPIPE)
from vcdvcd import VCDVCD, StreamParserCallbacks  # noqa: E402

signal.signal(signal.SIGPIPE, _on_pipe)


@dataclass
class Activity:
    """What changed in a netlist between two times.

    Attributes
    ----------
    seconds
        Length of that time.
    rises, falls
        Changes by net, or by ``net[bit]`` of one with several bits. From and to an unknown value is none.
    accesses
        Accesses to macros, by instance: cycles in which it was read, and in which it was written.
    """

    seconds: float
    rises: dict[str, int] = field(default_factory=dict)
    falls: dict[str, int] = field(default_factory=dict)
    accesses: dict[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class Port:
    """A macro's port whose accesses are counted: instance, net of its clock, and of its "no write", if it has one."""

    instance: str
    clock: str
    web: str | None


class _Counter(StreamParserCallbacks):
    """Takes every change in the file once."""

    def __init__(self, scope: str, windows: Mapping[str, tuple[int, int]], ports: Sequence[Port]) -> None:
        self.scope, self.ports = scope, ports
        self.windows = dict(windows)
        self.counts: dict[str, dict[str, list[list[int]]]] = {name: {} for name in windows}
        self.reads = {name: [[0, 0] for _ in ports] for name in windows}
        self.state: dict[str, str] = {}
        self.names: dict[str, list[tuple[str, int]]] = {}
        self.bit_of: dict[str, tuple[str, int]] = {}
        self.clocks: dict[str, list[int]] = {}

    def enddefinitions(self, vcd: Any, signals: Any, cur_sig_vals: Any) -> None:
        for reference, code in vcd.references_to_ids.items():
            if not reference.startswith(self.scope):
                continue
            name = reference.removeprefix(self.scope).removeprefix("\\")
            width = int(vcd.data[code].size)
            base = name.rsplit("[", 1)[0] if width > 1 else name
            self.names.setdefault(code, []).append((base, width))
            for bit in range(width):
                self.bit_of[f"{base}[{bit}]" if width > 1 else base] = (code, bit)
        for number, port in enumerate(self.ports):
            self.clocks.setdefault(self.bit_of[port.clock][0], []).append(number)

    def value(self, vcd: Any, time: int, value: str, identifier_code: str, cur_sig_vals: Any) -> None:
        if identifier_code not in self.names:
            return
        width = self.names[identifier_code][0][1]
        new = value.rjust(width, value[0] if value[0] in "xz" else "0")
        old = self.state.get(identifier_code, "x" * width)
        self.state[identifier_code] = new
        if old == new:
            return
        for name, (begin, end) in self.windows.items():
            if not begin <= time < end:
                continue
            counts = self.counts[name].setdefault(identifier_code, [[0, 0] for _ in range(width)])
            for bit, (before, after) in enumerate(zip(reversed(old), reversed(new), strict=True)):
                if before == "0" and after == "1":
                    counts[bit][0] += 1
                elif before == "1" and after == "0":
                    counts[bit][1] += 1
            for number in self.clocks.get(identifier_code, ()):
                self._access(name, number, old, new)

    def _access(self, window: str, number: int, old: str, new: str) -> None:
        port = self.ports[number]
        bit = self.bit_of[port.clock][1]
        if (old[-1 - bit], new[-1 - bit]) != ("0", "1"):
            return
        reading = True
        if port.web is not None:
            code, at = self.bit_of[port.web]
            reading = self.state[code][-1 - at] != "0"
        self.reads[window][number][0 if reading else 1] += 1


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
        Begin and end of each window, in the file's unit of time.
    ports
        Ports of macros.
    unit
        The file's unit of time in seconds.

    Returns
    -------
    dict
        What changed, by window.
    """
    counter = _Counter(scope, windows, ports)
    VCDVCD(str(path), callbacks=counter, store_tvs=False)
    found = {}
    for window, (begin, end) in windows.items():
        one = Activity((end - begin) * unit)
        for code, bits in counter.counts[window].items():
            for name, width in counter.names[code]:
                for bit, (rises, falls) in enumerate(bits):
                    full = f"{name}[{bit}]" if width > 1 else name
                    one.rises[full], one.falls[full] = rises, falls
        for port, (reads, writes) in zip(counter.ports, counter.reads[window], strict=True):
            before = one.accesses.get(port.instance, (0, 0))
            one.accesses[port.instance] = (before[0] + reads, before[1] + writes)
        found[window] = one
    return found
