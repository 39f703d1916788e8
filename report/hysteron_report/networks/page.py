# SPDX-License-Identifier: Apache-2.0
"""``docs/networks.md``: tables and pictures of all entries, and how each network was made."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import hysteron_networks
from hysteron_measure.book import Entry, data_name
from hysteron_measure.literature import MNIST, STEP
from hysteron_measure.measurement import FEWEST, LONE_STEPS
from hysteron_measure.record import Record

from ..words import counted

_NONE = "–"


def page(
    entries: Mapping[str, Entry], records: Mapping[str, Record], pictures: Iterable[str], networks: Path, folder: Path
) -> str:
    """The page as Markdown.

    Parameters
    ----------
    entries, records
        Figures and training records by name of the network; each entry has its record.
    pictures
        Names of the pictures that there are, in the folder ``images`` beside the page.
    networks, folder
        Where the network files are, and where the page will be.
    """
    there = set(pictures)
    link = Path(os.path.relpath(networks, folder)).as_posix()
    clocks = sorted({entry["clock_hz"] for entry in entries.values()})
    clock = " or ".join(f"{hertz / 1e6:g} MHz" for hertz in clocks)
    parts = [
        _HEAD.format(link=link),
        _table(
            ("<network", "<data", "<shape", "<neuron", "<input", "weights", "<core"),
            [_what(name, entry, link) for name, entry in entries.items()],
        ),
        _SCORES,
        _table(
            ("<network", "float twin", "integers", "of", "hardware", "of", "<hardware against golden"),
            [_score(name, entry) for name, entry in entries.items()],
        ),
        _COSTS.format(clock=clock),
        _table(
            ("<network", "cycles", "µs", "latency", "events", "SOPs", "<spikes: input, layers", "utilisation"),
            [_cost(name, entry) for name, entry in entries.items()],
        ),
    ]
    if "networks-pareto.svg" in there:
        works = "\n".join(
            f"* {work.name} ({work.source}): {work.hardware}, {work.microseconds:g} µs, "
            f"{'over ' * work.at_least}{100 * work.accuracy:g} %"
            for work in MNIST
        )
        parts.append(_PARETO.format(works=works, picture=_picture("networks-pareto.svg", "Accuracy against cycles")))
    if "networks-steps.svg" in there:
        parts.append(_STEPS + _picture("networks-steps.svg", "Accuracy after each time step") + "\n")
    if lone := {name: entry for name, entry in entries.items() if entry["step_latency_cycles_median"] is not None}:
        parts += [
            _LONE.format(
                lone=f"{LONE_STEPS:,}",
                other=f"{STEP.name} ({STEP.source}) takes\n{STEP.nanoseconds:,} ns, {STEP.cycles:,} cycles, for "
                f"{STEP.network} on {STEP.hardware}",
            ),
            _table(
                ("<network", "steps of a sample", "cycles a step, in a stream", "latency, cycles", "latency, µs"),
                [_lone(name, entry) for name, entry in lone.items()],
            ),
            _picture("networks-step-latency.svg", "Latency of one time step") + "\n",
        ]
    for name, entry in entries.items():
        file = f"networks-regression-{name}.svg"
        if file in there:
            text = f"`{name}` on the first test samples, as golden computes them: RMS error {_good(entry, 'integer')}."
            parts.append(f"## Regression: {name}\n\n{text}\n\n{_picture(file, f'Target and answer of {name}')}\n")
    confusions = [name for name in entries if f"networks-confusion-{name}.svg" in there]
    if confusions:
        parts.append(_CONFUSION)
    for pair in (confusions[k : k + 2] for k in range(0, len(confusions), 2)):
        drawn = [_picture(f"networks-confusion-{name}.svg", f"Confusion matrix of {name}") for name in pair]
        parts.append(_table(tuple(f"<{name}" for name in pair), [drawn]))
    parts += [
        _MADE,
        _table(
            ("<network", "<record, with the recipe", "<trained by", "seed", "<measured by"),
            [_made(name, entry, records[name], networks, link) for name, entry in entries.items()],
        ).rstrip("\n"),
    ]
    return "\n".join(parts) + "\n"


def _table(columns: tuple[str, ...], rows: list[list[str]]) -> str:
    """A table; columns whose name starts with ``<`` are text, the others numbers."""
    lines = [
        [column.lstrip("<") for column in columns],
        ["---" if c.startswith("<") else "--:" for c in columns],
        *rows,
    ]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def _picture(file: str, words: str) -> str:
    return f"![{words}](images/{file})"


def _what(name: str, entry: Entry, link: str) -> list[str]:
    back = entry["recurrent_layers"]
    # The last layer of most networks only integrates.
    modes = entry["modes"][:-1] or entry["modes"]
    settings = [f"{key}={text}" for key, text in entry["settings"].items()]
    return [
        f"[{name}]({link}/{name}.hyn)",
        data_name(entry),
        entry["shape"] + (f", recurrent: layer {', '.join(map(str, back))}" if back else ""),
        ", ".join(dict.fromkeys(modes)),
        f"{entry['input']}, {counted(entry['steps'], 'step')}",
        counted(entry["weight_bits"], "bit"),
        ", ".join([entry["preset"], *settings]),
    ]


def _good(entry: Entry, what: str) -> str:
    """An accuracy in percent, or an error."""
    share, error = entry[f"accuracy_{what}"], entry[f"error_{what}"]
    if error is not None:
        return f"{error:.4f}"
    return _NONE if share is None else f"{100 * share:.2f} %"


def _score(name: str, entry: Entry) -> list[str]:
    what = "spikes, potentials, " if entry["compared"] == "everything" else ""
    equal = f"{what}answers, cycles{', counters' if entry['counters'] else ''}: all equal"
    return [
        name + (" (error)" if entry["error_integer"] is not None else ""),
        *(_good(entry, "float"), _good(entry, "integer"), f"{entry['images_integer']:,}"),
        *(_good(entry, "rtl"), f"{entry['images_rtl']:,}"),
        f"**{counted(entry['mismatches'], 'difference')}**: {entry['first_mismatch']}"
        if entry["mismatches"]
        else equal,
    ]


def _cost(name: str, entry: Entry) -> list[str]:
    spikes = ", ".join(f"{n:,.1f}" for n in entry["spikes_per_image"])
    return [
        name,
        f"{entry['cycles_per_image_median']:,.0f}",
        f"{entry['us_per_image']:,.2f}",
        f"{entry['latency_cycles_median']:,.0f}",
        f"{entry['events_per_image']:,.0f}",
        f"{entry['sops_per_image']:,.0f}",
        spikes + (" (pixel bits first)" if entry["input"] == "direct" else ""),
        f"{100 * entry['utilisation']:.2f} %",
    ]


def _lone(name: str, entry: Entry) -> list[str]:
    latency = entry["step_latency_cycles_median"]
    return [
        name,
        f"{entry['steps']:,}",
        f"{entry['cycles_per_step']:,.1f}",
        f"{latency:,.1f}".removesuffix(".0"),
        f"{latency / entry['clock_hz'] * 1e6:,.3f}",
    ]


def _made(name: str, entry: Entry, record: Record, networks: Path, link: str) -> list[str]:
    whole = entry["images_rtl"] == entry["images_integer"]
    shown = name if networks.resolve() == hysteron_networks.FOLDER else f"{(networks / name).as_posix()}.hyn"
    count = "" if entry["images_rtl"] <= FEWEST else " --all-rtl" if whole else f" --rtl {entry['images_rtl']}"
    return [
        name,
        f"[{name}.json]({link}/{name}.json)",
        f"`{record.command}`",
        str(record.seed),
        f"`hysteron results {shown}{count}`",
    ]


_HEAD = """# Networks

