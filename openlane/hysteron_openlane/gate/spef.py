# SPDX-License-Identifier: Apache-2.0
"""Making an extraction of wires (SPEF) small enough to keep."""

import re

from hysteron_base.errors import require

#: Figures that are kept of a value.
FIGURES = 3
#: By how much rounded ones may miss their sum.
_ROUNDING = 0.01


def lumped(text: str) -> str:
    """A SPEF with every coupling capacitance as one to ground at the net's own node, rounded.

    That is what a static timing analysis does with them that does not look at crosstalk, OpenSTA among them. A net's
    total stays what it was; nodes inside a net are numbered anew from 1.

    Parameters
    ----------
    text
        Contents of a SPEF as OpenROAD writes it: a coupling capacitance is listed under both of its nets.

    Raises
    ------
    HysteronError
        If there is no net, or one's capacitances are not what it says they sum up to.
    """
    header, *nets = re.split(r"^(?=\*D_NET )", text, flags=re.M)
    require(bool(nets), "a SPEF must have nets (*D_NET)")
    return header + "".join(_lumped_net(net) for net in nets)


def _lumped_net(text: str) -> str:
    (head, *pins), capacitances, resistances = _sections(text)
    _, net, total = head.split()
    numbers: dict[str, str] = {}

    def node(name: str) -> str:
        return numbers.setdefault(name, f"{net}:{len(numbers) + 1}") if name.startswith(f"{net}:") else name

    own = {pin.split()[1] for pin in pins if pin.startswith(("*I ", "*P "))}
    at: dict[str, float] = {}
    for _, *ends, value in map(str.split, capacitances):
        for name in ends:
            if name in own or name.startswith(f"{net}:"):
                at[name] = at.get(name, 0.0) + float(value)
    require(
        abs(sum(at.values()) - float(total)) <= _ROUNDING * float(total) + 1e-9,
        f"the capacitances of net {net} of a SPEF must sum up to {total}, not {sum(at.values()):g}",
    )
    lines = [f"*D_NET {net} {_short(float(total))}", *pins, "*CAP"]
    lines += [f"{number} {node(name)} {_short(value)}" for number, (name, value) in enumerate(at.items(), 1)]
    if resistances:
        lines.append("*RES")
    for number, (_, one, other, value) in enumerate(map(str.split, resistances), 1):
        lines.append(f"{number} {node(one)} {node(other)} {_short(float(value))}")
    return "\n".join([*lines, "*END", "", ""])


def _sections(text: str) -> tuple[list[str], list[str], list[str]]:
    """Lines of a net up to its capacitances, those, and its resistances."""
    found: tuple[list[str], list[str], list[str]] = ([], [], [])
    section = 0
    for line in filter(None, map(str.strip, text.splitlines())):
        if line == "*END":
            break
        if line in ("*CAP", "*RES"):
            section = 1 if line == "*CAP" else 2
        else:
            found[section].append(line)
    return found


def _short(value: float) -> str:
    return f"{value:.{FIGURES}g}"
