"""What every command does with its results: a table for people, JSON for machines, a progress bar."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table
from rich.text import Text

from hysteron_base import progress as told
from hysteron_base.files import write_file

#: Tables go to standard output, progress to standard error.
console = Console(highlight=False, markup=False)
_progress_console = Console(stderr=True)


def write_json(path: Path, values: Any) -> None:
    """Write ``values`` as JSON."""
    write_file(path, (json.dumps(values, indent=2) + "\n").encode())


def table(title: str, *columns: str) -> Table:
    """An empty table; columns whose name starts with ``<`` are text, the others numbers."""
    # As Text: a network's name is the user's, not markup.
    result = Table(title=Text(title), title_justify="left")
    for column in columns:
        result.add_column(column.lstrip("<"), justify="left" if column.startswith("<") else "right")
    return result


@contextmanager
def progress(text: str, total: int) -> Iterator[Callable[[float], None]]:
    """A progress bar over ``total`` things; the yielded function takes how many are done."""
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=_progress_console,
        disable=not _progress_console.is_terminal,
    ) as bar:
        task = bar.add_task(text, total=total)
        yield lambda done: bar.update(task, completed=done)
        bar.update(task, completed=total)


@contextmanager
def live(text: str, total: int) -> Iterator[Callable[[int, str], None]]:
    """A progress bar with figures that change; the yielded function takes how many are done, and the figures."""
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[figures]}"),
        TimeElapsedColumn(),
        console=_progress_console,
        disable=not _progress_console.is_terminal,
    ) as bar:
        task = bar.add_task(text, total=total, figures="")
        yield lambda done, figures: bar.update(task, completed=done, figures=figures)


@contextmanager
def waiting(text: str) -> Iterator[None]:
    """A spinner, and a plain line where there is no terminal."""
    if not _progress_console.is_terminal:
        _progress_console.print(text)
        yield
        return
    with _progress_console.status(text):
        yield


@contextmanager
def bars(*, plain: bool = False) -> Iterator[told.Tell]:
    """Show the messages of a library call: a bar for each stage on a terminal.

    Elsewhere nothing is shown, or with ``plain`` a line when a stage begins whose length nobody knows.
    """
    if not _progress_console.is_terminal:
        yield _lines() if plain else told.quiet
        return
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[figures]}", markup=False),
        TimeElapsedColumn(),
        console=_progress_console,
    ) as shown:
        tasks: dict[str, TaskID] = {}

        def tell(message: told.Progress) -> None:
            if message.what not in tasks:
                tasks[message.what] = shown.add_task(message.what, total=None, figures="")
            task = tasks[message.what]
            shown.update(task, completed=message.done, total=message.total or None, figures=message.figures)
            if message.finished:
                # Another stage may bear the same name.
                shown.stop_task(tasks.pop(message.what))

        yield tell


def _lines() -> told.Tell:
    """A line for every stage without a total, when it begins."""
    begun: set[str] = set()

    def tell(message: told.Progress) -> None:
        if message.what not in begun and not message.total:
            _progress_console.print(message.what)
        begun.add(message.what)
        if message.finished:
            begun.remove(message.what)

    return tell
