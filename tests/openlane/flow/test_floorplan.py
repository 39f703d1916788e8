# SPDX-License-Identifier: Apache-2.0
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hysteron_base.errors import HysteronError
from hysteron_openlane.flow.chips import CHIPS, chip, source
from hysteron_openlane.flow.floorplan import CHANNEL, MARGIN, Floorplan, floorplan
from hysteron_openlane.flow.project import instances
from hysteron_openlane.memory.macros import Macro, Timing
from hysteron_openlane.pdk import SKY130

TIMING = Timing(*(1.0,) * 11)


def macro(name: str, width: float, height: float) -> Macro:
    return Macro(SKY130, name, 512, 32, 8, 1, (width, height), {}, "vccd1", "vssd1", TIMING)


def checked(plan: Floorplan) -> None:
    """Macros within the die, and a channel between any two."""
    boxes = [(p.x, p.y, p.x + p.macro.size[0], p.y + p.macro.size[1]) for p in plan.places]
    for left, low, right, high in boxes:
        assert left >= MARGIN
        assert low >= MARGIN
        assert right <= plan.width - MARGIN
        assert high <= plan.height - MARGIN
    for one, two in combinations(boxes, 2):
        apart = max(one[0] - two[2], two[0] - one[2], one[1] - two[3], two[1] - one[3])
        assert apart >= CHANNEL - 0.011


sizes = st.tuples(st.floats(100, 900).map(lambda x: round(x, 2)), st.floats(100, 500).map(lambda x: round(x, 2)))


@given(st.lists(sizes, max_size=12), st.floats(0.01, 2), st.floats(0.2, 0.9))
def test_macros_do_not_touch_and_the_cells_have_room(
    shapes: list[tuple[float, float]], cells: float, density: float
) -> None:
    plan = floorplan([(f"m{k}", macro(f"m{k}", *shape)) for k, shape in enumerate(shapes)], cells, density)
    assert len(plan.places) == len(shapes)
    checked(plan)
    assert plan.cells * density >= cells * 0.999


@pytest.mark.parametrize("name", CHIPS)
@pytest.mark.usefixtures("pdk")
def test_the_chips_floorplans(name: str) -> None:
    chosen = chip(name)
    made = source(chosen)
    found = instances(made)
    assert len(found) == sum(choice.count for _, choice in made.memories if choice.macro)
    plan = floorplan(found, chosen.cells_mm2, chosen.density)
    checked(plan)
    macros = sum(place.macro.area for place in plan.places)
    assert macros + chosen.cells_mm2 <= 15


def test_a_chip_that_is_not_there_is_told() -> None:
    with pytest.raises(HysteronError, match="a chip must be one of sky130-small, sky130, not 'sky90'"):
        chip("sky90")
