"""The HTML report of a simulation run: one file that needs nothing else to be read or printed."""

from .page import write_report

__all__ = ["write_report"]
