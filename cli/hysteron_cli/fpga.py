"""``hysteron fpga``, ``netlist`` and ``flash``: bitstreams for boards."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.table import Table

from hysteron_base.errors import require
from hysteron_base.files import build_root
from hysteron_data.sets import load_data_set
from hysteron_golden import run, schedule
from hysteron_golden.schedule import activities, sent_inputs
from hysteron_spec import CoreConfig, compile_network, load

from .output import console, table, waiting, write_json

if TYPE_CHECKING:
    from hysteron_fpga.board import Board

#: Images, evenly from the whole set, of which the schedule model gives the mean.
IMAGES = 500
#: Networks that come with the project.
NETWORKS = Path(__file__).resolve().parents[2] / "networks"
#: What others report for MNIST on FPGAs (arXiv 2401.01141; SYNtzulu, an RISC-V and a spiking core; arXiv 2507.07284).
_OTHERS = (
    ("Spiker+, XC7Z020", "7,612 LC", "100", "780", "93.85 %"),
    ("SYNtzulu, iCE40UP5K", "3,473 LC", "24", "not told", "not told"),
    ("snn-fpga", "6,358 LUT", "100", "520", "not told"),
)
_LABELS = {
    "logic_cells": "logic cells",
    "luts": "look-up tables",
    "flip_flops": "flip-flops",
    "bram": "block RAMs",
    "lut_ram": "LUT RAMs",
    "spram": "single-port RAMs",
    "dsp": "multipliers",
}


def _board(name: str) -> "Board":
    from hysteron_fpga.board import board

    return board(name)


def _network(board: "Board", network: Path | None) -> Path:
    return network or NETWORKS / f"{board.network}.hyn"


network_option = click.option("--network", type=click.Path(path_type=Path), help="It must fit.  [the board's own]")
data_option = click.option("--data", help="Its images.  [the board's own]")


@click.command()
@click.argument("board")
@network_option
@data_option
@click.option("--seeds", type=click.IntRange(1, 20), default=1, show_default=True, help="Placements that are tried.")
@click.option("--check", is_flag=True, help="Compare with the baseline that comes with the project.")
@click.option("--update", is_flag=True, help="Make these figures the baseline.")
def fpga(board: str, network: Path | None, data: str | None, seeds: int, check: bool, update: bool) -> None:
    """Make the bitstream for BOARD and say what it uses and how fast it is.

    Exits with status 1 if no placement reaches the board's clock, or if --check finds a figure worse than the baseline.

    Example: hysteron fpga icebreaker
    """
    from hysteron_fpga import baseline
    from hysteron_fpga.build import build
    from hysteron_fpga.memories import logic, mapped
    from hysteron_fpga.report import read

    if (check and update) or ((check or update) and (network or data)):
        raise click.UsageError("--check and --update are for the board's own network and data, and one at a time")
    chosen = _board(board)
    path = _network(chosen, network)
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
        **logic(built.design),
        "available": best.available,
        "memories": {
            name: {"kind": each.kind, "primitives": each.primitives, "bits": each.bits}
            for name, each in mapped(built.design).items()
        },
        "network": path.stem,
        "data": data or chosen.data,
        "accuracy": _accuracy(path),
        "cycles_per_image": cycles,
        "us_per_image": cycles / target,
        "images_per_second": 1e6 * target / cycles,
        "baud": chosen.baud,
        "critical_path": [{"ns": ns, "kind": kind, "to": to} for ns, kind, to in best.path],
        "bitstream": str(built.bitstream),
    }
    write_json(build_root() / "fpga" / chosen.name / "report.json", report)
    _show(report, chosen.title)
    worse = baseline.compare(report) if check else []
    if best.fmax_mhz < target:
        worse.append(f"no placement reaches {target:g} MHz, the best {best.fmax_mhz:.2f}; see the critical path")
    for line in worse:
        click.echo(f"error: {line}", err=True)
    if worse:
        sys.exit(1)
    if update:
        baseline.update(report)


@click.command()
@click.argument("board")
@network_option
@data_option
@click.option("--images", type=click.IntRange(min=1), default=20, show_default=True, help="The first so many.")
def netlist(board: str, network: Path | None, data: str | None, images: int) -> None:
    """Simulate BOARD's synthesised netlist: stream images through its serial line, compare with golden.

    Exits with status 1 if a result differs. It needs what `hysteron fpga BOARD` left. Loading a network takes longest:
    for a quick look take a small one.

    Example: hysteron netlist icebreaker --images 20
    """
    from hysteron_fpga.netlist import build_netlist
    from hysteron_sim.machine import SimulatedMachine

    from .machine import stream

    chosen = _board(board)
    wanted = load(_network(chosen, network))
    compile_network(wanted, chosen.core)
    folder = build_root() / "fpga" / chosen.name
    with waiting(f"building the simulator of {chosen.title}'s netlist (the first time takes minutes)"):
        program = build_netlist(chosen, folder / "netlist.v")
    samples = load_data_set(data or chosen.data).inputs[:images]
    simulated = SimulatedMachine(chosen.core, chosen.machine, program=program)
    done = stream(simulated, wanted, samples, run(wanted, samples), patience=3600.0)
    cycles = done.line.last_out - done.line.first_in
    report = {
        "board": chosen.name,
        "network": wanted.name,
        "images": len(samples),
        "mismatches": len(done.mismatches),
        "first_mismatch": done.mismatches[0] if done.mismatches else None,
        "cycles_per_image": cycles / len(samples),
        "images_per_second": chosen.core.clock_hz * len(samples) / cycles,
    }
    write_json(folder / "netlist.json", report)
    rows = table(f"{wanted.name} through the netlist of {chosen.title}", "<figure", "value")
    rows.add_row("images", f"{len(samples):,}")
    rows.add_row("results that differ from golden", f"{len(done.mismatches):,}")
    rows.add_row("cycles an image, with the serial line", f"{report['cycles_per_image']:,.0f}")
    rows.add_row(f"images/s at {chosen.core.clock_hz / 1e6:g} MHz", f"{report['images_per_second']:,.1f}")
    console.print(rows)
    if done.mismatches:
        click.echo(f"mismatch: image {done.mismatches[0]} (and {len(done.mismatches) - 1} more)", err=True)
        sys.exit(1)


@click.command()
@click.argument("board")
@click.option("--keep", is_flag=True, help="Into the board's flash memory, where it stays without power.")
def flash(board: str, keep: bool) -> None:
    """Load BOARD's bitstream into a board on USB, with openFPGALoader.

    Example: hysteron flash ulx3s
    """
    chosen = _board(board)
    require(keep or chosen.volatile, f"{chosen.title} loads itself from its flash memory only; write that with --keep")
    bitstream = build_root() / "fpga" / chosen.name / chosen.family.bitstream
    require(bitstream.exists(), f"there is no bitstream {str(bitstream)!r}; run hysteron fpga {board} first")
    loader = shutil.which("openFPGALoader")
    require(loader is not None, "openFPGALoader is missing; on Debian run 'apt install openfpgaloader'")
    command = [str(loader), "--board", chosen.loader, *(["--write-flash"] if keep else []), str(bitstream)]
    done = subprocess.run(command)
    require(done.returncode == 0, f"openFPGALoader failed (status {done.returncode}); is {chosen.title} connected?")


def _cycles(network: Path, data: str, core: CoreConfig) -> float:
    """Cycles of an image in a stream, by the schedule model."""
    wanted = load(network)
    program = compile_network(wanted, core)
    inputs = load_data_set(data).inputs
    samples = inputs[:: max(1, len(inputs) // IMAGES)]
    result = run(wanted, samples, trace=True)
    counters = schedule(program, activities(result, sent_inputs(program, result, samples)), reads=False).counters
    return float(counters["CYCLES"] / len(samples))


def _accuracy(network: Path) -> float | None:
    """Of a shipped network on its test set, through the golden model."""
    record = network.with_suffix(".json")
    return json.loads(record.read_text()).get("accuracy_integer") if record.exists() else None


def _show(report: dict[str, Any], title: str) -> None:
    rows = table(title, "<figure", "value", "of")
    for name, label in _LABELS.items():
        if name in report:
            rows.add_row(
                label, f"{report[name]:,}", f"{report['available'][name]:,}" if name in report["available"] else ""
            )
    by_seed = ", ".join(f"{mhz:.1f}" for mhz in report["fmax_mhz_by_seed"].values())
    rows.add_row("Fmax by seed, MHz", by_seed, f"{report['target_mhz']:g} wanted")
    rows.add_row(f"cycles an image, {report['network']}", f"{report['cycles_per_image']:,.0f}", "")
    rows.add_row("µs an image", f"{report['us_per_image']:,.1f}", "")
    rows.add_row("images/s of the core", f"{report['images_per_second']:,.0f}", "")
    console.print(rows)
    places = table("Memories", "<memory", "<in", "primitives", "bits")
    for name, each in report["memories"].items():
        places.add_row(name, each["kind"], f"{each['primitives']:,}", f"{each['bits']:,}")
    console.print(places)
    path = table("Slowest path", "ns", "<through", "<to")
    total = 0.0
    for each in _merged(report["critical_path"]):
        total += each["ns"]
        path.add_row(f"{each['ns']:.2f}", each["kind"], each["to"])
    path.add_row(f"{total:.2f}", "in all", "")
    console.print(path)
    if report["data"].startswith("mnist"):
        console.print(_beside_others(report, title))
    console.print(f"bitstream: {report['bitstream']}", soft_wrap=True)


def _beside_others(report: dict[str, Any], title: str) -> Table:
    others = table("Beside others, which do MNIST", "<what", "cells", "MHz", "µs", "accuracy")
    accuracy = "" if report["accuracy"] is None else f"{100 * report['accuracy']:.2f} %"
    own = (f"{report['logic_cells']:,} LC", f"{report['target_mhz']:g}", f"{report['us_per_image']:,.1f}", accuracy)
    for row in ((f"{title}, {report['network']}", *own), *_OTHERS):
        others.add_row(*row)
    return others


def _merged(path: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Elements that lead to the same signal as one."""
    found: list[dict[str, Any]] = []
    for each in path:
        if found and found[-1]["to"] == each["to"]:
            found[-1]["ns"] += each["ns"]
            found[-1]["kind"] = "logic and routing" if found[-1]["kind"] != each["kind"] else each["kind"]
        else:
            found.append(dict(each))
    return found
