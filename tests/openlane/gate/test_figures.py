# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

from hysteron_openlane.gate import figures
from hysteron_openlane.gate.power import Power


def test_energy_of_an_operation() -> None:
    busy, idle = Power(1e-3, 2e-3, 3e-3, 4e-3, 5e-3), Power(0, 0, 1e-3, 0, 0)
    lines = {line.key: line.value for line in figures.energy_lines(busy, idle, 1e-6, 2, 1000, Path("x"))}
    assert lines["power_mw"] == pytest.approx(15)
    assert lines["idle_mw"] == pytest.approx(1)
    assert lines["nj_per_image"] == pytest.approx(7.5)
    assert lines["pj_per_sop"] == pytest.approx(15)
