# SPDX-License-Identifier: Apache-2.0
"""Measure one network: golden on the whole test set, the hardware on the first samples of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hysteron_base.errors import require
from hysteron_base.progress import Tell, quiet, stage
from hysteron_data.sets import DataSet, load_data_set
from hysteron_golden import Result, activities, run, schedule
from hysteron_golden.schedule import Schedule, sent_inputs
from hysteron_spec import Network, Program, Readout, compile_network, load

from .book import Entry, fingerprint, put
from .judge import WINNER, Judge
from .record import Record, load_record
from .score import Answers, Task, accuracy_by_step, confusion, score
from .simulation import hardware, stream, summarise
from .timing import operations

if TYPE_CHECKING:
    from hysteron_sim.simulator import Observed, Simulator
    from hysteron_sim.verify import Mismatch

#: Fewest samples that go through the hardware, unless the test set has fewer.
FEWEST = 500
#: Bits of potentials, over all tile updates of a run, up to which everything inside the core is watched and compared;
#: taking them apart needs eight bytes for each. Beyond, only input, answers, their cycles and the counters are.
WATCHED_BITS = 1 << 26
#: Steps that are sent to the hardware one by one, each when the one before is answered.
LONE_STEPS = 2000
#: Test samples, and outputs of each, whose course is kept to be drawn.
HISTORIES, OUTPUTS = 3, 8


@dataclass(frozen=True)
class Measured:
    """A network that was measured.

    Attributes
    ----------
    name
        Name of the network's file, without its ending.
    entry
        Its figures.
    kept
        Why older figures stay in the book instead of these; None: they do not.
    """

    name: str
    entry: Entry
    kept: str | None


def measure_into(
    book: Path,
    networks: Sequence[Path],
    images: int | None,
    *,
    force: bool = False,
    judge: str | Judge = WINNER,
    tell: Tell = quiet,
) -> list[Measured]:
    """Measure networks, and put the figures of each into a file of figures as soon as they are there.

    Parameters
    ----------
    book
        The file of figures, for example ``networks/results.json``.
    networks
        Network files, each beside the book and beside its training record.
    images, judge, tell
        As for :func:`measure`.
    force
        Replace figures that come from more samples through the hardware.

    Raises
    ------
    HysteronError
        If a file does not exist or lies elsewhere, before anything is measured; or as :func:`measure` says.
    """
    for path in networks:
        require(path.exists(), f"network file {str(path)!r} does not exist; check the path")
        require(
            path.resolve().parent == book.resolve().parent,
            f"network {str(path)!r} must lie beside its file of figures {str(book)!r}; give another --out",
        )
        load_record(path)
    done = []
    for path in networks:
        entry = measure(path, images, judge=judge, tell=tell)
        done.append(Measured(path.stem, entry, put(book, path.stem, entry, force=force)))
    return done


def measure(path: Path, images: int | None, *, judge: str | Judge = WINNER, tell: Tell = quiet) -> Entry:
    """Measure the network in ``path`` on the data and the core that its training record names.

    Parameters
    ----------
    path
        A network file with its record beside it.
    images
        Samples that go through the hardware, from the first; None: all.
    judge
        How answers are made of the outputs, see :mod:`hysteron_measure.judge`.
    tell
        Told how far the work is.

    Returns
    -------
    The network's entry in the results; ``docs/networks.md`` says what the figures mean. A regression has values for
    ``error_…`` where the others have them for ``accuracy_…``; what does not apply is None.

    Raises
    ------
    HysteronError
        If network, record and data set do not go together, or a file of them is missing or damaged, or the data set is
        a file that is not divided: the network was trained on it.
    """
    judge = Judge.of(judge)
    network, record = load(path), load_record(path)
    config = record.core()
    program = compile_network(network, config)
    data = load_data_set(record.dataset)
    require(
        data.part is not None,
        f"network {path.stem!r} was trained on the samples of {record.dataset!r}, so it cannot be judged by them; "
        "divide the file into 'train_inputs', 'test_inputs' and so on, and train again",
    )
    task = Task.of(data)
    require(judge == WINNER or task is not Task.REGRESSION, f"{judge} is for classes, not for a regression")
    if task is not Task.REGRESSION:
        judge.check_data(network, data)
    _check(path.stem, network, record, task)
    with stage(tell, f"{path.stem}: golden model, {len(data.inputs)} samples of {data.name}"):
        # Asked at every step, the network answers at the last one what it answers anyway.
        asked = replace(network, readout_every_step=True)
        whole = Answers.golden(asked, run(asked, data.inputs), judge)
        inputs = data.inputs[:images]
        result = run(network, inputs, trace=True)
    with hardware(config, detail=False, tell=tell) as simulator:
        simulator.detail = _watched(program, result)
        comparison = stream(simulator, program, result, sent_inputs(program, result, inputs), tell=tell)
        compared = "everything" if simulator.detail else "answers"
        mismatches = comparison.mismatches
        step_latency = None
        if network.encoder is None and network.readout_every_step:
            step_latency, more = _lone_steps(simulator, program, inputs, tell)
            mismatches += more
    seen = _hardware_answers(program, comparison.observed, Answers.golden(network, result, judge), judge)
    plan = comparison.schedule
    figures = summarise(program, result, comparison.activity, plan, None, data=data.name, compared=compared)
    kept = ("cycles_per_image_median", "cycles_per_image_max", "latency_cycles_median", "events_per_image")
    # The hardware's own answer goes without saying.
    by = {} if judge == WINNER else {"judge": str(judge)}
    return {
        "dataset": record.dataset,
        **by,
        "task": task.value,
        "shape": network.shape,
        "modes": [layer.mode.name.lower() for layer in network.layers],
        "recurrent_layers": [k for k, layer in enumerate(network.layers) if layer.recurrent is not None],
        "input": "spikes" if network.encoder is None else network.encoder.coding.name.lower(),
        "steps": comparison.activity[0].steps,
        "weight_bits": max(layer.weight_bits for layer in network.layers),
        "preset": record.preset,
        "settings": record.settings,
        "network_sha256": fingerprint(path),
        **_scores(record, task, data, whole, seen),
        "images_integer": len(data.inputs),
        "images_rtl": len(inputs),
        "mismatches": len(mismatches),
        "first_mismatch": str(mismatches[0]) if mismatches else None,
        "compared": compared,
        "counters": config.counters,
        **{key: figures[key] for key in kept},
        "sops_per_image": operations(program, result),
        "spikes_per_image": figures["spikes_per_image"],
        "utilisation": figures["utilisation"],
        "clock_hz": config.clock_hz,
        "us_per_image": figures["cycles_per_image_median"] * 1e6 / config.clock_hz,
        "cycles_per_step": plan.counters["CYCLES"] / plan.counters["STEPS"],
        "step_latency_cycles_median": step_latency,
        **_courses(judge.classes(network.n_out), data, whole),
    }


def _check(name: str, network: Network, record: Record, task: Task) -> None:
    """Whether network and record have what the task needs."""
    require(
        network.readout_every_step or task is Task.CLASSES,
        f"network {name!r} answers once a sample, but data set {record.dataset!r} judges every step; "
        "give it readout_every_step",
    )
    if task is Task.REGRESSION:
        require(
            network.readout is Readout.POTENTIAL,
            f"network {name!r} must answer with potentials for a regression, not with {network.readout.name}",
        )
        require(record.readout_scale is not None, f"the record of {name!r} needs 'readout_scale' for a regression")


def _watched(program: Program, result: Result) -> bool:
    """Whether everything inside the core can be watched in a run."""
    assert result.spikes is not None
    samples, steps = result.spikes[0].shape[:2]
    config = program.config
    return samples * steps * sum(program.tiles) * config.lanes * config.potential_bits <= WATCHED_BITS


def _hardware_answers(program: Program, observed: "Observed", golden: Answers, judge: Judge) -> Answers:
    """What the core itself answered, in the shapes of golden's answers; one that never came has no winner (-1)."""
    from hysteron_sim.verify import answers

    values, winners = np.zeros_like(golden.values), np.full_like(golden.winners, -1)
    seen_values, seen_winners = answers(program, observed)
    count = min(len(seen_winners), winners.size)
    values.reshape(-1, program.network.n_out)[:count] = seen_values[:count]
    # The core names its winner itself; any other answer the host makes of the values.
    if judge != WINNER:
        seen_winners = judge.answers(program.network.readout, values).reshape(-1)
    winners.reshape(-1)[:count] = seen_winners[:count]
    return Answers(values, winners)


