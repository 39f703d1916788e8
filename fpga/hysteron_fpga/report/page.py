# SPDX-License-Identifier: Apache-2.0
"""The page that a board's build ends with."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from hysteron_base.files import write_file
from hysteron_base.html import printable
from hysteron_measure.literature import FPGAS

from ..placement import merged
from .figures import RESOURCES, BuildReport

#: Share of a resource from which on its bar warns that hardly anything is left.
_FULL = 0.95
_NOT_MEASURED = "not measured"


@dataclass(frozen=True)
class Row:
    """An accelerator in the comparison with others: texts, and where they are from (empty: this build)."""

    name: str
    cells: str
    clock: str
    microseconds: str
    accuracy: str
    source: str = ""
    address: str = ""


def beside_others(report: BuildReport) -> list[Row]:
    """The rows of the comparison with others, this build first."""
    own = Row(
        f"{report.board.title}, {report.network}",
        f"{report.best.used['logic_cells']:,} LC",
        f"{report.target_mhz:g}",
        _NOT_MEASURED if report.us_per_image is None else f"{report.us_per_image:,.1f}",
        (_NOT_MEASURED if report.unmeasured else "") if report.accuracy is None else f"{100 * report.accuracy:.2f} %",
    )
    others = [
        Row(
            each.name,
            each.cells,
            f"{each.clock_mhz:g}",
            "not told" if each.microseconds is None else f"{each.microseconds:g}",
            "not told" if each.accuracy is None else f"{100 * each.accuracy:.2f} %",
            each.source,
            each.address,
        )
        for each in FPGAS
    ]
    return [own, *others]


def write_page(path: Path, report: BuildReport) -> None:
    """Write the page of a build as one HTML file that refers to nothing outside it but the sources it cites.

    Parameters
    ----------
    path
        Where to; the file appears at once, whole.
    report
        The figures.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        finalize=printable,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["breakable"] = _breakable
    text = environment.get_template("page.html.jinja").render(
        report=report,
        board=report.board,
        verdict=_verdict(report),
        tiles=_tiles(report),
        resources=_resources(report),
        full=_FULL,
        speeds=_speeds(report),
        path=_path(report),
        others=beside_others(report) if report.data.startswith("mnist") else [],
    )
    write_file(path, text.encode())


def _breakable(name: str) -> Markup:
    """A name of the design that a narrow page breaks after its dots."""
    return escape(name).replace(".", Markup(".<wbr>"))


def _verdict(report: BuildReport) -> dict[str, Any]:
    """Kind, headline and lines of the banner."""
    target, best = report.target_mhz, report.best.fmax_mhz
    if report.failures:
        head = f"No placement reaches {target:g} MHz" if best < target else "Worse than the baseline"
        return {"kind": "bad", "head": head, "lines": report.failures}
    lines = [f"{best:.1f} MHz after routing are {100 * (best / target - 1):.0f} % more than the clock needs."]
    if report.checked:
        lines.append("No figure is worse than the baseline allows.")
    return {"kind": "good", "head": f"The machine fits and reaches {target:g} MHz", "lines": lines}


def _tiles(report: BuildReport) -> list[dict[str, str]]:
    """Name, value, unit and note of the key figures."""

    def tile(name: str, value: str | None, unit: str, note: str) -> dict[str, str]:
        if value is None:
            return {"name": name, "value": "–", "unit": "", "note": _NOT_MEASURED}
        return {"name": name, "value": value, "unit": unit, "note": note}

    best, board = report.best, report.board
    cells, of = report.resources["logic_cells"]
    speed, us, accuracy = report.images_per_second, report.us_per_image, report.accuracy
    at = f"the core at {report.target_mhz:g} MHz"
    tiles = [
        tile("Fmax", f"{best.fmax_mhz:.1f}", "MHz", f"{report.target_mhz:g} MHz wanted"),
        tile("Logic cells", f"{cells:,}", "", f"of {of:,}, {_percent(cells, of)}" if of else ""),
        tile("Serial line", f"{board.baud / 1e6:g}", "Mbaud", "to the host"),
        tile("Throughput", None if speed is None else f"{speed:,.0f}", "images/s", at),
        tile("Time of an image", None if us is None else f"{us:,.1f}", "µs", at),
        tile("Accuracy", None if accuracy is None else f"{100 * accuracy:.2f}", "%", f"{report.network}, golden model"),
    ]
    if accuracy is None and not report.unmeasured:
        tiles[-1]["note"] = "no record beside the network"
    return tiles


def _percent(part: float, whole: float) -> str:
    return f"{100 * part / whole:.1f} %"


def _resources(report: BuildReport) -> list[dict[str, Any]]:
    """Label, text, and the bar's width in percent (None: no bar) of each resource."""
    found = []
    for name, (used, available) in report.resources.items():
        row = {"label": RESOURCES[name], "text": f"{used:,}", "share": "", "width": None, "full": False}
        if available:
            width = 100 * used / available
            row |= {"text": f"{used:,} of {available:,}", "share": _percent(used, available)}
            row |= {"width": f"{min(width, 100):.1f}", "full": used / available >= _FULL}
        found.append(row)
    return found


def _speeds(report: BuildReport) -> dict[str, Any]:
    """The placements' bars in percent of the widest, and where the wanted clock is."""
    speeds = {seed: each.fmax_mhz for seed, each in report.placements.items()}
    widest = 1.05 * max(report.target_mhz, *speeds.values())
    return {
        "wanted": f"{100 * report.target_mhz / widest:.1f}",
        "rows": [
            {
                "seed": seed,
                "text": f"{mhz:.1f} MHz",
                "width": f"{100 * mhz / widest:.1f}",
                "short": mhz < report.target_mhz,
                "best": mhz == report.best.fmax_mhz,
            }
            for seed, mhz in speeds.items()
        ],
    }


def _path(report: BuildReport) -> dict[str, Any]:
    """The slowest path: its delay, and each element with where its bar begins and how wide it is, in percent."""
    total, start, rows = report.best.path_ns, 0.0, []
    for each in merged(report.best.path):
        begin, width = (100 * ns / total if total else 0.0 for ns in (start, each.ns))
        rows.append({"element": each, "begin": f"{begin:.1f}", "width": f"{width:.1f}"})
        start += each.ns
    return {"ns": total, "rows": rows}
