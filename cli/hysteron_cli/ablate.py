# SPDX-License-Identifier: Apache-2.0
"""``hysteron ablate``: what each ingredient of the training is worth."""

from pathlib import Path

import click

from hysteron_base.doors import check_doors
from hysteron_base.errors import require
from hysteron_base.extras import need
from hysteron_base.files import build_root, write_file
from hysteron_base.settings import changes_of
from hysteron_measure.ablation import FIGURES, Found, read_found, rows

from .names import RECIPE
from .output import console, table, watching, write_json


@click.command(short_help="Measure what the trainer's ingredients are worth.")
@click.option("--base", type=RECIPE, default="ablation", show_default=True, help="Recipe that is changed.")
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
    page = docs or path.parent / f"{path.stem}.md"
    check_doors(
        reads={"--out": path} if redraw else {"--set dataset": changes_of(settings).get("dataset")},
        writes={"--out": [] if redraw else [path], "--docs": [page, page.parent / "images" / "ablation.svg"]},
    )

    from hysteron_report.ablation import documents

    found = read_found(path) if redraw else _run(base, seeds, only, settings, jobs)
    if not redraw:
        write_json(path, found)
    for file, content in documents(found, page).items():
        write_file(file, content)
    shown = table("Mean ± standard deviation over seeds", "<variant", *(title for _, title, _ in FIGURES))
    for row in rows(found):
        shown.add_row(*row)
    console.print(shown)
    console.print(f"figures: {path}, page: {page}", soft_wrap=True)
    console.result(found)


def _run(base: str, seeds: str, only: tuple[str, ...], settings: tuple[str, ...], jobs: int) -> Found:
    need("torch")
    from hysteron_train.ablation import ablate, choose
    from hysteron_train.recipes import recipe_named

    numbers = [text.strip() for text in seeds.split(",")]
    require(all(n.isdecimal() for n in numbers), f"--seeds takes whole numbers with commas, not {seeds!r}")
    chosen = choose(only)
    recipe = recipe_named(base).override(changes_of(settings))
    with watching() as tell:
        return ablate(recipe, chosen, [int(n) for n in numbers], jobs=jobs, tell=tell)
