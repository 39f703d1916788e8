# SPDX-License-Identifier: Apache-2.0
"""The test vectors of docs/link.md."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

LINK = Path(__file__).parents[2] / "docs/link.md"


@dataclass(frozen=True)
class Vector:
    """A frame of the conversation: who sends it, its content, and the bytes on the line."""

    sender: str
    name: str
    content: bytes
    line: bytes


def unfold(text: str) -> bytes:
    """Bytes of the page: hexadecimal digits, ``55×3`` for three bytes."""
    found = b""
    for part in text.split():
        digits, _, count = part.partition("×")
        found += bytes.fromhex(digits) * int(count or 1)
    return found


def _rows(columns: int) -> list[list[str]]:
    """Rows of the last tables of the page that end in a code column, without their frames."""
    section = LINK.read_text().split("## Test vectors")[1]
    lines = [line.strip("| ").split(" | ") for line in section.splitlines() if "`" in line and line.startswith("|")]
    return [[re.sub("`", "", cell) for cell in line] for line in lines if len(line) == columns]


VECTORS = [Vector(sender, name, unfold(content), unfold(line)) for sender, name, content, line in _rows(4)]
DAMAGED = {why: unfold(line) for line, why in _rows(2)}
