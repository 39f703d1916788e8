# SPDX-License-Identifier: Apache-2.0
"""``hysteron run``: samples through a machine, on a board or simulated."""

from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from hysteron_base.doors import check_doors
from hysteron_base.files import build_root
from hysteron_data.sets import NAMES
from hysteron_host.campaign import DISTURBANCES, check_file, run_campaign
from hysteron_measure.judge import Judge
from hysteron_measure.score import Answers
from hysteron_spec import load
from hysteron_spec.answers import Answer

from .names import DATA, NETWORK
from .output import console, table, watching, write_json
from .samples import judge_option, samples_for


@click.command(short_help="Stream samples through a machine, or golden.")
@click.argument("network", type=NETWORK)
@click.option("--data", type=DATA, required=True, help=f"One of {', '.join(NAMES)}, or an .npz file with 'inputs'.")
@click.option(
    "--port",
    default="golden:",
    show_default=True,
    metavar="ADDRESS",
    help="serial:/dev/ttyUSB0, tcp:HOST:PORT, sim:PRESET (a simulated machine) or golden: (no machine).",
)
@judge_option
@click.option("--images", type=click.IntRange(min=1), help="Only the first so many samples.")
@click.option("--baud", type=click.IntRange(min=300), help="Speed of a serial port.  [3000000]")
@click.option(
    "--patience",
    type=click.FloatRange(min=0, min_open=True),
    help="Seconds without a reply after which a serial or tcp machine is asked again; a simulated one needs 5 or more.",
)
@click.option("--weight-errors", type=float, help="For golden: probability that a bit of a weight is wrong.")
@click.option("--jitter", type=float, help="For golden: by how many steps input spikes are moved (standard deviation).")
@click.option("--dropped", type=float, help="For golden: probability that an input spike is lost.")
@click.option("--seed", type=click.IntRange(min=0), help="Seed of golden's disturbances.  [0]")
@click.option("--resume", is_flag=True, help="Go on where an interrupted run of the same command stopped.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder for results.csv and report.json  [build/run]")
def run(
    network: Path,
    data: str,
    port: str,
    judge: Judge,
    images: int | None,
    baud: int | None,
    patience: float | None,
    weight_errors: float | None,
    jitter: float | None,
    dropped: float | None,
    seed: int | None,
    resume: bool,
    out: Path | None,
) -> None:
    """Load NETWORK into a machine, stream samples to it, and count how often it is right.

    Results are written every second, so a run whose cable was pulled, or that was killed, goes on with --resume.

    Example: hysteron run digits --data digits --port golden:
    """
    folder = out or build_root() / "run"
    check_doors(
        reads={"NETWORK": network, "--data": data},
        writes={"--out": [folder / name for name in ("results.csv", "settings.json", "report.json")]},
    )
    options = {
        "baud": baud,
        "patience": patience,
        "weight_errors": weight_errors,
        "jitter": jitter,
        "dropped": dropped,
        "seed": seed,
    }
    given = {name: value for name, value in options.items() if value is not None}
    _check_options(port, set(given))
    check_file(network)
    wanted = load(network)
    samples = samples_for(wanted, data, judge)

    def judged(answer: Answer) -> NDArray[np.int64]:
        return Answers.machine(wanted, [answer], judge).winners[0]

    with watching() as tell:
        report = run_campaign(
            network,
            samples.inputs,
            samples.labels,
            data=data,
            port=port,
            folder=folder,
            options=given,
            images=images,
            resume=resume,
            judge=str(judge),
            judged=judged,
            classes=judge.classes(wanted.n_out),
            tell=tell,
        ).as_dict()
    write_json(folder / "report.json", report)
    _show(report, folder)
    console.result(report)


def _check_options(port: str, given: set[str]) -> None:
    kind = port.partition(":")[0]
    fits = {
        "serial": {"baud", "patience"},
        "tcp": {"patience"},
        "golden": set(DISTURBANCES),
    }
    for name in sorted(given - fits.get(kind, set())):
        raise click.UsageError(f"--{name.replace('_', '-')} does not go with --port {port}")


def _show(report: dict[str, Any], folder: Path) -> None:
    rows = table(f"{report['network']} on {report['data']}, {report['port']}", "<figure", "value")
    rows.add_row("images", f"{report['images']:,}")
    if report["done_again"]:
        rows.add_row("damaged rows of results.csv, done again", f"{report['done_again']:,}")
    if report["accuracy"] is not None:
        by = "" if report["judge"] == "winner" else f", judged by {report['judge']}"
        rows.add_row(f"accuracy{by}", f"{100 * report['accuracy']:.2f} %")
    if report["images_per_second"] is not None:
        rows.add_row("images/s, as the clock on the wall says", f"{report['images_per_second']:,.1f}")
    link = report["stats"].get("link")
    if link is not None:
        rows.add_row("requests sent again", f"{link['sent_again']:,}")
        rows.add_row("replies damaged on the line", f"{link['damaged']:,}")
    console.print(rows)
    console.print(f"results: {folder / 'results.csv'}, report: {folder / 'report.json'}", soft_wrap=True)
