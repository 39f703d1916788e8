# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

from hysteron_openlane.gate import figures
from hysteron_openlane.gate.power import Power

IDLE = Power(0, 0, 1e-3, 0, 0, 0)


def values(least: Power, most: Power) -> dict[str, float | None]:
    lines = figures.energy_lines((least, IDLE), (most, IDLE), 1e-6, 2, 1000, Path("x"))
    return {line.key: line.value for line in lines}


def test_energy_of_an_operation() -> None:
    found = values(Power(1e-3, 2e-3, 3e-3, 4e-3, 5e-3, 2e-3), Power(1e-3, 2e-3, 3e-3, 5e-3, 5e-3, 2e-3))
    assert found["power_mw"] == pytest.approx(15)
    assert found["power_most_mw"] == pytest.approx(18)
    assert found["idle_mw"] == pytest.approx(1)
    assert found["nj_per_image"] == pytest.approx(7.5)
    assert found["pj_per_sop"] == pytest.approx(15)
    assert found["pj_per_sop_low"] == pytest.approx(16)
    assert found["pj_per_sop_most"] == pytest.approx(18)
    # For each second with images nine without.
    assert found["pj_per_sop_duty"] == pytest.approx(15 + 9)
    assert found["pj_per_sop_duty_most"] == pytest.approx(18 + 9)


def test_a_macro_whose_bit_lines_nobody_knows_has_no_upper_end() -> None:
    one = Power(1e-3, 0, 0, 0, 0, None)
    lines = figures.energy_lines((one, IDLE), (one, IDLE), 1e-6, 2, 1000, Path("x"))
    absent = {line.key for line in lines if not line.ok}
    assert absent == {
        "power_bit_lines_mw", "power_most_mw", "nj_per_image_most", "pj_per_sop_most", "pj_per_sop_duty_most"
    }  # fmt: skip
