# SPDX-License-Identifier: Apache-2.0
"""Verilog of a core, one text, top module ``hysteron_core``."""

import re
import warnings
from collections.abc import Sequence

from amaranth.back import verilog
from amaranth.lib.wiring import Component

from hysteron_base.files import usable_home
from hysteron_spec.core import CoreConfig
from hysteron_spec.machine import MachineConfig

from .core import Core
from .machine.machine import Machine

#: Amaranth's dummy register against simulators that never start a process; its number differs from module to module.
_DUMMY = re.compile(r"dump_module\$\d+")
_MODULE = re.compile(r"^module (\\\S+|\w+) ?\(.*?^endmodule\n", re.MULTILINE | re.DOTALL)


def convert(config: CoreConfig, *, trace: bool = False, platform: object = None) -> str:
    """The core as Verilog; the bodies of its memories are ``platform``'s.

    All lanes share one module ``neuron``: Amaranth writes a module for each instance, a simulator or
    synthesiser does the same work once for all if it is told that they are one.
    """
    return _converted(Core(config, trace=trace), "hysteron_core", config, platform)


def convert_machine(
    config: CoreConfig, machine: MachineConfig, firmware: Sequence[int], *, platform: object = None
) -> str:
    """A machine as Verilog, top module ``hysteron_machine``; the processor's own Verilog is not in it.

    Parameters
    ----------
    config, machine
        What to generate.
    firmware
        Words of the ROM.
    platform
        What makes the bodies of memories.
    """
    return _converted(Machine(config, machine, firmware), "hysteron_machine", config, platform)


def _converted(component: Component, name: str, config: CoreConfig, platform: object) -> str:
    usable_home()  # Amaranth's Yosys insists on a cache there
    with warnings.catch_warnings():
        # Ports of blocks that a configuration leaves unused.
        warnings.simplefilter("ignore", UserWarning)
        text = verilog.convert(component, name=name, emit_src=False, platform=platform)
    # The small core has one neuron.
    return text if config.serial else merge_modules(text, "neuron")


def merge_modules(text: str, name: str) -> str:
    """Replace the modules ``….<name>_0``, ``….<name>_1`` … by one called ``name``.

    Raises
    ------
    AssertionError
        If they differ in anything but their name.
    """
    copies: dict[str, str] = {}
    for match in _MODULE.finditer(text):
        if re.search(rf"\.{name}_\d+$", match[1]):
            body = match[0].replace(match[1] + " ", name + " ", 1)
            copies[match[1]] = _DUMMY.sub("dump_module", body)
    bodies = set(copies.values())
    assert len(bodies) == 1, f"{len(bodies)} different modules are called {name}"
    text = _MODULE.sub(lambda match: "" if match[1] in copies else match[0], text)
    text = re.sub(
        rf"^  (\\\S+\.{name}_\d+) ", lambda match: f"  {name} " if match[1] in copies else match[0], text, flags=re.M
    )
    return text + "\n" + bodies.pop()
