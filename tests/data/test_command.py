# SPDX-License-Identifier: Apache-2.0
"""``hysteron data``."""

import re
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from hysteron_base.errors import HysteronError
from hysteron_base.progress import Tell
from hysteron_cli.data import data
from hysteron_data import download
from hysteron_data.catalogue import CATALOGUE
from hysteron_data.sets import NAMES


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(data, words)
    return result.exit_code, result.output


def row(output: str, name: str) -> list[str]:
    """Cells of a set's row of the table."""
    (line,) = (line for line in output.splitlines() if re.match(rf"│ {name} ", line))
    return [cell.strip() for cell in line.strip("│").split("│")]


def test_help_has_examples() -> None:
    for words in ([], ["list"], ["fetch"]):
        status, output = run(*words, "--help")
        assert status == 0
        assert "Example: hysteron data " in output


def test_list_tells_where_each_set_is(small_data: Path) -> None:
    (small_data / "qtdb" / "QTDB_test.mat").unlink()
    (small_data / "fsdd" / "free-spoken-digit-dataset.tar.gz").unlink()
    status, output = run("list")
    assert status == 0
    assert row(output, "mnist-14") == ["mnist-14", "60000+10000", "14×14 pixels", "mnist", "not stated"]
    assert row(output, "nmnist") == ["nmnist", "1000+100", "12 steps × 578", "nmnist-small", "CC BY-SA 4.0"]
    assert row(output, "qtdb")[3] == "incomplete"
    assert row(output, "fsdd")[3] == "missing"
    assert row(output, "yin-yang")[3] == "(none needed)"
    for name in NAMES:
        assert row(output, name)
        assert f"{name}: {CATALOGUE[name].what}; from {CATALOGUE[name].source}\n" in output
    assert str(small_data) in output


def test_list_works_without_data_and_pooch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HYSTERON_DATA", raising=False)
    monkeypatch.setitem(sys.modules, "pooch", None)
    status, output = run("list")
    assert status == 0
    assert row(output, "mnist")[3] == "missing"
    assert "HYSTERON_DATA is not set" in output


def test_fetch_gets_each_set_and_tells_the_paths(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def fetch(name: str, tell: Tell) -> list[Path]:
        asked.append(name)
        return [Path(f"{name}-a"), Path(f"{name}-b")]

    monkeypatch.setattr(download, "fetch", fetch)
    status, output = run("fetch", "qtdb", "fsdd")
    assert status == 0
    assert asked == ["qtdb", "fsdd"]
    assert output.splitlines() == ["qtdb: qtdb-a", "qtdb: qtdb-b", "fsdd: fsdd-a", "fsdd: fsdd-b"]


def test_fetch_needs_a_name() -> None:
    status, output = run("fetch")
    assert status == 2
    assert "NAME" in output


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("digits", "'digits' is no data set to download; those are mnist, "),
        ("mnits", "'mnits' is no data set.*; did you mean 'mnist'\\?$"),
    ],
)
def test_fetch_refuses_other_names_before_it_downloads(name: str, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "fetch", lambda *_: pytest.fail("a download"))
    with pytest.raises(HysteronError, match=told):
        CliRunner().invoke(data, ["fetch", "qtdb", name], catch_exceptions=False)
