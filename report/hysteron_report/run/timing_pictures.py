# SPDX-License-Identifier: Apache-2.0
"""Pictures of time: utilisation, passes through the lanes, cycles of an image."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from hysteron_golden.schedule import Schedule
from hysteron_measure.timing import Passes, busy_share

from ..style import BLUE, FAINT, GREEN, INK, MUTED, ORANGE, SKY, WIDTH, bare, picture

#: Images in the utilisation picture, and in the picture of passes.
TIMELINE_IMAGES, PASS_IMAGES = 4, 2
#: Passes that can be told apart in one picture.
_MAX_PASSES = 160


@picture
def timeline(schedule: Schedule, first: int, numbers: Sequence[int]) -> Figure:
    """Percent of cycles in which the lanes worked, over a few images from sample ``first`` on.

    ``numbers`` are those that the samples of the schedule bear in their data set.
    """
    samples = range(first, min(first + TIMELINE_IMAGES, len(schedule.sample_cycles)))
    begin = int(schedule.sample_cycles[first - 1, 1] if first else schedule.sample_cycles[0, 0])
    finish = int(schedule.sample_cycles[samples[-1], 1]) + 1
    window = max(4, (finish - begin) // 120)
    edges, percent = busy_share(schedule, begin, finish, window)
    mean = float(np.average(percent, weights=np.diff(edges)))
    figure = Figure(figsize=(WIDTH, 2.6 + 0.24 * len(samples)), layout="constrained")
    axes, below = figure.subplots(2, 1, sharex=True, height_ratios=[2.2, 0.24 * len(samples)])
    axes.stairs(percent, edges, fill=True, color=SKY, alpha=0.75)
    axes.axhline(mean, color=INK, linewidth=1, linestyle=(0, (5, 2)))
    axes.annotate(
        f"mean\n{mean:.1f} %",
        (1, mean),
        (4, 0),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        va="center",
        fontsize=8.5,
    )
    axes.set_ylim(0, 105)
    axes.set_yticks([0, 25, 50, 75, 100])
    axes.set_ylabel("lanes at work (%)")
    axes.set_title(f"share of cycles with a lane at work, in windows of {window} cycles")
    for row, sample in enumerate(samples):
        came, answered = (int(cycle) for cycle in schedule.sample_cycles[sample])
        below.barh(row, answered + 1 - max(came, begin), left=max(came, begin), color=ORANGE, height=0.62)
        below.annotate(
            f"image {numbers[sample]}",
            (answered + 1, row),
            (-4, 0),
            textcoords="offset points",
            ha="right",
            va="center",
            fontsize=8.5,
        )
        axes.axvline(answered + 1, color=MUTED, linewidth=1, linestyle=":")
        below.axvline(answered + 1, color=MUTED, linewidth=1, linestyle=":")
    below.invert_yaxis()
    bare(below, keep_x=True)
    below.set_xlabel("clock cycle (bars: from an image's first word to its answer; dotted: answers)")
    below.set_xlim(begin, finish)
    return figure


@picture
def gantt(schedule: Schedule, passes: Passes, first: int, layers: int, numbers: Sequence[int]) -> Figure:
    """Passes of each layer through the lanes for two images from sample ``first`` on, with input and answers.

    ``numbers`` are those that the samples of the schedule bear in their data set.
    """
    chosen = (passes.sample >= first) & (passes.sample < first + PASS_IMAGES)
    last = min(first + PASS_IMAGES, len(schedule.sample_cycles)) - 1
    # The first image's input and the last one's answer belong to the story, unless it is too long to be told whole.
    begin = int(passes.begin[chosen][0]) if first else int(schedule.sample_cycles[0, 0])
    finish = int(passes.stored[chosen][:_MAX_PASSES][-1])
    if chosen.sum() <= _MAX_PASSES:
        finish = int(schedule.sample_cycles[last, 1]) + 1
    shown = passes.within(begin, finish)
    figure = Figure(figsize=(WIDTH, 1.75 + 0.42 * layers), layout="constrained")
    axes = figure.add_subplot()
    colours = dict(zip(range(first, last + 1), (BLUE, ORANGE), strict=False))
    for layer, sample, step, start, end, stored in zip(
        shown.layer, shown.sample, shown.step, shown.begin, shown.end, shown.stored, strict=True
    ):
        colour = colours.get(int(sample), "#b8c2cc")
        border = 0.6 if end - start > 2 else 0  # which would swallow the shortest
        axes.barh(layer - 0.08, end - start, left=start, height=0.56, color=colour, edgecolor="white", linewidth=border)
        axes.barh(layer + 0.31, stored - end, left=end, height=0.12, color=colour)
        room = 0.004 + 0.007 * len(str(step))  # of a number, as part of the width
        if (end - start) > room * (finish - begin) and start >= begin and end <= finish:
            ink = "white" if colour == BLUE else INK
            axes.text((start + end) / 2, layer - 0.08, str(step), ha="center", va="center", fontsize=8, color=ink)
    _ticks(axes, schedule.accept_cycles, -1, begin, finish)
    _ticks(axes, schedule.beat_cycles, layers, begin, finish)
    axes.set_ylim(layers + 0.6, -1.6)
    axes.set_yticks(range(-1, layers + 1))
    axes.set_yticklabels(["input words", *(f"layer {k}" for k in range(layers)), "answer words"], color=INK)
    axes.tick_params(axis="y", length=0)
    axes.set_xlim(begin, finish)
    axes.set_xlabel("clock cycle")
    axes.spines["left"].set_visible(False)
    names = [Patch(color=colour, label=f"image {numbers[sample]}") for sample, colour in colours.items()]
    if not (shown.sample == first + 1).any():
        del names[1:]
    if ((shown.sample < first) | (shown.sample > first + 1)).any():
        names.append(Patch(color="#b8c2cc", label="another image"))
    names.append(Patch(color=GREEN, label="word taken"))
    figure.legend(handles=names, loc="outside upper center", ncols=len(names))
    return figure


def _ticks(axes: Axes, cycles: NDArray[np.int64], row: int, begin: int, finish: int) -> None:
    inside = cycles[(cycles >= begin) & (cycles < finish)]
    axes.hlines(row, begin, finish, color=FAINT, linewidth=0.7, zorder=0)
    axes.vlines(inside + 0.5, row - 0.28, row + 0.28, color=GREEN, linewidth=1.2)


@picture
def cycle_histograms(intervals: NDArray[np.int64], latencies: NDArray[np.int64]) -> Figure:
    """Distribution of the cycles between answers and of the cycles from first word to answer."""
    figure = Figure(figsize=(WIDTH, 2.7), layout="constrained")
    for axes, cycles, name in zip(
        figure.subplots(1, 2),
        (intervals, latencies),
        ("cycles between answers (throughput)", "cycles from first word to answer (latency)"),
        strict=True,
    ):
        low, high = int(cycles.min()), int(cycles.max())
        width = max(1, -(-(high - low + 1) // 40))
        bins = np.arange(low, high + width + 1, width) - 0.5
        axes.hist(cycles, bins=bins, color=SKY, edgecolor="white", linewidth=0.5)
        median = float(np.median(cycles))
        axes.axvline(median, color=INK, linewidth=1.2, linestyle=(0, (5, 2)))
        axes.annotate(
            f"median {median:,.0f}",
            (median, 1),
            (4, 0),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            va="top",
            fontsize=8.5,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1, "alpha": 0.8},
        )
        axes.set_xlim(min(low, median - 5) - width, max(high, median + 5) + width)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(MaxNLocator("auto", integer=True))
        axes.set_xlabel(f"clock cycles, in bins of {width}" if width > 1 else "clock cycles")
        axes.set_ylabel("images")
        axes.set_title(name)
    return figure
