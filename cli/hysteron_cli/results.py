# SPDX-License-Identifier: Apache-2.0
"""``hysteron results``: measure the networks, keep the figures, and write the page about them."""

from pathlib import Path

import click

import hysteron_networks
from hysteron_base.doors import check_doors
from hysteron_base.files import write_file
from hysteron_measure import measurement
from hysteron_measure.book import data_name, networks_with_record
from hysteron_measure.judge import WINNER, Judge
from hysteron_measure.measurement import FEWEST, Measured
from hysteron_measure.record import record_of

from .names import NETWORK
from .output import console, table, watching
from .samples import judge_option

RESULTS = hysteron_networks.FOLDER / "results.json"
PAGE = Path("docs") / "networks.md"


def _samples(ctx: click.Context, param: click.Parameter, text: str) -> int | None:
    """A number of samples, or None for all."""
    if text == "all":
        return None
    if not text.isdecimal() or int(text) < FEWEST:
        raise click.BadParameter(f"must be a whole number of at least {FEWEST}, or all, not {text!r}", ctx, param)
    return int(text)


@click.command(short_help="Measure networks; write the page about them.")
@click.argument("networks", nargs=-1, type=NETWORK)
@click.option(
    "--rtl",
    callback=_samples,
    default=str(FEWEST),
    show_default=True,
    metavar="N|all",
    help=f"The first N samples go through the hardware, at least {FEWEST}; fewer if the test set has fewer.",
)
@click.option("--all-rtl", is_flag=True, help="The same as --rtl all.")
@judge_option
@click.option("--force", is_flag=True, help="Replace figures that come from more samples through the hardware.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="File of the figures, beside the networks.  [that of the shipped networks]",
)
@click.option(
    "--docs",
    type=click.Path(path_type=Path),
    help=f"Page; its pictures go to images/ there.  [{PAGE}; or beside --out]",
)
@click.option("--redraw", is_flag=True, help="Measure nothing; write page and pictures from the figures there are.")
@click.option("--check", is_flag=True, help="Measure and write nothing; status 1 if anything is out of date.")
def results(
    networks: tuple[Path, ...],
    rtl: int | None,
    all_rtl: bool,
    judge: Judge,
    force: bool,
    out: Path | None,
    docs: Path | None,
    redraw: bool,
    check: bool,
) -> None:
    """Measure NETWORKS on their test sets: golden on all samples, the generated hardware on the first ones.

    Without NETWORKS: every shipped network that has a training record (NAME.json) beside it. Updates the networks'
    entries in the file of figures, then the page and its pictures. Figures from more samples through the hardware stay
    unless the network or its core has changed, or --force is given. Exits with status 1 if hardware and golden differ
    anywhere, and names the first difference.

    Example: hysteron results digits --all-rtl
    """
    if (redraw or check) and networks:
        raise click.UsageError("--redraw and --check are about all networks; give none")
    if judge != WINNER and not networks:
        raise click.UsageError("--judge is about the networks that are named; name some")
    if redraw and check:
        raise click.UsageError("give --redraw or --check, not both")
    out, docs = out or RESULTS, docs or (PAGE if out is None else out.parent / PAGE.name)

    if not check:
        reads = {"NETWORKS": [*networks, *map(record_of, networks)]}
        if redraw:
            reads["--out"] = [out]
        check_doors(
            reads=reads,
            writes={"--docs": docs} if redraw else {"--out": out, "--docs": docs},
            folders={"--docs": docs.parent / "images"},
        )

    from hysteron_report.networks.documents import documents, outdated

    if check:
        if told := outdated(out, docs):
            console.error(f"error: {told}")
            raise SystemExit(1)
        console.print(f"{docs} and its pictures are what {out} gives", soft_wrap=True)
        console.result({})
        return
    done: list[Measured] = []
    if not redraw:
        chosen = list(networks) or _with_record(out.parent)
        with watching() as tell:
            done = measurement.measure_into(out, chosen, None if all_rtl else rtl, force=force, judge=judge, tell=tell)
        for each in done:
            if each.kept:
                console.print(f"{each.name}: {each.kept}; --force replaces them", soft_wrap=True)
        _show(done)
    made = documents(out, docs)
    check_doors(reads=reads | {"--out": [out]}, writes={"--docs": made})
    for path, content in made.items():
        write_file(path, content)
    console.print(f"figures: {out}, page: {docs}", soft_wrap=True)
    console.result({each.name: each.entry for each in done})
    different = [each for each in done if each.entry["mismatches"]]
    for each in different:
        console.error(f"mismatch: {each.name}: {each.entry['first_mismatch']}")
    if different:
        raise SystemExit(1)


def _with_record(folder: Path) -> list[Path]:
    """The networks in a folder that have a training record; the others are named."""
    found, bare = networks_with_record(folder)
    for path in bare:
        console.print(f"{path}: left out, it has no training record {record_of(path)}", soft_wrap=True)
    return found


def _show(done: list[Measured]) -> None:
    """Print the figures of this run."""
    from hysteron_report.words import counted

    scores = table(
        "Accuracy, or error of a regression",
        *("<network", "<data", "float", "integer", "RTL", "samples", "<RTL = golden"),
    )
    costs = table("A sample costs", *("<network", "cycles", "µs", "latency", "events", "SOPs", "utilisation"))
    for name, entry in ((each.name, each.entry) for each in done):
        error = entry["error_integer"] is not None
        figures = [entry[f"{'error' if error else 'accuracy'}_{what}"] for what in ("float", "integer", "rtl")]
        scores.add_row(
            name,
            data_name(entry),
            *("–" if value is None else f"{value:.4f}" if error else f"{100 * value:.2f} %" for value in figures),
            f"{entry['images_rtl']:,} of {entry['images_integer']:,}",
            counted(entry["mismatches"], "difference") if entry["mismatches"] else f"{entry['compared']} equal",
        )
        costs.add_row(
            name,
            f"{entry['cycles_per_image_median']:,.0f}",
            f"{entry['us_per_image']:,.2f}",
            f"{entry['latency_cycles_median']:,.0f}",
            f"{entry['events_per_image']:,.0f}",
            f"{entry['sops_per_image']:,.0f}",
            f"{100 * entry['utilisation']:.2f} %",
        )
    console.print(scores)
    console.print(costs)
