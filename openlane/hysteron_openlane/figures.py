# SPDX-License-Identifier: Apache-2.0
"""Figures with their limits and the files that they came from: what every stage on the way to silicon ends with.

A tool may end well where nothing was done. So a figure that is wanted and not there is a failure here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Line:
    """A figure.

    Attributes
    ----------
    key
        Its stable name.
    label
        The figure's name for people.
    value
        None if it is not there.
    unit
        Unit of the value; may be empty.
    least, most
        Limits; None if there is none.
    source
        File that it came from.
    """

    key: str
    label: str
    value: float | None
    unit: str = ""
    least: float | None = None
    most: float | None = None
    source: str = ""

    @property
    def ok(self) -> bool:
        """Whether it is there and within its limits."""
        if self.value is None:
            return False
        return (self.least is None or self.value >= self.least) and (self.most is None or self.value <= self.most)

    @property
    def limit(self) -> str:
        """The limits as text."""
        if self.least is not None and self.most is not None:
            return f"{self.least:g} to {self.most:g}"
        if self.least is not None:
            return f"≥ {self.least:g}"
        return "" if self.most is None else f"≤ {self.most:,.6g}"

    @property
    def text(self) -> str:
        """The value as text."""
        if self.value is None:
            return "absent"
        if isinstance(self.value, int):
            return f"{self.value:,}"
        return f"{self.value:,.4g}" if abs(self.value) < 1e4 else f"{self.value:,.0f}"

    @property
    def wrong(self) -> str:
        """What is wrong with a figure that is not as it must be."""
        if self.value is None:
            return f"{self.label} is absent from {self.source}"
        return f"{self.label} is {self.value:g}, must be {self.limit}"


def as_json(chip: str, lines: Sequence[Line], undone: Mapping[str, str]) -> dict[str, Any]:
    """What ``summary.json`` holds: ``undone`` says for every stage that was not done why."""
    return {
        "preset": chip,
        "ok": not undone and all(line.ok for line in lines),
        "undone": dict(undone),
        "figures": {line.key: {**asdict(line), "ok": line.ok} for line in lines},
    }
