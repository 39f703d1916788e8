"""The two helpers with which everything is checked."""

import decimal
import fractions

import numpy as np
import pytest

from hysteron_golden.errors import HysteronError, integer_in, require

from .support import refusal


def test_a_user_error_is_a_value_error():
    assert issubclass(HysteronError, ValueError)


def test_require():
    require(True, "never seen")
    assert refusal(lambda: require(False, "seen")) == "seen"


@pytest.mark.parametrize(
    "value",
    [5, 5.0, np.int8(5), np.int64(5), np.uint64(5), np.float32(5), np.array(5), fractions.Fraction(5)],
    ids=repr,
)
def test_whole_numbers_of_any_type_become_int(value):
    result = integer_in("x", value, 0, 10)
    assert result == 5 and type(result) is int


@pytest.mark.parametrize("value", [-3, 0, 7])
def test_both_ends_are_included(value):
    assert integer_in("x", value, -3, 7) == value


@pytest.mark.parametrize(
    "value",
    [None, "5", b"5", 4.5, np.nan, np.inf, -np.inf, True, False, [5], (), 5j, np.array([1, 2]), decimal.Decimal("4.5")],
    ids=repr,
)
def test_what_is_no_integer(value):
    assert refusal(lambda: integer_in("the x", value, 0, 10)) == f"the x must be an integer from 0 to 10, not {value!r}"


@pytest.mark.parametrize("value", [-1, 11, 2**70, -(2**70), 1e300])
def test_out_of_range(value):
    assert refusal(lambda: integer_in("the x", value, 0, 10)) == f"the x must be from 0 to 10, not {int(value)}"
