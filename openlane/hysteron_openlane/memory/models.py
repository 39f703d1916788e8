# SPDX-License-Identifier: Apache-2.0
"""Verilog of what a chip consists of besides the core's own: latches, gated clocks, and how macros behave."""

from collections.abc import Iterable
from importlib.resources import files

from ..pdk import Pdk
from ..pdk.kit import Latch
from .macros import Macro

_VERILOG = files("hysteron_openlane.memory") / "verilog"


def models(pdk: Pdk, macros: Iterable[Macro]) -> str:
    """Verilog for simulation: gates, and a module for each macro, with the pins that the PDK's macro has."""
    return "\n".join([gates(pdk), (_VERILOG / "sram.v").read_text(), *map(_module, macros)])


def gates(pdk: Pdk) -> str:
    """Latches and gated clocks, for simulation and synthesis in a PDK."""
    gate = pdk.cells.clock_gate
    pins = f".{gate.clock}(clock), .{gate.enable}(enable), .{gate.gated}(gated)"
    cell = f"{pdk.cells.full(gate.cell)} cell_0 ({pins});"
    return (_VERILOG / "cells.v").read_text().replace("CLOCK_GATE", cell)


def latch_map(pdk: Pdk) -> str:
    """How synthesis maps yosys's latches to cells of a PDK."""
    both = (_mapped(pdk, "P", pdk.cells.latch_high), _mapped(pdk, "N", pdk.cells.latch_low))
    return f"// yosys's latches as cells of {pdk.cells.library}.\n" + "\n".join(both)


def _mapped(pdk: Pdk, edge: str, latch: Latch) -> str:
    """The map of the latch that is open while its gate is high (``P``) or low (``N``)."""
    pins = f".{latch.gate}(E), .{latch.data}(D), .{latch.output}(Q)"
    cell = f"\t{pdk.cells.full(latch.cell)} _TECHMAP_REPLACE_ ({pins});"
    return f"module \\$_DLATCH_{edge}_ (input E, D, output Q);\n{cell}\nendmodule\n"


def header(macro: Macro) -> str:
    """A macro's pins, supply included where ``USE_POWER_PINS`` is defined; nothing inside."""
    supply = f"`ifdef USE_POWER_PINS\n\tinout {macro.power},\n\tinout {macro.ground},\n`endif\n\t"
    return f"(* blackbox *)\nmodule {macro.name} (\n{supply}{_ports(macro)}\n);\nendmodule\n"


def _ports(macro: Macro) -> str:
    """A macro's pins but the supply, as a module declares them."""
    names = [pin for pin in macro.pins if pin not in (macro.power, macro.ground)]
    return ", ".join(
        f"{'output' if pin.startswith('dout') else 'input'} {_range(macro.pins[pin])}{pin}" for pin in names
    )


def _module(macro: Macro) -> str:
    """A macro by its own name: the general model with its sizes."""
    address = (macro.words - 1).bit_length()
    sizes = {
        "WIDTH": macro.width,
        "WORDS": macro.words,
        "MASK": macro.mask,
        "ADDRESS": address,
        "PINS": macro.pins["dout0"],
    }
    given = ", ".join(f".{name}({value})" for name, value in sizes.items())
    links = [".clk(clk0)", ".csb(csb0)", ".web(web0)", ".wmask(wmask0)", f".addr(addr0[{address - 1}:0])"]
    links += [".din(din0)", ".dout(dout0)"]
    second = ("clk1", "csb1", f"addr1[{address - 1}:0]", "dout1") if macro.ports > 1 else ("1'b0", "1'b1", "'0", "")
    pins = ("read_clk", "read_csb", "read_addr", "read_dout")
    links += [f".{pin}({net})" for pin, net in zip(pins, second, strict=True)]
    body = f"hysteron_sram #({given}) memory ({', '.join(links)});"
    return f"module {macro.name} ({_ports(macro)});\n\t{body}\nendmodule\n"


def _range(bits: int) -> str:
    return f"[{bits - 1}:0] " if bits > 1 else ""
