# SPDX-License-Identifier: Apache-2.0
"""Pictures of what neurons did: membrane traces, the demonstration, the spike raster."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from hysteron_golden.run import Result
from hysteron_spec.network import Layer, Network
from hysteron_spec.neuron import NEVER, Mode, Readout, Reset

from ..style import ARMED, BAND, BLUE, DISARMED, FAINT, INK, INPUT, MUTED, VERMILLION, WIDTH, bare, picture
from ..words import counted
from .retrace import Trace, story

#: Steps up to which each is marked and three traces fit side by side.
_FEW_STEPS = 16
#: Spikes of a raster above which they are a bitmap in the picture.
_MANY_SPIKES = 4000
_HOLLOW: dict[str, Any] = {"markerfacecolor": "white", "markersize": 4.5}


@picture
def membrane_traces(trace: Trace, neurons: Sequence[int]) -> Figure:
    """Compared potential and thresholds of some neurons of a one-sample trace.

    Below each is a strip that tells when the neuron was armed; plain neurons always are, so they have none.
    """
    steps = trace.spikes.shape[1]
    across = steps <= _FEW_STEPS
    rows, columns = (1, len(neurons)) if across else (len(neurons), 1)
    figure = Figure(figsize=(WIDTH, 0.75 + 3.1 * rows), layout="constrained")
    heights = [1.0] if trace.layer.mode is Mode.PLAIN else [1, 0.085]
    grid = figure.add_gridspec(len(heights) * rows, columns, height_ratios=heights * rows)
    limits = _limits(trace, [*neurons])
    for place, neuron in enumerate(neurons):
        row, column = (0, place) if across else (len(heights) * place, 0)
        axes = lowest = figure.add_subplot(grid[row, column])
        strip = None
        if len(heights) > 1:
            lowest = strip = figure.add_subplot(grid[row + 1, column])
        _draw_trace(axes, strip, trace, neuron, limits)
        axes.set_title(f"neuron {neuron}: {story(trace, neuron)}")
        lowest.set_xlabel("time step")
        if column == 0:
            axes.set_ylabel("potential (weight units)")
    _legend(figure, trace.layer, across)
    return figure


@picture
def demonstration_traces(drive: NDArray[np.int64], traces: Sequence[Trace]) -> Figure:
    """The demonstration: one drive and the same neuron in several modes, the one to explain first."""
    figure = Figure(figsize=(WIDTH, 4.4), layout="constrained")
    grid = figure.add_gridspec(3, len(traces), height_ratios=[0.32, 1, 0.085])
    limits = _limits(max(traces, key=lambda trace: int(trace.compared.max())), [0])
    for column, trace in enumerate(traces):
        above = figure.add_subplot(grid[0, column])
        axes, strip = figure.add_subplot(grid[1, column]), figure.add_subplot(grid[2, column])
        above.step(np.arange(len(drive)), drive, where="mid", color=MUTED, linewidth=1)
        above.set_xlim(-1, len(drive))
        above.tick_params(labelbottom=False)
        kind = "no hysteresis" if trace.layer.mode is Mode.PLAIN else "hysteresis"
        above.set_title(f"{trace.layer.mode.name.lower()} ({kind}): {counted(int(trace.spikes.sum()), 'spike')}")
        _draw_trace(axes, strip, trace, 0, limits)
        strip.set_xlabel("time step")
        if column == 0:
            above.set_ylabel("input")
            axes.set_ylabel("potential")
    _legend(figure, traces[0].layer, False)
    return figure


def _limits(trace: Trace, neurons: Sequence[int]) -> tuple[float, float]:
    """Ends of the potential axis: all values, and the thresholds unless they would flatten the trace."""
    values = np.concatenate([trace.compared[0][:, neurons].ravel(), trace.after[0][:, neurons].ravel(), [0, 1]])
    reach = 4 * int(np.abs(values).max())
    shown = [*values, *(theta for theta in _thetas(trace.layer).values() if abs(theta) <= reach)]
    low, high = min(shown), max(shown)
    return low - 0.07 * (high - low), high + 0.1 * (high - low)


def _thetas(layer: Layer) -> dict[str, int]:
    """Thresholds that matter in the layer's mode; plain neurons have no lower one."""
    high = {r"$\theta_\mathrm{high}$": layer.theta_high}
    return high if layer.mode is Mode.PLAIN else high | {r"$\theta_\mathrm{low}$": layer.theta_low}


