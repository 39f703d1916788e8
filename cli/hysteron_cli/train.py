"""``hysteron train`` and ``hysteron ablate``: networks from data, in the hardware's own arithmetic."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np

from hysteron_golden.errors import require
from hysteron_golden.files import build_root

from .output import console, progress, table, write_json

#: Figures of an ablated run: key, column and the factor that makes the key's unit the column's.
ABLATED = (
    ("accuracy", "accuracy, %", 100.0),
    ("hidden_spikes", "hidden spikes", 1.0),
    ("input_events", "input events", 1.0),
    ("cycles", "cycles", 1.0),
    ("flicker", "changed answers", 1.0),
    ("toggles", "toggles", 1.0),
)


def spread(runs: Sequence[dict[str, Any]], key: str, scale: float) -> str:
    """``mean ± standard deviation`` (of the sample, so with n - 1) of a figure over runs."""
    values = np.array([run[key] for run in runs]) * scale
    digits = 2 if abs(values.mean()) < 100 else 0
    deviation = values.std(ddof=1) if len(values) > 1 else float("nan")
    return f"{values.mean():.{digits}f} ± {deviation:.{digits}f}"


def _require_torch() -> None:
    from importlib.util import find_spec

    require(find_spec("torch") is not None, "training needs PyTorch; pip install 'hysteron[train]'")


def _settings(texts: tuple[str, ...]) -> dict[str, str]:
    for text in texts:
        require("=" in text, f"--set takes NAME=VALUE, not {text!r}")
    return dict(text.partition("=")[::2] for text in texts)


@click.command()
@click.argument("name", required=False)
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="Change the recipe, e.g. hidden=512,256.")
@click.option("--seed", type=click.IntRange(min=0), help="Of everything random.  [the recipe's]")
@click.option("--epochs", type=click.IntRange(min=1), help="Passes over the data.  [the recipe's]")
@click.option("--twin", is_flag=True, help="Train the float twin too, to see what the integers cost.")
@click.option(
    "--held-back", type=click.FloatRange(0, 0.9), default=0.0, help="Judge by this part of the training data."
)
@click.option("--restart", is_flag=True, help="Begin anew where an interrupted run would go on.")
@click.option("--out", type=click.Path(path_type=Path), help="Network file; its record goes beside it.")
def train(
    name: str | None,
    settings: tuple[str, ...],
    seed: int | None,
    epochs: int | None,
    twin: bool,
    held_back: float,
    restart: bool,
    out: Path | None,
) -> None:
    """Train the network of recipe NAME; without NAME, list the recipes.

    The forward pass of the training is the hardware's integer arithmetic, checked against the golden model at the end.
    An interrupted run goes on after its last epoch. The record of the run is build/train/NAME/record.json.

    Example: hysteron train yin-yang --out build/yin-yang.hyn
    """
    _require_torch()
    from hysteron_train.benchmark import folder, make, store
    from hysteron_train.recipes import RECIPES, recipe_named

    if name is None:
        rows = table("Recipes", "<name", "<data", "<core", "<hidden", "<mode", "<coding", "epochs")
        for each in RECIPES.values():
            hidden = "-".join(map(str, each.hidden))
            coding = f"{each.coding}, {each.steps} steps" if each.coding != "spikes" else "spikes"
            rows.add_row(each.name, each.dataset, each.preset, hidden, each.mode, coding, str(each.epochs))
        console.print(rows)
        return
    changes = _settings(settings)
    changes |= {key: str(value) for key, value in (("seed", seed), ("epochs", epochs)) if value is not None}
    recipe = recipe_named(name).override(changes)
    command = ["hysteron", "train", name, *(f"--set {shlex.quote(text)}" for text in settings)]
    command += [f"--{key} {value}" for key, value in (("seed", seed), ("epochs", epochs)) if value is not None]
    command += ["--twin"] * twin + [f"--held-back {held_back:g}"] * (held_back > 0)
    runs = recipe.epochs * (1 + twin)
    with progress(f"training {name}, seed {recipe.seed}", runs) as done:
        count = 0

        def watch(_epoch: int, _figures: dict[str, float]) -> None:
            nonlocal count
            count += 1
            done(count)

        network, record = make(
            recipe, twin=twin, held_back=held_back, restart=restart, command=" ".join(command), watch=watch
        )
    if out is not None:
        store(network, record, out)
    _show(record)
    console.print(f"record: {folder(recipe) / 'record.json'}" + (f", network: {out}" if out else ""), soft_wrap=True)


def _show(record: dict[str, Any]) -> None:
    rows = table(
        f"{record['name']}: {record['shape']}, {record['weight_bits']}-bit weights", "<figure", "value", "<unit"
    )
    error = record["task"] == "regress"
    for key, text in (("integer", "in the hardware's integers"), ("float", "of the float twin")):
        value = record[f"{'error' if error else 'accuracy'}_{key}"]
        if value is not None:
            shown = (f"{value:.4f}", "RMS, targets' unit") if error else (f"{100 * value:.2f}", "%")
            rows.add_row(f"{'error' if error else 'accuracy'} {text}", *shown)
    rows.add_row("judged by", record["judged_by"], "")
    for index, events in enumerate(record["events_per_image"]):
        rows.add_row(f"events a sample, {'input' if index == 0 else f'layer {index - 1}'}", f"{events:.1f}", "")
    rows.add_row("seed", str(record["seed"]), "")
    console.print(rows)


@click.command()
@click.option("--base", default="ablation", show_default=True, help="Recipe that is changed.")
@click.option("--seeds", default="1,2,3", show_default=True, help="Seeds, with commas.")
@click.option("--only", multiple=True, metavar="TEXT", help="Only variants with TEXT in their name (and the base).")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="Change the base.")
@click.option("--jobs", type=click.IntRange(min=1), default=2, show_default=True, help="Processes.")
@click.option("--out", type=click.Path(path_type=Path), help="JSON file  [build/ablate/ablation.json]")
def ablate(
    base: str, seeds: str, only: tuple[str, ...], settings: tuple[str, ...], jobs: int, out: Path | None
) -> None:
    """Switch the trainer's ingredients off one at a time, over several seeds, and print a table.

    Finished runs are kept in build/ablate, so an interrupted ablation goes on where it was.

    Example: hysteron ablate --only hysteresis --seeds 1,2,3
    """
    _require_torch()
    from hysteron_train.ablation import VARIANTS
    from hysteron_train.ablation import ablate as run_all
    from hysteron_train.recipes import recipe_named

    numbers = [text.strip() for text in seeds.split(",")]
    require(all(n.isdecimal() for n in numbers), f"--seeds takes whole numbers with commas, not {seeds!r}")
    chosen = [v for v in VARIANTS if not only or not v.changes or any(text in v.name for text in only)]
    require(
        len(chosen) > 1,
        f"no variant's name has {' or '.join(only)} in it; they are {', '.join(v.name for v in VARIANTS[1:])}",
    )
    recipe = recipe_named(base).override(_settings(settings))
    with progress("training", len(chosen) * len(numbers)) as done:
        results = run_all(recipe, chosen, [int(n) for n in numbers], jobs=jobs, watch=done)
    path = out or build_root() / "ablate" / "ablation.json"
    write_json(path, {"base": recipe.as_dict(), "variants": results})
    rows = table(
        f"{recipe.name}: mean ± standard deviation over seeds {seeds}", "<variant", *(t for _, t, _ in ABLATED)
    )
    for each in results:
        rows.add_row(each["name"], *(spread(each["runs"], key, scale) for key, _, scale in ABLATED))
    console.print(rows)
    console.print(f"figures: {path}", soft_wrap=True)
