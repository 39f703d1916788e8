# SPDX-License-Identifier: Apache-2.0
"""Simulation of generated cores on Verilator and cocotb, and the comparison with the golden model."""
