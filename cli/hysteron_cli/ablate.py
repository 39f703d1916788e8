"""``hysteron ablate``: what each ingredient of the training is worth."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np

from hysteron_base.errors import HysteronError, require
from hysteron_base.files import build_root, write_file

from .output import console, progress, table, write_json
from .train import changes_of, require_torch

#: Figures of a run: key, column and the factor that makes the key's unit the column's.
FIGURES = (
    ("accuracy", "accuracy, %", 100.0),
    ("hidden_spikes", "hidden spikes", 1.0),
    ("input_events", "input events", 1.0),
    ("cycles", "cycles", 1.0),
    ("flicker", "changed answers", 1.0),
    ("toggles", "toggles", 1.0),
)

#: What :func:`hysteron_train.ablation.ablate` returns, and the base's recipe.
Found = dict[str, Any]


def spread(runs: Sequence[dict[str, Any]], key: str, scale: float) -> str:
    """``mean ± standard deviation`` (of the sample, so with n - 1) of a figure over runs."""
    values = np.array([run[key] for run in runs]) * scale
    digits = 2 if abs(values.mean()) < 100 else 0
    deviation = f"{values.std(ddof=1):.{digits}f}" if len(values) > 1 else "–"
    return f"{values.mean():.{digits}f} ± {deviation}"


def rows_of(found: Found) -> list[list[str]]:
    """For each variant its name and its figures."""
    return [
        [each["name"], *(spread(each["runs"], key, scale) for key, _, scale in FIGURES)] for each in found["variants"]
    ]


@click.command()
@click.option("--base", default="ablation", show_default=True, help="Recipe that is changed.")
@click.option("--seeds", default="1,2,3", show_default=True, help="Seeds, with commas.")
@click.option("--only", multiple=True, metavar="TEXT", help="Only variants with TEXT in their name (and the base).")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="Change the base.")
@click.option("--jobs", type=click.IntRange(min=1), default=2, show_default=True, help="Processes.")
@click.option("--out", type=click.Path(path_type=Path), help="JSON file  [build/ablate/ablation.json]")
@click.option(
    "--docs", type=click.Path(path_type=Path), help="Page; its picture goes to images/ there.  [beside --out]"
)
@click.option("--redraw", is_flag=True, help="Train nothing; write page and picture from the figures there are.")
def ablate(
    base: str,
    seeds: str,
    only: tuple[str, ...],
    settings: tuple[str, ...],
    jobs: int,
    out: Path | None,
    docs: Path | None,
    redraw: bool,
) -> None:
    """Switch the trainer's ingredients off one at a time, over several seeds: a table, a page and a picture.

    Finished runs are kept in build/ablate, so an interrupted ablation goes on where it was.

    Example: hysteron ablate --only hysteresis --seeds 1,2,3
    """
    path = out or build_root() / "ablate" / "ablation.json"
    page = docs or path.with_suffix(".md")
    found = read_found(path) if redraw else _run(base, seeds, only, settings, jobs)
    if not redraw:
        write_json(path, found)
    for file, content in documents(found, page).items():
        write_file(file, content)
    rows = table("Mean ± standard deviation over seeds", "<variant", *(title for _, title, _ in FIGURES))
    for row in rows_of(found):
        rows.add_row(*row)
    console.print(rows)
    console.print(f"figures: {path}, page: {page}", soft_wrap=True)


def read_found(path: Path) -> Found:
    """The figures that an ablation wrote."""
    try:
        found: Found = json.loads(path.read_text())
    except OSError:
        raise HysteronError(f"file of figures {str(path)!r} cannot be read; run 'hysteron ablate' first") from None
    except ValueError as error:
        raise HysteronError(f"file of figures {str(path)!r} is damaged ({error}); delete it") from None
    return found


def _run(base: str, seeds: str, only: tuple[str, ...], settings: tuple[str, ...], jobs: int) -> Found:
    require_torch()
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
    recipe = recipe_named(base).override(changes_of(settings))
    with progress("training", len(chosen) * len(numbers)) as done:
        variants = run_all(recipe, chosen, [int(n) for n in numbers], jobs=jobs, watch=done)
    return {"base": recipe.as_dict(), "variants": variants}


def documents(found: Found, page: Path) -> dict[Path, bytes]:
    """The page and its picture."""
    from .measure.ablation import draw, write

    return {page: write(found, rows_of(found), FIGURES).encode(), page.parent / "images" / "ablation.svg": draw(found)}
