# SPDX-License-Identifier: Apache-2.0
"""What is made for silicon, and its Verilog."""

from dataclasses import dataclass

from hysteron_base.settings import one_of
from hysteron_rtl.verilog import convert, convert_machine
from hysteron_spec.core import CoreConfig
from hysteron_spec.machine import MachineConfig

from ..memory.macros import Macro
from ..memory.models import gates
from ..memory.plan import Choice, Need
from ..memory.platform import Silicon
from ..pdk import SKY130, Pdk


@dataclass(frozen=True)
class Chip:
    """A design for silicon.

    Parameters
    ----------
    name
        The chip's name, as in ``make gds CHIP=…``.
    pdk
        The PDK that it is made in.
    core
        Its core; ``core.clock_hz`` is the clock that is aimed at.
    machine
        The machine around it, or None: the core alone, with its streams and its bus for pins.
    network, data
        Shipped network whose images run at gate level, and its data set; None: they do not.
    cells_mm2, density
        Area of standard cells that the die is made for, and the share of their region that they may take. Synthesis
        says what it is, and more is a failure.
    """

    name: str
    pdk: Pdk
    core: CoreConfig
    machine: MachineConfig | None
    network: str | None
    data: str | None
    cells_mm2: float
    density: float = 0.45

    @property
    def top(self) -> str:
        """Name of its top module."""
        return "hysteron_core" if self.machine is None else "hysteron_machine"

    @property
    def period_ns(self) -> float:
        """Period of its clock in ns."""
        return 1e9 / self.core.clock_hz


CHIPS = {
    chip.name: chip
    for chip in (
        Chip("sky130-small", SKY130, CoreConfig.preset("sky130-small"), None, "digits-32", "digits", 0.16),
        # A netlist study: its macros have no LIB, and its floorplan could not be routed (docs/silicon.md).
        Chip("sky130", SKY130, CoreConfig.preset("sky130"), MachineConfig(divisor=25), None, None, 2.2, 0.6),
    )
}


def chip(name: str) -> Chip:
    """The chip of that name.

    Raises
    ------
    HysteronError
        If there is none.
    """
    found: Chip = one_of("a chip", name, CHIPS)
    return found


@dataclass(frozen=True)
class Source:
    """A chip's Verilog, and what its memories became.

    Attributes
    ----------
    verilog
        Top module :attr:`Chip.top`; macros are not in it.
    memories
        What each memory needs, and its choice, in the order in which they are made.
    """

    verilog: str
    memories: tuple[tuple[Need, Choice], ...]

    @property
    def macros(self) -> list[Macro]:
        """The macros that are used, once each."""
        return list({choice.macro.name: choice.macro for _, choice in self.memories if choice.macro}.values())


def source(one: Chip) -> Source:
    """Generate a chip's Verilog; the PDK's macros decide about its memories.

    Raises
    ------
    HysteronError
        If the PDK or a part of it is missing.
    """
    one.pdk.library(one.pdk.macros.library)
    silicon = Silicon(one.pdk)
    if one.machine is None:
        text = convert(one.core, platform=silicon)
    else:
        from hysteron_firmware.build import build
        from hysteron_rtl.machine.cpu import cpu_verilog

        words = [int(word) for word in build(one.machine).words]
        text = convert_machine(one.core, one.machine, words, platform=silicon)
        text += "\n" + cpu_verilog(small=one.machine.small)
    return Source(text + "\n" + gates(one.pdk), tuple(silicon.needs))
