# SPDX-License-Identifier: Apache-2.0
"""Colorlight 5A-75B revision 7.0, a card of LED walls with an ECP5 of 24,000 LUTs: 25 MHz oscillator, no USB.

Its serial line is on connector J19 (transmits on DATA_LED-, receives on KEY+), for an adapter of 3.3 V.
"""

from typing import Any

from amaranth.hdl import Module, Signal
from amaranth_boards.colorlight_5a75b_r7_0 import Colorlight_5A75B_R70Platform

from hysteron_spec.core import CoreConfig
from hysteron_spec.machine import MachineConfig

from ..board import Board, Lines
from ..families.ecp5 import ECP5, Ecp5Pll
from ..pins import serial_line


def _connect(m: Module, platform: Any) -> Lines:
    # Its only LED is on the pin of the serial line.
    return Lines(*serial_line(m, platform), Signal(8))


BOARD = Board(
    name="colorlight",
    title="Colorlight 5A-75B 7.0",
    family=ECP5,
    platform=Colorlight_5A75B_R70Platform,
    pll=Ecp5Pll(input_hz=25_000_000, divide=1, multiply=2, post=12),
    core=CoreConfig.preset("colorlight"),
    machine=MachineConfig(divisor=25),  # 2 Mbaud
    connect=_connect,
    network="mnist-fast",
    data="mnist-14",
    loader="colorlight",
)
