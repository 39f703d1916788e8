# SPDX-License-Identifier: Apache-2.0
"""The machine's memories: a ROM with the firmware, and a RAM that several devices share."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from hysteron_spec.core import bits_for, ceil_div

from ..memory import EXCLUSIVE, mark
from ..ports import Port


class RequestPort(Port, Protocol):
    """The signals of a :class:`RequestSignature`."""

    valid: Signal
    address: Signal
    data: Signal
    strobe: Signal
    ready: Signal
    answer: Signal


class RequestSignature(wiring.Signature):
    """Access to a word of memory as the one who asks sees it.

    Members
    -------
    valid : Out(1)
        A request, held until ``ready``.
    address : Out(32)
        With ``valid``: an address in bytes, of which the lowest two bits are ignored.
    data : Out(32), strobe : Out(4)
        With ``valid``: the word to write; a bit for each byte of it that is written, all 0 reads.
    ready : In(1)
        The request is taken in this cycle.
    answer : In(32)
        What was read, one cycle after ``ready``, only then.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "valid": Out(1),
                "address": Out(32),
                "data": Out(32),
                "strobe": Out(4),
                "ready": In(1),
                "answer": In(32),
            }
        )


class SharedRam(wiring.Component):
    """One memory port for several requesters; the first in order goes first.

    Parameters
    ----------
    size
        Bytes, a power of two; addresses beyond wrap around.
    requesters
        Names of the requesters, in order.

    Attributes
    ----------
    <name> : In(RequestSignature)
        Where the requester of that name asks.
    """

    if TYPE_CHECKING:
        # The ports are named by the one who makes it.
        def __getattr__(self, name: str) -> RequestPort: ...

    def __init__(self, *, size: int, requesters: Sequence[str]) -> None:
        self.size, self.requesters = size, tuple(requesters)
        super().__init__({name: In(RequestSignature()) for name in requesters})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        ram: memory.Memory[int, Value] = memory.Memory(shape=32, depth=self.size // 4, init=[], attrs=mark(EXCLUSIVE))
        m.submodules.memory = ram
        write = ram.write_port(granularity=8)
        read = ram.read_port()
        chosen: list[RequestPort] = [getattr(self, name) for name in self.requesters]
        word = Signal(bits_for(self.size // 4))
        m.d.comb += [write.addr.eq(word), read.addr.eq(word)]
        for index, one in enumerate(chosen):
            m.d.comb += [one.answer.eq(read.data), one.ready.eq(~_any(chosen[:index]))]
        for one in reversed(chosen):
            with m.If(one.valid):
                m.d.comb += [
                    word.eq(one.address[2:]),
                    write.data.eq(one.data),
                    write.en.eq(one.strobe),
                    read.en.eq(one.strobe == 0),
                ]
        return m


def _any(requesters: Sequence[RequestPort]) -> Value | int:
    """Whether one of them asks; 0 if there are none."""
    value: Value | int = 0
    for one in requesters:
        value = value | one.valid
    return value


class Rom(wiring.Component):
    """Words that are there from the start.

    Parameters
    ----------
    size
        Bytes of its part of the address space, a power of two.
    words
        Its content. Only so much is built, to the next kilobyte; what is beyond is not defined.

    Attributes
    ----------
    address : In(bits_for(size // 4))
        Number of a word.
    data : Out(32)
        The word, one cycle after its number.
    """

    address: Signal
    data: Signal

    def __init__(self, *, size: int, words: Sequence[int]) -> None:
        self.size, self.words = size, words
        super().__init__({"address": In(bits_for(size // 4)), "data": Out(32)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        high = Signal(self.address.shape())
        m.d.sync += high.eq(self.address)
        first = 0
        for depth in bank_depths(len(self.words)):
            bank: memory.Memory[int, Value] = memory.Memory(
                shape=32, depth=depth, init=self.words[first : first + depth]
            )
            m.submodules[f"bank_{first}"] = bank
            read = bank.read_port()
            m.d.comb += read.addr.eq(self.address)
            # The last one that begins below the address has it.
            with m.If(high >= first):
                m.d.comb += self.data.eq(read.data)
            first += depth
        return m


def bank_depths(words: int) -> list[int]:
    """Depths of the memories that make up a ROM of so many words: powers of two, the largest first, at least a block
    RAM's 256.

    A block RAM of such a memory is as deep as the memory and accordingly narrow, so that nothing has to
    choose between block RAMs."""
    blocks = ceil_div(max(1, words), 256)
    return [256 << bit for bit in reversed(range(blocks.bit_length())) if blocks >> bit & 1]
