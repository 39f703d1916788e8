# SPDX-License-Identifier: Apache-2.0
"""``hysteron fpga``, ``netlist`` and ``flash``: bitstreams for boards."""

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.table import Table

from hysteron_data.sources import MissingDataError
from hysteron_spec import load

from .names import BOARD, DATA, NETWORK
from .output import console, table, watching
from .samples import samples_for, tell_core

if TYPE_CHECKING:
    from hysteron_fpga.board import Board
    from hysteron_fpga.report.figures import BuildReport

board_argument = click.argument("board", type=BOARD)
network_option = click.option("--network", type=NETWORK, help="It must fit.  [the board's own]")
data_option = click.option("--data", type=DATA, help="Its images.  [the board's own]")


@click.command(short_help="Make a board's bitstream; say what it uses.")
@board_argument
@network_option
@data_option
@click.option("--seeds", type=click.IntRange(1, 20), default=1, show_default=True, help="Placements that are tried.")
@click.option("--check", is_flag=True, help="Compare with the baseline that comes with the project.")
@click.option("--update", is_flag=True, help="Make these figures the baseline.")
def fpga(board: str, network: Path | None, data: str | None, seeds: int, check: bool, update: bool) -> None:
    """Make the bitstream for BOARD, say what it uses and how fast it is, and write a page about that.

    Exits with status 1 if no placement reaches the board's clock, or if --check finds a figure worse than the baseline
    or one that was not measured.

    Example: hysteron fpga icebreaker
    """
    from hysteron_fpga.board import board as find
    from hysteron_fpga.place import keep, place

    if (check and update) or ((check or update) and (network or data)):
        raise click.UsageError("--check and --update are for the board's own network and data, and one at a time")
    chosen = find(board)
    _tell(chosen, network, data)
    with watching() as tell:
        report = place(chosen, network=network, data=data, seeds=range(1, seeds + 1), check=check, tell=tell)
    _show(report)
    console.result(report.as_dict())
    for line in report.failures:
        console.error(f"error: {line}")
    if report.failures:
        raise SystemExit(1)
    if update:
        keep(report)


@click.command(short_help="Simulate a board's synthesised netlist.")
@board_argument
@network_option
@data_option
@click.option("--images", type=click.IntRange(min=1), default=20, show_default=True, help="The first so many.")
def netlist(board: str, network: Path | None, data: str | None, images: int) -> None:
    """Simulate BOARD's synthesised netlist: stream images through its serial line, compare with golden.

    Exits with status 1 if a result differs. It needs what `hysteron fpga BOARD` left. Loading a network takes longest:
    for a quick look take a small one.

    Example: hysteron netlist icebreaker --images 20
    """
    from hysteron_fpga.board import board as find
    from hysteron_fpga.simulate import simulate_netlist

    chosen = find(board)
    _tell(chosen, network, data)
    _tell(chosen, network, data)
    with watching() as tell:
        report = simulate_netlist(chosen, network=network, data=data, images=images, tell=tell)
    tell_core(chosen.core)
    rows = table(f"{report.network} through the netlist of {chosen.title}", "<figure", "value")
    rows.add_row("images", f"{report.images:,}")
    rows.add_row("results that differ from golden", f"{len(report.mismatches):,}")
    rows.add_row("cycles an image, with the serial line", f"{report.cycles_per_image:,.0f}")
    rows.add_row(f"images/s at {chosen.core.clock_hz / 1e6:g} MHz", f"{report.images_per_second:,.1f}")
    console.print(rows)
    console.result(report.as_dict())
    if report.mismatches:
        console.error(f"mismatch: image {report.mismatches[0]} (and {len(report.mismatches) - 1} more)")
        raise SystemExit(1)


@click.command(short_help="Load a bitstream into a board.")
@board_argument
@click.option("--keep", is_flag=True, help="Into the board's flash memory, where it stays without power.")
def flash(board: str, keep: bool) -> None:
    """Load BOARD's bitstream into a board on USB, with openFPGALoader.

    Example: hysteron flash ulx3s
    """
    from hysteron_fpga import flash as loader
    from hysteron_fpga.board import board as find

    chosen = find(board)
    bitstream = loader.flash(chosen, keep=keep)
    console.result({"board": chosen.name, "bitstream": str(bitstream)})


def _tell(board: "Board", network: Path | None, data: str | None) -> None:
    """Print what data that were given are taken for."""
    from hysteron_fpga.network import shipped

    # Without the files of a named set a bitstream can be made all the same; the report says what was not measured.
    if data is not None:
        with contextlib.suppress(MissingDataError):
            samples_for(load(network or shipped(board.network)), data)


def _show(report: "BuildReport") -> None:
    from hysteron_fpga.build import folder_of
    from hysteron_fpga.placement import merged
    from hysteron_fpga.report.figures import RESOURCES

    tell_core(report.board.core)
    rows = table(report.board.title, "<figure", "value", "of")
    for name, (used, available) in report.resources.items():
        rows.add_row(RESOURCES[name], f"{used:,}", "" if available is None else f"{available:,}")
    by_seed = ", ".join(f"{each.fmax_mhz:.1f}" for each in report.placements.values())
    rows.add_row("Fmax by seed, MHz", by_seed, f"{report.target_mhz:g} wanted")
    rows.add_row(f"cycles an image, {report.network}", _figure(report.cycles_per_image, 0), "")
    rows.add_row("µs an image", _figure(report.us_per_image, 1), "")
    rows.add_row("images/s of the core", _figure(report.images_per_second, 0), "")
    console.print(rows)
    if report.unmeasured:
        console.print(f"not measured: {report.unmeasured}", soft_wrap=True)
    places = table("Memories", "<memory", "<in", "primitives", "bits")
    for name, each in report.memories.items():
        places.add_row(name, each.kind, f"{each.primitives:,}", f"{each.bits:,}")
    console.print(places)
    path = table("Slowest path", "ns", "<through", "<to")
    for element in merged(report.best.path):
        path.add_row(f"{element.ns:.2f}", element.kind, element.to)
    path.add_row(f"{report.best.path_ns:.2f}", "in all", "")
    console.print(path)
    if report.data.startswith("mnist"):
        console.print(_beside_others(report))
    console.print(f"bitstream: {report.bitstream}", soft_wrap=True)
    console.print(f"page: {folder_of(report.board) / 'report.html'}", soft_wrap=True)


def _figure(value: float | None, digits: int) -> str:
    return "not measured" if value is None else f"{value:,.{digits}f}"


def _beside_others(report: "BuildReport") -> Table:
    from hysteron_fpga.report.page import beside_others

    others = table("Beside others, which do MNIST", "<what", "cells", "MHz", "µs", "accuracy")
    for row in beside_others(report):
        others.add_row(row.name, row.cells, row.clock, row.microseconds, row.accuracy)
    return others
