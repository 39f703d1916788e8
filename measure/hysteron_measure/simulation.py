# SPDX-License-Identifier: Apache-2.0
"""A network and data on the generated hardware, compared with golden: what ``hysteron sim`` does."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hysteron_base.errors import of_kind, require
from hysteron_base.html import table_of
from hysteron_base.memory import check_size
from hysteron_base.progress import Tell, quiet, stage
from hysteron_data.sets import DataSet
from hysteron_golden import Result, run
from hysteron_golden.schedule import Activity, Schedule, sent_inputs
from hysteron_spec import CoreConfig, Network, Program, compile_network

from .judge import WINNER, Judge
from .score import Answers, accuracy
from .timing import image_cycles, lone_latencies

if TYPE_CHECKING:
    from hysteron_sim.simulator import Simulator
    from hysteron_sim.verify import Comparison

#: Samples up to which every weight read and tile update is watched by default.
FULL_TRACE = 1000
#: Samples whose latency is taken one by one.
ALONE = 200
#: What is compared: everything inside the core, or input, answers and counters; ``auto``: everything up to
#: :data:`FULL_TRACE` samples.
TRACES = ("auto", "full", "answers")


@dataclass(frozen=True, eq=False, repr=False)
class Run:
    """Samples that went through golden and through the generated hardware.

    Attributes
    ----------
    network, program
        The network, and how it is mapped to the core; a core without encoder runs it without.
    data
        The samples that were run, with their labels.
    sent
        ``(samples, n_in)`` pixels or ``(samples, steps, n_in)`` spikes, uint8: what was sent to the core.
    result
        What golden did, traced.
    comparison
        What the hardware did, and where it differs.
    detail
        Whether everything inside the core was compared, so that its schedule lists every lane-cycle.
    summary
        The figures of ``report.json``; see :func:`summarise`.
    judge
        How answers are made of the outputs.
    """

    network: Network
    program: Program
    data: DataSet
    sent: NDArray[np.uint8]
    result: Result
    comparison: "Comparison"
    detail: bool
    summary: dict[str, Any]
    judge: Judge = WINNER

    @property
    def predictions(self) -> NDArray[np.int64]:
        """``(samples,)`` answered classes, as the judge makes them of the outputs after the last step."""
        return Answers.golden(self.network, self.result, self.judge).winners[:, -1]

    def __repr__(self) -> str:
        figures = "; ".join(f"{name}: {value} {unit}".strip() for name, value, unit in figures_of(self.summary))
        return f"Run({self.summary['network']} on {self.summary['data']}; core: {self.summary['preset']}; {figures})"

    def _repr_html_(self) -> str:
        rows = {name: f"{value} {unit}".strip() for name, value, unit in figures_of(self.summary)}
        title = f"{self.summary['network']} on {self.summary['data']}, core {self.summary['preset']}"
        return table_of(title, rows)


def simulate_network(
    network: Network,
    data: DataSet,
    config: CoreConfig,
    *,
    images: int | None = None,
    trace: str = "auto",
    judge: str | Judge = WINNER,
    tell: Tell = quiet,
) -> Run:
    """Run a network on the generated hardware (Verilator) over samples, and compare it with the golden model.

    Parameters
    ----------
    network, data
        What to run. Labels that the data hold judge the answers.
    config
        The core; its simulator is built if it is not there yet, which takes minutes.
    images
        Only the first so many samples; None: all.
    trace
        What is compared, one of :data:`TRACES`.
    judge
        How answers are made of the outputs, see :mod:`hysteron_measure.judge`.
    tell
        Told how far the work is.

    Raises
    ------
    HysteronError
        If the core cannot hold the network, the network cannot take the data, no answer can match a label, there is no
        sample, or so many that their trace takes more memory than is allowed.
    SimulationError
        If the simulator fails. A difference between hardware and golden is no error: ``comparison`` lists it.
    """
    require(trace in TRACES, f"trace must be one of {', '.join(TRACES)}, not {trace!r}")
    judge = Judge.of(judge)
    of_kind("network", network, Network, "load one, or make it of layers")
    judge.check_data(network, data)
    judge.check_steps(network, data)
    data = data.first(images)
    require(len(data.inputs) > 0, "there must be at least one sample, not 0")
    judge.check_data(network, data)
    program = compile_network(network, config)
    _check_trace(network, data)
    with stage(tell, f"golden model: {len(data.inputs)} samples of {data.name}"):
        result = run(network, data.inputs, trace=True)
    sent = sent_inputs(program, result, data.inputs)
    detail = trace == "full" or (trace == "auto" and len(data.inputs) <= FULL_TRACE)
    with hardware(config, detail=detail, tell=tell) as simulator:
        comparison = stream(simulator, program, result, sent, tell=tell)
    summary = summarise(
        program,
        result,
        comparison.activity,
        comparison.schedule,
        data.labels,
        data=data.name,
        compared="everything" if detail else "answers",
        judge=judge,
    )
    summary["mismatches"] = len(comparison.mismatches)
    summary["first_mismatch"] = str(comparison.mismatches[0]) if comparison.mismatches else None
    return Run(network, program, data, sent, result, comparison, detail, summary, judge)


def _check_trace(network: Network, data: DataSet) -> None:
    """Refuse samples of which all spikes and potentials would take more memory than is allowed."""
    steps = data.inputs.shape[1] if network.encoder is None else network.encoder.steps
    # A flag and a word of 32 bits for each neuron.
    size = 5 * len(data.inputs) * steps * sum(layer.n_out for layer in network.layers)
    check_size(f"the trace of {len(data.inputs):,} samples", size, "take fewer images")


@contextmanager
def hardware(config: CoreConfig, *, detail: bool, tell: Tell = quiet) -> Iterator["Simulator"]:
    """A simulator of a core, built if it is not there yet; ``detail`` as :class:`Simulator` takes it."""
    from hysteron_sim.simulator import Simulator

    with Simulator(config, detail=detail, tell=tell) as simulator:
        yield simulator


def stream(
    simulator: "Simulator",
    program: Program,
    result: Result,
    raw: NDArray[np.uint8],
    source_gaps: Sequence[int] = (),
    *,
    tell: Tell = quiet,
) -> "Comparison":
    """Stream ``raw`` through the core and compare; see :func:`hysteron_sim.verify.simulate`."""
    from hysteron_sim.verify import simulate

    with stage(tell, f"{simulator.config.name} RTL", len(raw)) as step:
        comparison = simulate(
            simulator,
            program,
            result,
            raw,
            source_gaps=source_gaps,
            progress=lambda fraction: step(int(fraction * len(raw))),
        )
        step(len(raw))
    return comparison


def summarise(
    program: Program,
    result: Result,
    activity: Sequence[Activity],
    predicted: Schedule,
    labels: NDArray[np.int64] | None,
    *,
    data: str,
    compared: str,
    judge: Judge = WINNER,
) -> dict[str, Any]:
    """The figures of ``report.json``.

    ``cycles_per_image_…`` are those of :func:`~hysteron_measure.timing.image_cycles`, which is what a stream of images
    costs; ``latency_cycles_median`` is of the first :data:`ALONE` images, each alone
    (:func:`~hysteron_measure.timing.lone_latencies`). Labels are one a sample or one a step.
    """
    config: CoreConfig = program.config
    cycles = image_cycles(predicted)
    answers = Answers.golden(program.network, result, judge)
    require(len(cycles) > 0, "there must be at least one sample, not 0")
    return {
        "preset": config.name,
        "core": asdict(config),
        "network": f"{program.network.name} ({program.network.shape})",
        "data": data,
        "images": len(cycles),
        "judge": str(judge),
        "accuracy": None if labels is None else accuracy(labels, answers.winners),
        "mismatches": None,
        "compared": compared,
        "cycles_per_image_median": float(np.median(cycles)),
        "cycles_per_image_max": int(cycles.max()),
        "latency_cycles_median": float(np.median(lone_latencies(program, activity[:ALONE]))),
        "events_per_image": predicted.counters["EVENTS"] / len(cycles),
        "spikes_per_image": [float(n) for n in result.events.mean(axis=0)],
        "bound_cycles": predicted.bound,
        "utilisation": predicted.utilisation,
        "clock_hz": config.clock_hz,
        "images_per_second": config.clock_hz * len(cycles) / predicted.counters["CYCLES"],
        "counters": predicted.counters if config.counters else {},
    }


def figures_of(summary: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """The figures of a summary for people: what, the value and its unit."""
    share = summary["accuracy"]
    by = "" if summary["judge"] == "winner" else f", judged by {summary['judge']}"
    verdict = "all equal" if not summary["mismatches"] else f"{summary['mismatches']} kinds differ"
    what = "spikes, potentials, cycles" if summary["compared"] == "everything" else "answers, cycles"
    what += ", counters" if summary["counters"] else ""
    return [
        ("images", f"{summary['images']}", ""),
        (f"accuracy through the RTL{by}", *(("unknown", "") if share is None else (f"{100 * share:.2f}", "%"))),
        (f"RTL against golden: {what}", verdict, ""),
        ("cycles per image, median", f"{summary['cycles_per_image_median']:.1f}", "cycles"),
        ("cycles per image, most", f"{summary['cycles_per_image_max']}", "cycles"),
        ("latency of an image alone, median", f"{summary['latency_cycles_median']:.1f}", "cycles"),
        ("events per image", f"{summary['events_per_image']:.1f}", "weight rows"),
        ("utilisation", f"{100 * summary['utilisation']:.2f}", "% of lane-cycles"),
        (f"throughput at {summary['clock_hz'] / 1e6:g} MHz", f"{summary['images_per_second']:,.0f}", "images/s"),
    ]
