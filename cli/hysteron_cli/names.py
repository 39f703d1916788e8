# SPDX-License-Identifier: Apache-2.0
"""Arguments that name something of the project's: the shell completes them, the library checks them."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

import hysteron_networks
from hysteron_spec import PRESETS


class Named(click.ParamType):
    """A text that may be one of some names; the command judges it.

    Parameters
    ----------
    name
        What it is called in help texts.
    names
        Gives the names, when the shell asks.
    files
        Whether it may be a file as well.
    """

    def __init__(self, name: str, names: Callable[[], Iterable[str]], *, files: bool = False) -> None:
        self.name = name
        self._names, self._files = names, files

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """List the names that begin so, and let the shell list files."""
        try:
            found = [CompletionItem(name) for name in self._names() if name.startswith(incomplete)]
        except ModuleNotFoundError:
            found = []  # the extra that knows them is not installed; the command itself will tell
        # First, because bash forgets what came before a request for files.
        return ([CompletionItem(incomplete, type="file")] if self._files else []) + found


class NetworkFile(Named):
    """A network: a file, or a shipped network by its name. Gives the path of the file."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Find the file; a :class:`HysteronError` says what there is instead."""
        return hysteron_networks.find(value)


def _data_sets() -> Iterable[str]:
    from hysteron_data.sets import NAMES

    return NAMES


def _boards() -> Iterable[str]:
    from hysteron_fpga.board import names

    return names()


def _chips() -> Iterable[str]:
    from hysteron_openlane.flow.chips import CHIPS

    return CHIPS


def _recipes() -> Iterable[str]:
    from hysteron_train.recipes import RECIPES

    return RECIPES


NETWORK = NetworkFile("network", hysteron_networks.names, files=True)
PRESET = Named("preset", lambda: PRESETS)
DATA = Named("data", _data_sets, files=True)
CHIP = Named("chip", _chips)
BOARD = Named("board", _boards)
RECIPE = Named("recipe", _recipes)
