# SPDX-License-Identifier: Apache-2.0
"""Machines for FPGA boards: what a board is, and how its bitstream is made."""
