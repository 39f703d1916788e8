# SPDX-License-Identifier: Apache-2.0
"""The confusion matrix, for the report of a run and for the page of the networks."""

from collections.abc import Sequence

import numpy as np
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from numpy.typing import NDArray

from hysteron_measure import score

from .style import INK, WIDTH, picture


@picture
def confusion(labels: NDArray[np.generic], predictions: NDArray[np.generic], classes: int) -> Figure:
    """The counts of true class (row) against answer (column) of ``(samples,)`` labels and predictions."""
    return draw_confusion(score.confusion(labels.astype(np.int64), predictions.astype(np.int64)[:, None], classes))


def draw_confusion(counts: NDArray[np.int64], names: Sequence[str] = ()) -> Figure:
    """A figure of ``(classes, classes)`` counts of true class against answer.

    Rows and columns bear the names of the classes, or their numbers if there are no names.
    """
    classes = len(counts)
    figure = Figure(figsize=(0.52 * WIDTH, 0.46 * WIDTH), layout="constrained")
    axes = figure.add_subplot()
    # The square root makes single errors visible beside full diagonals.
    shading = axes.imshow(counts, "Blues", norm=PowerNorm(0.5, 0, max(1, counts.max())))
    if classes <= 20:
        for (row, column), count in np.ndenumerate(counts):
            if count:
                dark = count > 0.45 * counts.max()
                axes.text(column, row, str(count), ha="center", va="center", color="white" if dark else INK, fontsize=9)
        axes.set_xticks(range(classes))
        axes.set_yticks(range(classes))
        if names:
            long = classes * max(map(len, names)) > 50
            axes.set_xticklabels(names, rotation=40 if long else 0, ha="right" if long else "center")
            axes.set_yticklabels(names)
    else:
        figure.colorbar(shading, ax=axes, label="images", shrink=0.8)
    axes.set_xlabel("answer of the network")
    axes.set_ylabel("label")
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    return figure
