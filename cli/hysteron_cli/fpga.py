"""``hysteron fpga`` and ``hysteron flash``: bitstreams for boards."""

from pathlib import Path
from typing import Any

import click

from hysteron_data.sets import load_data_set
from hysteron_golden import CoreConfig, compile_network, load, run, schedule
from hysteron_golden.files import build_root
from hysteron_golden.schedule import activities
from hysteron_wire.errors import require

from .output import console, table, write_json

#: Images of which the schedule model gives the mean.
IMAGES = 50
#: Networks that come with the project.
NETWORKS = Path(__file__).resolve().parents[2] / "networks"
#: What others report for MNIST on FPGAs.
_OTHERS = (
    ("Spiker+, XC7Z020", "7,612 LC", "100", "780", "93.85 %"),
    ("SYNtzulu, iCE40UP5K", "3,473 LC", "24", "", ""),
    ("snn-fpga", "6,358 LUT", "", "520", ""),
)


@click.command()
@click.argument("board")
@click.option("--network", type=click.Path(path_type=Path), help="Whose speed is told; must fit.  [the board's own]")
@click.option("--data", help="Images that its speed is told for.  [the board's own]")
@click.option("--seeds", type=click.IntRange(1, 20), default=3, show_default=True, help="Placements that are tried.")
def fpga(board: str, network: Path | None, data: str | None, seeds: int) -> None:
    """Make the bitstream for BOARD and say what it uses and how fast it is.

    Example: hysteron fpga ulx3s
    """
    from hysteron_fpga.board import board as find_board
    from hysteron_fpga.build import build
    from hysteron_fpga.report import read

    chosen = find_board(board)
    path = network or NETWORKS / f"{chosen.network}.hyn"
    cycles = _cycles(path, data or chosen.data, chosen.core)
    built = build(chosen, seeds=range(1, seeds + 1), tell=lambda text: click.echo(f"{chosen.title}: {text}", err=True))
    placed = {seed: read(report) for seed, report in built.reports.items()}
    best = max(placed.values(), key=lambda each: each.fmax_mhz)
    target = chosen.core.clock_hz / 1e6
    report: dict[str, Any] = {
        "board": chosen.name,
        "fmax_mhz": best.fmax_mhz,
        "target_mhz": target,
        "fmax_mhz_by_seed": {str(seed): each.fmax_mhz for seed, each in placed.items()},
        **best.used,
        "available": best.available,
        "network": path.stem,
        "cycles_per_image": cycles,
        "us_per_image": cycles / target,
        "images_per_second": 1e6 * target / cycles,
        "baud": chosen.baud,
        "critical_path": [{"ns": ns, "kind": kind, "to": to} for ns, kind, to in best.path],
        "bitstream": str(built.bitstream),
    }
    write_json(build_root() / "fpga" / chosen.name / "report.json", report)
    _show(report, chosen.title)
    slow = [seed for seed, each in placed.items() if each.fmax_mhz < target]
    require(
        len(slow) < len(placed),
        f"no placement reaches {target:g} MHz, the best {best.fmax_mhz:.1f}; see the critical path",
    )


def _cycles(network: Path, data: str, core: CoreConfig) -> float:
    """Cycles of an image in a stream, by the schedule model."""
    wanted = load(network)
    program = compile_network(wanted, core)
    samples = load_data_set(data).inputs[:IMAGES]
    if wanted.encoder is not None:
        samples = samples.reshape(len(samples), -1)
    result = run(wanted, samples, trace=True)
    sent = result.inputs if program.network.encoder is None else samples
    counters = schedule(program, activities(result, sent)).counters
    return float(counters["CYCLES"] / len(samples))


def _show(report: dict[str, Any], title: str) -> None:
    rows = table(title, "<figure", "value", "of")
    for name, label in (
        ("logic_cells", "logic cells"),
        ("flip_flops", "flip-flops"),
        ("bram", "block RAMs"),
        ("lut_ram", "LUT RAMs"),
        ("spram", "single-port RAMs"),
        ("dsp", "multipliers"),
    ):
        if name in report:
            rows.add_row(label, f"{report[name]:,}", f"{report['available'][name]:,}")
    rows.add_row("Fmax, MHz", f"{report['fmax_mhz']:.1f}", f"{report['target_mhz']:g} aimed at")
    rows.add_row(f"cycles an image, {report['network']}", f"{report['cycles_per_image']:,.0f}", "")
    rows.add_row("µs an image", f"{report['us_per_image']:.1f}", "")
    rows.add_row("images/s of the core", f"{report['images_per_second']:,.0f}", "")
    console.print(rows)
    others = table("Others, MNIST", "<what", "cells", "MHz", "µs", "accuracy")
    for row in _OTHERS:
        others.add_row(*row)
    console.print(others)
    console.print(f"bitstream: {report['bitstream']}", soft_wrap=True)
