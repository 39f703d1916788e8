# SPDX-License-Identifier: Apache-2.0
"""``hysteron bench``: the performance table."""

from pathlib import Path

import click

from hysteron_base.doors import check_doors
from hysteron_base.files import build_root

from .output import console, watching, write_json


@click.command(short_help="Print the performance table.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder for bench.json  [build/bench]")
def bench(out: Path | None) -> None:
    """Print the performance table: cycles a step over activity, simulator speed, golden speed.

    Takes about ten minutes, most of it to build the simulators of the two large cores.

    Example: hysteron bench
    """
    path = (out or build_root() / "bench") / "bench.json"
    check_doors(writes={"--out": path})

    from hysteron_measure.bench import measure_all
    from hysteron_report.bench import table

    with watching() as tell:
        figures = measure_all(tell)
    write_json(path, figures)
    console.text(table(figures))
    console.print(f"figures: {path}", soft_wrap=True)
    console.result(figures)
