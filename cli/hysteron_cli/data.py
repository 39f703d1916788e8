# SPDX-License-Identifier: Apache-2.0
"""``hysteron data``: which data sets there are, and getting them."""

from dataclasses import asdict

import click

from hysteron_base.errors import HysteronError
from hysteron_data.catalogue import CATALOGUE
from hysteron_data.sources import FOLDERS, Presence, data_root, folder_of, presence

from .output import console, table, watching


@click.group(short_help="List and fetch data sets.")
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
        there = presence(name)
        folder = FOLDERS[name] if there is Presence.WHOLE else there.value
        rows.add_row(name, "+".join(map(str, about.samples)), about.size, folder, about.licence)
    console.print(rows)
    # Addresses need more room than a column has.
    for name, about in CATALOGUE.items():
        console.print(f"{name}: {about.what}; from {about.source}", soft_wrap=True)
    try:
        console.print(f"folders are looked for in {str(data_root())!r}", soft_wrap=True)
    except HysteronError as error:
        console.print(str(error), soft_wrap=True)
    console.result({name: asdict(about) | {"there": presence(name).value} for name, about in CATALOGUE.items()})


@data.command()
@click.argument(
    "names",
    metavar="NAME...",
    nargs=-1,
    required=True,
    shell_complete=lambda _, __, begun: [name for name in FOLDERS if name.startswith(begun)],
)
def fetch(names: tuple[str, ...]) -> None:
    """Download data sets into HYSTERON_DATA or, if that is not set, the user's cache.

    Files that are there already and whole are not downloaded again.

    Example: hysteron data fetch mnist
    """
    from hysteron_data.download import fetch

    # A misspelt name is told before the others have been waited for.
    for name in names:
        folder_of(name)
    found = {}
    for name in names:
        with watching() as tell:
            paths = fetch(name, tell)
        for path in paths:
            console.print(f"{name}: {path}", soft_wrap=True)
        found[name] = [str(path) for path in paths]
    console.result(found)
