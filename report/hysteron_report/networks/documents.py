# SPDX-License-Identifier: Apache-2.0
"""All files that belong to the page about the networks."""

from pathlib import Path

from hysteron_base.errors import require
from hysteron_base.files import holds
from hysteron_measure import book
from hysteron_measure.record import load_record

from .page import page
from .pictures import draw


def documents(results: Path, docs: Path) -> dict[Path, bytes]:
    """The page about the networks and its pictures, made from the figures and the training records alone.

    Parameters
    ----------
    results
        The file of figures, beside the networks and their records.
    docs
        Where the page will be; its pictures go to the folder ``images`` beside it.

    Raises
    ------
    HysteronError
        If there are no figures, or a network has no training record.
    """
    entries = book.read_results(results)
    require(bool(entries), f"file of figures {str(results)!r} holds none; measure a network first")
    records = {name: load_record(results.with_name(f"{name}.hyn")) for name in entries}
    pictures = draw(entries)
    text = page(entries, records, pictures, results.parent, docs.parent)
    return {docs: text.encode()} | {docs.parent / "images" / file: content for file, content in pictures.items()}


def outdated(results: Path, docs: Path) -> str | None:
    """The first thing that is out of date, as a line that says what to run; None if nothing is.

    That is a network that has changed since it was measured, or a page or picture that is not what the figures give.
    """
    if changed := book.outdated(results):
        return changed
    for path, content in documents(results, docs).items():
        if not holds(path, content):
            return f"{path} is not what {results} gives; run 'hysteron results --redraw'"
    return None
