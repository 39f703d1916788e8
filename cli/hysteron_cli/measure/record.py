"""The record of a training run, ``networks/<name>.json`` beside ``networks/<name>.hyn``.

The trainer writes it, nothing here does. It says what the network file cannot: on which data and for which core the
network was trained, from which recipe, and how good its float twin is.
"""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hysteron_base.errors import HysteronError, require

#: Keys that every record has, with the types of their values.
_KEYS: dict[str, type] = {
    "dataset": str,
    "preset": str,
    "settings": dict,
    "seed": int,
    "recipe": dict,
    "command": str,
}
#: Keys that are numbers, or null, or missing.
_NUMBERS = ("accuracy_float", "error_float", "readout_scale")


@dataclass(frozen=True)
class Record:
    """A training run.

    Attributes
    ----------
    dataset
        What :func:`hysteron_data.sets.load_data_set` takes.
    preset, settings
        The core, and the parameters that differ from the preset's, as ``--set`` takes them.
    accuracy_float, error_float
        Of the float twin: the fraction of right answers, or for a regression the root-mean-square error in units of the
        targets. None: there is no such twin.
    readout_scale
        For a regression: what a unit of potential stands for, in units of the targets.
    seed, recipe, command
        How the network was made.
    """

    dataset: str
    preset: str
    settings: dict[str, str]
    seed: int
    recipe: dict[str, Any]
    command: str
    accuracy_float: float | None = None
    error_float: float | None = None
    readout_scale: float | None = None

    def __post_init__(self) -> None:
        for key, value in self.settings.items():
            require(isinstance(value, str), f"setting {key!r} must be text as --set takes it, not {value!r}")
        for key in _NUMBERS:
            value = getattr(self, key)
            good = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
            require(value is None or good, f"{key!r} must be a number or null, not {value!r}")


def record_of(network: Path) -> Path:
    """Where the record of a network file is."""
    return network.with_suffix(".json")


def load_record(network: Path) -> Record:
    """The record beside a network file.

    Raises
    ------
    HysteronError
        If it is missing, is no JSON object, lacks a key or has a value of another type.
    """
    path = record_of(network)
    remedy = "train the network again"
    try:
        values = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise HysteronError(
            f"network {str(network)!r} has no training record {str(path)!r}; the trainer writes it, {remedy}"
        ) from None
    except ValueError as error:
        raise HysteronError(f"training record {str(path)!r} is no JSON ({error}); {remedy}") from None
    require(isinstance(values, dict), f"training record {str(path)!r} must be a JSON object; {remedy}")
    for key, kind in _KEYS.items():
        require(key in values, f"training record {str(path)!r} lacks {key!r}; {remedy}")
        require(
            type(values[key]) is kind,
            f"training record {str(path)!r}: {key!r} must be of type {kind.__name__}, not {values[key]!r}; {remedy}",
        )
    try:
        return Record(**{key: values.get(key) for key in (*_KEYS, *_NUMBERS)})
    except HysteronError as error:
        raise HysteronError(f"training record {str(path)!r}: {error}") from None
