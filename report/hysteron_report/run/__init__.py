# SPDX-License-Identifier: Apache-2.0
"""The HTML report of a simulation run: one file that needs nothing else to be read or printed."""

from .choice import WRONG, Show, check_show
from .page import write_report
from .write import write_run

__all__ = ["WRONG", "Show", "check_show", "write_report", "write_run"]
