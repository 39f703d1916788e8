"""``hysteron data``: which data sets there are, and getting them."""

import click

from hysteron_base.errors import HysteronError
from hysteron_data.catalogue import CATALOGUE
from hysteron_data.sources import FILES, FOLDERS, data_root, locate

from .output import console, table


@click.group()
def data() -> None:
    """Data sets.

    Example: hysteron data list
    """


@data.command("list")
def list_() -> None:
    """List the data sets: samples to train with and to test, shape of one, which folder has it.

    Example: hysteron data list
    """
    rows = table("data sets", "<name", "samples", "<a sample", "<folder", "<licence")
    for name, about in CATALOGUE.items():
        rows.add_row(name, "+".join(map(str, about.samples)), about.size, where(name), about.licence)
    console.print(rows)
    # Addresses need more room than a column has.
    for name, about in CATALOGUE.items():
        console.print(f"{name}: {about.what}; from {about.source}", soft_wrap=True)
    try:
        console.print(f"folders are looked for in {str(data_root())!r}", soft_wrap=True)
    except HysteronError as error:
        console.print(str(error), soft_wrap=True)


@data.command()
@click.argument("names", metavar="NAME...", nargs=-1, required=True, type=click.Choice(list(FOLDERS)))
def fetch(names: tuple[str, ...]) -> None:
    """Download data sets into HYSTERON_DATA or, if that is not set, the user's cache.

    Files that are there already and whole are not downloaded again.

    Example: hysteron data fetch mnist
    """
    from hysteron_data.download import fetch

    for name in names:
        for path in fetch(name):
            console.print(f"{name}: {path}", soft_wrap=True)


def where(name: str) -> str:
    """The folder that has all files of a set, without looking into them; or what is missing."""
    if name not in FOLDERS:
        return "(none needed)"
    folder = FOLDERS[name]
    try:
        found = [locate(folder, file) is not None for file in FILES[folder]]
    except HysteronError:
        return "missing"
    return folder if all(found) else "incomplete" if any(found) else "missing"
