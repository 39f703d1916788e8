"""Pins that boards have in common."""

from typing import Any

from amaranth.build import ResourceError
from amaranth.hdl import Cat, Signal


def leds(platform: Any, count: int) -> Any:
    """``count`` values that drive the board's first LEDs; those that it lacks drive nothing."""
    found = []
    for number in range(count):
        try:
            found.append(platform.request("led", number).o)
        except ResourceError:
            found.append(Signal(name=f"no_led_{number}"))
    return Cat(*found)
