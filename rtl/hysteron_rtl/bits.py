"""Combinational helpers."""

from collections.abc import Callable
from typing import Any

from amaranth.hdl import Cat, Const, Mux, Shape, Signal, Value, signed, unsigned
from amaranth.lib import data


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
    """A signed or unsigned shape."""
    return signed(bits) if is_signed else unsigned(bits)


def struct(layout: dict[str, int], signs: Callable[[str], bool] = lambda _: False) -> data.StructLayout:
    """A packed structure from a ``name: width`` table of golden; ``signs`` says which are signed."""
    return data.StructLayout({name: number(width, signs(name)) for name, width in layout.items() if width})


def delay(m: Any, value: Any, cycles: int, name: str) -> Any:
    """``value`` so many cycles later."""
    for index in range(cycles):
        shape = value.shape()
        later = Signal(shape, name=f"{name}_{index + 1}")
        m.d.sync += later.eq(value)
        value = later
    return value