def _lone_steps(
    simulator: "Simulator", program: Program, inputs: NDArray[Any], tell: Tell
) -> tuple[float, tuple["Mismatch", ...]]:
    """Median latency of a step that the core has to itself, in cycles, and what differed from golden.

    A step begins with the first word of its packet and ends with its answer's last word, as samples do.
    """
    few = inputs[: max(1, LONE_STEPS // inputs.shape[1]), :LONE_STEPS]
    result = run(program.network, few, trace=True)
    activity = activities(result, result.inputs)
    sizes = [len(packet) for one in activity for packet in one.packets]
    headers = np.cumsum([0, *sizes[:-1]])

    def paused(cycles: int) -> list[int]:
        gaps = np.zeros(sum(sizes), np.int64)
        gaps[headers] = cycles
        gaps_list: list[int] = gaps.tolist()
        return gaps_list

    def latencies(plan: Schedule) -> NDArray[np.int64]:
        words = program.network.n_out + 1
        return plan.beat_cycles[words - 1 :: words] - plan.accept_cycles[headers]

    # With a pause beyond all measure every step is alone; the longest of these steps is a pause that will do.
    longest = latencies(schedule(program, activity, source_gaps=paused(1 << 24), reads=False)).max()
    simulator.detail = _watched(program, result)
    comparison = stream(simulator, program, result, result.inputs, paused(int(longest)), tell=tell)
    return float(np.median(latencies(comparison.schedule))), comparison.mismatches


def _scores(record: Record, task: Task, data: DataSet, whole: Answers, hardware: Answers) -> Entry:
    """How good the float twin, golden and the hardware are: accuracies, or errors for a regression."""
    scores: Entry = {f"{kind}_{what}": None for kind in ("accuracy", "error") for what in ("float", "integer", "rtl")}
    kind, scale = task.figure, record.readout_scale
    scores[f"{kind}_float"] = getattr(record, f"{kind}_float")
    scores[f"{kind}_integer"] = score(task, data, whole, scale)
    scores[f"{kind}_rtl"] = score(task, data, hardware, scale)
    return scores | {"readout_scale": scale if task is Task.REGRESSION else None}


def _courses(classes: int, data: DataSet, whole: Answers) -> Entry:
    """What the pictures show: counts of answers, accuracy over the steps, or a regression's first test samples."""
    courses: Entry = {"classes": list(data.classes), "confusion": None, "accuracy_by_step": None, "histories": None}
    if data.targets is not None:
        wanted, got = (values[:HISTORIES, :, :OUTPUTS] for values in (data.targets, whole.values))
        targets = wanted.astype(np.float64).round(4).tolist()
        return courses | {"histories": {"targets": targets, "potentials": got.tolist()}}
    assert data.labels is not None
    return courses | {
        "confusion": confusion(data.labels, whole.winners, classes).tolist(),
        "accuracy_by_step": [
            None if share is None else round(share, 4) for share in accuracy_by_step(data.labels, whole.winners)
        ],
    }
