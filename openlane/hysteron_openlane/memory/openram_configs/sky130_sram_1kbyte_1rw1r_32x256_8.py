# SPDX-License-Identifier: Apache-2.0
"""Configuration of the macro with this name, for OpenRAM 1.2.48; analytical timing is several times too fast."""

word_size = 32
num_words = 256
write_size = 8
num_rw_ports = 1
num_r_ports = 1
num_w_ports = 0

tech_name = "sky130"
process_corners = ["TT"]
supply_voltages = [1.8]
temperatures = [25]
nominal_corner_only = True
analytical_delay = True
route_supplies = "ring"
check_lvsdrc = False
use_conda = False

output_name = "sky130_sram_1kbyte_1rw1r_32x256_8"
output_path = "."
