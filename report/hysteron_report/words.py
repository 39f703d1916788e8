# SPDX-License-Identifier: Apache-2.0
"""Numbers in words."""


def counted(number: int, noun: str) -> str:
    """A number and what it counts: ``1 spike``, ``2 spikes``, ``1,024 spikes``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
