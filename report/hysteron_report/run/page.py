# SPDX-License-Identifier: Apache-2.0
"""Put figures, tables and pictures into one page."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from numpy.typing import NDArray

from hysteron_base.errors import integer_in, require
from hysteron_base.files import write_file
from hysteron_base.html import printable
from hysteron_golden.run import Result
from hysteron_golden.schedule import Schedule
from hysteron_measure import timing
from hysteron_spec.describe import leak_text
from hysteron_spec.encoder import Coding
from hysteron_spec.network import Network
from hysteron_spec.neuron import Mode
from hysteron_spec.program import Program
from hysteron_spec.registers import COUNTERS

from ..confusion import confusion
from . import pictures, timing_pictures
from .retrace import SEARCHED, demonstration, hysteretic, pick_image, pick_layer, pick_neurons, retrace
from .summary import NONE, more, tiles, verdict


@dataclass(frozen=True)
class Shown:
    """A sample of which neurons and spikes are shown: its number, what is known of it, and the two pictures."""

    number: int
    label: str
    traces: str
    raster: str


def write_report(
    path: Path,
    *,
    summary: Mapping[str, Any],
    program: Program,
    result: Result,
    schedule: Schedule,
    labels: NDArray[np.generic] | None,
    images: NDArray[np.generic] | None,
    chosen: int | Sequence[int] | None = None,
    numbers: Sequence[int] | None = None,
    judged: tuple[NDArray[np.generic], NDArray[np.generic]] | None = None,
    answers: NDArray[np.int64] | None = None,
    classes: int | None = None,
    note: str = "",
) -> None:
    """Write the report of a run as one HTML file that refers to nothing outside it.

    Parameters
    ----------
    path
        Where to; the file appears at once, whole.
    summary
        Figures of the run: preset, network, images, accuracy (or None), mismatches (None: not compared),
        cycles_per_image_median, cycles_per_image_max, latency_cycles_median, events_per_image, utilisation
        (0 to 1), clock_hz, images_per_second, first_mismatch (text), compared ("everything", or something else
        if only answers, their cycles and counters were compared), counters (none: the hardware has none); other texts
        and numbers in it are listed.
    program, result, schedule
        The mapped network, its traced run, and the schedule of the same samples. They may be some of the samples that
        ``summary`` is about; the page then says so.
    labels
        ``(samples,)`` true classes, or None.
    images
        ``(samples, …)`` pictures of the samples, square or two-dimensional ones are shown; or None.
    chosen
        Samples of which neurons and spikes are shown, as places in ``result``; None: the one that shows most.
    numbers
        The numbers that the samples bear in their data set; None: 0, 1, 2 …
    judged
        Labels and answers of the whole run, ``(images,)`` each, for the matrix of answers against labels; None: those
        of the samples on the page, if they have labels.
    answers
        ``(samples,)`` answered classes of the samples on the page; None: the winning outputs.
    classes
        How many classes there are to answer; None: as many as outputs.
    note
        What to say of the choice of the samples shown.

    Raises
    ------
    HysteronError
        If the run is empty or not traced, or an argument belongs to another number of samples.
    """
    samples = len(result.predictions)
    require(samples > 0, "a report needs at least one sample, not 0")
    require(result.spikes is not None, "a report needs a traced run; call run(…, trace=True)")
    numbers = range(samples) if numbers is None else numbers
    for name, values in (
        ("schedule", schedule.sample_cycles),
        ("labels", labels),
        ("answers", answers),
        ("images", images),
        ("numbers", numbers),
    ):
        have = samples if values is None else len(values)
        require(have == samples, f"{name} must hold {samples} samples as the run does, not {have}")
    network = program.network
    layer = pick_layer(network, result)
    if chosen is None:
        chosen = pick_image(retrace(network, result, layer, slice(SEARCHED)))
    places = [chosen] if isinstance(chosen, int | np.integer) else list(chosen)
    require(bool(places), "chosen must name at least one sample, not none")
    places = [integer_in("chosen", place, 0, samples - 1) for place in places]
    pixels = result.inputs if images is None and result.inputs.ndim == 2 else images
    true = None if labels is None else np.asarray(labels).astype(np.int64)
    answers = result.predictions if answers is None else answers
    if judged is None and true is not None:
        judged = true, answers
    if judged is not None:
        known = judged[0].astype(np.int64) >= 0
        judged = (judged[0][known], judged[1][known]) if known.any() else None
    environment = Environment(
        loader=PackageLoader("hysteron_report.run", ""),
        autoescape=True,
        finalize=printable,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    text = environment.get_template("page.html.jinja").render(
        summary={"preset": NONE, "network": network.name, **summary},
        verdict=verdict(summary),
        tiles=tiles(summary),
        more=more(summary),
        about=_about(summary.get("images"), numbers),
        layer=layer,
        mode=network.layers[layer].mode.name.lower(),
        hysteresis=hysteretic(network),
        input=_input_text(network, result),
        note=note,
        shown=[_shown(network, result, layer, place, numbers[place], pixels, true, answers) for place in places],
        demonstration=_demonstration(network.layers[layer].mode) if hysteretic(network) else None,
        **_timing(program, schedule, places[0], numbers),
        layers=_layer_rows(program, result, schedule),
        histogram=timing_pictures.cycle_histograms(timing.image_cycles(schedule), timing.stream_latencies(schedule)),
        confusion=None if judged is None else confusion(*judged, classes or network.n_out),
        answers=0 if judged is None else len(judged[0]),
        wrong=0 if judged is None else int((judged[0] != judged[1]).sum()),
        counters=[
            (name, f"{schedule.counters[name]:,}", f"{schedule.counters[name] / samples:,.1f}", meaning)
            for name, meaning in COUNTERS.items()
        ],
        counted=program.config.counters,
    )
    write_file(Path(path), text.encode())


def _shown(
    network: Network,
    result: Result,
    layer: int,
    place: int,
    number: int,
    pixels: NDArray[np.generic] | None,
    labels: NDArray[np.int64] | None,
    answers: NDArray[np.int64],
) -> Shown:
    """The pictures of one sample."""
    trace = retrace(network, result, layer, slice(place, place + 1))
    neurons = pick_neurons(trace)
    label = f"image {number}"
    if labels is not None:
        label += f", label {labels[place]}" if labels[place] >= 0 else ", no label"
    return Shown(
        number,
        label + ("" if labels is None else f", answer {answers[place]}"),
        pictures.membrane_traces(trace, neurons),
        pictures.raster(network, result, place, square(pixels, place), label, {layer: neurons}),
    )


def _about(images: int | None, numbers: Sequence[int]) -> str:
    """Which of the run's images the page's pictures and tables are about; nothing if it is all of them."""
    if images is None or images == len(numbers):
        return ""
    first = next((place for place, number in enumerate(numbers) if place != number), len(numbers))
    more = [f"{number:,}" for number in numbers[first:]]
    beside = f" and of {'image' if len(more) == 1 else 'images'} {', '.join(more)}" if more else ""
    return f"the first {first} of these {images:,} images{beside}"


def _input_text(network: Network, result: Result) -> str:
    assert result.spikes is not None
    steps = result.spikes[0].shape[1]
    if network.encoder is None:
        return f"spikes over {steps} time steps"
    return f"pixels, {network.encoder.coding.name.lower()} coding over {steps} time steps"


def square(images: NDArray[np.generic] | None, index: int) -> NDArray[np.generic] | None:
    """The picture of one sample, or None if its shape is not that of a picture."""
    if images is None:
        return None
    image: NDArray[np.generic] = np.squeeze(np.asarray(images[index]))
    side = math.isqrt(image.size)
    if image.ndim == 1 and side * side == image.size:
        return image.reshape(side, side)
    return image if image.ndim == 2 else None


@cache
def _demonstration(mode: Mode) -> str:
    """The demonstration for a layer in ``mode``; it depends on nothing else."""
    modes = [Mode.WINDOW, Mode.LATCH, Mode.PLAIN] if mode is Mode.WINDOW else [Mode.LATCH, Mode.PLAIN]
    return pictures.demonstration_traces(*demonstration(modes))


def _timing(program: Program, schedule: Schedule, place: int, numbers: Sequence[int]) -> dict[str, Any]:
    """The two pictures over time, or none if the schedule was made without its lane-cycles."""
    if not schedule.busy_cycles.size:
        return {"timeline": None, "gantt": None, "spanned": ""}
    samples = len(schedule.sample_cycles)
    first = max(0, min(place, samples - timing_pictures.TIMELINE_IMAGES))
    pair = max(0, min(place, samples - timing_pictures.PASS_IMAGES))
    passes = timing.passes(program, schedule)
    last = min(first + timing_pictures.TIMELINE_IMAGES, samples) - 1
    return {
        "timeline": timing_pictures.timeline(schedule, first, numbers),
        "gantt": timing_pictures.gantt(schedule, passes, pair, len(program.tiles), numbers),
        "spanned": f"{numbers[first]} to {numbers[last]}",
    }


def _layer_rows(program: Program, result: Result, schedule: Schedule) -> list[dict[str, str]]:
    network, rows = program.network, []
    samples = len(result.predictions)
    direct = network.encoder is not None and network.encoder.coding is Coding.DIRECT
    for index, (events, lane_cycles) in enumerate(timing.layer_events(program, result)):
        layer = network.layers[index]
        low = NONE if layer.mode is Mode.PLAIN else f"{layer.theta_low:,}"
        rows.append(
            {
                "layer": str(index),
                "neurons": f"{layer.n_out:,}",
                "inputs": f"{layer.n_in:,}" + (f" + {layer.n_out:,} own" if layer.recurrent is not None else ""),
                "tiles": str(program.tiles[index]),
                "mode": layer.mode.name.lower(),
                "reset": layer.reset.name.lower(),
                "leak": leak_text(layer),
                "thresholds": f"{layer.theta_high:,} / {low}",
                "bits": f"{layer.weight_bits}" + (" (0/1)" if layer.unit_weights else ""),
                "events": f"{events:,.1f}" + (" (pixel bits)" if direct and index == 0 else ""),
                "spikes": f"{result.events[:, index + 1].mean():,.1f}",
                "lane_cycles": f"{lane_cycles / samples:,.1f}",
                "share": f"{100 * lane_cycles / schedule.bound:.1f} %",
            }
        )
    return rows
