# SPDX-License-Identifier: Apache-2.0
"""The commands where PyTorch is not installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hysteron_base import extras
from support.train import Run


@pytest.mark.parametrize("command", ["train", "ablate"])
def test_help_has_an_example(hysteron: Run, command: str) -> None:
    status, output, _ = hysteron(command, "--help")
    assert status == 0 and f"Example: hysteron {command} " in output


@pytest.fixture
def without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    find = extras.find_spec

    def found(name: str, *rest: Any) -> Any:
        return None if name == "torch" else find(name, *rest)

    monkeypatch.setattr(extras, "find_spec", found)


@pytest.mark.usefixtures("without_torch")
def test_recipes_are_listed(hysteron: Run) -> None:
    status, output, errors = hysteron("train")
    assert (status, errors) == (0, "") and "yin-yang" in output


def test_recipes_need_no_torch() -> None:
    """Not even an import of it."""
    code = "import sys; sys.modules['torch'] = None; from hysteron_train.recipes import RECIPES; assert RECIPES"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.usefixtures("without_torch")
@pytest.mark.parametrize("words", [["train", "digits"], ["ablate"]])
def test_training_says_what_is_missing(hysteron: Run, build: Path, words: list[str]) -> None:
    status, output, errors = hysteron(*words)
    assert (status, output) == (2, "") and not build.exists()
    assert errors == "error: torch is missing, which this needs; pip install 'hyn[train]'\n"
