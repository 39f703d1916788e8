# SPDX-License-Identifier: Apache-2.0
"""The commands where PyTorch is not installed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hysteron_base import extras
from support.train import Run


@pytest.mark.parametrize("command", ["train", "ablate"])
def test_help_has_an_example(hysteron: Run, command: str) -> None:
    status, output, _ = hysteron(command, "--help")
    assert status == 0 and f"Example: hysteron {command} " in output


@pytest.mark.parametrize("words", [["train"], ["train", "digits"], ["ablate"]])
def test_training_says_what_is_missing(
    hysteron: Run, build: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    find = extras.find_spec

    def without_torch(name: str, *rest: Any) -> Any:
        return None if name == "torch" else find(name, *rest)

    monkeypatch.setattr(extras, "find_spec", without_torch)
    status, output, errors = hysteron(*words)
    assert (status, output) == (2, "") and not build.exists()
    assert errors == "error: torch is missing, which this needs; pip install 'hyn[train]'\n"
