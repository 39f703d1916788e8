"""``hysteron sim``: a network and real data on the generated hardware, compared with golden."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np
from numpy.typing import NDArray

from hysteron_base.errors import require
from hysteron_base.files import build_root
from hysteron_data.sets import NAMES, load_data_set
from hysteron_golden import Result, run, schedule
from hysteron_golden.schedule import Activity, Schedule, sent_inputs
from hysteron_spec import CoreConfig, Program, compile_network, load

from .compile import choose_core, core_options
from .measure.score import Answers, accuracy
from .output import console, progress, table, waiting, write_json

if TYPE_CHECKING:
    from hysteron_sim.simulator import Simulator
    from hysteron_sim.verify import Comparison

#: Samples up to which every weight read and tile update is watched by default.
FULL_TRACE = 1000
#: Samples whose latency is taken one by one.
ALONE = 200


@click.command()
@click.argument("network", type=click.Path(path_type=Path))
@click.option("--data", required=True, help=f"One of {', '.join(NAMES)}, or an .npz file with 'inputs' and 'labels'.")
@core_options
@click.option("--images", type=click.IntRange(min=1), help="Only the first so many samples.")
@click.option(
    "--trace",
    type=click.Choice(["auto", "full", "answers"]),
    default="auto",
    show_default=True,
    help=f"full: compare every spike, potential and cycle; answers: input, answers and counters only; "
    f"auto: full up to {FULL_TRACE} samples.",
)
@click.option("--out", type=click.Path(path_type=Path), help="Folder for report.html and report.json  [build/sim]")
def sim(
    network: Path,
    data: str,
    preset: str | None,
    settings: tuple[str, ...],
    images: int | None,
    trace: str,
    out: Path | None,
) -> None:
    """Run NETWORK on the generated hardware (Verilator) over a test set and compare it with the golden model.

    Exits with status 1 if anything differs, and names the first difference.

    Example: hysteron sim digits --data digits
    """
    net = load(network)
    tests = load_data_set(data)
    inputs, labels = tests.inputs[:images], None if tests.labels is None else tests.labels[:images]
    config = choose_core(net, preset, settings)
    program = compile_network(net, config)

    from .report import write_report

    with waiting(f"golden model: {len(inputs)} samples of {tests.name}"):
        result = run(net, inputs, trace=True)
    raw = sent_inputs(program, result, inputs)
    detail = trace == "full" or (trace == "auto" and len(inputs) <= FULL_TRACE)
    with hardware(config, detail=detail) as simulator:
        comparison = stream(simulator, program, result, raw)
    predicted = comparison.schedule
    summary = summarise(
        program,
        result,
        comparison.activity,
        predicted,
        labels,
        data=tests.name,
        compared="everything" if detail else "answers",
    )
    summary["mismatches"] = len(comparison.mismatches)
    summary["first_mismatch"] = str(comparison.mismatches[0]) if comparison.mismatches else None
    folder = out or build_root() / "sim"
    write_json(folder / "report.json", summary)
    if not detail:
        # The page shows lane-cycles, which were not listed for so many samples: a few will do.
        few = min(len(inputs), 50)
        inputs, labels, result = (
            inputs[:few],
            None if labels is None else labels[:few],
            run(net, inputs[:few], trace=True),
        )
        predicted = schedule(program, comparison.activity[:few])
    with waiting("report"):
        write_report(
            folder / "report.html",
            summary=summary,
            program=program,
            result=result,
            schedule=predicted,
            labels=labels if labels is not None and labels.ndim == 1 else None,
            images=raw[: len(inputs)] if net.encoder else None,
        )
    show(summary, folder)
    if comparison.mismatches:
        click.echo(f"mismatch: {comparison.mismatches[0]}", err=True)
        raise SystemExit(1)


@contextmanager
def hardware(config: CoreConfig, *, detail: bool) -> Iterator["Simulator"]:
    """A simulator of a core, built if it is not there yet; ``detail`` as :class:`Simulator` takes it."""
    from hysteron_sim.simulator import Simulator

    with waiting(f"building the simulator of core {config.name} (the first time takes a minute or two)"):
        simulator = Simulator(config, detail=detail)
    with simulator:
        yield simulator


def stream(
    simulator: "Simulator",
    program: Program,
    result: Result,
    raw: NDArray[np.uint8],
    source_gaps: Sequence[int] = (),
) -> "Comparison":
    """Stream ``raw`` through the core under a progress bar and compare; see :func:`hysteron_sim.verify.simulate`."""
    from hysteron_sim.verify import simulate

    with progress(f"{simulator.config.name} RTL", len(raw)) as done:
        return simulate(
            simulator,
            program,
            result,
            raw,
            source_gaps=source_gaps,
            progress=lambda fraction: done(int(fraction * len(raw))),
        )


def summarise(
    program: Program,
    result: Result,
    activity: Sequence[Activity],
    predicted: Schedule,
    labels: NDArray[np.int64] | None,
    *,
    data: str,
    compared: str,
) -> dict[str, Any]:
    """The figures of ``report.json``.

    An image's cycles are those from the previous image's answer to its own (the first: from its first
    word), which is what a stream of images costs; ``latency_cycles_median`` is from an image's first word
    to its answer on a core that has nothing else to do. Labels are one a sample or one a step.
    """
    config: CoreConfig = program.config
    begins, ends = predicted.sample_cycles.T
    alone = [schedule(program, [one], reads=False).sample_cycles[0] for one in activity[:ALONE]]
    cycles = np.diff(ends, prepend=begins[0])
    require(len(cycles) > 0, "there must be at least one sample, not 0")
    return {
        "preset": config.name,
        "network": f"{program.network.name} ({program.network.shape})",
        "data": data,
        "images": len(cycles),
        "accuracy": None if labels is None else accuracy(labels, Answers.golden(program.network, result).winners),
        "mismatches": None,
        "compared": compared,
        "cycles_per_image_median": float(np.median(cycles)),
        "cycles_per_image_max": int(cycles.max()),
        "latency_cycles_median": float(np.median([end - begin for begin, end in alone])),
        "events_per_image": predicted.counters["EVENTS"] / len(cycles),
        "spikes_per_image": [float(n) for n in result.events.mean(axis=0)],
        "bound_cycles": predicted.bound,
        "utilisation": predicted.utilisation,
        "clock_hz": config.clock_hz,
        "images_per_second": config.clock_hz * len(cycles) / predicted.counters["CYCLES"],
        "counters": predicted.counters if config.counters else {},
    }


def show(summary: dict[str, Any], folder: Path) -> None:
    """Print the figures."""
    rows = table(f"{summary['network']} on {summary['data']}, core {summary['preset']}", "<figure", "value", "<unit")
    share = summary["accuracy"]
    clock = summary["clock_hz"]
    verdict = "all equal" if not summary["mismatches"] else f"{summary['mismatches']} kinds differ"
    what = "spikes, potentials, cycles" if summary["compared"] == "everything" else "answers, cycles"
    what += ", counters" if summary["counters"] else ""
    for figure, value, unit in (
        ("images", f"{summary['images']}", ""),
        ("accuracy through the RTL", "unknown" if share is None else f"{100 * share:.2f}", "%"),
        (f"RTL against golden: {what}", verdict, ""),
        ("cycles per image, median", f"{summary['cycles_per_image_median']:.1f}", "cycles"),
        ("cycles per image, most", f"{summary['cycles_per_image_max']}", "cycles"),
        ("latency of an image alone, median", f"{summary['latency_cycles_median']:.1f}", "cycles"),
        ("events per image", f"{summary['events_per_image']:.1f}", "weight rows"),
        ("utilisation", f"{100 * summary['utilisation']:.2f}", "% of lane-cycles"),
        (f"throughput at {clock / 1e6:g} MHz", f"{summary['images_per_second']:,.0f}", "images/s"),
    ):
        rows.add_row(figure, value, unit)
    console.print(rows)
    console.print(f"report: {folder / 'report.html'}, figures: {folder / 'report.json'}", soft_wrap=True)
