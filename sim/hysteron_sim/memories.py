# SPDX-License-Identifier: Apache-2.0
"""What the memories of a simulated core are made of: behavioural ones, or those of a package that registers its own.

A package registers memories as an entry point of the group ``hysteron.memories``: a function without arguments that
returns :class:`Memories`. The name of the entry point is what ``$HYSTERON_MEMORIES`` then takes.
"""

import os
from importlib.metadata import entry_points
from typing import Any, Protocol

from hysteron_base.errors import require

#: Group of the entry points.
GROUP = "hysteron.memories"


class Memories(Protocol):
    """A platform for Amaranth that makes bodies of memories, and knows how their parts behave."""

    def get_memory(self, memory: Any) -> Any:
        """The body of an :class:`amaranth.lib.memory.Memory`; it has the same ports, latency and contents."""

    def models(self) -> str:
        """Verilog of every module that the bodies instantiate; asked for once, when the hardware has been made."""


def chosen_memories() -> Memories | None:
    """The memories that ``$HYSTERON_MEMORIES`` names, new ones each time; None, for behavioural ones, if it is empty.

    Raises
    ------
    HysteronError
        If no package brings memories of that name.
    """
    name = os.environ.get("HYSTERON_MEMORIES", "")
    if not name:
        return None
    found = {point.name: point for point in entry_points(group=GROUP)}
    known = ", ".join(sorted(found)) or "none, as no installed package brings memories; run 'make setup'"
    require(name in found, f"HYSTERON_MEMORIES must be empty or one of {known}, not {name!r}")
    made: Memories = found[name].load()()
    return made
