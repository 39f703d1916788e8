# SPDX-License-Identifier: Apache-2.0
"""A netlist as a machine that can be simulated."""

from __future__ import annotations

import pytest

pytest.importorskip("amaranth_boards", reason="boards are not installed (extra 'fpga')")

from hysteron_base.errors import HysteronError
from hysteron_fpga.netlist import _for_simulation, _wrapper


@pytest.mark.parametrize("clock", ["clk12_0__io", "clk25_0__io", "clk__io"])
def test_a_machine_around_a_netlist(clock: str) -> None:
    """Its ports are those of a machine, whatever the board calls them and whatever else it has."""
    ports = f"uart_0__rx__io, uart_0__tx__io, uart_0__rts__io,\n  led_0__io, {clock}"
    assert _wrapper(f"module other(x);\nendmodule\nmodule top({ports});\nendmodule\n") == (
        "module hysteron_machine(input clk, input rst, input rx, output tx);\n"
        "  wire clk_pin = clk, rx_pin = rx, tx_pin;\n"
        "  assign tx = tx_pin;\n"
        f"  top board (.{clock}(clk_pin), .uart_0__rx__io(rx_pin), .uart_0__tx__io(tx_pin));\n"
        "endmodule\n"
    )


@pytest.mark.parametrize(
    ("ports", "told"),
    [
        ("uart_0__rx__io, uart_0__tx__io", "has 0 ports for clk, not 1: uart_0__rx__io, uart_0__tx__io"),
        ("clk12_0__io, clk25_0__io, uart_0__rx__io, uart_0__tx__io", "has 2 ports for clk, not 1"),
        ("clk12_0__io, uart_1__rx__io, uart_0__tx__io", "has 0 ports for rx, not 1"),
        ("clk12_0__io, uart_0__rx__io, uart_0__tx", "has 0 ports for tx, not 1"),
    ],
)
def test_a_netlist_without_the_ports_of_a_machine(ports: str, told: str) -> None:
    with pytest.raises(HysteronError, match=told):
        _wrapper(f"module top({ports});\nendmodule\n")


def test_a_netlist_for_simulation() -> None:
    """Pads go both ways, modules that are only ports are gone, everything else is as it was."""
    kept = """module top(clk25_0__io, led_0__io, rst);
  {} clk25_0__io;
  wire clk25_0__io;
  {} uart_0__rx__io;
  output led_0__io;
  input rst;
  assign x = "input y__io;";
endmodule
"""
    boxes = "(* blackbox =  1 *)\nmodule DP16KD(CLKA);\n  input CLKA;\nendmodule\n"
    text = kept.format("input", "input")
    assert _for_simulation(f"{boxes}{text}{boxes}") == kept.format("inout", "inout")
