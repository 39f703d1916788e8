# SPDX-License-Identifier: Apache-2.0
"""How a user's mistake, a device's fault and a tool's failure are told, and the checks of a user's values."""

from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

T = TypeVar("T")
#: Characters of a wrong value that a message shows.
_SHORT = 60


class HysteronError(ValueError):
    """A user's mistake: one line that names the value and the remedy.

    The command line prints it after ``error:`` and exits with status 2; library users catch it as a
    :class:`ValueError`.
    """


class DeviceError(RuntimeError):
    """A machine does not answer, was lost or refused a request; the command line exits with status 1."""


class ToolError(RuntimeError):
    """A tool failed (a compiler, a simulator, place and route); the command line exits with status 1."""


class SimulationError(ToolError):
    """A simulator failed."""


def require(condition: bool, message: str) -> None:
    """Raise :class:`HysteronError` with ``message`` unless ``condition`` holds."""
    if not condition:
        raise HysteronError(message)


def require_of_device(condition: bool, message: str) -> None:
    """Raise :class:`DeviceError` with ``message`` unless ``condition`` holds of what a machine said."""
    if not condition:
        raise DeviceError(message)


def of_kind(name: str, value: object, kind: type[T], remedy: str) -> T:
    """Return ``value``, refusing what is no ``kind``; the message ends with ``remedy``."""
    if not isinstance(value, kind):
        raise HysteronError(f"{name} must be a {kind.__name__}, not {shown(value)}; {remedy}")
    return value


def number(name: str, value: object, remedy: str) -> float:
    """Return ``value`` as a float, refusing what is no number; the message ends with ``remedy``."""
    if not isinstance(value, int | float | np.integer | np.floating) or isinstance(value, bool):
        raise HysteronError(f"{name} must be a number, not {shown(value)}; {remedy}")
    return float(value)


def shown(value: object) -> str:
    """A wrong value for a message: as Python writes it if that is short, else what type it is of."""
    text = repr(value)
    return text if len(text) <= _SHORT and text.isprintable() else f"a {type(value).__name__}"


def integer_in(name: str, value: object, low: int, high: int) -> int:
    """Return ``value`` as an int, refusing what is not an integer in ``[low, high]``."""
    try:
        result = int(value)  # type: ignore[call-overload]
        whole = result == value
    except (TypeError, ValueError, OverflowError):
        whole = False
    if not whole or isinstance(value, bool):
        raise HysteronError(f"{name} must be an integer from {low} to {high}, not {value!r}")
    if not low <= result <= high:
        raise HysteronError(f"{name} must be from {low} to {high}, not {result}")
    return result


def set_integers(item: object, **limits: tuple[int, int]) -> None:
    """Check integer fields of a frozen dataclass and keep them as plain ints.

    ``limits`` gives each field's smallest and largest value.
    """
    for name, (low, high) in limits.items():
        value = integer_in(name, getattr(item, name), low, high)
        object.__setattr__(item, name, value)


def set_flags(item: object, *names: str) -> None:
    """Check truth-value fields of a frozen dataclass and keep them as plain bools."""
    for name in names:
        value = getattr(item, name)
        require(isinstance(value, bool | np.bool_), f"{name} must be true or false, not {value!r}")
        object.__setattr__(item, name, bool(value))


def rectangular(name: str, values: ArrayLike) -> NDArray[Any]:
    """``values`` as an array; rows of different lengths are refused."""
    try:
        return np.asarray(values)
    except ValueError:
        raise HysteronError(f"{name} must be a rectangular array, but its rows differ in shape") from None
