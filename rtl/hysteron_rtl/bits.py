# SPDX-License-Identifier: Apache-2.0
"""Idioms of hardware that several blocks use."""

from collections.abc import Callable
from typing import TypeVar, cast

from amaranth.hdl import Cat, Const, Module, Mux, Shape, Signal, Value, signed, unsigned
from amaranth.lib import data

_Delayed = TypeVar("_Delayed", Value, data.View)


def lowest_set(value: Value) -> tuple[Value, Value, Value]:
    """Find the lowest set bit of ``value`` with a tree of logarithmic depth.

    Returns ``(any, index, rest)``: whether there is one, its number (0 if none) and ``value`` without it.
    """
    width = len(value)
    if width == 1:
        return value, Const(0, 1), Const(0, 1)
    half = 1 << (width - 1).bit_length() - 1
    low_any, low_index, low_rest = lowest_set(value[:half])
    high_any, high_index, high_rest = lowest_set(value[half:])
    bits = (half - 1).bit_length()
    low_index, high_index = (_resize(index, bits) for index in (low_index, high_index))
    index = Cat(Mux(low_any, low_index, high_index), ~low_any & high_any) if bits else (~low_any & high_any)
    rest = Cat(low_rest, Mux(low_any, value[half:], high_rest))
    return low_any | high_any, index, rest


def at_most_one(value: Value) -> Value:
    """Whether at most one bit of ``value`` is set; shallower than asking for what :func:`lowest_set` leaves."""

    def some_many(bits: Value) -> tuple[Value, Value]:
        if len(bits) == 1:
            return bits, Const(0, 1)
        half = len(bits) // 2
        (low, low_many), (high, high_many) = some_many(bits[:half]), some_many(bits[half:])
        return low | high, low_many | high_many | (low & high)

    return ~some_many(value)[1]


def _resize(value: Value, width: int) -> Value:
    return Cat(value, Const(0, max(0, width - len(value))))[:width] if width else Const(0, 0)


def number(bits: int, is_signed: bool) -> Shape:
    """The shape of a number of so many bits, signed or unsigned."""
    return signed(bits) if is_signed else unsigned(bits)


def struct(layout: dict[str, int], signs: Callable[[str], bool] = lambda _: False) -> data.StructLayout:
    """A packed structure from a ``name: width`` table of golden; ``signs`` says which are signed."""
    return data.StructLayout({name: number(width, signs(name)) for name, width in layout.items() if width})


def record(layout: data.Layout, *, name: str | None = None, reset_less: bool = False) -> data.View:
    """A signal with the fields of ``layout``, called like the variable that it is assigned to unless ``name`` is given.

    It is what ``Signal(layout)`` makes; type checkers take that for a signal without fields, since they do not follow
    the metaclass.
    """
    return cast(data.View, Signal(layout, name=name, reset_less=reset_less, src_loc_at=1))


def delay(m: Module, value: _Delayed, cycles: int, name: str) -> _Delayed:
    """``value``, a number or a record, as it was ``cycles`` cycles ago; ``value`` itself if that is 0."""
    for index in range(cycles):
        later = cast(_Delayed, Signal(value.shape(), name=f"{name}_{index + 1}"))
        m.d.sync += later.eq(value)
        value = later
    return value


def take_turns(m: Module, *, full: Signal, put: Signal, get: Signal, fills: Value, frees: Value) -> None:
    """Keep account of two places that are filled and freed in turn, the first one first.

    Parameters
    ----------
    m
        The module that gets the logic.
    full
        Two bits: which places are full, from the cycle after ``fills`` or ``frees``.
    put, get
        One bit each: the place that is filled next, the place that is freed next.
    fills, frees
        Strobes. Whoever gives them asks ``full`` first.
    """
    m.d.sync += full.eq((full | (fills << put)) & ~(frees << get))
    with m.If(fills):
        m.d.sync += put.eq(~put)
    with m.If(frees):
        m.d.sync += get.eq(~get)
