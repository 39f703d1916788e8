"""Put figures, tables and pictures into one page."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from numpy.typing import NDArray

from hysteron_base.errors import integer_in, require
from hysteron_base.files import write_file
from hysteron_golden.run import Result
from hysteron_golden.schedule import Schedule
from hysteron_spec.encoder import Coding
from hysteron_spec.network import Layer, Network
from hysteron_spec.neuron import Mode
from hysteron_spec.program import Program
from hysteron_spec.registers import COUNTERS

from . import pictures, timing, timing_pictures
from .retrace import SEARCHED, counted, demonstration, pick_image, pick_layer, pick_neurons, retrace

#: Keys of ``summary`` that have their own place on the page; others are listed as they are.
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
_NONE = "–"


@dataclass(frozen=True)
class Tile:
    """A key figure: its name, the number with its unit, and what to know about it."""

    name: str
    value: str
    unit: str
    note: str


def write_report(
    path: Path,
    *,
    summary: Mapping[str, Any],
    program: Program,
    result: Result,
    schedule: Schedule,
    labels: NDArray[np.generic] | None,
    images: NDArray[np.generic] | None,
    chosen: int | None = None,
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
        The mapped network, its traced run, and the schedule of the same samples. They may be the first samples of
        those that ``summary`` is about; the page then says so.
    labels
        ``(samples,)`` true classes, or None.
    images
        ``(samples, …)`` pictures of the samples, square or two-dimensional ones are shown; or None.
    chosen
        Sample of which neurons and spikes are shown; None: the one that shows most.

    Raises
    ------
    HysteronError
        If the run is empty or not traced, or an argument belongs to another number of samples.
    """
    samples = len(result.predictions)
    require(samples > 0, "a report needs at least one sample, not 0")
    require(result.spikes is not None, "a report needs a traced run; call run(…, trace=True)")
    for name, values in (("schedule", schedule.sample_cycles), ("labels", labels), ("images", images)):
        have = samples if values is None else len(values)
        require(have == samples, f"{name} must hold {samples} samples as the run does, not {have}")
    network = program.network
    layer = pick_layer(network, result)
    if chosen is None:
        chosen = pick_image(retrace(network, result, layer, slice(SEARCHED)))
    chosen = integer_in("chosen", chosen, 0, samples - 1)
    trace = retrace(network, result, layer, slice(chosen, chosen + 1))
    neurons = pick_neurons(trace)
    pixels = result.inputs if images is None and result.inputs.ndim == 2 else images
    true = None if labels is None else np.asarray(labels).astype(np.int64)
    label = f"image {chosen}" if true is None else f"image {chosen}, label {true[chosen]}"
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    text = environment.get_template("page.html.jinja").render(
        summary={"preset": _NONE, "network": network.name, **summary},
        verdict=_verdict(summary),
        tiles=_tiles(summary),
        more={key: _text(value) for key, value in summary.items() if key not in _PLACED and np.isscalar(value)},
        samples=samples,
        chosen=chosen,
        layer=layer,
        mode=trace.layer.mode.name.lower(),
        input=_input_text(network, result),
        traces=pictures.membrane_traces(trace, neurons),
        demonstration=_demonstration(trace.layer.mode),
        raster=pictures.raster(network, result, chosen, _square(pixels, chosen), label, {layer: neurons}),
        **_timing(program, schedule, chosen),
        layers=_layer_rows(program, result, schedule),
        histogram=timing_pictures.cycle_histograms(timing.intervals(schedule), timing.latencies(schedule)),
        confusion=None if true is None else pictures.confusion(true, result.predictions, network.n_out),
        wrong=0 if true is None else int((true != result.predictions).sum()),
        counters=[
            (name, f"{schedule.counters[name]:,}", f"{schedule.counters[name] / samples:,.1f}", meaning)
            for name, meaning in COUNTERS.items()
        ],
        counted=program.config.counters,
    )
    write_file(Path(path), text.encode())


def _verdict(summary: Mapping[str, Any]) -> dict[str, str]:
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


def _tiles(summary: Mapping[str, Any]) -> list[Tile]:
    get = summary.get
    clock, latency, accuracy = get("clock_hz"), get("latency_cycles_median"), get("accuracy")
    at = "clock not stated" if clock is None else f"at {_si(clock)}Hz"
    share = get("utilisation")
    return [
        Tile(
            "Accuracy",
            _NONE if accuracy is None else f"{100 * accuracy:.2f}",
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
            _NONE if share is None else f"{100 * share:.2f}",
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
        return _NONE
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


def _input_text(network: Network, result: Result) -> str:
    assert result.spikes is not None
    steps = result.spikes[0].shape[1]
    if network.encoder is None:
        return f"spikes over {steps} time steps"
    return f"pixels, {network.encoder.coding.name.lower()} coding over {steps} time steps"


def _square(images: NDArray[np.generic] | None, index: int) -> NDArray[np.generic] | None:
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


def _timing(program: Program, schedule: Schedule, chosen: int) -> dict[str, Any]:
    """The two pictures over time, or none if the schedule was made without its lane-cycles."""
    if not schedule.busy_cycles.size:
        return {"timeline": None, "gantt": None, "shown": ()}
    samples = len(schedule.sample_cycles)
    first = max(0, min(chosen, samples - timing_pictures.TIMELINE_IMAGES))
    pair = max(0, min(chosen, samples - timing_pictures.PASS_IMAGES))
    passes = timing.passes(program, schedule)
    return {
        "timeline": timing_pictures.timeline(schedule, first),
        "gantt": timing_pictures.gantt(schedule, passes, pair, len(program.tiles)),
        "shown": (first, min(first + timing_pictures.TIMELINE_IMAGES, samples) - 1),
    }


def _layer_rows(program: Program, result: Result, schedule: Schedule) -> list[dict[str, str]]:
    network, rows = program.network, []
    samples = len(result.predictions)
    direct = network.encoder is not None and network.encoder.coding is Coding.DIRECT
    for index, (events, lane_cycles) in enumerate(timing.layer_events(program, result)):
        layer = network.layers[index]
        low = _NONE if layer.mode is Mode.PLAIN else f"{layer.theta_low:,}"
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


def leak_text(layer: Layer) -> str:
    """The factor that a layer's potentials keep each step, or the range of factors, as fractions."""
    low, high = (Fraction(int(code), 1 << layer.leak_bits) for code in (layer.leak_codes.min(), layer.leak_codes.max()))
    return str(low) if low == high else f"{low} … {high}"
