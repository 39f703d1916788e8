# SPDX-License-Identifier: Apache-2.0
"""Memories of a simulated core that another package brings."""

import tomllib
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path
from typing import Any

import pytest

from hysteron_base.errors import HysteronError
from hysteron_sim import memories
from hysteron_sim.build import core_verilog
from hysteron_spec.presets import PRESETS

ROOT = Path(__file__).parents[2]


class Plain:
    """Behavioural memories that say that they were asked for."""

    def __init__(self) -> None:
        self.asked = 0

    def get_memory(self, memory: Any) -> Any:
        self.asked += 1
        return memory.elaborate(None)

    def models(self) -> str:
        return f"// {self.asked} memories\n"


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that brings memories ``plain``."""
    point = EntryPoint("plain", f"{__name__}:Plain", memories.GROUP)
    monkeypatch.setattr(EntryPoint, "load", lambda _: Plain)
    monkeypatch.setattr(memories, "entry_points", lambda **_: EntryPoints([point]))


@pytest.mark.usefixtures("registered")
def test_a_core_is_made_with_the_memories_that_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYSTERON_MEMORIES", "plain")
    text = core_verilog(PRESETS["tiny"])
    assert int(text.splitlines()[-1].split()[1]) > 3
    assert "module hysteron_core" in text


@pytest.mark.usefixtures("registered")
def test_a_name_that_no_package_brings_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYSTERON_MEMORIES", "glass")
    with pytest.raises(HysteronError, match="HYSTERON_MEMORIES must be empty or one of plain, not 'glass'"):
        memories.chosen_memories()


def test_no_package_at_all_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memories, "entry_points", lambda **_: EntryPoints())
    monkeypatch.setenv("HYSTERON_MEMORIES", "plain")
    with pytest.raises(HysteronError, match="no installed package brings memories; run 'make setup', not 'plain'"):
        memories.chosen_memories()


@pytest.mark.parametrize("value", ["", None])
def test_nothing_named_is_behavioural(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    monkeypatch.delenv("HYSTERON_MEMORIES", raising=False)
    if value is not None:
        monkeypatch.setenv("HYSTERON_MEMORIES", value)
    assert memories.chosen_memories() is None


def test_the_project_registers_the_memories_of_silicon() -> None:
    pytest.importorskip("libparse", reason="the tools of silicon are not installed (extra 'silicon')")
    registered = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"][memories.GROUP]
    made = {name: EntryPoint(name, value, memories.GROUP).load()() for name, value in registered.items()}
    assert {name: one.always for name, one in made.items()} == {"openram": False, "openram-always": True}
    assert all(one.models().startswith("//") for one in made.values())


def test_sim_knows_no_package_of_silicon() -> None:
    sources = (ROOT / "sim" / "hysteron_sim").rglob("*.py")
    assert not [path.name for path in sources if "hysteron_openlane" in path.read_text()]