Made by `hysteron results`; do not edit. Every figure comes from [results.json]({link}/results.json) or from the
training record beside the network; `hysteron results --check` says whether page, pictures and files still agree.
"""

_SCORES = """## How good they are

*float twin*: the same network trained in floating point. *integers*: the golden model on the whole test set.
*hardware*: what the core itself answered in simulation, on the first samples of the test set. Shares are accuracies: of
samples, or of labelled steps where every step has a label; for a regression it is the root of the mean squared error in
units of the target.
"""

_COSTS = """## What an image costs

An image is one sample of the data set, a sequence if its data are sequences. Means over the samples that went through
the hardware, medians for cycles and latency; times at each core's own clock, of {clock}.

* *cycles*: from the previous image's answer to the image's own, in a stream of images.
* *latency*: from an image's first word to its answer, on a core that has nothing else to do.
* *events*: weight rows read; a layer wider than the core's lanes reads one for each of its tiles.
* *SOPs*: synaptic operations, every event times the neurons it reaches: input spikes times the neurons of layer 0,
  spikes of a layer times the neurons of the next, spikes of a recurrent layer times its own neurons one step later.
  With direct coding an input event is a set bit of a pixel, at every step.
* *utilisation*: lane-cycles that no schedule can avoid, over the cycles taken ([architecture](architecture.md)).
"""

_PARETO = """## Accuracy and cycles on MNIST

{picture}

Literature, at its stated time whatever its clock:

{works}
"""

_STEPS = """## Accuracy over time

Accuracy if the network had to answer after so many time steps (golden, whole test set).

"""

_LONE = """## Networks that answer at every step

*latency*: from the first word of a step's packet to the last word of its answer; each step is sent when the one before
is answered, over at most {lone} steps of the first test samples, in simulation, compared with golden like the rest.
For scale: {other}; other
neurons, another task.
"""

_CONFUSION = """## Confusion

Labels against answers, golden on the whole test set; colours by the square root of the count.
"""

_MADE = """## How each was made
"""
