# SPDX-License-Identifier: Apache-2.0
"""Run samples on a simulated core and compare every spike, potential, cycle and counter with golden."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hysteron_golden.run import Result
from hysteron_golden.schedule import Activity, Schedule, activities, schedule, sent_inputs
from hysteron_spec.program import Program

from .simulator import Observed, Script, Simulator, Stimulus


@dataclass(frozen=True)
class Mismatch:
    """One difference between RTL and golden; unknown places are None."""

    what: str
    cycle: int
    sample: int | None = None
    step: int | None = None
    layer: int | None = None
    neuron: int | None = None
    golden: object = None
    rtl: object = None

    def __str__(self) -> str:
        places = [
            f"{name} {value}"
            for name in ("sample", "step", "layer", "neuron", "cycle")
            if (value := getattr(self, name)) is not None
        ]
        return f"{self.what} differs at {', '.join(places)}: golden {self.golden}, RTL {self.rtl}"


@dataclass(frozen=True, eq=False)
class Comparison:
    """A run beside its prediction: what was streamed, what golden said, what the core did, and the differences.

    Differences are in order of time, at most one a kind and layer.
    """

    activity: Sequence[Activity]
    schedule: Schedule
    observed: Observed
    mismatches: tuple[Mismatch, ...]


def stimulus_of(activity: Sequence[Activity], predicted: Schedule, **gaps: Sequence[int]) -> Stimulus:
    """Return the stimulus that streams ``activity``; it gives up after twice the predicted cycles."""
    words = np.concatenate([packet for a in activity for packet in a.packets])
    last = int(predicted.beat_cycles[-1]) if len(predicted.beat_cycles) else 0
    return Stimulus(words, len(predicted.beats), limit=2 * last + 1000, **gaps)


def simulate(
    simulator: Simulator,
    program: Program,
    result: Result,
    raw_inputs: NDArray[np.uint8],
    *,
    source_gaps: Sequence[int] = (),
    sink_gaps: Sequence[int] = (),
    progress: Callable[[float], None] | None = None,
) -> Comparison:
    """Stream samples through the core and compare.

    Parameters
    ----------
    simulator
        A core that is idle.
    program, result
        The mapped network and golden's traced result.
    raw_inputs
        Pixels or spikes, as the network takes them; what a core cannot encode is sent as spikes.
    source_gaps, sink_gaps
        See :func:`hysteron_golden.schedule.schedule`.
    progress
        Called with the fraction of answer words that are out.
    """
    activity = activities(result, sent_inputs(program, result, raw_inputs))
    gaps = {"source_gaps": source_gaps, "sink_gaps": sink_gaps}
    predicted = schedule(program, activity, reads=simulator.detail, **gaps)
    script = Script()
    script.load(program)
    script.run(stimulus_of(activity, predicted, **gaps))
    (observed,) = simulator.play(script, progress=progress)
    mismatches = compare(program, result, predicted, observed, detail=simulator.detail)
    return Comparison(activity, predicted, observed, mismatches)


def answers(program: Program, observed: Observed) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Take the core's own answers from a run, in order; nothing of it comes from golden.

    Returns
    -------
    values, winners
        ``(answers, n_out)`` read-out values and the ``(answers,)`` winning outputs that the core chose. An answer
        that was cut off is left out.
    """
    n_out = program.network.n_out
    whole = len(observed.beats) // (n_out + 1)
    words = observed.beats[: whole * (n_out + 1)].reshape(whole, n_out + 1)
    # The last word holds the winner in its low half, the number of the answer in the high one.
    return words[:, :n_out].astype(np.int32), (words[:, n_out] & 0xFFFF).astype(np.int64)


