# SPDX-License-Identifier: Apache-2.0
"""What a chip's timing is stated for: its clock, and when the outside changes and reads its pins, as SDC.

LibreLane and our own timing analysis take the same constraints.
"""

from .chips import Chip

#: Share of the period after which the outside has changed a chip's inputs, at most, and that it needs before the next
#: edge to take outputs.
OUTSIDE = 0.2
#: Time in ns after the clock's edge at its pin for which the outside keeps a chip's inputs as they were. The edge takes
#: longer to reach the flip-flops through the clock's tree than the data do: with 0 their hold times would not be kept.
KEPT = 1.5
#: Uncertainty and slope of the clock in ns, share by which delays may be off, load of an output in pF.
UNCERTAINTY, SLOPE, DERATE, LOAD = 0.25, 0.15, 0.05, 0.033442


def sdc(chip: Chip, period: str = "") -> str:
    """The constraints.

    Parameters
    ----------
    chip
        The chip.
    period
        The clock's period in ns as Tcl has it; left out, that of the chip.
    """
    cells = chip.pdk.cells
    lines = [
        f"create_clock -name clk -period {period or f'{chip.period_ns:g}'} [get_ports clk]",
        "set inputs [all_inputs]",
        "set clock [lsearch $inputs [get_ports clk]]",
        "set inputs [lreplace $inputs $clock $clock]",
        f"set outside [expr {OUTSIDE:g} * {period or f'{chip.period_ns:g}'}]",
        f"set_input_delay -min {KEPT:g} -clock clk $inputs",
        "set_input_delay -max $outside -clock clk $inputs",
        "set_output_delay -max $outside -clock clk [all_outputs]",
        "set_output_delay -min 0 -clock clk [all_outputs]",
        f"set_driving_cell -lib_cell {cells.full(cells.driver)} -pin {cells.driver_pin} [all_inputs]",
        f"set_load {LOAD:g} [all_outputs]",
        f"set_clock_uncertainty {UNCERTAINTY:g} [get_clocks clk]",
        f"set_clock_transition {SLOPE:g} [get_clocks clk]",
        f"set_timing_derate -early {1 - DERATE:g}",
        f"set_timing_derate -late {1 + DERATE:g}",
    ]
    return "\n".join([*lines, ""])


def sdc_of_flow(chip: Chip) -> str:
    """The constraints as a file for LibreLane, with a layout's limits; it says itself when the clock has a tree."""
    limits = f"set_max_transition {chip.pdk.macros.transition_ns:g} [current_design]\n"
    ideal = "[info exists ::env(OPENLANE_SDC_IDEAL_CLOCKS)] && $::env(OPENLANE_SDC_IDEAL_CLOCKS)"
    tree = "set_propagated_clock [all_clocks]"
    return sdc(chip) + limits + f"if {{ {ideal} }} {{\n    un{tree}\n}} else {{\n    {tree}\n}}\n"
