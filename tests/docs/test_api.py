# SPDX-License-Identifier: Apache-2.0
"""The page of the API has every public name."""

import re
from dataclasses import is_dataclass
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

import hyn

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
#: Names on the page: what a directive is about, and the members that it lists.
NAMED = set(re.findall(r"auto(?:class|function|module):: [\w.]*?(\w+)$", PAGE, re.M))
NAMED |= {name for line in re.findall(r":members: (.*)", PAGE) for name in line.split(", ")}
#: Public names that are no classes and no functions of their own, or are documented under another name.
ELSEWHERE = {"PRESETS", "Tell", "Simulation"}


@pytest.mark.parametrize("name", sorted(set(hyn.__all__) - ELSEWHERE))
def test_a_public_name_is_on_the_page(name: str) -> None:
    assert name in NAMED


def test_the_check_of_an_import_is_on_the_page() -> None:
    """All that an import's result leads to by its check."""
    convert = pytest.importorskip("hysteron_convert")
    waiting, seen = [convert.Check], set()
    while waiting:
        kind = waiting.pop()
        seen.add(kind.__name__)
        hints = get_type_hints(kind).values() if is_dataclass(kind) else ()
        parts = [part for hint in hints for part in (hint, *get_args(hint)) if isinstance(part, type)]
        waiting += [part for part in parts if part.__module__.startswith("hysteron_")]
    assert seen == {"Check", "LayerCheck", "Verdict"} and seen <= NAMED
