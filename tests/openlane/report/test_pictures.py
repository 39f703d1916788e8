# SPDX-License-Identifier: Apache-2.0
"""The pictures of the documentation are those of the chips."""

from pathlib import Path

import pytest

from hysteron_openlane.flow.chips import chip, source
from hysteron_openlane.flow.floorplan import floorplan
from hysteron_openlane.flow.project import instances
from hysteron_openlane.report.pictures import floorplan as draw
from hysteron_report.style import svg


@pytest.mark.usefixtures("pdk")
def test_the_documentation_s_picture_is_the_chip_s() -> None:
    chosen = chip("sky130")
    plan = floorplan(instances(source(chosen)), chosen.cells_mm2, chosen.density)
    kept = Path(__file__).parents[3] / "docs" / "images" / "sky130-floorplan.svg"
    assert kept.read_bytes() == svg(draw(plan, chosen.name)), "copy build/gds/sky130/floorplan.svg there"
