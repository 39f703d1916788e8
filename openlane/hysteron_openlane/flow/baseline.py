# SPDX-License-Identifier: Apache-2.0
"""Figures of the chips' netlists that must not get worse unnoticed."""

from importlib.resources import files
from pathlib import Path

from hysteron_base import baseline

#: By chip; made by ``hysteron gds CHIP --until gates --update``.
FILE = Path(str(files("hysteron_openlane.flow") / "baseline.json"))
#: Figures, and by what share each may be worse: more cells, area, energy or cycles, less slack. They are of the PDK's
#: data with the project's own configuration (:mod:`hysteron_openlane.flow.tools`); another one excludes other cells.
TOLERANCES = {
    "cells": 0.02,
    "cell_area_um2": 0.02,
    "macros": 0.0,
    "cycles": 0.0,
    "setup_tt_ns": -0.2,
    "pj_per_sop": 0.03,
    "pj_per_sop_most": 0.03,
    "idle_mw": 0.03,
}


def compare(chip: str, figures: dict[str, float | None]) -> list[str]:
    """What is worse than the baseline, a line each."""
    return baseline.compare(FILE, TOLERANCES, chip, figures)


def update(chip: str, figures: dict[str, float | None]) -> None:
    """Make these figures the baseline of the chip."""
    baseline.update(FILE, TOLERANCES, chip, figures)
