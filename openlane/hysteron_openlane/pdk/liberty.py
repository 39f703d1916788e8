# SPDX-License-Identifier: Apache-2.0
"""Files in the Liberty format, as libparse reads them: trees of groups with attributes."""

from pathlib import Path
from typing import Any

import libparse


def library_file(path: Path) -> Any:
    """The library in a LIB that is not gzipped."""
    with path.open() as file:
        return libparse.LibertyParser(file).ast


def groups(node: Any, name: str) -> list[Any]:
    """The groups called ``name`` in a group."""
    return [child for child in node.children if child.id == name]


def value(node: Any, name: str) -> str:
    """An attribute of a group; empty if it has none of that name."""
    return next((_plain(child.value) for child in node.children if child.id == name), "")


def argument(node: Any) -> str:
    """The name of a group."""
    return _plain(node.args[0])


def numbers(node: Any, name: str = "values") -> list[float]:
    """The numbers of a table's attribute, row after row; empty if it has none of that name."""
    return [float(part) for each in groups(node, name) for text in each.args for part in _plain(text).split(",")]


def _plain(text: str) -> str:
    return text.strip().strip('"')
