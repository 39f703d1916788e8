# SPDX-License-Identifier: Apache-2.0
"""Hysteron's golden model: what a network does, bit for bit, and when, cycle for cycle. NumPy only."""

from .run import Result, run
from .schedule import Schedule, activities, schedule

__all__ = ["Result", "Schedule", "activities", "run", "schedule"]
