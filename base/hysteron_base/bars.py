# SPDX-License-Identifier: Apache-2.0
"""Progress bars on standard error for whoever waits: what takes the messages of :mod:`hysteron_base.progress`."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from .progress import Progress as Told
from .progress import Tell
from .text import harmless


@contextmanager
def watching() -> Iterator[Tell]:
    """Show what a long work tells: a bar for each stage, and a plain line for each where there is no terminal."""
    console = Console(stderr=True)
    if not console.is_terminal:
        begun: set[str] = set()

        def line(told: Told) -> None:
            if told.what not in begun:
                begun.add(told.what)
                console.print(harmless(told.what), highlight=False, markup=False, emoji=False, soft_wrap=True)
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
        console=console,
    ) as bar:
        tasks: dict[str, TaskID] = {}

        def show(told: Told) -> None:
            if told.what not in tasks:
                tasks[told.what] = bar.add_task(harmless(told.what), total=told.total or None, figures="")
            task = tasks[told.what]
            bar.update(task, completed=told.done, figures=told.figures, total=told.total or None)
            if told.finished:
                bar.update(task, completed=told.total or 1, total=told.total or 1)
                del tasks[told.what]

        yield show