def _draw_trace(axes: Axes, strip: Axes | None, trace: Trace, neuron: int, limits: tuple[float, float]) -> None:
    layer = trace.layer
    compared, after = trace.compared[0, :, neuron], trace.after[0, :, neuron]
    spikes, armed = trace.spikes[0, :, neuron], trace.armed[0, :, neuron]
    blocked = trace.blocked[0, :, neuron]
    steps = np.arange(len(compared))
    few = len(steps) <= _FEW_STEPS
    if layer.mode is not Mode.PLAIN:
        axes.axhspan(layer.theta_low, layer.theta_high, color=BAND, linewidth=0, zorder=0)
    for place, (name, theta) in enumerate(_thetas(layer).items()):
        text, upwards = f"{name}\n{theta}", place == 0
        if limits[0] <= theta <= limits[1]:
            axes.axhline(theta, color=INK, linewidth=1, linestyle=(0, (5, 2)), zorder=1)
            at = float(theta)
        else:
            text += "\n(off scale)"
            at = limits[int(theta > limits[1])]
            upwards = theta < limits[0]
        # The upper label grows upwards and the lower one down, so that they never meet.
        axes.annotate(
            text,
            (1, at),
            (4, 4 if upwards else -4),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            va="bottom" if upwards else "top",
            fontsize=8.5,
            annotation_clip=False,
        )
    # The state before the first step is a point too: a potential of 0.
    axes.step(np.append(-1, steps), np.append(0, compared), where="mid", color=BLUE, linewidth=1.5, zorder=3)
    if few:
        axes.plot(np.append(-1, steps), np.append(0, compared), "o", color=BLUE, markersize=4, zorder=4)
    if layer.reset is not Reset.NONE and spikes.any():
        axes.vlines(steps[spikes], after[spikes], compared[spikes], color=VERMILLION, linestyle=":", linewidth=1.3)
        axes.plot(steps[spikes], after[spikes], "o", color=VERMILLION, zorder=4, **_HOLLOW)
    size = 9 if few else 7
    axes.plot(steps[spikes], compared[spikes], "^", color=VERMILLION, markersize=size, zorder=5)
    axes.plot(steps[blocked], compared[blocked], "x", color=INK, markersize=size - 2, markeredgewidth=1.8, zorder=5)
    axes.set_xlim(-1.6, len(steps) - 0.4)
    axes.set_ylim(limits)
    axes.tick_params(labelbottom=strip is None)
    axes.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    ticks = steps[:: max(1, round(len(steps) / 8 if few else len(steps) / 60) * (1 if few else 10))]
    for each in (axes, strip):
        if each is not None:
            each.set_xticks([-1, *ticks] if few else ticks)
    if few:
        (axes if strip is None else strip).set_xticklabels(["start", *map(str, ticks)])
    if strip is not None:
        _draw_armed(strip, armed, axes.get_xlim(), few)


def _draw_armed(strip: Axes, armed: NDArray[np.bool_], limits: tuple[float, float], few: bool) -> None:
    """The strip below a trace: when the neuron was armed."""
    # One cell a step while steps can be told apart, else one for each run of equal flags.
    edges = np.flatnonzero(np.append(True, few | (armed[1:] != armed[:-1])))
    for begin, end in zip(edges, np.append(edges[1:], len(armed)), strict=True):
        colour, gap = ARMED if armed[begin] else DISARMED, 0.04 if few else 0
        strip.axvspan(begin - 0.5 + gap, end - 0.5 - gap, color=colour, linewidth=0)
    strip.set_xlim(limits)
    bare(strip, keep_x=True)


def _legend(figure: Figure, layer: Layer, few: bool) -> None:
    entries: list[Any] = [
        Line2D([], [], color=BLUE, marker="o" if few else "", markersize=4, label="potential compared"),
        Line2D([], [], color=VERMILLION, marker="^", markersize=8, linestyle="", label="spike"),
    ]
    if layer.reset is not Reset.NONE:
        entries.append(Line2D([], [], color=VERMILLION, marker="o", linestyle=":", label="reset", **_HOLLOW))
    if layer.mode is not Mode.PLAIN:
        entries += [
            Patch(color=ARMED, label="armed"),
            Patch(color=DISARMED, label="disarmed"),
            Line2D(
                [],
                [],
                color=INK,
                marker="x",
                linestyle="",
                markeredgewidth=1.8,
                label=r"above $\theta_\mathrm{high}$ but held",
            ),
            Patch(color=BAND, label="band between thresholds"),
        ]
    figure.legend(handles=entries, loc="outside upper center", ncols=len(entries), columnspacing=1.4, handletextpad=0.6)


