# SPDX-License-Identifier: Apache-2.0
"""Pictures of runs, as notebooks show them and as SVG files."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hysteron_base.doors import file_to_write
from hysteron_base.errors import integer_in, of_kind, require, shown
from hysteron_base.extras import brought_by
from hysteron_base.files import write_file

from .prediction import Prediction
from .runs import GoldenRun


@dataclass(frozen=True)
class Picture:
    """An SVG picture; a notebook shows it where a cell ends with it.

    Attributes
    ----------
    svg
        The picture's text.
    """

    svg: str

    def save(self, path: str | Path) -> None:
        """Write the picture as an SVG file.

        Raises
        ------
        HysteronError
            If no file can be written there.
        """
        write_file(file_to_write(path), self.svg.encode())

    def __repr__(self) -> str:
        return f"Picture({len(self.svg):,} bytes of SVG)"

    def _repr_svg_(self) -> str:
        return self.svg


def _picture(address: str) -> Picture:
    from hysteron_report.style import svg

    return Picture(svg(address).decode())


def _golden(run: object) -> GoldenRun:
    return of_kind("run", run, GoldenRun, "hyn.run makes one")


def _traced(run: GoldenRun, sample: int) -> int:
    _golden(run)
    require(run.result.spikes is not None, "a picture needs a traced run; call hyn.run(…, trace=True)")
    return integer_in("sample", sample, 0, len(run.predictions) - 1)


@brought_by("report")
def raster(run: GoldenRun, sample: int = 0) -> Picture:
    """The spikes of one sample: inputs and every layer over the time steps, and the answer.

    Parameters
    ----------
    run
        A traced run of the golden model.
    sample
        Which sample, from 0.
    """
    from hysteron_report.run.page import square
    from hysteron_report.run.pictures import raster as draw

    index = _traced(run, sample)
    labels = run.data.labels
    label = f"sample {index}" + (f", label {int(labels[index])}" if labels is not None and labels.ndim == 1 else "")
    pixels = run.data.inputs if run.network.encoder is not None else None
    return _picture(draw(run.network, run.result, index, square(pixels, index), label, {}))


@brought_by("report")
def membrane(run: GoldenRun, sample: int = 0, *, layer: int = 0, neurons: Sequence[int] | None = None) -> Picture:
    """Membrane potentials of some neurons over the time steps, with thresholds, spikes and the armed flag.

    Parameters
    ----------
    run
        A traced run of the golden model.
    sample, layer
        Which sample and which layer, from 0.
    neurons
        Which neurons; None: up to three that show most.
    """
    from hysteron_report.run.pictures import membrane_traces
    from hysteron_report.run.retrace import pick_neurons, retrace

    index = _traced(run, sample)
    layer = integer_in("layer", layer, 0, len(run.network.layers) - 1)
    trace = retrace(run.network, run.result, layer, slice(index, index + 1))
    require(
        neurons is None or isinstance(neurons, Iterable), f"neurons must be a list of numbers, not {shown(neurons)}"
    )
    chosen = pick_neurons(trace) if neurons is None else list(neurons)
    for neuron in chosen:
        integer_in("neuron", neuron, 0, run.network.layers[layer].n_out - 1)
    return _picture(membrane_traces(trace, chosen))


@brought_by("report")
def utilisation(found: Prediction | Any, first: int = 0) -> Picture:
    """The share of cycles in which the lanes work, over a few samples.

    Parameters
    ----------
    found
        A prediction (:func:`hyn.predict`) or a simulation (:func:`hyn.simulate`).
    first
        The first of the samples that are shown.
    """
    from hysteron_report.run.timing_pictures import timeline

    require(
        isinstance(found, Prediction) or hasattr(found, "comparison"),
        f"found must be a Prediction or a Simulation, not {shown(found)}; hyn.predict and hyn.simulate make them",
    )
    plan = found.schedule if isinstance(found, Prediction) else found.comparison.schedule
    require(bool(plan.busy_cycles.size), "the lanes were not watched in this run; take fewer samples")
    samples = len(plan.sample_cycles)
    return _picture(timeline(plan, integer_in("first", first, 0, samples - 1), range(samples)))


@brought_by("report")
def confusion(run: GoldenRun) -> Picture:
    """Counts of label against answer."""
    from hysteron_report.confusion import confusion as draw

    labels = _golden(run).data.labels
    require(labels is not None and labels.ndim == 1, "a confusion matrix needs one label a sample")
    assert labels is not None
    known = labels >= 0
    return _picture(draw(labels[known], run.predictions[known], run.judge.classes(run.network.n_out)))
