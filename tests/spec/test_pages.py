# SPDX-License-Identifier: Apache-2.0
"""Pages that follow from the specification are what the documentation has."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from hysteron_base.settings import parameters_of
from hysteron_spec import pages
from hysteron_spec.core import CoreConfig
from hysteron_spec.machine import MACHINE_REGISTERS, MachineConfig
from hysteron_spec.network import LAYER_FIELDS
from hysteron_spec.registers import REGIONS, REGISTERS
from hysteron_train.recipe import Recipe

DOCS = Path(__file__).parents[2] / "docs"
PARAMETERS = pages.parameter_page(parameters_of(Recipe))


@pytest.mark.parametrize(("name", "text"), [("registers", pages.register_page()), ("parameters", PARAMETERS)])
def test_the_documentation_is_up_to_date(name: str, text: str) -> None:
    assert (DOCS / f"{name}.md").read_text() == text, f"run 'hysteron {name} --write docs/{name}.md'"


def test_every_register_and_region_is_on_its_page() -> None:
    page = pages.register_page()
    for register in (*REGISTERS.values(), *MACHINE_REGISTERS.values()):
        assert re.search(rf"\b{register.name}\b", page), register.name
        for field in register.fields:
            assert field.name in page
    for region, number in REGIONS.items():
        assert f"| {number} | {region} |" in page


def test_every_parameter_has_a_meaning() -> None:
    for kind, rows in ((CoreConfig, pages.core_parameters()), (MachineConfig, pages.machine_parameters())):
        assert [row[0] for row in rows] == [
            field.name for field in fields(kind) if (kind, field.name) != (CoreConfig, "name")
        ]
        assert all(meaning.endswith(".") for *_, meaning in rows)
    assert [row[0] for row in pages.layer_parameters()] == list(LAYER_FIELDS)
    assert ":class:" not in PARAMETERS and "``" not in PARAMETERS


def test_tables_are_markdown() -> None:
    text = pages.parameter_table([("a", "int", "3", "How much.")])
    assert text == "| parameter | type | default | meaning |\n|---|---|---|---|\n| `a` | int | 3 | How much. |\n"
