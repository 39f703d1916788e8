# SPDX-License-Identifier: Apache-2.0
"""How a layer's properties and a neuron's parameters are declared: each once, on its field of :class:`Layer`.

Whatever lists them follows from the declarations: the network file (:mod:`hysteron_spec.store`), the rows of a core's
memories (:mod:`hysteron_spec.layouts`), the program (:mod:`hysteron_spec.program`), the metadata of exchanged files,
and the columns of tables. A new one is a field of :class:`~hysteron_spec.network.Layer` with a :class:`Declared`, what
the golden model and the hardware do with it, and its section in ``docs/specification.md``.
"""

from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, fields
from enum import IntEnum
from typing import Any, Literal

import numpy as np

from .core import CoreConfig

#: Memories that hold rows of a layer or of its neurons.
Row = Literal["JOBS", "THRESHOLDS", "NEURONS"]

_KEY = "hysteron"


@dataclass(frozen=True)
class Declared:
    """What everything must know of a layer's property or a neuron's parameter.

    Attributes
    ----------
    doc
        What it is, for tables of parameters.
    row
        The memory of a core that holds it; None if no core needs to be told.
    bits
        Width of its field in that row, or what gives it for a core.
    signed
        The field is two's complement; a potential's is if the core's potentials are signed.
    potential
        It is a potential: it lies in the range of the network's potentials, and its field is as wide as they are.
    each_neuron
        Every neuron has its own value; else the layer has one.
    choices
        The enumeration that it is a member of.
    flag
        It is true or false.
    limits
        Smallest and largest value, or what gives them for a layer whose fields so far are checked.
    core_parameter
        The parameter of a core that decides what fits, to be named where a value does not.
    plural
        What its values are called in messages about many.
    heading
        The column of tables that shows it; empty: no table does.
    since
        Version of the network file that first has it; older files stand for its default.
    """

    doc: str
    row: Row | None = None
    bits: int | Callable[[CoreConfig], int] = 0
    signed: bool = False
    potential: bool = False
    each_neuron: bool = False
    choices: type[IntEnum] | None = None
    flag: bool = False
    limits: tuple[int, int] | Callable[[Any], tuple[int, int]] | None = None
    core_parameter: str = ""
    plural: str = ""
    heading: str = ""
    since: int = 1

    @property
    def metadata(self) -> Mapping[str, Any]:
        """What ``dataclasses.field(metadata=…)`` takes."""
        return {_KEY: self}

    def width(self, config: CoreConfig) -> int:
        """Bits of its field in a core's row."""
        if self.potential:
            return config.potential_bits
        return self.bits(config) if callable(self.bits) else self.bits

    def is_signed(self, config: CoreConfig) -> bool:
        """Whether its field in a core's row is two's complement."""
        return config.potential_signed if self.potential else self.signed

    def range_of(self, layer: Any) -> tuple[int, int]:
        """Smallest and largest value for ``layer``."""
        assert self.limits is not None
        return self.limits(layer) if callable(self.limits) else self.limits

    def plain(self, value: Any) -> Any:
        """A value as JSON has it: enumerations by name, arrays as lists."""
        if self.choices is not None:
            return self.choices(value).name
        return value.tolist() if isinstance(value, np.ndarray) else value

    def parsed(self, value: Any) -> Any:
        """The value that :meth:`plain` made ``value`` of; what was no value of this field is left as it is."""
        if self.choices is not None:
            return self.choices[value]
        return tuple(value) if isinstance(value, list) else value

    def text(self, value: Any) -> str:
        """A value for people; of many different ones the smallest and the largest."""
        if self.choices is not None:
            return self.choices(value).name.lower()
        if self.flag:
            return "yes" if value else "no"
        if self.each_neuron:
            low, high = int(np.min(value)), int(np.max(value))
            return f"{low}" if low == high else f"{low} … {high}"
        return f"{value}"


def declared(kind: type) -> dict[str, Declared]:
    """The declarations of a dataclass's fields by name, in their order; fields without one are left out."""
    return {field.name: made for field in fields(kind) if (made := _of(field)) is not None}


def _of(field: "Field[Any]") -> Declared | None:
    return field.metadata.get(_KEY)
