# SPDX-License-Identifier: Apache-2.0
"""The ECP5's PLL, and what its synthesis makes."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("amaranth", reason="the hardware description is not installed (extra 'fpga')")

from hysteron_base.errors import HysteronError
from hysteron_fpga.families.ecp5 import ECP5, Ecp5Pll


@pytest.mark.parametrize(
    ("dividers", "told"),
    [
        ((10, 24, 10), "compares at 2,500,000 Hz"),
        ((1, 2, 4), "runs at 200,000,000 Hz"),
        ((1, 2, 20), "runs at 1,000,000,000 Hz"),
        ((0, 2, 12), "divide must be from 1 to 128, not 0"),
    ],
)
def test_plls_beyond_their_range_are_refused(dividers: tuple[int, int, int], told: str) -> None:
    with pytest.raises(HysteronError, match=told):
        Ecp5Pll(25_000_000, *dividers)


def test_what_a_pll_makes() -> None:
    assert Ecp5Pll(25_000_000, 5, 12, 10).output_hz == 60_000_000


def test_the_models_are_written_out() -> None:
    """DP16KD has 64 words of contents, and no placeholder is left."""
    models = ECP5.models()
    assert set(re.findall(r"^module (\w+)", models, re.M)) == {"EHXPLLL", "DP16KD", "TRELLIS_IO"}
    assert "@" not in re.sub(r"@\(posedge \w+\)|@\*", "", models)
    assert len(re.findall(r"parameter \[319:0\] INITVAL_", models)) == 64
