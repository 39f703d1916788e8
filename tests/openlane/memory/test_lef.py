# SPDX-License-Identifier: Apache-2.0
"""Shapes of the macros, and the views of them that the tools of the layout get."""

import re
from pathlib import Path

import pytest

from hysteron_base.errors import HysteronError
from hysteron_openlane.memory import lef
from hysteron_openlane.pdk import SKY130
from support.silicon import pdk_macro

KB2 = "sky130_sram_2kbyte_1rw_32x512_8"

pytestmark = pytest.mark.usefixtures("pdk")


def test_pins_of_a_macro() -> None:
    macro = pdk_macro(KB2)
    shapes = lef.pin_shapes(SKY130, KB2)
    assert {pin for pin, _, _ in shapes} >= {"clk0", "dout0[32]", "addr0[9]", "vccd1", "vssd1"}
    assert all(
        left < right <= macro.size[0] and low < high <= macro.size[1] for _, _, (left, low, right, high) in shapes
    )


def test_wires_may_cross_a_macro_on_met5_only() -> None:
    width, height = pdk_macro(KB2).size
    for layer in ("met1", "met2"):
        ((left, low, right, high),) = (box for each, box in lef.obstructions(SKY130, KB2) if each == layer)
        assert max(left, low, width - right, height - high) < 1
    assert {layer for layer, _ in lef.obstructions(SKY130, KB2)} == {"met1", "met2", "met3", "met4"}


def test_a_lef_as_the_flow_s_tools_take_it(pdk: Path) -> None:
    before = (pdk / "libs.ref" / "sky130_sram_macros" / "lef" / f"{KB2}.lef").read_text()
    after = lef.abstract(SKY130, KB2)
    assert "DATABASE MICRONS 2000" in before
    assert "DATABASE MICRONS 1000" in after
    assert f"MACRO {KB2}\n   FOREIGN {KB2} 0 0 ;\n" in after
    # Every coordinate is a whole number of the new unit.
    numbers = re.findall(r"\d+\.\d+", after)
    assert numbers
    assert all(float(number) * 1000 == pytest.approx(round(float(number) * 1000)) for number in numbers)


def test_magic_sees_the_pins_and_what_is_in_the_way() -> None:
    text = lef.magic_view(SKY130, KB2)
    layers = dict(re.findall(r"^<< (\w+) >>\n(.*?)(?=^<<)", text, re.M | re.S))
    assert {name: body.count("rect") for name, body in layers.items() if "rect" in body} == {
        "metal3": sum(layer == "met3" for _, layer, _ in lef.pin_shapes(SKY130, KB2)),
        "metal4": sum(layer == "met4" for _, layer, _ in lef.pin_shapes(SKY130, KB2)),
        "obsm1": 1,
        "obsm2": 1,
        "obsm3": sum(layer == "met3" for layer, _ in lef.obstructions(SKY130, KB2)),
        "obsm4": sum(layer == "met4" for layer, _ in lef.obstructions(SKY130, KB2)),
    }
    # 483.86 by 326.1 µm in halves of Magic's unit, 0.01 µm.
    assert "magscale 1 2\n" in text
    assert "string FIXED_BBOX 0 0 96772 65220\n" in text


@pytest.mark.parametrize(
    ("without", "told"),
    [
        ("OBS", r"must have obstructions \(OBS\)"),
        ("SIZE", "must hold its size"),
        ("met4", "must keep to met1, met2, met3, met4, met5, not OTHER"),
    ],
)
def test_a_lef_that_lacks_something_is_told(
    without: str, told: str, monkeypatch: pytest.MonkeyPatch, pdk: Path
) -> None:
    text = (pdk / "libs.ref" / "sky130_sram_macros" / "lef" / f"{KB2}.lef").read_text().replace(without, "OTHER")
    monkeypatch.setattr(lef, "read", lambda _: text)
    with pytest.raises(HysteronError, match=told):
        lef.magic_view(SKY130, KB2)
