# SPDX-License-Identifier: Apache-2.0
"""What docs/import.md shows is what happens."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from hysteron_cli.export import export
from hysteron_cli.import_ import import_
from hysteron_spec import load
from support.convert import NEEDS_NIR, NEEDS_TORCH

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/import.md"


def blocks(language: str, page: Path = PAGE) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder with the project's examples and networks, to write ``build`` into."""
    for name in ("examples",):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "build").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HYSTERON_BUILD", "build")
    return tmp_path


@pytest.mark.parametrize("block", blocks("console"))
def test_console_block(block: str, place: Path) -> None:
    """The command runs; where its output is shown, it is that."""
    pytest.importorskip("nir", reason=NEEDS_NIR)
    pytest.importorskip("sklearn", reason="scikit-learn carries the digits")
    line, _, shown = block.partition("\n")
    words = shlex.split(line.removeprefix("$ "))
    commands: dict[str, Any] = {"import": import_, "export": export}
    assert words[0] == "hysteron"
    done = CliRunner().invoke(commands[words[1]], words[2:], catch_exceptions=False)
    assert done.exit_code == 0
    if shown:
        printed = [text.rstrip() for text in done.stdout.replace(str(place.resolve()) + "/", "").splitlines()]
        assert printed == shown.splitlines()


@pytest.mark.parametrize("block", blocks("py"))
def test_python_block(block: str, place: Path) -> None:
    pytest.importorskip("nir", reason=NEEDS_NIR)
    pytest.importorskip("snntorch", reason=NEEDS_TORCH)
    exec(compile(block, PAGE.name, "exec"), {})
    assert list((place / "build").iterdir())


def test_lines_of_the_readme(place: Path) -> None:
    """For the network of the page's section."""
    pytest.importorskip("snntorch", reason=NEEDS_TORCH)
    names: dict[str, Any] = {}
    definition, _, _ = next(block for block in blocks("py") if "class Net" in block).partition("import hyn")
    exec(compile(definition, PAGE.name, "exec"), names)
    (block,) = blocks("py", ROOT / "README.md")
    exec(compile(block, "README.md", "exec"), names)
    assert load("build/net.hyn").shape == "64-64-10"


def test_every_option_is_explained() -> None:
    """The page says what each option of ``import`` is for."""
    text = PAGE.read_text()
    rest = {"--help", "--out", "--report", "--name", "--seed", "--samples", "--data", "--limit", "--json"}
    for option in import_.params:
        for name in option.opts:
            assert not name.startswith("--") or name in text or name in rest, name
