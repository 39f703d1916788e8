"""Simulation of generated cores on Verilator and cocotb, and the comparison with the golden model."""
