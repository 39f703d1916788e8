# SPDX-License-Identifier: Apache-2.0
"""Tables whose figures are whole, and JSON that is alone on standard output."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from hysteron_cli import output
from hysteron_cli.output import console, table
from hysteron_data.catalogue import CATALOGUE
from hysteron_networks import names
from hysteron_spec import PRESETS, load
from hysteron_spec.describe import layer_rows
from support.command import DIGITS

from .conftest import Run


@pytest.fixture(autouse=True)
def back_to_tables() -> None:
    """The flag of the last command does not stay."""
    console.as_json = False


JSON_COMMANDS: dict[str, tuple[str, ...]] = {
    "info": ("info",),
    "info of a network": ("info", "digits"),
    "info of a core": ("info", "--preset", "tiny", "--set", "lanes=8"),
    "info --parameters": ("info", "--parameters"),
    "data list": ("data", "list"),
    "registers": ("registers",),
    "parameters": ("parameters",),
}
SAYS: dict[str, Callable[[Any], bool]] = {
    "info": lambda found: list(found) == list(PRESETS) and found["tiny"]["lanes"] == 4,
    "info of a network": lambda found: (
        (found["shape"], found["core"]["name"], len(found["layers"])) == ("64-128-10", "digits", 2)
    ),
    "info of a core": lambda found: found["tiny*"]["lanes"] == 8,
    "info --parameters": lambda found: (
        len(found) == 4 and all(len(one) == 3 for kind in found.values() for one in kind.values())
    ),
    "data list": lambda found: set(found) == set(CATALOGUE) and found["digits"]["there"],
    "registers": lambda found: found["registers"].startswith("# Registers"),
    "parameters": lambda found: found["parameters"].startswith("# Parameters"),
}


@pytest.mark.parametrize("name", JSON_COMMANDS)
def test_json_is_alone_on_standard_output(hysteron: Run, name: str) -> None:
    status, text, _ = hysteron(*JSON_COMMANDS[name], "--json")
    assert status == 0
    assert SAYS[name](json.loads(text))
    status, text, _ = hysteron(*JSON_COMMANDS[name])
    assert status == 0 and text and not text.lstrip().startswith("{")


def test_json_of_a_run_on_golden(hysteron: Run, tmp_path: Any) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (7, 64)).astype(np.uint8)
    np.savez(tmp_path / "seven.npz", inputs=pixels, labels=np.arange(7))
    words = ("run", "digits", "--data", tmp_path / "seven.npz", "--port", "golden:", "--out", tmp_path / "out")
    status, text, errors = hysteron(*words, "--json")
    assert status == 0
    found = json.loads(text)
    assert found["images"] == 7 and 0 <= found["accuracy"] <= 1 and found["port"] == "golden:"
    assert found == json.loads((tmp_path / "out" / "report.json").read_text())
    assert "images" in errors, "the table goes to standard error"
    status, text, _ = hysteron(*words)
    assert status == 0 and "images" in text and "report.json" in text


def test_an_error_leaves_standard_output_empty(hysteron: Run) -> None:
    status, text, errors = hysteron("info", "digts", "--json")
    assert (status, text) == (2, "") and errors.startswith("error: ")


# -- tables ----------------------------------------------------------------------------------------------------


def cells(text: str) -> set[str]:
    """What stands between the lines of tables, on one line each."""
    return {cell.strip() for line in text.splitlines() for cell in re.split(r"[│┃|]", line)}


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What a terminal of 80 columns gets."""
    screen = io.StringIO()

    def make(**options: Any) -> Console:
        return Console(**{**options, "file": screen, "force_terminal": True, "width": 80, "color_system": None})

    monkeypatch.setattr(output, "Console", make)
    return screen


def core_figures() -> set[str]:
    return {
        str(value)
        for config in PRESETS.values()
        for name, value in vars(config).items()
        if name != "name" and not isinstance(value, bool)
    } | {f"{config.weight_rows * config.weight_row_bits:,}" for config in PRESETS.values()}


def test_figures_are_whole_in_a_pipe(hysteron: Run) -> None:
    text = hysteron("info")[1]
    assert core_figures() <= cells(text) and "…" not in text


def test_figures_of_cores_are_whole_at_80_columns(hysteron: Run, terminal: io.StringIO) -> None:
    assert hysteron("info")[0] == 0
    text = terminal.getvalue()
    assert max(map(len, text.splitlines())) <= 80
    assert core_figures() <= cells(text) and "…" not in text
    assert set(PRESETS) <= cells(text)


@pytest.mark.parametrize("name", names())
def test_figures_of_networks_are_whole_at_80_columns(hysteron: Run, terminal: io.StringIO, name: str) -> None:
    assert hysteron("info", name)[0] == 0
    rows = [line for line in terminal.getvalue().splitlines() if line.startswith("│")]
    assert max(map(len, rows)) <= 80
    heads, wanted = layer_rows(load(names_path(name)))
    numbers = [k for k, head in enumerate(heads) if not head.startswith("<")]
    for row in wanted:
        (found,) = [line for line in rows if line.split("│")[1].strip() == row[0]]
        shown = [cell.strip() for cell in found.split("│")[1:-1]]
        assert [shown[k] for k in numbers] == [row[k] for k in numbers]


def names_path(name: str) -> Any:
    return DIGITS.with_name(f"{name}.hyn")


def test_data_sets_are_whole_at_80_columns(hysteron: Run, terminal: io.StringIO) -> None:
    assert hysteron("data", "list")[0] == 0
    found = cells(terminal.getvalue())
    for name, about in CATALOGUE.items():
        assert "+".join(map(str, about.samples)) in found, name


def test_numbers_fold_rather_than_be_cut(terminal: io.StringIO) -> None:
    """Ten columns of twelve digits are wider than the terminal; texts give way first."""
    rows = table("wide", "<text", *"abcd")
    rows.add_row("word " * 30, *["123,456,789"] * 4)
    output.console.print(rows)
    text = terminal.getvalue()
    assert max(map(len, text.splitlines())) <= 80 and text.count("123,456,789") == 4
    assert text.count("word") == 30


def test_a_name_is_no_markup(terminal: io.StringIO) -> None:
    rows = table("a [bold]name[/bold]", "<[red]text")
    rows.add_row("[link=x]cell, which is as wide as the title")
    output.console.print(rows)
    text = terminal.getvalue()
    assert "a [bold]name[/bold]" in text
    assert "[link=x]cell" in text and "[red]text" in text
