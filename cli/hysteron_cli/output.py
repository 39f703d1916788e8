"""What every command does with its results: a table for people, JSON for programs, a progress bar.

Results go to standard output, progress to standard error. With ``--json`` the result's JSON is all that standard output
gets, and tables go to standard error.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click
from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from hysteron_base.files import write_json
from hysteron_base.progress import Progress as Told
from hysteron_base.progress import Tell

#: Columns where there is no terminal: a pipe or a file has no edge at which figures would have to be cut.
_WIDE = 200
_progress_console = Console(stderr=True)

__all__ = ["console", "live", "progress", "table", "waiting", "watching", "write_json"]


class Output:
    """Standard output as the commands see it."""

    def __init__(self) -> None:
        #: The result is wanted as JSON.
        self.as_json = False

    def print(self, what: RenderableType = "", *, soft_wrap: bool = False) -> None:
        """Print text or a table for people."""
        console = Console(stderr=self.as_json, highlight=False, markup=False)
        if not console.is_terminal:
            console = Console(stderr=self.as_json, highlight=False, markup=False, width=_WIDE)
        console.print(what, soft_wrap=soft_wrap)

    def result(self, values: Any) -> None:
        """Print a command's result as JSON, if that is wanted; every command gives its own once."""
        if self.as_json:
            click.echo(json.dumps(values, indent=2, default=str))


console = Output()


def table(title: str, *columns: str) -> Table:
    """An empty table; columns whose name starts with ``<`` are text, the others numbers, which are never cut."""
    # As Text: a network's name is the user's, not markup.
    result = Table(title=Text(title), title_justify="left")
    for column in columns:
        text = column.startswith("<")
        result.add_column(
            column.lstrip("<"), justify="left" if text else "right", no_wrap=not text, overflow="fold", min_width=2
        )
    return result


@contextmanager
def watching() -> Iterator[Tell]:
    """Show what a long work tells: a bar for each stage, and a plain line for each where there is no terminal."""
    if not _progress_console.is_terminal:
        begun: set[str] = set()

        def line(told: Told) -> None:
            if told.what not in begun:
                begun.add(told.what)
                _progress_console.print(told.what, highlight=False, markup=False, soft_wrap=True)
            if told.finished:
                begun.discard(told.what)

        yield line
        return
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[figures]}", markup=False),
        TimeElapsedColumn(),
        console=_progress_console,
    ) as bar:
        tasks: dict[str, TaskID] = {}

        def show(told: Told) -> None:
            if told.what not in tasks:
                tasks[told.what] = bar.add_task(told.what, total=told.total or None, figures="")
            task = tasks[told.what]
            bar.update(task, completed=told.done, figures=told.figures, total=told.total or None)
            if told.finished:
                bar.update(task, completed=told.total or 1, total=told.total or 1)
                del tasks[told.what]

        yield show


@contextmanager
def progress(text: str, total: int) -> Iterator[Callable[[float], None]]:
    """A progress bar over ``total`` things; the yielded function takes how many are done."""
    with live(text, total) as show:
        yield lambda done: show(done, "")


@contextmanager
def live(text: str, total: int) -> Iterator[Callable[[float, str], None]]:
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
        bar.update(task, completed=total)


@contextmanager
def waiting(text: str) -> Iterator[None]:
    """A spinner, and a plain line where there is no terminal."""
    if not _progress_console.is_terminal:
        _progress_console.print(text, highlight=False, markup=False, soft_wrap=True)
        yield
        return
    with _progress_console.status(text):
        yield
