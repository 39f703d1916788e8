"""``hysteron results``: measure the networks, keep the figures, and write the page about them."""

from pathlib import Path

import click

from hysteron_base.errors import require
from hysteron_base.files import write_file

from .measure.book import data_name, put, read_results
from .measure.measurement import FEWEST, Entry, fingerprint, measure
from .measure.record import Record, load_record, record_of
from .output import console, table

RESULTS = Path("networks") / "results.json"
PAGE = Path("docs") / "networks.md"


def _samples(ctx: click.Context, param: click.Parameter, text: str) -> int | None:
    """A number of samples, or None for all."""
    if text == "all":
        return None
    if not text.isdecimal() or int(text) < FEWEST:
        raise click.BadParameter(f"must be a whole number of at least {FEWEST}, or all, not {text!r}", ctx, param)
    return int(text)


@click.command()
@click.argument("networks", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--rtl",
    callback=_samples,
    default=str(FEWEST),
    show_default=True,
    metavar="N|all",
    help=f"The first N samples go through the hardware, at least {FEWEST}; fewer if the test set has fewer.",
)
@click.option("--all-rtl", is_flag=True, help="The same as --rtl all.")
@click.option("--force", is_flag=True, help="Replace figures that come from more samples through the hardware.")
@click.option("--out", type=click.Path(path_type=Path), help=f"File of the figures, beside the networks.  [{RESULTS}]")
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
    force: bool,
    out: Path | None,
    docs: Path | None,
    redraw: bool,
    check: bool,
) -> None:
    """Measure NETWORKS on their test sets: golden on all samples, the generated hardware on the first ones.

    Without NETWORKS: every network in networks/ that has a training record (NAME.json) beside it. Updates the networks'
    entries in the file of figures, then the page and its pictures. Figures from more samples through the hardware stay
    unless the network or its core has changed, or --force is given. Exits with status 1 if hardware and golden differ
    anywhere, and names the first difference.

    Example: hysteron results networks/digits.hyn --all-rtl
    """
    if (redraw or check) and networks:
        raise click.UsageError("--redraw and --check are about all networks; give none")
    if redraw and check:
        raise click.UsageError("give --redraw or --check, not both")
    out, docs = out or RESULTS, docs or (PAGE if out is None else out.with_name(PAGE.name))
    if check:
        check_documents(out, docs)
        return
    different = []
    if not redraw:
        chosen = networks or _with_record(out.parent)
        for path in chosen:
            require(path.exists(), f"network file {str(path)!r} does not exist; check the path")
            require(
                path.resolve().parent == out.resolve().parent,
                f"network {str(path)!r} must lie beside its file of figures {str(out)!r}; give another --out",
            )
            load_record(path)
        rows: dict[str, Entry] = {}
        for path in chosen:
            name = path.stem
            entry = rows[name] = measure(path, None if all_rtl else rtl)
            kept = put(out, name, entry, force=force)
            if kept:
                console.print(f"{name}: {kept}; --force replaces them", soft_wrap=True)
            if entry["mismatches"]:
                different.append(f"{name}: {entry['first_mismatch']}")
        _show(rows)
    for path, content in _documents(out, docs).items():
        write_file(path, content)
    console.print(f"figures: {out}, page: {docs}", soft_wrap=True)
    if different:
        for line in different:
            click.echo(f"mismatch: {line}", err=True)
        raise SystemExit(1)


def _with_record(folder: Path) -> list[Path]:
    """Networks in ``folder`` that have a training record."""
    paths = sorted(folder.glob("*.hyn"))
    found = [path for path in paths if record_of(path).exists()]
    for path in paths:
        if path not in found:
            console.print(f"{path}: left out, it has no training record {record_of(path)}", soft_wrap=True)
    require(bool(found), f"there is no network with a training record in {str(folder)!r}; train one or name a network")
    return found


def _documents(out: Path, docs: Path) -> dict[Path, bytes]:
    """The page and its pictures."""
    from .measure.page import page
    from .measure.pictures import draw

    entries = read_results(out)
    require(bool(entries), f"file of figures {str(out)!r} holds none; measure a network first")
    records: dict[str, Record] = {}
    for name in entries:
        records[name] = load_record(out.with_name(f"{name}.hyn"))
    pictures = draw(entries)
    text = page(entries, records, pictures, out.parent, docs.parent)
    return {docs: text.encode()} | {docs.parent / "images" / file: content for file, content in pictures.items()}


def check_documents(out: Path, docs: Path) -> None:
    """Refuse figures of networks that have changed since, and a page or picture that is not what the figures give."""
    entries = read_results(out)
    for path in _with_record(out.parent):
        again = f"run 'hysteron results {path}'"
        entry, record = entries.get(path.stem), load_record(path)
        if entry is None:
            raise SystemExit(f"error: {out} has no figures of {path.stem}; {again}")
        measured = {key: entry[key] for key in ("dataset", "preset", "settings")}
        twin = "accuracy_float" if entry["error_integer"] is None else "error_float"
        if (
            entry["network_sha256"] != fingerprint(path)
            or measured != {key: getattr(record, key) for key in measured}
            or entry[twin] != getattr(record, twin)
        ):
            raise SystemExit(f"error: {path} or its record has changed since it was measured; {again}")
    for path, content in _documents(out, docs).items():
        if not path.exists() or path.read_bytes() != content:
            raise SystemExit(f"error: {path} is not what {out} gives; run 'hysteron results --redraw'")
    console.print(f"{docs} and its pictures are what {out} gives", soft_wrap=True)


def _show(rows: dict[str, Entry]) -> None:
    """Print the figures of this run."""
    from .report.retrace import counted

    scores = table(
        "Accuracy, or error of a regression",
        *("<network", "<data", "float", "integer", "RTL", "samples", "<RTL = golden"),
    )
    costs = table("A sample costs", *("<network", "cycles", "µs", "latency", "events", "SOPs", "utilisation"))
    for name, entry in rows.items():
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
