# SPDX-License-Identifier: Apache-2.0
"""The picture of accuracy against cycles: networks, the front of those that no other beats, and others' work."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, NullLocator
from numpy.typing import NDArray

from hysteron_measure.book import Entry
from hysteron_measure.literature import MNIST

from ..style import BLUE, FAINT, MUTED, ORANGE, WIDTH, picture

Numbers = NDArray[np.float64]

#: Clock in Hz at which the picture states times: that of all presets.
_CLOCK = 100e6
#: Accuracies that a scale of accuracy marks, in percent.
_TICKS = (50, 80, 90, 93, 95, 96, 97, 98, 98.5, 99, 99.2, 99.5, 99.8)


@picture
def pareto(entries: dict[str, Entry]) -> Figure:
    """Accuracy against cycles of an image; the networks that no other beats in both, and others' work."""
    cycles = np.array([entry["cycles_per_image_median"] for entry in entries.values()])
    shares = np.array([_shown(entry["accuracy_integer"]) for entry in entries.values()])
    figure = Figure(figsize=(WIDTH, 5.2), layout="constrained")
    axes = figure.add_subplot()
    axes.set_xscale("log")
    # By what is wrong, as a logarithm: from 98 to 99 % is as far as from 90 to 95 %.
    axes.set_yscale("function", functions=(_wrong, _right))
    others = [(work.microseconds * _CLOCK / 1e6, _shown(work.accuracy)) for work in MNIST]
    xs, ys = (np.append(own, [place[axis] for place in others]) for axis, own in enumerate((cycles, shares)))
    axes.set_xlim(xs.min() / 1.8, xs.max() * 2.2)
    # A little room at both ends, in the scale's own measure.
    room = (100 - ys.min()) / (100 - ys.max())
    axes.set_ylim(100 - (100 - ys.min()) * room**0.15, 100 - (100 - ys.max()) / room**0.12)
    best = front(cycles, shares)
    stairs = np.stack([cycles, shares], axis=1)[best]
    stairs = stairs[np.argsort(stairs[:, 0])]
    axes.step(*stairs.T, where="post", color=BLUE, linewidth=1.2, zorder=1)
    axes.plot(cycles[best], shares[best], "o", color=BLUE, markersize=7)
    axes.plot(cycles[~best], shares[~best], "o", color=BLUE, markersize=7, markerfacecolor="white")
    labels = list(zip(cycles, shares, entries, strict=True))
    for work, (x, y) in zip(MNIST, others, strict=True):
        axes.plot(x, y, "s", color=ORANGE, markersize=7)
        if work.at_least:
            axes.annotate(
                "", (x, y), (0, 26), textcoords="offset points", arrowprops={"arrowstyle": "<-", "color": ORANGE}
            )
        bound = "over " if work.at_least else ""
        labels.append((x, y, f"{work.name}\n{work.microseconds:g} µs, {bound}{100 * work.accuracy:g} %"))
    axes.set_yticks([tick for tick in _TICKS if axes.get_ylim()[0] <= tick <= axes.get_ylim()[1]])
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g}"))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.0f}"))
    axes.grid(color=FAINT, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.set_xlabel("clock cycles an image, median in a stream")
    axes.set_ylabel("accuracy on the MNIST test set (%)")
    above = axes.secondary_xaxis("top", functions=(_times, _cycles))
    above.set_xlabel(f"µs an image at {_CLOCK / 1e6:g} MHz")
    above.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    figure.legend(
        handles=[
            Line2D([], [], color=BLUE, marker="o", markersize=7, label="this project: no other is better in both"),
            Line2D([], [], color=BLUE, marker="o", markersize=7, linestyle="", mfc="white", label="this project"),
            Line2D(
                [], [], color=ORANGE, marker="s", markersize=7, linestyle="", label="literature, by its stated time"
            ),
        ],
        loc="outside lower center",
        ncols=3,
    )
    _label(figure, axes, labels, stairs)
    return figure


def front(cycles: Numbers, shares: Numbers) -> NDArray[np.bool_]:
    """A flag for each network: no other has at most its cycles and at least its accuracy, and one of them better."""
    as_good = (cycles[:, None] <= cycles) & (shares[:, None] >= shares)
    better = (cycles[:, None] < cycles) | (shares[:, None] > shares)
    return np.asarray(~(as_good & better).any(axis=0))


def _wrong(percent: Numbers) -> Numbers:
    """Where the scale has an accuracy: by what is wrong, as a logarithm."""
    return np.asarray(-np.log10(100 - percent))


def _right(place: Numbers) -> Numbers:
    """The inverse of :func:`_wrong`."""
    return np.asarray(100 - 10.0**-place)


def _times(cycles: Any) -> Any:
    """Cycles in µs."""
    return cycles / _CLOCK * 1e6


def _cycles(times: Any) -> Any:
    """µs in cycles."""
    return times * _CLOCK / 1e6


def _shown(share: float) -> float:
    """An accuracy in percent that the scale can show: a test set of 10,000 tells nothing of less than 0.01 % wrong."""
    return min(100 * share, 99.99)


def _label(figure: Figure, axes: Axes, points: Sequence[tuple[float, float, str]], stairs: Numbers) -> None:
    """Write beside each point what it is, where no other text, no point and none of the ``stairs`` is in the way."""
    size, height, width = 8.5, 11.0, 4.9  # of the text, of a line and of a letter, in points
    figure.draw_without_rendering()  # so that places on the paper are known
    scale = 72 / figure.dpi

    def place(x: float, y: float) -> tuple[float, float]:
        across, up = axes.transData.transform((x, y)) * scale
        return float(across), float(up)

    frame = axes.get_window_extent()
    left, right, low, high = (edge * scale for edge in (frame.x0, frame.x1, frame.y0, frame.y1))
    places = [place(x, y) for x, y, _ in points]
    taken = [(x - 5, y - 5, x + 5, y + 5) for x, y in places]
    for (x, y), (next_x, next_y) in pairwise(place(*corner) for corner in stairs):
        taken += [(x, y - 1, next_x, y + 1), (next_x - 1, y, next_x + 1, next_y)]
    for (x, y, text), (px, py) in zip(points, places, strict=True):
        lines = text.split("\n")
        w, h = width * max(map(len, lines)), height * len(lines)
        for dx, dy in _offsets(w, h):
            box = (px + dx, py + dy, px + dx + w, py + dy + h)
            inside = left < box[0] and box[2] < right and low < box[1] and box[3] < high
            if inside and not any(a[0] < box[2] and box[0] < a[2] and a[1] < box[3] and box[1] < a[3] for a in taken):
                break
        else:  # no room anywhere: on top of something
            dx, dy = 8, -h / 2
        taken.append((px + dx, py + dy, px + dx + w, py + dy + h))
        far = abs(dy + h / 2) > h
        axes.annotate(
            text,
            (x, y),
            (dx, dy),
            textcoords="offset points",
            fontsize=size,
            va="bottom",
            arrowprops={"arrowstyle": "-", "color": MUTED, "linewidth": 0.7} if far else None,
        )


def _offsets(width: float, height: float) -> Iterator[tuple[float, float]]:
    """Places for a text of this size relative to its point, the nearest first, in points."""
    yield from ((8, -height / 2), (-8 - width, -height / 2), (-width / 2, 8), (-width / 2, -8 - height))
    for reach in range(12, 120, 6):
        yield from ((8, reach), (8, -reach - height), (-8 - width, reach), (-8 - width, -reach - height))
