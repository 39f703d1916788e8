# SPDX-License-Identifier: Apache-2.0
"""Pictures of the results, drawn from the entries alone: the same entries give the same bytes."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from hysteron_measure.book import Entry, data_name
from hysteron_measure.literature import STEP

from ..confusion import draw_confusion
from ..style import BLUE, FAINT, GREEN, INK, ORANGE, SKY, VERMILLION, WIDTH, picture, svg
from .pareto import pareto

#: Data sets that are MNIST: at full size, at half, and coded already.
MNIST_SETS = ("mnist", "mnist-14", "mnist-levels")
#: Colours and line styles that tell networks of one panel apart.
_COLOURS = (BLUE, ORANGE, GREEN, VERMILLION, SKY, INK)
_DASHES = ("-", (0, (4, 1.5)), (0, (1, 1)))


def draw(entries: dict[str, Entry]) -> dict[str, bytes]:
    """File names and SVG contents of all pictures that there are figures for."""
    files = {}
    for name, entry in entries.items():
        if entry["confusion"] is not None:
            files[f"networks-confusion-{name}.svg"] = svg(confusion(entry))
        if entry["histories"] is not None:
            files[f"networks-regression-{name}.svg"] = svg(regression(entry))
    if stepped := {name: entry for name, entry in entries.items() if len(entry["accuracy_by_step"] or ()) > 1}:
        files["networks-steps.svg"] = svg(steps(stepped))
    if mnist := {name: entry for name, entry in entries.items() if entry["dataset"] in MNIST_SETS}:
        files["networks-pareto.svg"] = svg(pareto(mnist))
    if lone := {name: entry for name, entry in entries.items() if entry["step_latency_cycles_median"] is not None}:
        files["networks-step-latency.svg"] = svg(step_latency(lone))
    return files


@picture
def confusion(entry: Entry) -> Figure:
    """A matrix of the counts of label against golden's answer, over the whole test set."""
    return draw_confusion(np.array(entry["confusion"]), entry["classes"])


@picture
def steps(entries: dict[str, Entry]) -> Figure:
    """Accuracy of the answer after each step, a panel for each data set."""
    sets: dict[str, list[str]] = {}
    for name, entry in entries.items():
        sets.setdefault(data_name(entry), []).append(name)
    columns = min(3, len(sets))
    rows = -(-len(sets) // columns)
    figure = Figure(figsize=(WIDTH * max(columns, 2) / 3, 0.3 + 2.7 * rows), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False).flatten()
    for axes in grid[len(sets) :]:
        axes.set_visible(False)
    for axes, (data, names) in zip(grid, sets.items(), strict=False):
        for index, name in enumerate(names):
            shares = entries[name]["accuracy_by_step"]
            axes.plot(
                range(1, len(shares) + 1),
                [np.nan if share is None else 100 * share for share in shares],
                color=_COLOURS[index % len(_COLOURS)],
                linestyle=_DASHES[index // len(_COLOURS) % len(_DASHES)],
                linewidth=1.5 if len(shares) <= 200 else 0.8,
                marker="o" if len(shares) <= 16 else "",
                markersize=3.5,
                label=name,
            )
        axes.set_title(data)
        axes.set_xlabel("time steps seen")
        axes.set_ylabel("accuracy (%)")
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1))
        axes.legend(loc="best", fontsize=7.5)
    return figure


@picture
def regression(entry: Entry) -> Figure:
    """Target and scaled potential over time: a column for each of the first test samples, a row for each output."""
    targets, potentials = (np.array(entry["histories"][key], float) for key in ("targets", "potentials"))
    answers = potentials * entry["readout_scale"]
    samples, count, outputs = targets.shape
    figure = Figure(figsize=(WIDTH, 0.9 + (2.4 if outputs == 1 else 1.3) * outputs), layout="constrained")
    grid = figure.subplots(outputs, samples, sharex=True, sharey=True, squeeze=False)
    for (output, sample), axes in np.ndenumerate(grid):
        axes.plot(range(1, count + 1), targets[sample, :, output], color=ORANGE, linewidth=2.2)
        axes.step(range(1, count + 1), answers[sample, :, output], where="mid", color=BLUE, linewidth=1.1)
        axes.axhline(0, color=FAINT, linewidth=0.8, zorder=0)
        if output == 0:
            axes.set_title(f"test history {sample}")
        if output == outputs - 1:
            axes.set_xlabel("time step")
        if sample == 0:
            axes.set_ylabel("target's unit" if outputs == 1 else f"output {output}")
    figure.legend(
        handles=[
            Line2D([], [], color=ORANGE, linewidth=2.2, label="target"),
            Line2D([], [], color=BLUE, linewidth=1.1, label=f"potential × {entry['readout_scale']:.4g}"),
        ],
        loc="outside upper center",
        ncols=2,
    )
    return figure


@picture
def step_latency(entries: dict[str, Entry]) -> Figure:
    """From a step's input to its answer, on a core with nothing else to do, beside a network on a PC."""
    rows = []
    for name, entry in entries.items():
        cycles, clock = entry["step_latency_cycles_median"], entry["clock_hz"]
        rows.append((f"{name}\n{entry['shape']}", cycles, clock, BLUE))
    rows.append((f"{STEP.name}\n(on a PC)", STEP.cycles, STEP.clock_hz, ORANGE))
    figure = Figure(figsize=(WIDTH, 1.0 + 0.5 * len(rows)), layout="constrained")
    axes = figure.add_subplot()
    for row, (_, cycles, clock, colour) in enumerate(rows):
        time = cycles / clock * 1e6
        axes.barh(row, time, color=colour, height=0.6)
        axes.annotate(
            f"{time:.4g} µs: {f'{cycles:,.1f}'.removesuffix('.0')} cycles at {_clock(clock)}",
            (time, row),
            (5, 0),
            textcoords="offset points",
            va="center",
            fontsize=8.5,
        )
    axes.set_yticks(range(len(rows)), [text for text, *_ in rows])
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    axes.invert_yaxis()
    # Room for the text beside the longest bar.
    axes.set_xlim(0, 1.5 * max(cycles / clock * 1e6 for _, cycles, clock, _ in rows))
    axes.set_xlabel("latency of one time step (µs)")
    return figure


def _clock(hertz: float) -> str:
    return f"{hertz / 1e9:g} GHz" if hertz >= 1e9 else f"{hertz / 1e6:g} MHz"
