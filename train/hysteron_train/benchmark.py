# SPDX-License-Identifier: Apache-2.0
"""One benchmark from its recipe to the network file and its record."""

import importlib.metadata
import math
import shlex
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from hysteron_base.errors import number, require
from hysteron_base.extras import DISTRIBUTION
from hysteron_base.files import build_root
from hysteron_base.progress import Tell, quiet, stage
from hysteron_base.settings import text_of
from hysteron_data.sets import DataSet, load_data_set
from hysteron_golden import run
from hysteron_measure.judge import check_labels
from hysteron_measure.record import Record, record_of
from hysteron_spec import Network, compile_network, save
from hysteron_spec.encoder import check_inputs

from .model import predict, score
from .recipe import Recipe
from .recipes import recipe_named
from .trainer import Trained, Watch, check_data, hold_back, outputs, train, untrained

#: Packages whose version can change what comes out: as the record calls them, and their distributions.
_PACKAGES = {"hysteron": DISTRIBUTION, "torch": "torch", "numpy": "numpy"}


def folder(recipe: Recipe, held_back: float = 0.0) -> Path:
    """Where a run keeps its checkpoints and its record: ``build/train/NAME/DIGEST``.

    The digest stands for every field of the recipe and for the part of the samples that is held back, so that runs
    with other seeds or settings do not meet. A run and its float twin share a folder.
    """
    name = recipe.digest() + (f"-held-back-{held_back:g}" if held_back else "")
    return build_root() / "train" / recipe.name / name


def samples(recipe: Recipe, held_back: float = 0.0) -> tuple[DataSet, DataSet]:
    """The samples to train with and those to judge by, which are never the same.

    Parameters
    ----------
    recipe
        What is trained.
    held_back
        Part of the training samples to judge by; 0: judge by the test samples.

    Raises
    ------
    HysteronError
        If the recipe's data set is a file that is not divided and nothing is held back, or it cannot be loaded.
    """
    if held_back:
        whole = _as_bytes(recipe, load_data_set(recipe.dataset, "train", whole=True))
        return hold_back(whole, held_back, recipe.seed)
    data, tests = (_as_bytes(recipe, load_data_set(recipe.dataset, part)) for part in ("train", "test"))
    return data, tests


def _as_bytes(recipe: Recipe, data: DataSet) -> DataSet:
    """The samples as bytes, in their own shape: a file may hold whole numbers of any type."""
    encoder, shape = recipe.encoder(), data.inputs.shape
    if data.inputs.dtype == np.uint8 or (encoder is None and len(shape) < 3):
        return data
    checked = check_inputs(encoder, data.inputs, math.prod(shape[1 if encoder is not None else 2 :]))
    return replace(data, inputs=checked.reshape(shape))


