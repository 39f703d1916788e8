# SPDX-License-Identifier: Apache-2.0
"""What holds of every family: adding one is adding a file."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path

import pytest

pytest.importorskip("amaranth", reason="the hardware description is not installed (extra 'fpga')")

import hysteron_fpga
from hysteron_base.extras import EXTRAS
from hysteron_fpga import families
from hysteron_fpga.families.family import BLOCK_RAM, Family
from hysteron_fpga.report.figures import RESOURCES

FAMILIES = [
    value
    for module in pkgutil.iter_modules(families.__path__)
    for value in vars(importlib.import_module(f"hysteron_fpga.families.{module.name}")).values()
    if isinstance(value, Family)
]
EACH = pytest.mark.parametrize("family", FAMILIES, ids=[each.name for each in FAMILIES])


def test_there_are_families() -> None:
    assert {"ecp5", "ice40"} == {each.name for each in FAMILIES}


@EACH
def test_a_family_is_whole(family: Family) -> None:
    synthesis, place, _ = family.tools
    assert (synthesis, place) == ("yosys", f"nextpnr-{family.name}")
    assert {EXTRAS[package] for package in family.tools.values()} == {"fpga"}
    assert {"logic_cells", "bram"} <= family.resources.keys() <= RESOURCES.keys()
    assert {family.large, BLOCK_RAM} <= {each.kind for each in family.primitives.values()}
    for pattern in (family.made_of, family.ports, family.bodies):
        re.compile(pattern)


def test_nothing_but_a_family_names_its_primitives() -> None:
    """The rest of the package knows no family: neither by its name nor by its cells or tools."""
    package = Path(hysteron_fpga.__file__).parent
    words = [word for each in FAMILIES for word in (*each.primitives, *each.resources.values(), each.luts)]
    words += [word for each in FAMILIES for word in (*each.tools, each.placed, each.bitstream) if word != "yosys"]
    words += [f'"{each.name}"' for each in FAMILIES]
    for path in package.rglob("*.py"):
        if "families" not in path.parts:
            text = path.read_text()
            assert not [word for word in words if word in text], path
