# SPDX-License-Identifier: Apache-2.0
"""Configurations of OpenRAM; the generator itself needs its own Python and cells that are in no registry."""

import re
import runpy
import sys
from pathlib import Path

import pytest

from hysteron_base.errors import HysteronError
from hysteron_openlane.memory import openram
from hysteron_openlane.memory.macros import macros
from hysteron_openlane.pdk import SKY130


@pytest.mark.parametrize("name", openram.configurations())
def test_a_configuration_is_what_its_name_says(name: str) -> None:
    values = runpy.run_path(str(openram.CONFIGURATIONS / f"{name}.py"))
    match = re.match(r"sky130_sram_(?:\d+kbyte_)?(1rw1r|1rw)?_?(\d+)x(\d+)(?:_(\d+))?$", name)
    assert match is not None
    assert values["output_name"] == name
    assert (values["word_size"], values["num_words"]) == (int(match[2]), int(match[3]))
    assert values.get("write_size") == (int(match[4]) if match[4] else None)
    assert values["num_r_ports"] == (1 if match[1] == "1rw1r" else 0)


@pytest.mark.usefixtures("pdk")
def test_every_macro_of_the_pdk_has_one() -> None:
    assert set(macros(SKY130)) <= set(openram.configurations())


def test_what_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(HysteronError, match="there is no configuration 'x'; take one of sky130_sram_16x16"):
        openram.generate(SKY130, "x", sys.executable, tmp_path, tmp_path / "out")
    with pytest.raises(HysteronError, match="is no checkout of sky130_fd_bd_sram at dd64256"):
        openram.generate(SKY130, "sky130_sram_16x16", sys.executable, tmp_path, tmp_path / "out")
    (tmp_path / "cells").mkdir()
    with pytest.raises(HysteronError, match="there is no Python 'python0'"):
        openram.generate(SKY130, "sky130_sram_16x16", "python0", tmp_path, tmp_path / "out")
    with pytest.raises(HysteronError, match="has no OpenRAM"):
        openram.generate(SKY130, "sky130_sram_16x16", sys.executable, tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()
