"""``hysteron run``: samples through a machine, on a board or simulated."""

import csv
import hashlib
import io
import json
import time
from pathlib import Path
from typing import Any

import click
import numpy as np

from hysteron_base.errors import HysteronError, require
from hysteron_base.files import build_root, write_file
from hysteron_data.sets import NAMES, DataSet, load_data_set
from hysteron_host.accelerator import Accelerator, Result
from hysteron_spec import load

from .output import console, live, table, waiting, write_json

#: Options that change results.
_DISTURBANCES = ("weight_errors", "jitter", "dropped", "seed")
#: Seconds after which results are written once more.
_KEEP_EVERY = 1.0


@click.command()
@click.argument("network", type=click.Path(path_type=Path))
@click.option("--data", required=True, help=f"One of {', '.join(NAMES)}, or an .npz file with 'inputs'.")
@click.option(
    "--port",
    default="golden:",
    show_default=True,
    metavar="ADDRESS",
    help="serial:/dev/ttyUSB0, tcp:HOST:PORT, sim:PRESET (a simulated machine) or golden: (no machine).",
)
@click.option("--images", type=click.IntRange(min=1), help="Only the first so many samples.")
@click.option("--baud", type=click.IntRange(min=300), help="Speed of a serial port.  [3000000]")
@click.option(
    "--patience",
    type=click.FloatRange(min=0, min_open=True),
    help="Seconds without a reply after which a serial or tcp machine is asked again; a simulated one needs 5 or more.",
)
@click.option("--weight-errors", type=float, help="Of golden: probability that a bit of a weight is wrong.")
@click.option("--jitter", type=float, help="Of golden: by how many steps input spikes are moved (standard deviation).")
@click.option("--dropped", type=float, help="Of golden: probability that an input spike is lost.")
@click.option("--seed", type=click.IntRange(min=0), help="Of golden's disturbances.  [0]")
@click.option("--resume", is_flag=True, help="Go on where an interrupted run of the same command stopped.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder for results.csv and report.json  [build/run]")
def run(
    network: Path,
    data: str,
    port: str,
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
    samples = load_data_set(data)
    count = min(images or len(samples.inputs), len(samples.inputs))
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
    folder = out or build_root() / "run"
    wanted = load(network)
    settings = _settings(network, samples, {key: each for key, each in given.items() if key in _DISTURBANCES})
    rows = _earlier(folder, wanted.n_out, settings) if resume else []
    require(len(rows) <= count, f"{folder / 'results.csv'} has {len(rows)} results, more than the {count} asked for")
    begin = time.perf_counter()
    first = len(rows)
    with waiting(f"opening {port}"):
        machine = Accelerator.open(port, **given)
    with machine:
        with waiting(f"loading {wanted.name} ({wanted.shape})"):
            machine.load(wanted)
        loaded = time.perf_counter()
        right = sum(_right(samples, index, int(row[1])) for index, row in enumerate(rows))
        kept = loaded
        try:
            with live("images", count) as show:
                for result in machine.infer(samples.inputs[first:count], first=first):
                    right += _right(samples, result.index, result.prediction)
                    rows.append(_row(samples, result))
                    seconds = time.perf_counter() - loaded
                    accuracy = f"{100 * right / len(rows):.2f} %" if _labelled(samples) else ""
                    show(len(rows), f"{accuracy}  {(len(rows) - first) / seconds:,.1f} images/s")
                    if time.perf_counter() - kept > _KEEP_EVERY:
                        _keep(folder, rows, wanted.n_out, settings)
                        kept = time.perf_counter()
        except HysteronError as error:
            hint = f" ({len(rows)} of {count} results are kept; --resume goes on)" if rows else ""
            raise HysteronError(f"{error}{hint}") from None
        finally:
            if rows:
                _keep(folder, rows, wanted.n_out, settings)
        seconds = time.perf_counter() - loaded
        stats = machine.stats()
    report: dict[str, Any] = {
        "network": wanted.name,
        "data": data,
        "port": port,
        "options": given,
        "images": count,
        "accuracy": right / count if _labelled(samples) else None,
        "seconds_loading": loaded - begin,
        "images_per_second": (count - first) / seconds if count > first else None,
        "stats": stats,
    }
    write_json(folder / "report.json", report)
    _show(report, folder)


def _check_options(port: str, given: set[str]) -> None:
    kind = port.partition(":")[0]
    fits = {
        "serial": {"baud", "patience"},
        "tcp": {"patience"},
        "golden": set(_DISTURBANCES),
    }
    for name in sorted(given - fits.get(kind, set())):
        raise click.UsageError(f"--{name.replace('_', '-')} does not go with --port {port}")


def _labelled(samples: DataSet) -> bool:
    return samples.labels is not None and samples.labels.ndim == 1


def _right(samples: DataSet, index: int, prediction: int) -> bool:
    return samples.labels is not None and samples.labels.ndim == 1 and int(samples.labels[index]) == prediction


def _row(samples: DataSet, result: Result) -> list[str]:
    label = str(int(samples.labels[result.index])) if _labelled(samples) and samples.labels is not None else ""
    return [str(result.index), str(result.prediction), label, *map(str, result.values)]


def _head(n_out: int) -> list[str]:
    return ["index", "prediction", "label", *(f"value{k}" for k in range(n_out))]


def _settings(network: Path, samples: DataSet, disturbances: dict[str, Any]) -> dict[str, Any]:
    """What results depend on; runs that are to be one must have the same."""
    return {
        "network": hashlib.sha256(network.read_bytes()).hexdigest(),
        "data": hashlib.sha256(np.ascontiguousarray(samples.inputs).tobytes()).hexdigest(),
        "disturbances": disturbances,
    }


def _keep(folder: Path, rows: list[list[str]], n_out: int, settings: dict[str, Any]) -> None:
    """Write the results there are, and what they depend on."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows([_head(n_out), *rows])
    write_json(folder / "settings.json", settings)
    write_file(folder / "results.csv", buffer.getvalue().encode())


def _earlier(folder: Path, n_out: int, settings: dict[str, Any]) -> list[list[str]]:
    """Results of an interrupted run."""
    path = folder / "results.csv"
    if not path.exists():
        return []
    try:
        kept = json.loads((folder / "settings.json").read_text())
        head, *rows = csv.reader(path.read_text().splitlines())
        fits = head == _head(n_out) and all(len(row) == len(head) for row in rows)
        fits = fits and [(int(row[0]), int(row[1]) >= 0) for row in rows] == [(k, True) for k in range(len(rows))]
    except (OSError, ValueError, csv.Error):
        kept, rows, fits = {}, [], False
    require(fits, f"the results in {str(folder)!r} are damaged; delete them or give another --out")
    other = [name for name, value in settings.items() if kept.get(name) != value]
    require(
        not other,
        f"the results in {str(folder)!r} are of another run (other {' and '.join(other)}); delete them or give another "
        "--out",
    )
    return rows


def _show(report: dict[str, Any], folder: Path) -> None:
    rows = table(f"{report['network']} on {report['data']}, {report['port']}", "<figure", "value")
    rows.add_row("images", f"{report['images']:,}")
    if report["accuracy"] is not None:
        rows.add_row("accuracy", f"{100 * report['accuracy']:.2f} %")
    if report["images_per_second"] is not None:
        rows.add_row("images/s, as the clock on the wall says", f"{report['images_per_second']:,.1f}")
    link = report["stats"].get("link")
    if link is not None:
        rows.add_row("requests sent again", f"{link['sent_again']:,}")
        rows.add_row("replies damaged on the line", f"{link['damaged']:,}")
    console.print(rows)
    console.print(f"results: {folder / 'results.csv'}, report: {folder / 'report.json'}", soft_wrap=True)
