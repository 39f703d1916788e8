# SPDX-License-Identifier: Apache-2.0
"""Kinds of machines, by the first word of an address. Whoever makes another kind names it in an entry point."""

import importlib
import importlib.metadata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hysteron_base.errors import HysteronError, require, shown
from hysteron_base.extras import DISTRIBUTION, remedy
from hysteron_spec.answers import Machine

#: The group of entry points that name kinds of machines. An entry's name is the kind; it refers to a function that
#: takes what is behind the colon of an address, and options, and gives an open machine.
GROUP = "hysteron.machines"

#: Opens a machine of one kind.
Opener = Callable[..., Machine]


@dataclass(frozen=True)
class _Kind:
    """A kind that comes with the project.

    Attributes
    ----------
    form
        How its address looks.
    target
        Its opener, ``module:function``. Entry points of the installed package say the same, but those of a checkout
        that was installed long ago may be older than its code.
    extra
        The extra that brings all the packages it needs.
    """

    form: str
    target: str
    extra: str


_SHIPPED = {
    "serial": _Kind("serial:PORT", "hysteron_host.accelerator:open_serial", "host"),
    "tcp": _Kind("tcp:HOST:PORT", "hysteron_host.accelerator:open_tcp", "host"),
    "sim": _Kind("sim:PRESET", "hysteron_sim.machine:open_machine", "machine"),
    "golden": _Kind("golden:", "hysteron_golden.machine:open_machine", ""),
}


def open_machine(address: str, **options: Any) -> Machine:
    """Open a machine by its address.

    Parameters
    ----------
    address
        A kind of machine, a colon, and what that kind takes: ``serial:PORT``, ``tcp:HOST:PORT``, ``sim:`` or
        ``sim:PRESET`` (a simulated machine of its own), ``golden:`` (no machine, but the golden model), or a kind that
        an installed package names in the entry-point group ``hysteron.machines``.
    options
        Options of the kind: ``baud`` and ``patience`` of serial ports, ``patience`` of TCP, what
        :class:`hysteron_golden.machine.GoldenAccelerator` takes.

    Raises
    ------
    HysteronError
        If there is no such kind or no such machine, or a package that the kind needs is missing.
    """
    require(
        isinstance(address, str), f"a machine's address must be text, as 'golden:', not {shown(address)}; give a text"
    )
    kind, colon, rest = address.partition(":")
    entries = {entry.name: entry for entry in importlib.metadata.entry_points(group=GROUP)}
    if not colon or (kind not in entries and kind not in _SHIPPED):
        others = [f"{name}:…" for name in sorted(set(entries) - set(_SHIPPED))]
        *forms, last = [each.form for each in _SHIPPED.values()] + others
        raise HysteronError(f"a machine's address is {', '.join(forms)} or {last}, not {address!r}")
    try:
        opener = entries[kind].load() if kind in entries else _load(_SHIPPED[kind].target)
        return opener(rest, **options)
    except ModuleNotFoundError as error:
        name = (error.name or "").partition(".")[0]
        extra = _SHIPPED[kind].extra if kind in _SHIPPED else ""
        cure = f"pip install '{DISTRIBUTION}[{extra}]'" if extra else remedy(name)
        raise HysteronError(f"{name} is missing, which a machine {kind}: needs; {cure}") from None


def _load(target: str) -> Opener:
    module, _, function = target.partition(":")
    opener: Opener = getattr(importlib.import_module(module), function)
    return opener
