# SPDX-License-Identifier: Apache-2.0
"""The helpers with which everything is checked."""

import dataclasses
import decimal
import fractions

import numpy as np
import pytest

from hysteron_base.errors import (
    DeviceError,
    HysteronError,
    SimulationError,
    ToolError,
    integer_in,
    rectangular,
    require,
    require_of_device,
    set_flags,
    set_integers,
)
from support.refusal import refusal


def test_a_user_error_is_a_value_error():
    assert issubclass(HysteronError, ValueError)


def test_a_device_s_fault_and_a_tool_s_failure_are_no_user_s_mistakes():
    for kind in (DeviceError, ToolError, SimulationError):
        assert issubclass(kind, RuntimeError) and not issubclass(kind, ValueError)
    assert issubclass(SimulationError, ToolError) and not issubclass(ToolError, DeviceError)
    assert not issubclass(DeviceError, ToolError)


def test_require_of_device():
    require_of_device(True, "never seen")
    assert refusal(lambda: require_of_device(False, "seen"), DeviceError) == "seen"


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


@dataclasses.dataclass(frozen=True)
class Item:
    """Something with fields to check."""

    size: object = 3
    depth: object = 4
    flag: object = True


def test_set_integers_keeps_plain_ints():
    item = Item(size=np.uint8(3), depth=4.0)
    set_integers(item, size=(3, 5), depth=(0, 4))
    assert (item.size, item.depth) == (3, 4)
    assert type(item.size) is int and type(item.depth) is int


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (Item(size=6), "size must be from 3 to 5, not 6"),
        (Item(depth=-1), "depth must be from 0 to 4, not -1"),
        (Item(depth=None), "depth must be an integer from 0 to 4, not None"),
    ],
)
def test_set_integers_refuses(item, message):
    assert refusal(lambda: set_integers(item, size=(3, 5), depth=(0, 4))) == message


@pytest.mark.parametrize("value", [True, False, np.True_, np.False_], ids=repr)
def test_set_flags_keeps_plain_bools(value):
    item = Item(flag=value)
    set_flags(item, "flag")
    assert item.flag is bool(value)


@pytest.mark.parametrize("value", [0, 1, None, "true", [], np.array([True, False])], ids=repr)
def test_set_flags_refuses(value):
    assert refusal(lambda: set_flags(Item(flag=value), "flag")) == f"flag must be true or false, not {value!r}"


def test_rectangular():
    assert rectangular("the x", [[1, 2], [3, 4]]).tolist() == [[1, 2], [3, 4]]
    array = np.arange(3)
    assert rectangular("the x", array) is array
    assert "the x must be a rectangular array" in refusal(lambda: rectangular("the x", [[1, 2], [3]]))
