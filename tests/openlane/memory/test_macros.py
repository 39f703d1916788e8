# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace
from pathlib import Path

import pytest

from hysteron_base.errors import HysteronError
from hysteron_openlane.memory import macros
from hysteron_openlane.memory.timing import estimate, library_of
from hysteron_openlane.pdk import SKY130, liberty

KB2 = "sky130_sram_2kbyte_1rw_32x512_8"
KB4 = "sky130_sram_4kbyte_1rw_64x512_8"
TWO_PORTS = "sky130_sram_2kbyte_1rw1r_32x512_8"

pytestmark = pytest.mark.usefixtures("pdk")


def test_sizes_and_pins_are_the_lef_s() -> None:
    found = macros.macros(SKY130)
    assert len(found) == 7
    macro = found[KB2]
    assert (macro.words, macro.width, macro.mask, macro.ports, macro.size) == (512, 32, 8, 1, (483.86, 326.1))
    # One more column and one more bit of address than data: spare ones.
    assert (macro.pins["dout0"], macro.pins["din0"], macro.pins["addr0"], macro.pins["wmask0"]) == (33, 33, 10, 4)
    assert (macro.power, macro.ground) == ("vccd1", "vssd1")
    assert found[TWO_PORTS].ports == 2
    assert found[TWO_PORTS].pins["dout1"] == 32


def test_timing_and_energy_are_the_lib_s() -> None:
    timing = macros.macros(SKY130)[KB2].timing
    assert (timing.access_ns, timing.period_ns, timing.pulse_ns) == (3.563, 8.125, 4.107)
    assert timing.hold_ns == pytest.approx(1.949)
    # Its LIB says W where those of two ports say mW; a cycle of either is tens of pJ.
    assert timing.read_pj == pytest.approx((2.278e-3 + 2.153e-3) / 2 * 1e3 * 8.125, rel=0.05)
    assert macros.macros(SKY130)[TWO_PORTS].timing.read_pj == pytest.approx((2.707046 + 2.420102) / 2 * 5.156)
    assert all(5 < macro.timing.idle_pj < macro.timing.read_pj < 40 for macro in macros.macros(SKY130).values())


def test_a_macro_without_a_lib_is_estimated_and_says_so() -> None:
    found = macros.macros(SKY130)
    assert {name for name, macro in found.items() if macro.timing.estimated} == {
        KB4,
        "sky130_sram_4kbyte_1rw_32x1024_8",
    }
    small, large = found[KB2].timing, found[KB4].timing
    assert large.access_ns == macros.SLOWER * small.access_ns
    assert large.read_pj == 2 * small.read_pj


def test_a_lib_with_limits_that_a_layout_can_meet(tmp_path: Path) -> None:
    macro = macros.macros(SKY130)[KB2]
    tree = liberty.library_file(library_of(macro, tmp_path))
    assert liberty.value(tree, "default_max_transition") == "1.5"
    (cell,) = liberty.groups(tree, "cell")
    (bus,) = (each for each in liberty.groups(cell, "bus") if liberty.argument(each) == "addr0")
    limits = [liberty.value(pin, "max_transition") for pin in liberty.groups(bus, "pin")]
    assert liberty.value(bus, "max_transition") or limits
    assert {liberty.value(bus, "max_transition"), *limits} - {""} == {"0.75"}


def test_an_estimated_lib_says_what_the_estimate_is() -> None:
    macro = macros.macros(SKY130)[KB4]
    text = estimate(macro)
    assert text.startswith("/* An estimate")
    assert f"area : {macro.size[0] * macro.size[1]:.3f};" in text
    assert text.count(f'values ("{macro.timing.access_ns:.4f}");') == 2
    assert "bit_width : 65;" in text


def test_an_estimated_lib_can_be_read(tmp_path: Path) -> None:
    macro = macros.macros(SKY130)[KB4]
    (cell,) = liberty.groups(liberty.library_file(library_of(macro, tmp_path)), "cell")
    names = [liberty.argument(each) for kind in ("pin", "bus") for each in liberty.groups(cell, kind)]
    assert sorted(names) == sorted(name for name in macro.pins if name not in (macro.power, macro.ground))


def test_names_that_say_nothing_are_told() -> None:
    with pytest.raises(HysteronError, match="macro 'sram' must be called"):
        SKY130.macros.shape("sram")


def test_no_lib_at_all_is_told() -> None:
    with pytest.raises(HysteronError, match="no other of its kind has one"):
        macros._estimated(SKY130, KB4, {})
    known = {TWO_PORTS: macros.macros(SKY130)[TWO_PORTS].timing}
    with pytest.raises(HysteronError, match="no other of its kind has one"):
        macros._estimated(SKY130, KB4, known)


def test_area_is_the_size() -> None:
    macro = replace(macros.macros(SKY130)[KB2], size=(1000.0, 2000.0))
    assert macro.area == 2.0
