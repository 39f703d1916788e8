"""The driver: a program's way to a machine, on a board or simulated."""

from .accelerator import Accelerator, Result

__all__ = ["Accelerator", "Result"]
