# SPDX-License-Identifier: Apache-2.0
"""Small tables for notebooks."""

from collections.abc import Mapping
from html import escape


def table_of(title: str, rows: Mapping[str, str]) -> str:
    """A two-column HTML table: names and values."""
    body = "".join(
        f"<tr><th style='text-align:left'>{escape(name)}</th><td style='text-align:left'>{escape(value)}</td></tr>"
        for name, value in rows.items()
    )
    return f"<table><caption style='text-align:left'><b>{escape(title)}</b></caption>{body}</table>"
