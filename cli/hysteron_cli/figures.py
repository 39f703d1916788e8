"""``hysteron figures``: the pictures of the documentation."""

from pathlib import Path

import click

from hysteron_base.files import write_file
from hysteron_spec.neuron import Mode

from .output import console


def documentation_figures() -> dict[str, bytes]:
    """File names and SVG contents."""
    from .report.pictures import demonstration_traces
    from .report.retrace import demonstration
    from .report.style import svg

    return {"hysteresis.svg": svg(demonstration_traces(*demonstration([Mode.LATCH, Mode.PLAIN])))}


@click.command()
@click.option("--check", type=click.Path(path_type=Path), help="Compare with this folder; status 1 if it differs.")
@click.option("--write", type=click.Path(path_type=Path), help="Write to this folder.")
def figures(check: Path | None, write: Path | None) -> None:
    """Draw the pictures of the documentation.

    Example: hysteron figures --write docs/images
    """
    if (check is None) == (write is None):
        raise click.UsageError("give --write FOLDER or --check FOLDER")
    for name, content in documentation_figures().items():
        if write is not None:
            write_file(write / name, content)
            console.print(str(write / name))
        elif check is not None and (not (check / name).exists() or (check / name).read_bytes() != content):
            raise SystemExit(f"error: {check / name} is out of date; run 'hysteron figures --write {check}'")
