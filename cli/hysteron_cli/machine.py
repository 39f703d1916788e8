# SPDX-License-Identifier: Apache-2.0
"""``hysteron machine`` and ``hysteron soc-sim``: the whole machine, simulated."""

import contextlib
from functools import partial
from pathlib import Path
from typing import Any

import click

from hysteron_base.doors import check_doors
from hysteron_base.errors import HysteronError, require
from hysteron_base.files import build_root
from hysteron_data.sets import NAMES, DataSet
from hysteron_data.sources import MissingDataError
from hysteron_measure.judge import Judge
from hysteron_measure.score import Answers, accuracy
from hysteron_spec import Network, compile_network, load
from hysteron_spec.answers import Answer
from hysteron_spec.machine import MachineConfig

from .compile import choose_core, core_options
from .names import DATA, NETWORK
from .output import console, table, watching, write_json
from .samples import judge_option, samples_for, tell_core

small_option = click.option(
    "--small", is_flag=True, help="A small machine, as for an iCEBreaker: the processor does what devices do otherwise."
)


@click.command("machine", short_help="Simulate a machine that programs can talk to.")
@partial(core_options, default="digits")
@small_option
@click.option("--tcp", metavar="HOST:PORT", help="Listen there; port 0 takes a free one.")
@click.option("--pty", is_flag=True, help="Make a pseudo-terminal, which pySerial opens like a port.")
def machine_(preset: str | None, settings: tuple[str, ...], small: bool, tcp: str | None, pty: bool) -> None:
    """Simulate a whole machine and let programs talk to it, until Ctrl-C.

    Example: hysteron machine --preset digits --tcp 127.0.0.1:5555
    """
    from hysteron_sim.machine import build_machine
    from hysteron_sim.serving import TcpServer, serve_pty

    if (tcp is None) == (not pty):
        raise click.UsageError("give --tcp HOST:PORT or --pty, and not both")
    config = choose_core(None, preset, settings)
    machine = MachineConfig(small=small)
    host, colon, port = (tcp or "").rpartition(":")
    there = bool(colon and host) and port.isdecimal() and int(port) < 1 << 16
    require(pty or there, f"--tcp takes HOST:PORT, not {tcp!r}")
    with watching() as tell:
        build_machine(config, machine, tell=tell)
    if pty:
        with serve_pty(config, machine) as (simulated, path):
            console.print(f"listening: --port serial:{path} --patience 5", soft_wrap=True)
            console.result({"port": f"serial:{path}"})
            with contextlib.suppress(KeyboardInterrupt):
                simulated.wait()
    else:
        with TcpServer(config, (host, int(port)), machine) as server:
            if server.exposed:
                click.echo(
                    f"warning: whoever reaches {tcp} can use this machine, without a password; listen at 127.0.0.1 and "
                    f"let users come by 'ssh -L {server.port}:127.0.0.1:{server.port} HOST'",
                    err=True,
                )
            console.print(f"listening: --port tcp:{host}:{server.port}", soft_wrap=True)
            console.result({"port": f"tcp:{host}:{server.port}"})
            with contextlib.suppress(KeyboardInterrupt):
                server.run()


@click.command("soc-sim", short_help="Stream samples through a whole simulated machine.")
@click.argument("network", type=NETWORK)
@click.option("--data", type=DATA, required=True, help=f"One of {', '.join(NAMES)}, or an .npz file with 'inputs'.")
@core_options
@judge_option
@small_option
@click.option("--images", type=click.IntRange(min=1), default=1000, show_default=True, help="The first so many.")
@click.option("--out", type=click.Path(path_type=Path), help="Report  [build/soc-sim/report.json]")
def soc_sim(
    network: Path,
    data: str,
    preset: str | None,
    settings: tuple[str, ...],
    judge: Judge,
    small: bool,
    images: int,
    out: Path | None,
) -> None:
    """Stream samples host → serial line → firmware → core → host through a simulated machine.

    Every result is compared with golden; exits with status 1 if any differs.

    Example: hysteron soc-sim digits --data digits --images 50
    """
    from hysteron_sim.system import stream_images

    path = out or build_root() / "soc-sim" / "report.json"
    check_doors(reads={"NETWORK": network, "--data": data}, writes={"--out": path})
    wanted = load(network)
    config = choose_core(wanted, preset, settings)
    compile_network(wanted, config)
    samples = _samples(wanted, data, judge).take(slice(images))
    tell_core(config)
    with watching() as tell:
        found = stream_images(wanted, samples.inputs, config, data=data, small=small, tell=tell)
    report = found.as_dict() | _judged(wanted, samples, judge, found.answers)
    write_json(path, report)
    _show(report)
    console.print(f"report: {path}", soft_wrap=True)
    console.result(report)
    if report["mismatches"]:
        first, more = report["first_mismatch"], report["mismatches"] - 1
        console.error(f"mismatch: sample {first} (and {more} more) differs from golden")
        raise SystemExit(1)


def _judged(network: Network, samples: DataSet, judge: Judge, answers: list[Answer]) -> dict[str, Any]:
    """How good the machine's answers are, for the report; None without labels that they can be judged by."""
    share = None
    if samples.labels is not None and (samples.labels >= 0).any():
        share = accuracy(samples.labels, Answers.machine(network, answers, judge).winners)
    return {"judge": str(judge), "accuracy": share}


def _samples(network: Network, data: str, judge: Judge) -> DataSet:
    """A data set for the network; who lacks its files is told what needs none."""
    try:
        return samples_for(network, data, judge)
    except MissingDataError as error:
        raise HysteronError(f"{error}; without a download works 'hysteron soc-sim digits --data digits'") from None


def _show(report: dict[str, Any]) -> None:
    rows = table(
        f"{report['network']} on {report['data']}, machine with core {report['core']['name']}", "<figure", "value"
    )
    rows.add_row("images", f"{report['images']:,}")
    rows.add_row("results that differ from golden", f"{report['mismatches']:,}")
    if report["accuracy"] is not None:
        by = "" if report["judge"] == "winner" else f", judged by {report['judge']}"
        rows.add_row(f"accuracy{by}", f"{100 * report['accuracy']:.2f} %")
    rows.add_row("payload's share of the line while streaming", f"{100 * report['line_utilisation']:.2f} %")
    rows.add_row("cycles an image", f"{report['cycles_per_image']:,.0f}")
    for part, name in (("line", "line"), ("processor", "cpu"), ("core", "core")):
        cycles = report[f"{name}_cycles_per_image"]
        rows.add_row(f"… of the {part}", "not counted" if cycles is None else f"{cycles:,.0f}")
    if report["bound_by"] is not None:
        rows.add_row("bound by", report["bound_by"])
    rows.add_row(
        f"images/s at {report['clock_hz'] / 1e6:g} MHz, {report['baud'] / 1e6:g} Mbaud",
        f"{report['images_per_second']:,.1f}",
    )
    if report["images_per_second_3mbaud"] is not None:
        rows.add_row("images/s at 3 Mbaud", f"{report['images_per_second_3mbaud']:,.1f}")
    console.print(rows)
