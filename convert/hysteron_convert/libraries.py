"""Packages that only importing and exporting need."""

from importlib import import_module
from typing import Any

from hysteron_base.errors import HysteronError


def library(name: str) -> Any:
    """The package ``name``.

    Raises
    ------
    HysteronError
        If it is not installed, with the command that installs it.
    """
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise HysteronError(
            f"package {error.name!r} is missing, which importing and exporting networks needs; "
            "pip install 'hysteron[convert]'"
        ) from None
