"""From a chip to its netlist and layout: generated Verilog, floorplan, LibreLane, static timing, figures."""
