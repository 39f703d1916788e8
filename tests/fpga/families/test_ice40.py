# SPDX-License-Identifier: Apache-2.0
"""The iCE40's PLL, and what its synthesis makes."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("amaranth", reason="the hardware description is not installed (extra 'fpga')")

from hysteron_base.errors import HysteronError
from hysteron_fpga.families.ice40 import ICE40, Ice40Pll


@pytest.mark.parametrize(
    ("dividers", "told"),
    [
        ((1, 47, 5), "compares at 6,000,000 Hz"),
        ((0, 40, 5), "runs at 492,000,000 Hz"),
        ((0, 95, 5), "runs at 1,152,000,000 Hz"),
        ((0, 47, 7), "divq must be from 1 to 6, not 7"),
    ],
)
def test_plls_beyond_their_range_are_refused(dividers: tuple[int, int, int], told: str) -> None:
    with pytest.raises(HysteronError, match=told):
        Ice40Pll(12_000_000, *dividers)


def test_what_a_pll_makes() -> None:
    assert Ice40Pll(12_000_000, 0, 47, 5).output_hz == 18_000_000


def test_the_models() -> None:
    assert set(re.findall(r"^module (\w+)", ICE40.models(), re.M)) == {"SB_PLL40_PAD", "SB_IO"}
