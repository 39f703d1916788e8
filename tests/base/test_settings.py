# SPDX-License-Identifier: Apache-2.0
"""Settings as text, hints at what was meant, and what a docstring says of each parameter."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from hysteron_base.settings import changes_of, meant, one_of, parameters_of, text_of
from support.refusal import refusal


def test_changes() -> None:
    assert changes_of(["lanes=64", "name=a=b", "empty="]) == {"lanes": "64", "name": "a=b", "empty": ""}
    assert changes_of(f"x={k}" for k in range(2)) == {"x": "1"}
    assert changes_of(()) == {}


def test_a_change_without_a_value_is_refused() -> None:
    assert refusal(lambda: changes_of(["lanes=64", "lanes"])) == "--set takes NAME=VALUE, not 'lanes'"


@pytest.mark.parametrize(
    ("name", "hint"),
    [("mnits", "; did you mean 'mnist'?"), ("digit", "; did you mean 'digits'?"), ("zebra", ""), ("", "")],
)
def test_what_was_meant(name: str, hint: str) -> None:
    assert meant(name, ("digits", "mnist", "yin-yang")) == hint
    assert meant(name, iter(("digits", "mnist", "yin-yang"))) == hint


def test_nothing_was_meant_by_what_is_no_text() -> None:
    assert meant(None, ("digits",)) == meant(3, ("digits",)) == ""  # type: ignore[arg-type]


def test_one_of() -> None:
    known = {"plain": 1, "latch": 2}
    assert one_of("mode", "latch", known) == 2
    said = refusal(lambda: one_of("mode", "latsh", known))
    assert said == "mode must be one of plain, latch, not 'latsh'; did you mean 'latch'?"
    assert refusal(lambda: one_of("mode", "x", known)) == "mode must be one of plain, latch, not 'x'"


@dataclass(frozen=True)
class Explained:
    """Something that is explained.

    A paragraph before.

    Parameters
    ----------
    size
        How large, see :class:`Other` and :func:`~some.module.measure`; in ``mm``,
        which is short.
    low, high
        Ends of a range; :data:`TABLE` lists them.
    flag
        Whether.

    Raises
    ------
    HysteronError
        Never.
    """

    size: int
    low: int = 3
    high: tuple[int, ...] = (4, 5)
    flag: bool = True
    unsaid: str = field(default="text")


def test_parameters_of_a_dataclass() -> None:
    """Roles and the marks of code become plain Markdown; one entry may explain several; what is unsaid is empty."""
    assert parameters_of(Explained) == [
        ("size", "int", "", "How large, see `Other` and `measure`; in `mm`, which is short."),
        ("low", "int", "3", "Ends of a range; `TABLE` lists them."),
        ("high", "tuple[int, ...]", "4,5", "Ends of a range; `TABLE` lists them."),
        ("flag", "bool", "true", "Whether."),
        ("unsaid", "str", "text", ""),
    ]


@pytest.mark.parametrize(
    ("value", "text"), [(True, "true"), (False, "false"), (3, "3"), (0.5, "0.5"), ((512, 256), "512,256"), ((), "")]
)
def test_values_as_text(value: object, text: str) -> None:
    assert text_of(value) == text