@picture
def raster(
    network: Network,
    result: Result,
    index: int,
    image: NDArray[np.generic] | None,
    label: str,
    marked: Mapping[int, Sequence[int]],
) -> Figure:
    """Spikes of one sample: inputs and every layer over the time steps, the image and the answer beside them.

    ``marked`` names neurons that get an arrow, for some layers.
    """
    assert result.spikes is not None
    layers = [layer[index].T for layer in result.spikes]
    steps = layers[0].shape[1]
    inputs = result.inputs[index]
    counts = [network.n_in, *(layer.n_out for layer in network.layers)]
    heights = [0.55 + 0.13 * min(count, 400) ** 0.5 for count in counts]
    figure = Figure(figsize=(WIDTH, 0.9 + 1.05 * sum(heights)), layout="constrained")
    beside, main = figure.subfigures(1, 2, squeeze=False, width_ratios=[0.27, 1])[0]
    panels = main.subplots(len(counts), 1, sharex=True, height_ratios=heights, squeeze=False)[:, 0]
    for place, (axes, count) in enumerate(zip(panels, counts, strict=True)):
        name = "inputs" if place == 0 else f"layer {place - 1}"
        if place == 0 and inputs.ndim == 1:
            axes.imshow(inputs[:, None], "gray_r", aspect="auto", extent=(-0.5, steps - 0.5, count - 0.5, -0.5), vmin=0)
            axes.set_title(f"{name}: pixel values, the same current at every step (darker is more)")
        else:
            spikes = (inputs.T if place == 0 else layers[place - 1]) != 0
            _draw_spikes(axes, spikes, INPUT if place == 0 else BLUE)
            sources = counted(count, "neuron" if place else "input")
            title = f"{name}: {counted(int(spikes.sum()), 'spike')} of {sources}"
            answers = place == len(layers) and network.readout is Readout.POTENTIAL
            axes.set_title(title + (", answers with its potentials" if answers else ""))
        _mark(axes, marked.get(place - 1, ()), count / (heights[place] * 50))
        axes.set_ylim(count - 0.5, -0.5)
        axes.set_yticks(sorted({0, count // 2, count - 1}))
        axes.set_ylabel("input" if place == 0 else "neuron")
    panels[-1].set_xlim(-0.5, steps - 0.5)
    panels[-1].xaxis.set_major_locator(MaxNLocator(min(steps, 20), integer=True))
    panels[-1].set_xlabel("time step")
    _draw_answer(beside, network, result, index, image, label)
    return figure


def _mark(axes: Axes, neurons: Sequence[int], rows_per_point: float) -> None:
    """Arrows from the right at rows of a raster; their numbers keep clear of each other."""
    at = -np.inf
    for neuron in sorted(neurons):
        at = max(neuron, at + 10 * rows_per_point)
        axes.annotate(
            str(neuron),
            (1, neuron),
            (1.022, at),
            xycoords=("axes fraction", "data"),
            textcoords=("axes fraction", "data"),
            va="center",
            fontsize=8,
            color=VERMILLION,
            arrowprops={"arrowstyle": "->", "color": VERMILLION, "shrinkA": 1, "shrinkB": 0},
        )


def _draw_spikes(axes: Axes, spikes: NDArray[np.bool_], colour: str) -> None:
    """A bar for each spike, as long as a step and as high as a row, with a little air between."""
    rows, steps = np.nonzero(spikes)
    corners = np.array([[-0.4, -0.4], [-0.4, 0.4], [0.4, 0.4], [0.4, -0.4]])
    polygons = np.stack([steps, rows], axis=1)[:, None, :] + corners
    dense = len(spikes) > 100  # a row is thinner than a pixel: a border keeps single spikes visible
    axes.add_collection(
        PolyCollection(
            list(polygons),
            facecolor=colour,
            edgecolor=colour,
            linewidth=0.5 if dense else 0,
            rasterized=len(rows) > _MANY_SPIKES,
        )
    )
    for edge in range(1, spikes.shape[1]) if spikes.shape[1] <= _FEW_STEPS else ():
        axes.axvline(edge - 0.5, color=FAINT, linewidth=0.7, zorder=0)


def _draw_answer(
    figure: SubFigure, network: Network, result: Result, index: int, image: NDArray[np.generic] | None, label: str
) -> None:
    """The image, and the read-out of the last layer."""
    assert result.spikes is not None
    top, bottom = figure.subplots(2, 1, height_ratios=[1, 1.1])
    if image is None:
        top.text(0.5, 0.85, "(no picture given)", ha="center", va="center", color=MUTED)
    else:
        top.set_anchor("N")
        top.imshow(image, "gray_r", vmin=0)
    bare(top)
    top.set_title(label)
    values = result.values[index].astype(np.int64)
    colours = [BLUE if k == result.predictions[index] else "#b8c2cc" for k in range(len(values))]
    if network.readout is Readout.FIRST:  # a bar ends in the step of the first spike; none: no bar
        base, reach = -0.5, np.where(values == NEVER, 0, values + 0.5)
        bottom.set_xlim(base, result.spikes[0].shape[1] - 0.5)
    else:
        base, reach = 0.0, values.astype(float)
        bottom.axvline(0, color="#98a2ad", linewidth=0.8)
        if not values.any():
            bottom.set_xlim(0, 1)
    bottom.barh(np.arange(len(values)), reach, left=base, color=colours)
    bottom.set_ylim(len(values) - 0.5, -0.5)
    bottom.set_yticks(range(len(values)) if len(values) <= 16 else [0, len(values) // 2, len(values) - 1])
    bottom.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    names = {Readout.COUNT: "spikes", Readout.FIRST: "step of first spike", Readout.POTENTIAL: "potential"}
    bottom.set_xlabel(names[network.readout])
    bottom.set_ylabel("output")
    bottom.set_title(f"read-out: {int(result.predictions[index])} wins")
