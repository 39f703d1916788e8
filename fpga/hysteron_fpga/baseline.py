# SPDX-License-Identifier: Apache-2.0
"""Figures of the boards' builds that must not get worse unnoticed."""

from pathlib import Path
from typing import Any

from hysteron_base import baseline

#: By board; made by ``hysteron fpga BOARD --update``.
FILE = Path(__file__).with_name("baseline.json")
#: Figures, and by what share each may be worse: more of a resource, less of a speed. A placement's Fmax depends on the
#: version of the tools more than on the design.
TOLERANCES = {
    "logic_cells": 0.02,
    "bram": 0.0,
    "spram": 0.0,
    "fmax_mhz": -0.1,
    "images_per_second": -0.001,
}


def compare(report: dict[str, Any]) -> list[str]:
    """What is worse than the baseline, a line each."""
    return baseline.compare(FILE, TOLERANCES, report["board"], report)


def update(report: dict[str, Any]) -> None:
    """Make the report's figures the baseline of its board."""
    baseline.update(FILE, TOLERANCES, report["board"], report)
