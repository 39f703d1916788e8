# SPDX-License-Identifier: Apache-2.0
"""Bodies of memories on an iCE40 UltraPlus: its single-port RAMs and its block RAMs.

Synthesis would map memories by itself, but it knows no single-port RAM with a read and a write port, and it guards
every block RAM against a read of the word that is being written, at about 100 cells a memory. Hysteron never does that,
except where a port says that it is transparent.
"""

from collections.abc import Iterable
from typing import Any

from amaranth.hdl import Array, Cat, ClockSignal, Elaboratable, Instance, Module, Mux, Shape, Signal, Value
from amaranth.lib.memory import Memory

from hysteron_spec.core import bits_for, ceil_div

#: Width and depth of the two primitives, and the bits that a write mask of the first covers (Lattice FPGA-TN-02022,
#: FPGA-TN-02002).
WIDTH = 16
SINGLE_PORT_DEPTH, NIBBLE = 16384, 4
BLOCK_DEPTH = 256


class Ice40Memories:
    """What a platform mixes in so that its memories go where they belong."""

    def get_memory(self, memory: "Memory[Any, Any]") -> Any:
        """The body of ``memory``, for :meth:`amaranth.lib.memory.Memory.elaborate`."""
        bits = Shape.cast(memory.shape).width * memory.depth
        rows: Iterable[Any] = memory.init
        empty = all(row is None or (isinstance(row, int) and row == 0) for row in rows)
        reads, writes = memory.read_ports, memory.write_ports
        domains = {*(read.domain for read in reads), *(write.domain for write in writes)}
        if empty and len(writes) == 1 and domains == {"sync"}:
            transparent = any(read.transparent_for for read in reads)
            if memory.depth > SINGLE_PORT_DEPTH // 2 and len(reads) == 1 and not transparent:
                return SinglePortMemory(memory)
            if memory.depth <= BLOCK_DEPTH and bits >= 64 and not (transparent and len(writes[0].en) > 1):
                return BlockMemory(memory)
        return memory.elaborate(None)


class SinglePortMemory(Elaboratable):
    """Single-port RAMs side by side for the width and one above the other for the depth.

    In the cycle in which a word is written no other is read: what the read port has then is undefined until the next
    read. RAM has one requester a cycle, and weights come while the core stands still.
    """

    def __init__(self, memory: "Memory[Any, Any]") -> None:
        self.memory = memory

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        width, depth = Shape.cast(self.memory.shape).width, self.memory.depth
        (write,), (read,) = self.memory.write_ports, self.memory.read_ports
        enables = _spread(write.en, width, NIBBLE)
        writes = write.en.any()
        place_bits = bits_for(SINGLE_PORT_DEPTH)
        address = Signal(max(bits_for(depth), place_bits))
        m.d.comb += address.eq(Mux(writes, write.addr, read.addr))
        banks, bank = ceil_div(depth, SINGLE_PORT_DEPTH), address[place_bits:]
        latest = Signal(max(1, len(bank)))
        with m.If(read.en & ~writes):
            m.d.sync += latest.eq(bank)
        answers = []
        for number in range(banks):
            chosen = bank == number if banks > 1 else 1
            columns = []
            for low in range(0, width, WIDTH):
                out = Signal(WIDTH, name=f"bank_{number}_{low}")
                m.submodules[f"spram_{number}_{low}"] = Instance(
                    "SB_SPRAM256KA",
                    i_CLOCK=ClockSignal(),
                    i_ADDRESS=address[:place_bits],
                    i_DATAIN=Value.cast(write.data)[low : low + WIDTH],
                    i_MASKWREN=Cat(enables[low // NIBBLE : (low + WIDTH) // NIBBLE]),
                    i_WREN=writes,
                    i_CHIPSELECT=(writes | read.en) & chosen,
                    i_STANDBY=0,
                    i_SLEEP=0,
                    i_POWEROFF=1,
                    o_DATAOUT=out,
                )
                columns.append(out)
            answers.append(Cat(columns)[:width])
        m.d.comb += Value.cast(read.data).eq(Array(answers)[latest])
        return m


class BlockMemory(Elaboratable):
    """Block RAMs of 256 words of 16 bits side by side, once for each read port.

    What a port reads of the word that is being written is undefined unless it is transparent.
    """

    def __init__(self, memory: "Memory[Any, Any]") -> None:
        self.memory = memory

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        width = Shape.cast(self.memory.shape).width
        (write,) = self.memory.write_ports
        stored, enables = Value.cast(write.data), _spread(write.en, width, 1)
        for number, read in enumerate(self.memory.read_ports):
            out = Signal(ceil_div(width, WIDTH) * WIDTH, name=f"out_{number}")
            for low in range(0, width, WIDTH):
                m.submodules[f"block_{number}_{low}"] = Instance(
                    "SB_RAM40_4K",
                    p_READ_MODE=0,
                    p_WRITE_MODE=0,
                    i_RCLK=ClockSignal(),
                    i_RCLKE=1,
                    i_RE=read.en,
                    i_RADDR=Cat(read.addr, *[0] * (11 - len(read.addr))),
                    i_WCLK=ClockSignal(),
                    i_WCLKE=1,
                    i_WE=write.en.any(),
                    i_WADDR=Cat(write.addr, *[0] * (11 - len(write.addr))),
                    i_MASK=~Cat(enables[low : low + WIDTH]),
                    i_WDATA=stored[low : low + WIDTH],
                    o_RDATA=out[low : low + WIDTH],
                )
            data: Value = out[:width]
            if write in read.transparent_for:
                meets, bypassed, kept = Signal(), Signal(), Signal(width)
                m.d.comb += meets.eq(read.en & (write.en.any()) & (read.addr == write.addr))
                with m.If(read.en):
                    m.d.sync += [bypassed.eq(meets), kept.eq(stored)]
                data = Mux(bypassed, kept, data)
            m.d.comb += Value.cast(read.data).eq(data)
        return m


def _spread(enable: Value, width: int, unit: int) -> list[Value]:
    """The write enable of every ``unit`` bits up to whole primitives; what is beyond the word follows its last bit."""
    grain = width // len(enable)
    assert grain % unit == 0 or len(enable) == 1, f"writes of {grain} bits are not made of units of {unit}"
    units = ceil_div(width, WIDTH) * WIDTH // unit
    return [enable[min(place * unit // grain, len(enable) - 1)] for place in range(units)]
