# SPDX-License-Identifier: Apache-2.0
"""The page that a flow to silicon ends with, and its figures as JSON."""

import base64
import json
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from hysteron_base.files import write_file
from hysteron_report.style import svg

from ..figures import Line, as_json
from ..flow.run import Flow
from . import pictures


def write_report(flow: Flow) -> Path:
    """Write a flow's ``summary.json``, ``floorplan.svg`` and ``report.html`` into its project's folder.

    Returns
    -------
    Path
        The page: one HTML file that refers to nothing outside it.
    """
    chip, folder = flow.chip, flow.project.folder
    summary = json.dumps(as_json(chip.name, flow.lines, flow.undone), indent=2) + "\n"
    drawn = pictures.floorplan(flow.project.plan, chip.name)
    page = folder / "report.html"
    write_file(folder / "summary.json", summary.encode())
    write_file(folder / "floorplan.svg", svg(drawn))
    write_file(page, _page(flow, page, drawn).encode())
    return page


def _page(flow: Flow, page: Path, floorplan: str) -> str:
    environment = Environment(
        loader=FileSystemLoader(str(files("hysteron_openlane.report"))), autoescape=True, undefined=StrictUndefined
    )
    layout = None
    if flow.picture is not None:
        layout = "data:image/png;base64," + base64.b64encode(flow.picture.read_bytes()).decode()
    return environment.get_template("page.html").render(
        chip=flow.chip.name,
        verdict=_verdict(flow),
        undone=flow.undone,
        stages=[(name.capitalize(), _rows(page, lines)) for name, lines in flow.stages],
        places=flow.project.plan.places,
        floorplan=floorplan,
        layout=layout,
        path=flow.slowest,
    )


def _verdict(flow: Flow) -> str:
    bad = [line.label for line in flow.lines if not line.ok]
    if bad:
        return f"Out of limits or absent: {', '.join(bad)}."
    if flow.undone:
        return "What was done is within its limits."
    return "Everything that was asked for was done, and every figure is within its limit."


def _rows(page: Path, lines: Sequence[Line]) -> list[dict[str, Any]]:
    return [
        {
            "label": line.label,
            "value": line.text,
            "unit": line.unit,
            "limit": line.limit,
            "ok": line.ok,
            # As seen from the page, where it is below it.
            "source": line.source.removeprefix(f"{page.parent}/"),
        }
        for line in lines
    ]
