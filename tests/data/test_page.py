# SPDX-License-Identifier: Apache-2.0
"""The page on data sets says what the catalogue and the registry say."""

import re
from pathlib import Path

from hysteron_data.catalogue import CATALOGUE
from hysteron_data.fsdd import LEVELS
from hysteron_data.qtdb import CLASSES
from hysteron_data.sets import MNIST_LEVELS
from hysteron_data.sources import FILES

PAGE = (Path(__file__).parents[2] / "docs" / "data.md").read_text()


def rows(heading: str) -> list[list[str]]:
    """Cells of the table whose first column has this heading."""
    table = PAGE.partition(f"\n| {heading} |")[2].partition("\n\n")[0]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines()[2:]]


def test_sets() -> None:
    told = {cells[0].strip("`"): cells[1:5] for cells in rows("name")}
    assert told == {
        name: [about.what, "+".join(map(str, about.samples)), about.size, about.licence]
        for name, about in CATALOGUE.items()
    }


def test_folders_and_files() -> None:
    told = {
        folder: set(re.findall(r"`([^`]+)`", files))
        for folders, files in rows("folder")
        for folder in re.findall(r"`([^`]+)`", folders)
    }
    assert told == {
        folder: {name for file in files for name in (file.name, *file.also)} for folder, files in FILES.items()
    }


def test_levels_and_phases() -> None:
    for levels, unit in ((LEVELS, " dB"), (MNIST_LEVELS, ".")):
        words = [f"{level:g}" for level in levels]
        assert f"{', '.join(words[:-1])} and {words[-1]}{unit}" in PAGE
    assert f"{', '.join(CLASSES[:-1])} and {CLASSES[-1]};" in PAGE
