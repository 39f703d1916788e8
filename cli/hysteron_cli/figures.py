# SPDX-License-Identifier: Apache-2.0
"""``hysteron figures``: the pictures of the documentation."""

from pathlib import Path

import click

from hysteron_base.doors import check_doors
from hysteron_base.files import write_file

from .output import console


@click.command(short_help="Draw the pictures of the documentation.")
@click.option("--check", type=click.Path(path_type=Path), help="Compare with this folder; status 1 if it differs.")
@click.option("--write", type=click.Path(path_type=Path), help="Write to this folder.")
def figures(check: Path | None, write: Path | None) -> None:
    """Draw the pictures of the documentation.

    Example: hysteron figures --write docs/images
    """
    if (check is None) == (write is None):
        raise click.UsageError("give --write FOLDER or --check FOLDER")

    check_doors(folders={"--write": write})

    from hysteron_report.figures import documentation_figures, outdated

    if write is not None:
        written = {str(write / name): content for name, content in documentation_figures().items()}
        for name, content in written.items():
            write_file(Path(name), content)
            console.print(name)
        console.result(list(written))
    elif check is not None:
        for path in outdated(check):
            console.error(f"error: {path} is out of date; run 'hysteron figures --write {check}'")
            raise SystemExit(1)
