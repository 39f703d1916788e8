# SPDX-License-Identifier: Apache-2.0
"""Which samples of a run the page shows."""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from hysteron_base.errors import integer_in, require
from hysteron_data.sets import DataSet
from hysteron_measure.simulation import Run

from ..words import counted

#: A sample's number, the wrongly answered ones, or None for the most telling one.
Show = int | Literal["wrong"] | None
#: Wrong answers that a page shows at most: each takes two pictures.
WRONG = 6
#: Samples that a page is about if not everything inside the core was watched, beside those that are shown.
FEW = 50


def check_show(data: DataSet, show: Show) -> None:
    """Refuse a choice that samples do not allow, before they are simulated for minutes.

    Raises
    ------
    HysteronError
        If there is no such sample, or answers cannot be wrong because samples have no labels of their own.
    """
    if show == "wrong":
        require(
            data.labels is not None and data.labels.ndim == 1,
            f"data set {data.name!r} has no label for each sample, so no answer is wrong; name an image instead",
        )
    elif show is not None:
        integer_in("the image to show", show, 0, len(data.inputs) - 1)


def choose(run: Run, show: Show) -> tuple[list[int] | None, str]:
    """The numbers of the samples to show, None for the most telling one; and what to say of the choice.

    Raises
    ------
    HysteronError
        As :func:`check_show` does.
    """
    check_show(run.data, show)
    if show is None:
        return None, ""
    if show != "wrong":
        return [show], ""
    assert run.data.labels is not None
    wrong = np.flatnonzero((run.data.labels >= 0) & (run.predictions != run.data.labels)).tolist()
    if not wrong:
        images = counted(len(run.data.inputs), "image")
        return None, f"No answer of these {images} is wrong; shown is the most telling one."
    if len(wrong) > WRONG:
        return wrong[:WRONG], f"Shown are the first {WRONG} of {len(wrong):,} wrongly answered images."
    if len(wrong) == 1:
        return wrong, "Shown is the one image that is answered wrongly."
    return wrong, f"Shown are the {len(wrong)} images that are answered wrongly."


def on_page(run: Run, chosen: Sequence[int] | None) -> list[int]:
    """The numbers of the samples that the page is about.

    They are all of a run that was watched in detail. Of another one, where lane-cycles were not listed for so many
    samples, a few will do, and those that are shown.
    """
    samples = range(len(run.data.inputs))
    return list(samples) if run.detail else sorted({*samples[:FEW], *(chosen or ())})
