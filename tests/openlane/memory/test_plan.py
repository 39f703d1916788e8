# SPDX-License-Identifier: Apache-2.0
import pytest

from hysteron_openlane.memory.macros import macros
from hysteron_openlane.memory.plan import Need, choices, choose, suits
from hysteron_openlane.pdk import SKY130

pytestmark = pytest.mark.usefixtures("pdk")

MILLION = Need(256, 4096, grain=32, exclusive=True)


def test_a_million_bits_take_ten_square_millimetres_at_most() -> None:
    best = choose(SKY130, MILLION)
    assert best.macro is not None
    assert (best.macro.name, best.columns, best.banks, best.count) == ("sky130_sram_4kbyte_1rw_64x512_8", 4, 8, 32)
    assert best.area == pytest.approx(32 * 828.62 * 339.02 / 1e6)
    assert best.area <= 10


def test_the_alternatives_are_all_there_and_in_order() -> None:
    found = choices(SKY130, MILLION)
    assert [choice.area for choice in found] == sorted(choice.area for choice in found)
    assert len(found) == 1 + len(macros(SKY130))
    assert all(choice.count * choice.macro.bits >= MILLION.bits for choice in found if choice.macro)
    assert [choice.leakage_mw is None for choice in found].count(True) == 1


def test_small_memories_are_flip_flops() -> None:
    assert choose(SKY130, Need(8, 16, grain=8, exclusive=True)).macro is None
    assert choose(SKY130, Need(8, 16, grain=8, exclusive=True), macros=True).macro is not None


@pytest.mark.parametrize(
    ("need", "ports"),
    [
        (Need(32, 512, 32, exclusive=True), {1, 2}),
        (Need(32, 512, 8, exclusive=True), {1, 2}),
        (Need(32, 512, 32, distinct=True), {2}),
        (Need(32, 512, 4, exclusive=True), set()),
        (Need(32, 512, 32), set()),
        (Need(32, 512, 32, readers=2, exclusive=True), {2}),
        (Need(32, 512, 32, readers=2, distinct=True), set()),
    ],
    ids=["one port", "bytes", "two ports", "nibbles", "any row at any time", "two readers", "three ports"],
)
def test_ports_and_masks_decide(need: Need, ports: set[int]) -> None:
    assert {macro.ports for macro in macros(SKY130).values() if suits(macro, need)} == ports


def test_what_no_macro_suits_is_flip_flops() -> None:
    assert choose(SKY130, Need(32, 1 << 14, 4, exclusive=True), macros=True).macro is None
