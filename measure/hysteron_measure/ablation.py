# SPDX-License-Identifier: Apache-2.0
"""The figures of an ablation, which :mod:`hysteron_train.ablation` finds: what each ingredient of training is worth."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hysteron_base.errors import HysteronError
from hysteron_base.files import read_file

#: Figures of a run: key, column and the factor that makes the key's unit the column's.
FIGURES = (
    ("accuracy", "accuracy, %", 100.0),
    ("hidden_spikes", "hidden spikes", 1.0),
    ("input_events", "input events", 1.0),
    ("cycles", "cycles", 1.0),
    ("flicker", "changed answers", 1.0),
    ("toggles", "toggles", 1.0),
)

#: A variant: its ``name``, its ``changes`` of the base, and ``runs``, the figures for each seed.
Variant = dict[str, Any]
#: The file of figures: ``base``, every field of the base's recipe, and ``variants``.
Found = dict[str, Any]


def spread(runs: Sequence[dict[str, Any]], key: str, scale: float) -> str:
    """A figure over runs as ``mean ± standard deviation`` (of the sample, so with n - 1), times ``scale``."""
    values = np.array([run[key] for run in runs]) * scale
    digits = 2 if abs(values.mean()) < 100 else 0
    deviation = f"{values.std(ddof=1):.{digits}f}" if len(values) > 1 else "–"
    return f"{values.mean():.{digits}f} ± {deviation}"


def rows(found: Found) -> list[list[str]]:
    """For each variant its name and, in the order of :data:`FIGURES`, its figures as text."""
    return [
        [each["name"], *(spread(each["runs"], key, scale) for key, _, scale in FIGURES)] for each in found["variants"]
    ]


def read_found(path: Path) -> Found:
    """The figures that an ablation wrote.

    Raises
    ------
    HysteronError
        If the file cannot be read, or is no JSON.
    """
    try:
        found: Found = json.loads(read_file(path))
    except OSError:
        raise HysteronError(f"file of figures {str(path)!r} cannot be read; run 'hysteron ablate' first") from None
    except HysteronError:
        raise
    except ValueError as error:
        raise HysteronError(f"file of figures {str(path)!r} is damaged ({error}); delete it") from None
    return found
