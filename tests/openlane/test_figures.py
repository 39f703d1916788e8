# SPDX-License-Identifier: Apache-2.0
import pytest

from hysteron_openlane.figures import Line


@pytest.mark.parametrize(
    ("line", "ok"),
    [
        (Line("a", "a", 0, most=0), True),
        (Line("a", "a", 1, most=0), False),
        (Line("a", "a", None, most=0), False),
        (Line("a", "a", None), False),
        (Line("a", "a", 0.0, least=0.0), True),
        (Line("a", "a", -0.1, least=0.0), False),
    ],
)
def test_a_figure_is_there_and_within_its_limits(line: Line, ok: bool) -> None:
    assert line.ok is ok


@pytest.mark.parametrize(
    ("line", "text", "wrong"),
    [
        (Line("a", "a", None, source="x"), "absent", "a is absent from x"),
        (Line("a", "a", 12345, most=0), "12,345", "a is 12345, must be ≤ 0"),
        (Line("a", "a", 1.23456, least=2), "1.235", "a is 1.23456, must be ≥ 2"),
        (Line("a", "a", 23456.7, most=0), "23,457", "a is 23456.7, must be ≤ 0"),
    ],
)
def test_a_figure_for_people(line: Line, text: str, wrong: str) -> None:
    assert (line.text, line.wrong) == (text, wrong)
