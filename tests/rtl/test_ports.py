# SPDX-License-Identifier: Apache-2.0
"""Ports that are found by name, and their values after reset."""

from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hysteron_rtl.ports import named, port


class Lines(wiring.Component):
    _MustUse__silence = True  # Amaranth's own name for: nobody elaborates it

    def __init__(self) -> None:
        super().__init__({"rx": port(In, 1, init=1), "tx": port(Out, 3, init=5), "leds": Out(8)})


def test_a_port_has_its_value_after_reset() -> None:
    lines = Lines()
    assert {name: named(lines, name).init for name in ("rx", "tx", "leds")} == {"rx": 1, "tx": 5, "leds": 0}
    assert Lines().signature.members["tx"] == Out(3, init=5)


def test_names_are_in_lower_case() -> None:
    lines = Lines()
    assert named(lines, "LEDS") is named(lines, "leds")
