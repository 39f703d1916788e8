# SPDX-License-Identifier: Apache-2.0
"""A memory that the bus fills and the core reads.

Every memory of the core is built on :class:`amaranth.lib.memory.Memory`, so a platform's ``get_memory()``
decides what stands for it: block RAM, SPRAM or a macro.

Specified in docs/specification.md, §7.4.
"""

from typing import Any, Protocol

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from hysteron_spec.core import bits_for
from hysteron_spec.layouts import row_stride, row_words

from .bits import delay
from .ports import Port

#: Attribute of a memory of which nothing is read in a cycle in which something is written: one port does for both.
EXCLUSIVE = "exclusive"
#: Attribute of a memory of which no row is read in the cycle in which it is written: two ports do, whatever they say
#: of such a row.
DISTINCT = "distinct"


def mark(attribute: str) -> dict[str, Any]:
    """Attributes of a memory that is :data:`EXCLUSIVE` or :data:`DISTINCT`.

    The value is the number 1, as Verilog has it; Amaranth takes numbers, its type information only strings.
    """
    return {attribute: 1}


class LoadPort(Port, Protocol):
    """The signals of a :class:`LoadSignature`."""

    strobe: Signal
    region: Signal
    address: Signal
    data: Signal


class LoadSignature(wiring.Signature):
    """Writes from the bus to the memories of a core, as the bus sees them.

    Members
    -------
    strobe : Out(1)
        A word is written at the end of this cycle.
    region : Out(4)
        Number of the memory, :data:`hysteron_spec.registers.REGIONS`.
    address : Out(28)
        Number of the word in it.
    data : Out(32)
        The word.
    """

    def __init__(self) -> None:
        super().__init__({"strobe": Out(1), "region": Out(4), "address": Out(28), "data": Out(32)})


class LoadedMemory(wiring.Component):
    """A read-only memory of the core that is loaded over the bus, 32 bits at a time.

    Parameters
    ----------
    width, depth
        Bits of a row; number of rows.
    region
        Number of the region, :data:`hysteron_spec.registers.REGIONS`.
    latency
        Cycles from ``en`` to the row on ``data``; ``data`` then holds until the next row comes.

    Attributes
    ----------
    load : In(LoadSignature)
        Word ``k`` of row ``r`` is written at address ``r * row_stride(width) + k``; words beyond a row
        or rows beyond the depth are dropped.
    en : In(1)
        Read a row.
    address : In(bits_for(depth))
        Number of the row.
    data : Out(width)
        The row, ``latency`` cycles after ``en``.
    """

    load: LoadPort
    en: Signal
    address: Signal
    data: Signal

    def __init__(self, *, width: int, depth: int, region: int, latency: int = 1) -> None:
        self.width, self.depth, self.region, self.latency = width, depth, region, latency
        super().__init__(
            {
                "load": In(LoadSignature()),
                "en": In(1),
                "address": In(bits_for(depth)),
                "data": Out(width),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        words, stride = row_words(self.width), row_stride(self.width)
        stored = self.width if words == 1 else 32 * words
        ram: memory.Memory[int, Value] = memory.Memory(shape=stored, depth=self.depth, init=[], attrs=mark(EXCLUSIVE))
        m.submodules.memory = ram
        write = ram.write_port(granularity=None if words == 1 else 32)
        read = ram.read_port()
        column_bits = stride.bit_length() - 1
        column = self.load.address[:column_bits]
        row = self.load.address[column_bits:]
        hit = self.load.strobe & (self.load.region == self.region) & (row < self.depth)
        m.d.comb += [
            write.addr.eq(row),
            write.en.eq(hit if words == 1 else (hit << column)),
            write.data.eq(self.load.data if words == 1 else self.load.data.replicate(words)),
            read.en.eq(self.en),
            read.addr.eq(self.address),
            self.data.eq(delay(m, read.data, self.latency - 1, "data")),
        ]
        return m
