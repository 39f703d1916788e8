"""Show how far a library call is: what it tells becomes bars and lines on standard error."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from hysteron_base.progress import Progress, Tell

from .output import _progress_console


@contextmanager
def bars() -> Iterator[Tell]:
    """Show the messages of a library call.

    On a terminal each stage is a bar; one of which nobody knows how long it takes goes when it is over. Elsewhere such
    a stage is a plain line, so that whoever waits for minutes knows for what, and bars are silent.
    """
    terminal = _progress_console.is_terminal
    with Bars(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[count]}", markup=False),
        TextColumn("{task.fields[figures]}", markup=False),
        TimeElapsedColumn(),
        console=_progress_console,
        disable=not terminal,
    ) as shown:
        tasks: dict[str, TaskID] = {}

        def tell(message: Progress) -> None:
            what = message.what
            if what not in tasks and not message.finished:
                if not terminal and not message.total:
                    _progress_console.print(what, markup=False, highlight=False, soft_wrap=True)
                tasks[what] = shown.add_task(what, total=message.total or None, count="", figures="")
            if what not in tasks:
                return
            count = f"{message.done:,.0f}/{message.total:,.0f}" if message.total else ""
            shown.update(tasks[what], completed=message.done, count=count)
            if message.figures:
                shown.update(tasks[what], figures=message.figures)
            if message.finished:
                task = tasks.pop(what)  # another stage may bear the same name
                shown.stop_task(task)
                if not message.total:
                    shown.remove_task(task)

        yield tell
