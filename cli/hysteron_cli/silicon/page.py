"""The page that a flow to silicon ends with."""

import base64
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from rich.table import Table

from hysteron_base.files import write_file
from hysteron_openlane.floorplan import Floorplan
from hysteron_openlane.summary import Line

from ..output import table
from . import pictures


def value_text(line: Line) -> str:
    """A figure for people."""
    if line.value is None:
        return "absent"
    return (
        f"{line.value:,}"
        if isinstance(line.value, int)
        else f"{line.value:,.4g}"
        if abs(line.value) < 1e4
        else f"{line.value:,.0f}"
    )


def lines_table(title: str, lines: Iterable[Line]) -> Table:
    """Figures with their limits."""
    rows = table(title, "<figure", "value", "<unit", "limit")
    for line in lines:
        rows.add_row(line.label, value_text(line), line.unit, line.limit if line.ok else f"{line.limit}  ✗")
    return rows


def told(line: Line) -> str:
    """What is wrong with a figure that is not as it must be."""
    if line.value is None:
        return f"{line.label} is absent from {line.source}"
    return f"{line.label} is {line.value:g}, must be {line.limit}"


def _beside(page: Path, source: str) -> str:
    """A path as seen from the page, where it is below it."""
    return source.removeprefix(f"{page.parent}/")


def write_page(
    path: Path,
    *,
    preset: str,
    stages: Sequence[tuple[str, Sequence[Line]]],
    undone: Mapping[str, str],
    plan: Floorplan,
    layout: Path | None,
    slowest: Sequence[tuple[float, str, str]],
) -> None:
    """Write one HTML file that refers to nothing outside it.

    Parameters
    ----------
    path
        Where to.
    preset
        Name of the chip.
    stages
        Titles and figures.
    undone
        Stages that were not done, and why.
    plan
        Of the die.
    layout
        PNG of it, if there is one.
    slowest
        The slowest path at the typical corner: each pin's delay in ns, the pin and its cell.
    """
    lines = [line for _, rows in stages for line in rows]
    bad = [line.label for line in lines if not line.ok]
    verdict = "Everything that was asked for was done, and every figure is within its limit."
    if bad:
        verdict = f"Out of limits or absent: {', '.join(bad)}."
    elif undone:
        verdict = "What was done is within its limits."
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined
    )
    text = environment.get_template("page.html").render(
        preset=preset,
        verdict=verdict,
        undone=undone,
        stages=[
            (
                title.capitalize(),
                [
                    {
                        "label": line.label,
                        "value": value_text(line),
                        "unit": line.unit,
                        "limit": line.limit,
                        "ok": line.ok,
                        "source": _beside(path, line.source),
                    }
                    for line in rows
                ],
            )
            for title, rows in stages
        ],
        places=plan.places,
        floorplan=pictures.floorplan(plan, preset),
        layout=None if layout is None else "data:image/png;base64," + base64.b64encode(layout.read_bytes()).decode(),
        path=slowest,
    )
    write_file(path, text.encode())
