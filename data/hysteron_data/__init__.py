"""Data sets that training and simulation share, as bytes the on-chip encoder takes."""
