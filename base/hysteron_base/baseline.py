# SPDX-License-Identifier: Apache-2.0
"""Figures of a build that must not get worse unnoticed: kept in a file of the project, compared with a tolerance."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .files import write_file


def compare(file: Path, tolerances: Mapping[str, float], name: str, report: Mapping[str, Any]) -> list[str]:
    """What is worse than the baseline of ``name``, a line each.

    Parameters
    ----------
    file
        The file of baselines, by name.
    tolerances
        By what share each figure may be more; a negative one: by what share it may be less.
    name
        Which.
    report
        The figures as they are.
    """
    kept = json.loads(file.read_text()).get(name)
    if kept is None:
        return [f"there is no baseline for {name}; make it with --update"]
    found = []
    for figure, before in kept.items():
        now, share = report.get(figure), tolerances[figure]
        limit = before * (1 + share)
        if now is None:
            found.append(f"{figure} was {before:,.6g}, and now there is none")
        elif (now > limit) if share >= 0 else (now < limit):
            found.append(f"{figure} is {now:,.6g}, was {before:,.6g}, may be {limit:,.6g}")
    return found


def update(file: Path, tolerances: Mapping[str, float], name: str, report: Mapping[str, Any]) -> None:
    """Make the report's figures the baseline of ``name``."""
    kept = json.loads(file.read_text()) if file.exists() else {}
    kept[name] = {figure: round(report[figure], 3) for figure in tolerances if report.get(figure) is not None}
    write_file(file, (json.dumps(dict(sorted(kept.items())), indent=2) + "\n").encode())
