# SPDX-License-Identifier: Apache-2.0
"""``hysteron train``: networks from data, in the hardware's own arithmetic."""

import shlex
from pathlib import Path

import click

from hysteron_base.doors import check_doors
from hysteron_base.extras import need
from hysteron_base.settings import changes_of
from hysteron_data.sets import NAMES
from hysteron_data.understood import understood
from hysteron_measure.record import Record, record_of

from .names import RECIPE
from .output import console, table, watching
from .samples import tell_notes


@click.command(short_help="Train a network in the hardware's own integers.")
@click.argument("name", type=RECIPE, required=False)
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="Change the recipe, e.g. hidden=512,256.")
@click.option("--seed", type=click.IntRange(min=0), help="Seed of everything random.  [the recipe's]")
@click.option("--epochs", type=click.IntRange(min=1), help="Passes over the data.  [the recipe's]")
@click.option("--twin", is_flag=True, help="Train the float twin too, to see what the integers cost.")
@click.option(
    "--held-back",
    type=click.FloatRange(0, 0.9),
    default=0.0,
    help="Judge by this part of the training data; needed with a file that has no parts of its own.",
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
    An interrupted run goes on after its last epoch, if it is started with the same seed and settings again. Its state
    and its record are in build/train/NAME, in a folder of their own for each seed and other settings.

    Example: hysteron train yin-yang --out build/yin-yang.hyn
    """
    changes = changes_of(settings)
    if out is not None:
        check_doors(reads={"--set dataset": changes.get("dataset")}, writes={"--out": [out, record_of(out)]})
    from hysteron_train.recipes import RECIPES, recipe_named

    if name is None:
        rows = table("Recipes", "<name", "<data", "<core", "<hidden", "<mode", "<coding", "epochs")
        for each in RECIPES.values():
            hidden = "-".join(map(str, each.hidden))
            coding = f"{each.coding}, {each.steps} steps" if each.coding != "spikes" else "spikes"
            rows.add_row(each.name, each.dataset, each.preset, hidden, each.mode, coding, str(each.epochs))
        console.print(rows)
        console.result({each.name: each.as_dict() for each in RECIPES.values()})
        return
    need("torch")
    from hysteron_train.benchmark import check_path, folder, make, samples, store

    if out is not None:
        check_path(out)
    changes |= {key: str(value) for key, value in (("seed", seed), ("epochs", epochs)) if value is not None}
    recipe = recipe_named(name).override(changes)
    if recipe.dataset not in NAMES:
        for what, part in zip(("to train with", "to judge by"), samples(recipe, held_back), strict=True):
            told = understood(part, recipe.encoder())
            console.print(f"{what}: {told.text}", soft_wrap=True)
            tell_notes(told.notes)
    command = ["hysteron", "train", name, *(f"--set {shlex.quote(text)}" for text in settings)]
    command += [f"--{key} {value}" for key, value in (("seed", seed), ("epochs", epochs)) if value is not None]
    command += ["--twin"] * twin + [f"--held-back {held_back:g}"] * (held_back > 0)
    with watching() as tell:
        network, record = make(
            recipe, twin=twin, held_back=held_back, restart=restart, command=" ".join(command), tell=tell
        )
    if out is not None:
        store(network, record, out)
    _show(record)
    written = f"record: {folder(recipe, held_back) / 'record.json'}"
    console.print(written + (f", network: {out}" if out else ""), soft_wrap=True)
    console.result(record.as_dict())


def _show(record: Record) -> None:
    rows = table(f"{record.name}: {record.shape}, {record.weight_bits}-bit weights", "<figure", "value", "<unit")
    kind = "error" if record.regression else "accuracy"
    for key, text in (("integer", "in the hardware's integers"), ("float", "of the float twin")):
        value = getattr(record, f"{kind}_{key}")
        if value is not None:
            shown = (f"{value:.4f}", "RMS, targets' unit") if record.regression else (f"{100 * value:.2f}", "%")
            rows.add_row(f"{kind} {text}", *shown)
    rows.add_row("judged by", record.judged_by, "")
    for index, events in enumerate(record.events_per_image or ()):
        rows.add_row(f"events a sample, {'input' if index == 0 else f'layer {index - 1}'}", f"{events:.1f}", "")
    rows.add_row("seed", str(record.seed), "")
    console.print(rows)
