# SPDX-License-Identifier: Apache-2.0
"""What every command does with its results: a table for people, JSON for programs, a progress bar.

Results go to standard output, progress and errors to standard error. With ``--json`` the result's JSON is all that
standard output gets, and tables go to standard error. Names and notes of networks, paths and the like are printed
harmlessly (:mod:`hysteron_base.text`), in any encoding.
"""

import io
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from hysteron_base.bars import watching
from hysteron_base.files import told, write_json
from hysteron_base.text import ANY_ENCODING, harmless

#: Columns where there is no terminal: a pipe or a file has no edge at which figures would have to be cut.
_WIDE = 200
#: Columns of a word of ordinary length.
_WORD = 12
__all__ = ["Rows", "console", "table", "watching", "write_json"]


class Rows(Table):
    """A table whose cells are texts of one line each, printed harmlessly."""

    def add_row(self, *cells: RenderableType | None, **options: Any) -> None:
        """Add a row of texts."""
        # As Text: a network's name is the user's, not markup.
        super().add_row(*(Text(harmless(each)) if isinstance(each, str) else each for each in cells), **options)

    @property
    def least(self) -> int:
        """Columns that its figures need. A terminal with fewer breaks lines, which is better than a figure cut.

        Heads and texts may fold, texts not into less than a word of ordinary length.
        """
        inner = 0
        for column in self.columns:
            texts = [str(cell) for cell in column.cells]
            if not column.no_wrap:
                texts = [word[:_WORD] for text in texts for word in text.split()]
            inner += max([column.min_width or 0, *map(cell_len, texts)])
        # A space on either side of a column, and lines between and around them.
        return inner + 3 * len(self.columns) + 1


class Output:
    """Standard output and standard error as the commands see them."""

    def __init__(self) -> None:
        #: The result is wanted as JSON.
        self.as_json = False

    def print(self, what: str | Table = "", *, soft_wrap: bool = False) -> None:
        """Print a line of text, or a table, for people."""
        console = Console(stderr=self.as_json, highlight=False, markup=False, emoji=False)
        if not console.is_terminal:
            console = Console(stderr=self.as_json, highlight=False, markup=False, emoji=False, width=_WIDE)
        if isinstance(what, Rows):
            console.width = max(console.width, what.least)
        with _to_standard_output():
            console.print(harmless(what) if isinstance(what, str) else what, soft_wrap=soft_wrap)

    def text(self, text: str) -> None:
        """Print a text of ours that has lines of its own, as it is: a page."""
        with _to_standard_output():
            _say(sys.stderr if self.as_json else sys.stdout, text.removesuffix("\n"))

    def error(self, text: str) -> None:
        """Print a message to standard error."""
        # Where nobody can be told, the status still tells.
        with suppress(OSError):
            _say(sys.stderr, "\n".join(map(harmless, text.split("\n"))))

    def result(self, values: Any) -> None:
        """Print a command's result as JSON, if that is wanted; every command gives its own once."""
        if self.as_json:
            with _to_standard_output():
                _say(sys.stdout, json.dumps(values, indent=2, default=str))

    @contextmanager
    def every_encoding(self) -> Iterator[None]:
        """Let standard output and error take every character, whatever their encoding."""
        changed = [
            (stream, stream.errors)
            for stream in (sys.stdout, sys.stderr)
            if isinstance(stream, io.TextIOWrapper) and stream.errors != ANY_ENCODING
        ]
        for stream, _ in changed:
            stream.reconfigure(errors=ANY_ENCODING)
        try:
            yield
        finally:
            for stream, errors in changed:
                stream.reconfigure(errors=errors)

    def finish(self, status: int, reader_gone: int) -> int:
        """Write out what is left; the exit status, which tells if standard output did not take it."""
        try:
            with _to_standard_output():
                if sys.stdout is not None:
                    sys.stdout.flush()
        except BrokenPipeError:
            status = status or reader_gone
        except OSError as error:
            # One that ended the command was told.
            if not status:
                self.error(f"error: {told(error)}")
                status = 2
        if status:
            _drop_rest()
        return status


def _say(stream: TextIO | None, text: str) -> None:
    """Print, if the stream is open."""
    # Not with Click, which writes UTF-8 where it does not believe that ASCII is meant.
    if stream is not None:
        print(text, file=stream, flush=True)


@contextmanager
def _to_standard_output() -> Iterator[None]:
    """Name standard output in an error that it raises, but of a reader that has gone."""
    try:
        yield
    except OSError as error:
        if not isinstance(error, BrokenPipeError):
            error.filename = error.filename or "standard output"
        raise


def _drop_rest() -> None:
    """Let the interpreter have nowhere to fail at its end: what could not be written is not tried again."""
    # Where a reader has gone, Click may have put a stream around standard output that hides it.
    for stream in filter(None, (sys.stdout, sys.__stdout__)):
        try:
            stream.flush()
        except OSError:
            with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 (as os.devnull is)
                os.dup2(nowhere.fileno(), stream.fileno())


console = Output()


def table(title: str, *columns: str) -> Rows:
    """An empty table; columns whose name starts with ``<`` are text, the others numbers, which are never cut."""
    result = Rows(title=Text(harmless(title)), title_justify="left")
    for column in columns:
        text = column.startswith("<")
        result.add_column(
            Text(harmless(column.removeprefix("<"))),
            justify="left" if text else "right",
            no_wrap=not text,
            overflow="fold",
            min_width=2,
        )
    return result
