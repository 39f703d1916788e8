# SPDX-License-Identifier: Apache-2.0
"""From a chip to its netlist and layout: generated Verilog, floorplan, LibreLane, static timing, figures."""