def compare(
    program: Program, result: Result, predicted: Schedule, observed: Observed, *, detail: bool
) -> tuple[Mismatch, ...]:
    """Return the differences between golden and the core, in order of time."""
    found = [
        *_sequences("cycle of an input word", predicted.accept_cycles, observed.accept_cycles, predicted.accept_cycles),
        *_sequences("answer word", predicted.beats, observed.beats, predicted.beat_cycles),
        *_sequences("cycle of an answer word", predicted.beat_cycles, observed.beat_cycles, predicted.beat_cycles),
    ]
    if detail:
        found += _sequences("weight row read", predicted.read_rows, observed.read_rows, predicted.read_cycles)
        found += _sequences(
            "cycle of a weight read", predicted.read_cycles, observed.read_cycles, predicted.read_cycles
        )
        found += _updates(program, result, predicted, observed)
    end = int(predicted.beat_cycles[-1]) if len(predicted.beat_cycles) else 0
    counters = predicted.counters if program.config.counters else {}
    for name, value in {"STATUS": 0, "ERROR": 0, **counters}.items():
        if observed.registers[name] != value:
            found.append(Mismatch(f"register {name}", end, golden=value, rtl=observed.registers[name]))
    return tuple(sorted(found, key=lambda mismatch: mismatch.cycle))


def _sequences(
    what: str, golden: NDArray[np.integer], rtl: NDArray[np.integer], cycles: NDArray[np.int64]
) -> list[Mismatch]:
    """The first place in which two sequences differ, in values or in length."""
    n = min(len(golden), len(rtl))
    different = np.flatnonzero(golden[:n] != rtl[:n])
    if len(different):
        k = int(different[0])
        return [Mismatch(what, int(cycles[k]), golden=int(golden[k]), rtl=int(rtl[k]))]
    if len(golden) != len(rtl):
        cycle = int(cycles[min(n, len(cycles) - 1)]) if len(cycles) else 0
        return [Mismatch(f"number of times ({what})", cycle, golden=len(golden), rtl=len(rtl))]
    return []


def _updates(program: Program, result: Result, predicted: Schedule, observed: Observed) -> list[Mismatch]:
    """Differences of tile updates: the first of each layer in spikes, potentials and cycles."""
    assert result.spikes is not None and result.potentials is not None
    lanes = program.config.lanes
    n = min(len(predicted.update_cycles), len(observed.update_cycles))
    found = []
    place: tuple[int, int, int, int, int | None]
    if n < max(len(predicted.update_cycles), len(observed.update_cycles)):
        cycle = int(predicted.update_cycles[min(n, len(predicted.update_cycles) - 1)])
        found.append(
            Mismatch(
                "number of tile updates", cycle, golden=len(predicted.update_cycles), rtl=len(observed.update_cycles)
            )
        )
    jobs, cycles = predicted.update_jobs[:n], predicted.update_cycles[:n]
    for layer, shape in enumerate(program.network.layers):
        mine = np.flatnonzero(jobs[:, 0] == layer)
        if not len(mine):
            continue
        _, samples, steps, tiles = jobs[mine].T

        for what, expected, got in (
            ("tile address", predicted.update_tiles, observed.update_tiles),
            ("layer number", jobs[:, 0], observed.update_layers),
            ("cycle of a tile update", cycles, observed.update_cycles),
        ):
            wrong = np.flatnonzero(expected[mine] != got[mine])
            if len(wrong):
                k = int(wrong[0])
                place = (int(cycles[mine[k]]), int(samples[k]), int(steps[k]), layer, None)
                found.append(Mismatch(what, *place, int(expected[mine[k]]), int(got[mine[k]])))
        width = program.tiles[layer] * lanes
        for what, values, seen in (
            ("spike", result.spikes[layer], observed.spikes),
            ("potential", result.potentials[layer], observed.potentials),
        ):
            # Lanes beyond the layer's last neuron are there but stand for nothing; they must stay silent.
            padded = np.zeros((*values.shape[:2], width), np.int32)
            padded[..., : shape.n_out] = values
            expected = padded.reshape(*values.shape[:2], -1, lanes)[samples, steps, tiles]
            wrong = expected != seen[mine]
            if what == "potential":
                wrong &= (tiles[:, None] * lanes + np.arange(lanes)) < shape.n_out
            if wrong.any():
                k, lane = (int(i) for i in np.argwhere(wrong)[0])
                neuron = int(tiles[k]) * lanes + lane
                place = (int(cycles[mine[k]]), int(samples[k]), int(steps[k]), layer, neuron)
                found.append(Mismatch(what, *place, int(expected[k, lane]), int(seen[mine[k], lane])))
    return found
