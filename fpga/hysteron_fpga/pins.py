# SPDX-License-Identifier: Apache-2.0
"""Pins that boards have in common."""

from typing import Any

from amaranth.build.res import ResourceError
from amaranth.hdl import Module, Signal, Value
from amaranth.lib import io


def serial_line(m: Module, platform: Any) -> tuple[Value, Signal]:
    """What the board's first serial line receives, and what it is to transmit."""
    port = platform.request("uart", 0, dir="-")
    m.submodules.rx = received = io.Buffer(io.Direction.Input, port.rx)
    m.submodules.tx = transmitted = io.Buffer(io.Direction.Output, port.tx)
    return received.i, transmitted.o


def leds(m: Module, platform: Any, count: int) -> Signal:
    """``count`` bits that light the board's first LEDs; those that it lacks light nothing."""
    lit = Signal(count, name="leds")
    for number in range(count):
        try:
            port = platform.request("led", number, dir="-")
        except ResourceError:
            break
        m.submodules[f"led_{number}"] = lamp = io.Buffer(io.Direction.Output, port)
        m.d.comb += lamp.o.eq(lit[number])
    return lit
