# SPDX-License-Identifier: Apache-2.0
"""The page and the picture of an ablation, made from its figures alone."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from hysteron_measure.ablation import FIGURES, Found, Variant, rows

from .style import BLUE, FAINT, INK, WIDTH, picture, svg

_PAGE = """# What each ingredient is worth

Made by `hysteron ablate`; figures: `{figures}`. The base is a network of {hidden} hidden neurons for {dataset}, {steps}
steps of {coding} coding, {mode} neurons, {epochs} epochs. Each line changes one thing. Mean ± standard deviation over
{seeds} seeds; the integer network on the whole test set, so these are the figures of the hardware.

{table}

*hidden spikes*, *input events* and *cycles* (median, in a stream) are those of an image; *changed answers*: how often
the answer differs from that of the step before; *toggles*: how often a hidden neuron begins to fire or stops, step by
step.

![Accuracy of every run, a row for each variant](images/ablation.svg)
"""


def documents(found: Found, page: Path) -> dict[Path, bytes]:
    """The page at its place, and its picture in the folder ``images`` beside it."""
    return {page: text(found).encode(), page.parent / "images" / "ablation.svg": svg(accuracies(found["variants"]))}


def text(found: Found) -> str:
    """The page as Markdown."""
    base = found["base"]
    head = ["variant", *(title for _, title, _ in FIGURES)]
    lines = [head, ["---", *["--:"] * len(FIGURES)], *rows(found)]
    return _PAGE.format(
        figures="networks/hysteron_networks/ablation.json",
        hidden="-".join(str(n) for n in base["hidden"]),
        dataset=f"`{base['dataset']}`",
        seeds=len(found["variants"][0]["runs"]),
        table="\n".join(f"| {' | '.join(line)} |" for line in lines),
        **{key: base[key] for key in ("steps", "coding", "mode", "epochs")},
    )


@picture
def accuracies(variants: Sequence[Variant]) -> Figure:
    """Accuracy of each run of each variant, in the order of the table.

    A dot stands for a run, a bar for the mean; the band is what the seeds alone do to the base.
    """
    figure = Figure(figsize=(WIDTH, 0.9 + 0.32 * len(variants)), layout="constrained")
    axes = figure.add_subplot()
    for row, variant in enumerate(variants):
        shares = 100 * np.array([run["accuracy"] for run in variant["runs"]])
        if row == 0:
            axes.axvspan(shares.min(), shares.max(), color=FAINT, linewidth=0, zorder=0)
        axes.plot(shares, [row] * len(shares), "o", color=BLUE, markersize=5, alpha=0.7)
        axes.plot([shares.mean()] * 2, [row - 0.3, row + 0.3], color=INK, linewidth=1.5)
    axes.set_yticks(range(len(variants)), [variant["name"] for variant in variants])
    axes.set_ylim(len(variants) - 0.4, -0.6)
    axes.set_xlabel("accuracy (%): every seed, and the mean; grey: the seeds of the base")
    return figure
