# SPDX-License-Identifier: Apache-2.0
"""From a simulated run to its page."""

from dataclasses import replace
from pathlib import Path

from hysteron_golden import Result, schedule
from hysteron_measure.simulation import Run

from .choice import Show, choose, on_page
from .page import write_report


def write_run(path: Path, run: Run, *, show: Show = None) -> None:
    """Write the report of a run as one HTML file that refers to nothing outside it.

    Parameters
    ----------
    path
        Where to; the file appears at once, whole.
    run
        What :func:`hysteron_measure.simulation.simulate_network` returned.
    show
        Samples of which neurons and spikes are shown: the number of one, ``"wrong"`` for the first wrongly answered
        ones, or None for the one that shows most.

    Raises
    ------
    HysteronError
        If there is no such sample, or ``"wrong"`` is asked for and the samples have no labels.
    """
    chosen, note = choose(run, show)
    numbers = on_page(run, chosen)
    result, plan = run.result, run.comparison.schedule
    if not run.detail:
        result = _take(result, numbers)
        plan = schedule(run.program, [run.comparison.activity[number] for number in numbers])
    answers = run.predictions
    labels = run.data.labels if run.data.labels is not None and run.data.labels.ndim == 1 else None
    write_report(
        path,
        summary=run.summary,
        program=run.program,
        result=result,
        schedule=plan,
        labels=None if labels is None else labels[numbers],
        judged=None if labels is None else (labels, answers),
        answers=answers[numbers],
        classes=run.judge.classes(run.network.n_out),
        images=run.data.inputs[numbers] if run.network.encoder else None,
        chosen=None if chosen is None else [numbers.index(number) for number in chosen],
        numbers=numbers,
        note=note,
    )


def _take(result: Result, which: list[int]) -> Result:
    """Some samples of a traced run."""
    assert result.spikes is not None and result.potentials is not None
    return replace(
        result,
        predictions=result.predictions[which],
        values=result.values[which],
        step_values=None if result.step_values is None else result.step_values[which],
        events=result.events[which],
        spikes=tuple(layer[which] for layer in result.spikes),
        potentials=tuple(layer[which] for layer in result.potentials),
        inputs=result.inputs[which],
    )
