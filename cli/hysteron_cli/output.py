# SPDX-License-Identifier: Apache-2.0
"""What every command does with its results: a table for people, JSON for programs, a progress bar.

Results go to standard output, progress to standard error. With ``--json`` the result's JSON is all that standard output
gets, and tables go to standard error.
"""

import json
from typing import Any

import click
from rich.console import Console, RenderableType
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from hysteron_base.bars import watching
from hysteron_base.files import write_json

#: Columns where there is no terminal: a pipe or a file has no edge at which figures would have to be cut.
_WIDE = 200
__all__ = ["console", "table", "watching", "write_json"]


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
        if isinstance(what, Table):
            # Rather lines that run over than a number that is cut.
            least = Measurement.get(console, console.options.update(max_width=10_000), what).minimum
            console.width = max(console.width, least)
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
