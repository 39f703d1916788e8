# SPDX-License-Identifier: Apache-2.0
"""Packages that only importing and exporting need."""

from importlib import import_module
from typing import Any

from hysteron_base.extras import MissingPackageError


def library(name: str) -> Any:
    """The package ``name``.

    Raises
    ------
    MissingPackageError
        If it is not installed, with the command that installs it.
    """
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise MissingPackageError(error.name or name, "convert") from None
