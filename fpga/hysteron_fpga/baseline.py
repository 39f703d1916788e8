"""Figures of the boards' builds that must not get worse unnoticed."""

import json
from pathlib import Path
from typing import Any

from hysteron_golden.files import write_file

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
    kept = json.loads(FILE.read_text()).get(report["board"])
    if kept is None:
        return [f"there is no baseline for {report['board']}; make it with --update"]
    found = []
    for name, before in kept.items():
        now, share = report.get(name), TOLERANCES[name]
        limit = before * (1 + share)
        if now is None:
            found.append(f"{name} was {before:,.6g}, and now there is none")
        elif (now > limit) if share >= 0 else (now < limit):
            found.append(f"{name} is {now:,.6g}, was {before:,.6g}, may be {limit:,.6g}")
    return found


def update(report: dict[str, Any]) -> None:
    """Make the report's figures the baseline of its board."""
    boards = json.loads(FILE.read_text()) if FILE.exists() else {}
    boards[report["board"]] = {name: round(report[name], 3) for name in TOLERANCES if name in report}
    write_file(FILE, (json.dumps(dict(sorted(boards.items())), indent=2) + "\n").encode())
