# SPDX-License-Identifier: Apache-2.0
"""Texts of others on pages, and small tables for notebooks."""

from collections.abc import Mapping
from html import escape
from typing import Any

from .text import harmless


def printable(value: Any) -> Any:
    """What a template is to print: a plain text harmlessly, all else as it is. For Jinja's ``finalize``."""
    return harmless(value) if type(value) is str else value


def table_of(title: str, rows: Mapping[str, str]) -> str:
    """A two-column HTML table: names and values."""
    shown = [(escape(harmless(name)), escape(harmless(value))) for name, value in rows.items()]
    left = "style='text-align:left'"
    body = "".join(f"<tr><th {left}>{name}</th><td {left}>{value}</td></tr>" for name, value in shown)
    return f"<table><caption {left}><b>{escape(harmless(title))}</b></caption>{body}</table>"
