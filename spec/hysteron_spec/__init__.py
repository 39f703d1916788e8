# SPDX-License-Identifier: Apache-2.0
"""What every part of Hysteron must agree on: networks, cores, formats, registers, packets and the link's protocol.

Golden model, hardware, firmware, driver and trainer all stand on it; it imports none of them. In words it is
``docs/specification.md``.
"""

from hysteron_base.errors import HysteronError

from .core import CoreConfig
from .encoder import Coding, Encoder
from .network import Layer, Network
from .neuron import Mode, Potential, Readout, Reset
from .presets import PRESETS
from .program import Program, compile_network
from .store import load, save

__all__ = [
    "PRESETS",
    "Coding",
    "CoreConfig",
    "Encoder",
    "HysteronError",
    "Layer",
    "Mode",
    "Network",
    "Potential",
    "Program",
    "Readout",
    "Reset",
    "compile_network",
    "load",
    "save",
]
