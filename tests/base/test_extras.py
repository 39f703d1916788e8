# SPDX-License-Identifier: Apache-2.0
"""The extras that messages name bring what is missing, and no message names another distribution."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

import pytest

from hysteron_base.extras import DISTRIBUTION, EXTRAS, MissingPackageError, need, remedy
from support.refusal import refusal

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
#: Distributions whose import names are not their own.
IMPORTED_AS = {
    "cocotb": ("cocotb", "cocotb_tools"),
    "lln-libparse": ("libparse",),
    "pyserial": ("serial",),
    "pyyaml": ("yaml",),
    "scikit-learn": ("sklearn",),
}


def requirements(extra: str) -> tuple[set[str], set[str]]:
    """Distributions that an extra names, and the other extras that it takes with it."""
    named, taken = set(), set()
    for text in PROJECT["optional-dependencies"][extra]:
        match = re.match(r"([\w-]+)(?:\[([\w,-]+)\])?", text)
        assert match
        if match[1] == DISTRIBUTION:
            taken |= set(match[2].split(","))
        else:
            named.add(match[1].lower())
    return named, taken


def brought(extra: str) -> set[str]:
    """Import names of all that an extra brings."""
    named, taken = requirements(extra)
    own = {module for name in named for module in IMPORTED_AS.get(name, (name.replace("-", "_"),))}
    return own.union(*map(brought, taken))


def test_the_distribution_is_the_project_s() -> None:
    assert PROJECT["name"] == DISTRIBUTION


@pytest.mark.parametrize("module", EXTRAS)
def test_the_extra_brings_the_package(module: str) -> None:
    assert module in brought(EXTRAS[module])


@pytest.mark.parametrize("module", EXTRAS)
def test_no_smaller_extra_brings_it(module: str) -> None:
    """Not one that the named one takes with it."""
    _, taken = requirements(EXTRAS[module])
    assert not any(module in brought(smaller) for smaller in taken)


def test_every_optional_package_has_its_extra() -> None:
    assert set().union(*map(brought, PROJECT["optional-dependencies"])) == set(EXTRAS)


def test_remedies() -> None:
    assert remedy("matplotlib") == "pip install 'hyn[report]'"
    assert remedy("amaranth.lib.wiring") == "pip install 'hyn[sim]'"
    assert remedy("somebody_s.module") == "pip install somebody_s"
    assert (
        str(MissingPackageError("nir.serialization")) == "nir is missing, which this needs; pip install 'hyn[convert]'"
    )


def test_need(monkeypatch: pytest.MonkeyPatch) -> None:
    need("json", "numpy")
    monkeypatch.setitem(sys.modules, "torch", None)
    said = refusal(lambda: need("json", "torch", "nowhere_at_all"))
    assert said == "torch is missing, which this needs; pip install 'hyn[train]'"
    assert "pip install nowhere_at_all" in refusal(lambda: need("nowhere_at_all"))


def sources() -> list[Path]:
    """Everything that a user can read a message or an instruction in."""
    kinds = {".py", ".md", ".toml", ".jinja", ".html", ".ipynb", ".yml", ".sh", ".c", ".h"}
    folders = [place for place in ROOT.iterdir() if place.is_dir() and place.name not in ("build", "tests", ".venv")]
    found = [path for place in folders for path in place.rglob("*") if path.suffix in kinds and path.is_file()]
    return [*found, *ROOT.glob("*.md"), ROOT / "Makefile", ROOT / "pyproject.toml"]


def test_nobody_is_told_to_install_somebody_else_s_package() -> None:
    files = sources()
    assert len(files) > 200
    wrong = re.compile(r"pip3? install (-\S+ )*[\"']?hysteron\b")
    assert wrong.search("pip install 'hysteron[convert]'") and wrong.search("pip install hysteron")
    assert [str(path) for path in files if wrong.search(path.read_text(errors="replace"))] == []
