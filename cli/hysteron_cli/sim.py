# SPDX-License-Identifier: Apache-2.0
"""``hysteron sim``: a network and real data on the generated hardware, compared with golden."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hysteron_base.doors import check_doors
from hysteron_base.files import build_root
from hysteron_base.progress import stage
from hysteron_data.sets import NAMES
from hysteron_measure.judge import Judge
from hysteron_measure.simulation import FULL_TRACE, TRACES, figures_of, simulate_network
from hysteron_spec import compile_network, load

from .compile import choose_core, core_options
from .names import DATA, NETWORK
from .output import console, table, watching, write_json
from .samples import judge_option, samples_for, tell_core

if TYPE_CHECKING:
    from hysteron_report.run import Show


def _shown(ctx: click.Context, param: click.Parameter, text: str) -> "Show":
    """A sample's number, ``wrong``, or None for the most telling one."""
    if text in ("auto", "wrong"):
        return "wrong" if text == "wrong" else None
    if not text.isdecimal():
        raise click.BadParameter(f"must be the number of an image, wrong or auto, not {text!r}", ctx, param)
    return int(text)


@click.command(short_help="Run a network on the generated hardware, compared.")
@click.argument("network", type=NETWORK)
@click.option(
    "--data", type=DATA, required=True, help=f"One of {', '.join(NAMES)}, or an .npz file with 'inputs' and 'labels'."
)
@core_options
@judge_option
@click.option("--images", type=click.IntRange(min=1), help="Only the first so many samples.")
@click.option(
    "--trace",
    type=click.Choice(TRACES),
    default="auto",
    show_default=True,
    help=f"full: compare every spike, potential and cycle; answers: input, answers and counters only; "
    f"auto: full up to {FULL_TRACE} samples.",
)
@click.option(
    "--show",
    callback=_shown,
    default="auto",
    show_default=True,
    metavar="N|wrong|auto",
    help="Whose neurons and spikes the report shows: image N, the images that are answered wrongly, or the one that "
    "shows most.",
)
@click.option("--out", type=click.Path(path_type=Path), help="Folder for report.html and report.json  [build/sim]")
def sim(
    network: Path,
    data: str,
    preset: str | None,
    settings: tuple[str, ...],
    judge: Judge,
    images: int | None,
    trace: str,
    show: "Show",
    out: Path | None,
) -> None:
    """Run NETWORK on the generated hardware (Verilator) over a test set and compare it with the golden model.

    Exits with status 1 if anything differs, and names the first difference.

    Example: hysteron sim digits --data digits
    """
    folder = out or build_root() / "sim"
    check_doors(
        reads={"NETWORK": network, "--data": data},
        writes={"--out": [folder / "report.html", folder / "report.json"]},
    )
    net = load(network)
    config = choose_core(net, preset, settings)
    compile_network(net, config)
    tests = samples_for(net, data, judge).take(slice(images))
    tell_core(config)

    from hysteron_report.run import check_show, write_run

    check_show(tests, show)
    with watching() as tell:
        run = simulate_network(net, tests, config, trace=trace, judge=judge, tell=tell)
        # The page first: if it cannot be made, no new figures lie beside an old one.
        with stage(tell, "report"):
            write_run(folder / "report.html", run, show=show)
        write_json(folder / "report.json", run.summary)
    _print(run.summary, folder)
    if run.comparison.mismatches:
        console.error(f"mismatch: {run.comparison.mismatches[0]}")
        raise SystemExit(1)


def _print(summary: dict[str, Any], folder: Path) -> None:
    """Print the figures."""
    rows = table(f"{summary['network']} on {summary['data']}, core {summary['preset']}", "<figure", "value", "<unit")
    for row in figures_of(summary):
        rows.add_row(*row)
    console.print(rows)
    console.print(f"report: {folder / 'report.html'}, figures: {folder / 'report.json'}", soft_wrap=True)
    console.result(summary)
