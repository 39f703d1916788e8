# SPDX-License-Identifier: Apache-2.0
"""ULX3S with an ECP5 of 85,000 LUTs: 25 MHz oscillator, FT231X (at most 3 Mbaud) on its first USB connector."""

from typing import Any

from amaranth.hdl import Module
from amaranth_boards.ulx3s import ULX3S_85F_Platform

from hysteron_spec.core import CoreConfig
from hysteron_spec.machine import MachineConfig

from ..board import Board, Lines
from ..families.ecp5 import ECP5, Ecp5Pll
from ..pins import leds, serial_line


def _connect(m: Module, platform: Any) -> Lines:
    return Lines(*serial_line(m, platform), leds(m, platform, 8))


BOARD = Board(
    name="ulx3s",
    title="ULX3S 85F",
    family=ECP5,
    platform=ULX3S_85F_Platform,
    pll=Ecp5Pll(input_hz=25_000_000, divide=1, multiply=2, post=12),
    core=CoreConfig.preset("ulx3s"),
    machine=MachineConfig(divisor=25),  # 2 Mbaud
    connect=_connect,
    network="mnist",
    data="mnist",
    loader="ulx3s",
)
