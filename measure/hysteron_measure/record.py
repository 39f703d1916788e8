# SPDX-License-Identifier: Apache-2.0
"""The record of a training run, ``NAME.json`` beside the network file ``NAME.hyn``.

The trainer makes it, and whoever measures the network reads it. It says what the network file cannot: on which data and
for which core the network was trained, from which recipe, and how good it and its float twin were then.
"""

import json
import math
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from hysteron_base.errors import HysteronError, require
from hysteron_base.files import read_file, write_file
from hysteron_spec import CoreConfig

from .score import Task

#: Keys that a record cannot lack, with the types of their values.
_NEEDED: dict[str, type] = {
    "dataset": str,
    "preset": str,
    "settings": dict,
    "seed": int,
    "recipe": dict,
    "command": str,
}
#: Keys that are numbers, or null, or missing.
_NUMBERS = ("accuracy_integer", "accuracy_float", "error_integer", "error_float", "readout_scale")


@dataclass(frozen=True, kw_only=True)
class Record:
    """A training run. The fields are the keys of the file, in its order.

    Attributes
    ----------
    name
        Name of the recipe.
    dataset
        What :func:`hysteron_data.sets.load_data_set` takes; the stored network takes its samples.
    judged_by
        Which samples the figures are about, in words.
    preset, settings
        The core, and the parameters that differ from the preset's, as ``--set`` takes them.
    task
        What the network was trained for, as a recipe says it (:attr:`hysteron_measure.score.Task.recipe`).
    shape, weight_bits
        Sizes of the layers, as ``64-128-10``, and the bits of a weight.
    accuracy_integer, accuracy_float, error_integer, error_float
        How good the network in the hardware's integers and its float twin are: the fraction of right answers, or for a
        regression the root-mean-square error in units of the targets. None: there is no such figure.
    events_per_image
        Mean events a sample of the input and of each layer.
    seed, train_samples, command, versions, recipe
        How the network was made: the seed, the number of samples it was trained on, what was typed, the versions of
        the packages that can change what comes out, every field of the recipe.
    epochs
        For the exact network and for its twin the figures of each epoch; beside a stored network only the last one's.
    readout_scale
        For a regression: what a unit of potential stands for, in units of the targets.
    """

    name: str = ""
    dataset: str
    judged_by: str = ""
    preset: str
    settings: dict[str, str]
    task: str = ""
    shape: str = ""
    weight_bits: int = 0
    accuracy_integer: float | None = None
    error_integer: float | None = None
    accuracy_float: float | None = None
    error_float: float | None = None
    events_per_image: list[float] | None = None
    seed: int
    train_samples: int = 0
    command: str
    versions: dict[str, str] | None = None
    recipe: dict[str, Any]
    epochs: dict[str, list[dict[str, float]]] | None = None
    readout_scale: float | None = None

    def __post_init__(self) -> None:
        for key, value in self.settings.items():
            require(isinstance(value, str), f"setting {key!r} must be text as --set takes it, not {value!r}")
        for key in _NUMBERS:
            value = getattr(self, key)
            good = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
            require(value is None or good, f"{key!r} must be a number or null, not {value!r}")

    def core(self) -> CoreConfig:
        """The core that the network was trained for."""
        return CoreConfig.preset(self.preset).override(self.settings)

    @property
    def regression(self) -> bool:
        """Whether the network was trained for a regression, so that its figures are errors."""
        return self.task == Task.REGRESSION.recipe

    def short(self) -> "Record":
        """The record as it lies beside a stored network: of the epochs only the last ones."""
        epochs = {kind: each[-1:] for kind, each in (self.epochs or {}).items()}
        return replace(self, epochs=epochs)

    def as_dict(self) -> dict[str, Any]:
        """The keys and values of the file, in its order; figures of the other kind of task are left out."""
        other = "accuracy_" if self.regression else "error_"
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {
            key: value
            for key, value in values.items()
            if not key.startswith(other) and (key != "readout_scale" or value is not None)
        }

    def write(self, path: Path) -> None:
        """Write the record as JSON."""
        write_file(path, (json.dumps(self.as_dict(), indent=1) + "\n").encode())


def record_of(network: Path) -> Path:
    """Where the record of a network file is."""
    # Not with_suffix, which raises of a path without a name.
    return network.parent / f"{network.stem}.json"


def load_record(network: Path) -> Record:
    """The record beside a network file.

    Raises
    ------
    HysteronError
        If it is missing, or as :func:`read_record` says.
    """
    path = record_of(network)
    require(
        path.exists(),
        f"network {str(network)!r} has no training record {str(path)!r}; "
        "the trainer writes it, train the network again",
    )
    return read_record(path)


def read_record(path: Path) -> Record:
    """The record in a file.

    Raises
    ------
    HysteronError
        If the file is no JSON object, lacks a key that it cannot lack, or has a value of another type.
    """
    remedy = "train the network again"
    try:
        values = json.loads(read_file(path))
    except HysteronError:
        raise
    except ValueError as error:
        raise HysteronError(f"training record {str(path)!r} is no JSON ({error}); {remedy}") from None
    require(isinstance(values, dict), f"training record {str(path)!r} must be a JSON object; {remedy}")
    for key, kind in _NEEDED.items():
        require(key in values, f"training record {str(path)!r} lacks {key!r}; {remedy}")
        require(
            type(values[key]) is kind,
            f"training record {str(path)!r}: {key!r} must be of type {kind.__name__}, not {values[key]!r}; {remedy}",
        )
    known = {field.name for field in fields(Record)}
    try:
        return Record(**{key: value for key, value in values.items() if key in known})
    except HysteronError as error:
        raise HysteronError(f"training record {str(path)!r}: {error}") from None
