"""Hysteron's golden model: what a network does, bit for bit, and when, cycle for cycle. NumPy only."""

from hysteron_wire.errors import HysteronError

from .encode import Coding, Encoder
from .hardware import PRESETS, CoreConfig
from .network import Layer, Mode, Network, Potential, Readout, Reset
from .program import Program, compile_network
from .run import Result, run
from .schedule import Schedule, activities, schedule
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
    "Result",
    "Schedule",
    "activities",
    "compile_network",
    "load",
    "run",
    "save",
    "schedule",
]
