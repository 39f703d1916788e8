"""One benchmark from its recipe to the network file and its record."""

import importlib.metadata
import json
from pathlib import Path
from typing import Any

from hysteron_base.errors import require
from hysteron_base.files import build_root, write_file
from hysteron_data.sets import load_data_set
from hysteron_golden import run
from hysteron_spec import Network, compile_network, save

from .model import predict, score
from .recipe import Recipe
from .trainer import Trained, Watch, check_data, hold_back, train, untrained

#: Packages whose version can change what comes out.
_PACKAGES = ("hysteron", "torch", "numpy")


def folder(recipe: Recipe) -> Path:
    """Where a run keeps its checkpoints and its record."""
    return build_root() / "train" / recipe.name


def make(
    recipe: Recipe,
    *,
    twin: bool,
    held_back: float = 0.0,
    restart: bool = False,
    command: str = "",
    watch: Watch = lambda *_: None,
) -> tuple[Network, dict[str, Any]]:
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
        Called after every epoch.

    Returns
    -------
    The network, and its record: the recipe, how good it and its twin are, every epoch's figures. The record is also
    written to ``record.json`` in :func:`folder`.

    Raises
    ------
    HysteronError
        If the core cannot hold the network, or a data file or checkpoint is missing or damaged.
    """
    data = load_data_set(recipe.dataset, "train")
    if held_back:
        data, tests = hold_back(data, held_back, recipe.seed)
    else:
        tests = load_data_set(recipe.dataset, "test")
    check_data(recipe, data)
    # Whether the core can hold it is known before the hours of training.
    compile_network(untrained(recipe, data).export(), recipe.core())
    place = folder(recipe)
    kinds = ("exact", "float") if twin else ("exact",)
    runs: dict[str, Trained] = {}
    for kind in kinds:
        checkpoint = place / f"{kind}.pt"
        if restart:
            checkpoint.unlink(missing_ok=True)
        runs[kind] = train(recipe, data, exact=kind == "exact", checkpoint=checkpoint, watch=watch)
    model = runs["exact"].model
    network = model.export()
    model.check_equal(network, data.inputs)
    result = run(network, model.coded(tests.inputs))
    values = result.values[:, None] if result.step_values is None else result.step_values
    what = "error" if recipe.task == "regress" else "accuracy"
    figures = {f"{what}_integer": score(recipe, values, tests)}
    figures[f"{what}_float"] = score(recipe, predict(runs["float"].model, tests), tests) if twin else None
    record: dict[str, Any] = {
        "name": recipe.name,
        "dataset": recipe.coded_as or recipe.dataset,
        "judged_by": f"{len(tests.inputs)} {'held-back' if held_back else 'test'} samples",
        "preset": recipe.preset,
        "settings": dict(text.partition("=")[::2] for text in recipe.settings),
        "task": recipe.task,
        "shape": network.shape,
        "weight_bits": recipe.core().weight_bits,
        **figures,
        "events_per_image": [round(float(n), 2) for n in result.events.mean(0)],
        "seed": recipe.seed,
        "train_samples": len(data.inputs),
        "command": command,
        "versions": {name: importlib.metadata.version(name) for name in _PACKAGES},
        "recipe": recipe.as_dict(),
        "epochs": {
            kind: [{key: float(f"{value:.4g}") for key, value in each.items()} for each in done.history]
            for kind, done in runs.items()
        },
    }
    if recipe.task == "regress":
        record["readout_scale"] = 1 / recipe.temperature
    write_file(place / "record.json", (json.dumps(record, indent=1) + "\n").encode())
    return network, record


def check_path(path: Path) -> None:
    """Refuse a place for a network where :func:`store` would not put it.

    Raises
    ------
    HysteronError
        If ``path`` is no ``.hyn`` file.
    """
    require(path.suffix == ".hyn", f"a network file must end in .hyn, not {str(path)!r}")


def store(network: Network, record: dict[str, Any], path: Path) -> None:
    """Write the network, and its record beside it as ``.json``.

    Raises
    ------
    HysteronError
        If ``path`` is no ``.hyn`` file.
    """
    check_path(path)
    notes = {"data": record["dataset"], "seed": str(record["seed"]), "command": record["command"]}
    if "readout_scale" in record:
        notes["read-out scale"] = repr(record["readout_scale"])
    save(
        Network(
            network.layers,
            network.potential,
            network.encoder,
            network.readout,
            network.readout_every_step,
            name=network.name,
            notes=notes,
        ),
        path,
    )
    short = record | {"epochs": {kind: epochs[-1:] for kind, epochs in record["epochs"].items()}}
    write_file(path.with_suffix(".json"), (json.dumps(short, indent=1) + "\n").encode())