def make(
    recipe: Recipe,
    *,
    twin: bool,
    held_back: float = 0.0,
    restart: bool = False,
    command: str = "",
    watch: Watch = lambda *_: None,
    tell: Tell = quiet,
) -> tuple[Network, Record]:
    """Train ``recipe`` and judge it.

    Parameters
    ----------
    recipe
        What to train.
    twin
        Train its float twin as well.
    held_back
        Part of the training samples to judge by; 0: judge by the test samples.
    restart
        Forget checkpoints of earlier runs.
    command
        What the user typed, for the record.
    watch
        Called after every epoch with its number and its figures.
    tell
        Told how far the training is: epochs of the network and of its twin.

    Returns
    -------
    The network, and its record: the recipe, how good it and its twin are, every epoch's figures. The record is also
    written to ``record.json`` in :func:`folder`. What an interrupted run left there is gone on with.

    Raises
    ------
    HysteronError
        If the core cannot hold the network, or a data file or checkpoint is missing or damaged.
    """
    data, tests = samples(recipe, held_back)
    check_data(recipe, data)
    check_labels(tests, outputs(data))
    # Whether the core can hold it is known before the hours of training.
    compile_network(untrained(recipe, data).export(), recipe.core())
    place = folder(recipe, held_back)
    kinds = ("exact", "float") if twin else ("exact",)
    runs: dict[str, Trained] = {}
    with stage(tell, f"training {recipe.name}, seed {recipe.seed}", recipe.epochs * len(kinds)) as step:
        for number, kind in enumerate(kinds):
            checkpoint = place / f"{kind}.pt"
            if restart:
                checkpoint.unlink(missing_ok=True)

            def watched(epoch: int, figures: dict[str, float], before: int = number * recipe.epochs) -> None:
                step(before + epoch + 1, f"{recipe.wanted.figure} {figures['score']:.4f}")
                watch(epoch, figures)

            runs[kind] = train(recipe, data, exact=kind == "exact", checkpoint=checkpoint, watch=watched)
    model = runs["exact"].model
    network = model.export()
    model.check_equal(network, data.inputs)
    result = run(network, model.coded(tests.inputs))
    values = result.values[:, None] if result.step_values is None else result.step_values
    scores = {"integer": score(recipe, values, tests)}
    if twin:
        scores["float"] = score(recipe, predict(runs["float"].model, tests), tests)
    record = Record(
        name=recipe.name,
        dataset=recipe.coded_as or recipe.dataset,
        judged_by=f"{len(tests.inputs)} {'held-back' if held_back else 'test'} samples",
        preset=recipe.preset,
        settings=dict(text.partition("=")[::2] for text in recipe.settings),
        task=recipe.task,
        shape=network.shape,
        weight_bits=recipe.core().weight_bits,
        **{f"{recipe.wanted.figure}_{what}": value for what, value in scores.items()},
        events_per_image=[round(float(n), 2) for n in result.events.mean(0)],
        seed=recipe.seed,
        train_samples=len(data.inputs),
        command=command,
        versions={name: _version(package) for name, package in _PACKAGES.items()},
        recipe=recipe.as_dict(),
        epochs={
            kind: [{key: float(f"{value:.4g}") for key, value in each.items()} for each in done.history]
            for kind, done in runs.items()
        },
        readout_scale=recipe.scale,
    )
    record.write(place / "record.json")
    return network, record


def _version(package: str) -> str:
    """The version of a distribution; a checkout that is used without being installed has none."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def train_recipe(
    name: str, changes: Mapping[str, object], *, twin: bool = False, held_back: float = 0.0, tell: Tell = quiet
) -> tuple[Network, Record]:
    """Train a named recipe with some of its fields changed.

    Parameters
    ----------
    name
        Name of the recipe.
    changes
        Fields that differ, by name: their values, or the texts that ``--set`` takes.
    twin, held_back, tell
        As for :func:`make`.

    Returns
    -------
    The network, and the record of its training.

    Raises
    ------
    HysteronError
        If there is no such recipe or field, or as :func:`make` says.
    """
    number("held_back", held_back, "give a part of the samples, as 0.1")
    texts = {key: text_of(value) for key, value in changes.items()}
    command = ["hysteron", "train", name, *(f"--set {shlex.quote(f'{key}={text}')}" for key, text in texts.items())]
    command += ["--twin"] * twin + [f"--held-back {held_back:g}"] * (held_back > 0)
    recipe = recipe_named(name).override(texts)
    return make(recipe, twin=twin, held_back=held_back, command=" ".join(command), tell=tell)


def check_path(path: Path) -> None:
    """Refuse a place for a network where :func:`store` would not put it.

    Raises
    ------
    HysteronError
        If ``path`` is no ``.hyn`` file.
    """
    require(path.suffix == ".hyn", f"a network file must end in .hyn, not {str(path)!r}")


def store(network: Network, record: Record, path: Path) -> None:
    """Write the network, and its record beside it as ``.json``.

    Raises
    ------
    HysteronError
        If ``path`` is no ``.hyn`` file.
    """
    check_path(path)
    notes = {"data": record.dataset, "seed": str(record.seed), "command": record.command}
    if record.readout_scale is not None:
        notes["read-out scale"] = repr(record.readout_scale)
    save(replace(network, notes=notes), path)
    record.short().write(record_of(path))
