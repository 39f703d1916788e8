# SPDX-License-Identifier: Apache-2.0
"""The head of the page: verdict and key figures of a summary, in words."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..words import counted

#: Keys of a summary that have their own place on the page; others are listed as they are.
_PLACED = {
    "preset",
    "network",
    "images",
    "accuracy",
    "mismatches",
    "first_mismatch",
    "cycles_per_image_median",
    "cycles_per_image_max",
    "latency_cycles_median",
    "events_per_image",
    "utilisation",
    "clock_hz",
    "images_per_second",
    "compared",
    "counters",
}
#: What stands where there is no figure.
NONE = "–"


@dataclass(frozen=True)
class Tile:
    """A key figure: its name, the number with its unit, and what to know about it."""

    name: str
    value: str
    unit: str
    note: str


def more(summary: Mapping[str, Any]) -> dict[str, str]:
    """The figures of a summary that have no place of their own."""
    return {key: _text(value) for key, value in summary.items() if key not in _PLACED and np.isscalar(value)}


def verdict(summary: Mapping[str, Any]) -> dict[str, str]:
    """Kind, headline and detail of the banner."""
    mismatches = summary.get("mismatches")
    if mismatches is None:
        return {
            "kind": "open",
            "head": "Not compared with hardware",
            "detail": "Every figure and picture here comes from the golden model and its schedule.",
        }
    if mismatches == 0 and summary.get("compared", "everything") != "everything":
        return {
            "kind": "good",
            "head": f"Every answer{', its cycle and every counter' if summary.get('counters') else ' and its cycle'} "
            "equal to the model",
            "detail": f"The hardware simulation of {_images(summary)} was compared with the golden model, exactly; "
            "spikes and potentials inside were not compared in this run.",
        }
    if mismatches == 0:
        return {
            "kind": "good",
            "head": "Every spike, potential and cycle equal to the model",
            "detail": f"The hardware simulation of {_images(summary)} was compared with the golden model, exactly.",
        }
    first = summary.get("first_mismatch")
    return {
        "kind": "bad",
        "head": f"{_number(mismatches)} mismatch{'es' * (mismatches != 1)} between hardware and model",
        "detail": f"First: {first}" if first else "The run kept no detail of the first one.",
    }


def tiles(summary: Mapping[str, Any]) -> list[Tile]:
    """The key figures of a summary."""
    get = summary.get
    clock, latency, accuracy = get("clock_hz"), get("latency_cycles_median"), get("accuracy")
    at = "clock not stated" if clock is None else f"at {_si(clock)}Hz"
    share = get("utilisation")
    return [
        Tile(
            "Accuracy",
            NONE if accuracy is None else f"{100 * accuracy:.2f}",
            "%" if accuracy is not None else "",
            "no labels given" if accuracy is None else f"of {_images(summary)}",
        ),
        Tile(
            "Cycles per image",
            _number(get("cycles_per_image_median")),
            "cycles",
            f"median; at most {_number(get('cycles_per_image_max'))}",
        ),
        Tile(
            "Latency",
            _number(latency),
            "cycles",
            "an image alone" if not clock or latency is None else f"an image alone; {_si(latency / clock)}s {at}",
        ),
        Tile("Throughput", _number(get("images_per_second")), "images/s", at),
        Tile("Events per image", _number(get("events_per_image")), "events", "each reads one weight row"),
        Tile(
            "Utilisation",
            NONE if share is None else f"{100 * share:.2f}",
            "%" if share is not None else "",
            "lane-cycles needed / cycles taken",
        ),
    ]


def _images(summary: Mapping[str, Any]) -> str:
    count = summary.get("images")
    return "all images" if count is None else counted(count, "image")


def _number(value: float | None) -> str:
    """``value`` with thousands separated, and a decimal only while it counts."""
    if value is None or not math.isfinite(value):
        return NONE
    return f"{value:,.0f}" if value == int(value) or abs(value) >= 1000 else f"{value:,.1f}"


def _si(value: float) -> str:
    """``value`` to three digits with an SI prefix, ready for its unit."""
    for power, prefix in ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1, ""), (1e-3, "m"), (1e-6, "µ")):
        if value >= power:
            return f"{value / power:.3g} {prefix}"
    return f"{value / 1e-9:.3g} n"


def _text(value: Any) -> str:
    if isinstance(value, float | np.floating):
        return f"{value:,.4g}" if abs(float(value)) < 1e4 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int | np.integer) and not isinstance(value, bool) else str(value)
