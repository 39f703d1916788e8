# SPDX-License-Identifier: Apache-2.0
"""Place a board's machine, measure it, compare it with its baseline, and leave the report."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hysteron_base.errors import HysteronError, require
from hysteron_base.extras import need
from hysteron_base.files import write_file
from hysteron_base.progress import Tell, quiet
from hysteron_data.sources import MissingDataError

from . import baseline
from .board import Board
from .build import build, folder_of
from .memories import logic, mapped
from .network import cycles_per_image, recorded_accuracy, shipped
from .report.figures import BuildReport
from .tools import told_version


def place(
    board: Board,
    *,
    network: Path | None = None,
    data: str | None = None,
    seeds: Sequence[int] = (1,),
    check: bool = False,
    tell: Tell = quiet,
) -> BuildReport:
    """Make the bitstream of a board and measure what it uses and how fast it is.

    The bitstream, ``report.json`` and the page ``report.html`` are in :func:`~hysteron_fpga.build.folder_of` the board
    then, whatever the report's failures are.

    Parameters
    ----------
    board
        The board.
    network
        File of the network whose speed is stated; None takes the board's own.
    data
        Its data set by name, or an ``.npz`` file; None takes the board's own. If a named set is not on this machine,
        speed and accuracy are not measured, and the report says why.
    seeds
        A seed for each placement that is tried; the fastest makes the bitstream.
    check
        Compare with the baseline of the board; what is worse, or missing, is a failure.
    tell
        Takes the stages of the work.

    Raises
    ------
    HysteronError
        If the network does not fit the board, or a tool is missing.
    ToolError
        If a tool fails, puts a memory where it does not belong, or does not report what was asked for.
    """
    # The page comes after minutes of work; what it needs is asked for before.
    need("jinja2")
    from .report.page import write_page

    path, source = network or shipped(board.network), data or board.data
    cycles, accuracy, unmeasured = None, None, ""
    try:
        cycles = cycles_per_image(path, source, board.core)
        accuracy = recorded_accuracy(path, source)
    except MissingDataError as error:
        unmeasured = str(error)
    built = build(board, seeds=seeds, tell=tell)
    report = BuildReport(
        board=board,
        placements=built.placements,
        logic=logic(built.design, board.family),
        memories=mapped(built.design, board.family),
        network=path.stem,
        data=source,
        accuracy=accuracy,
        cycles_per_image=cycles,
        unmeasured=unmeasured,
        bitstream=built.bitstream,
        tools={tool: told_version(tool, board.family) for tool in board.family.tools},
        checked=check,
    )
    report = replace(report, failures=_failures(report))
    folder = folder_of(board)
    write_file(folder / "report.json", (json.dumps(report.as_dict(), indent=2) + "\n").encode())
    write_page(folder / "report.html", report)
    return report


def _failures(report: BuildReport) -> tuple[str, ...]:
    failures = baseline.compare(report.as_dict()) if report.checked else []
    if report.checked and report.unmeasured:
        failures.append(f"speed and accuracy were not measured, so they cannot be compared: {report.unmeasured}")
    best, target = report.best.fmax_mhz, report.target_mhz
    if best < target:
        failures.append(f"no placement reaches {target:g} MHz, the best {best:.2f}; see the critical path")
    return tuple(failures)


def keep(report: BuildReport) -> None:
    """Make the report's figures the baseline of its board.

    Raises
    ------
    HysteronError
        If a figure was not measured, or no placement reaches the board's clock.
    """
    if report.unmeasured:
        raise HysteronError(f"a baseline needs the speed, which was not measured: {report.unmeasured}")
    require(not report.failures, "; ".join(report.failures))
    baseline.update(report.as_dict())
