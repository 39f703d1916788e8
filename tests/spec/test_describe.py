# SPDX-License-Identifier: Apache-2.0
"""Networks in words."""

import numpy as np
import pytest

from hysteron_spec.describe import leak_text
from hysteron_spec.network import Layer


@pytest.mark.parametrize(
    ("codes", "text"), [([8, 8], "1"), ([4, 4], "1/2"), ([2, 7], "1/4 … 7/8"), ([0, 8], "0 … 1"), ([6, 4], "1/2 … 3/4")]
)
def test_leak_is_a_fraction(codes: list[int], text: str) -> None:
    assert leak_text(Layer(np.ones((1, 2), int), 5, leak=np.array(codes))) == text
