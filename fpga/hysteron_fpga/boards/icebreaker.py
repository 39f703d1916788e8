# SPDX-License-Identifier: Apache-2.0
"""iCEBreaker 1.0 with an iCE40UP5K: 12 MHz oscillator, FT2232H (any rate of 12 Mbaud / n)."""

from typing import Any

from amaranth.hdl import Module
from amaranth_boards.icebreaker import ICEBreakerPlatform

from hysteron_spec.core import CoreConfig
from hysteron_spec.machine import MachineConfig

from ..board import Board, Lines
from ..families.ice40 import ICE40, Ice40Pll
from ..families.ice40_memories import Ice40Memories
from ..pins import leds, serial_line


class _Platform(Ice40Memories, ICEBreakerPlatform):
    pass


def _connect(m: Module, platform: Any) -> Lines:
    return Lines(*serial_line(m, platform), leds(m, platform, 8))


BOARD = Board(
    name="icebreaker",
    title="iCEBreaker 1.0",
    family=ICE40,
    platform=_Platform,
    pll=Ice40Pll(input_hz=12_000_000, divr=0, divf=47, divq=5),
    core=CoreConfig.preset("icebreaker"),
    machine=MachineConfig(small=True, ram_bytes=65536, divisor=6),  # 3 Mbaud
    connect=_connect,
    network="mnist-164",
    data="mnist",
    loader="ice40_generic",
    volatile=False,
)
