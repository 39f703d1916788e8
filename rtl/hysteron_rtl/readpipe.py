# SPDX-License-Identifier: Apache-2.0
"""An elastic pipe around a memory with one cycle of read latency."""

from amaranth.hdl import Array, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import In, Out

from hysteron_spec.core import PIPE_DEPTH

from .bits import record


class ReadPipe(wiring.Component):
    """Requests in, the same requests with the data read for them out, in order, one a cycle.

    A request is accepted only if its answer is sure to find a place, so the memory never has to wait.
    An answer is out in the cycle after its request was accepted, from the memory itself if no older one waits.

    Parameters
    ----------
    request
        Shape of a request; it travels with the answer.
    answer
        Bits of the data.

    Attributes
    ----------
    i : In(stream of request)
        Requests. The owner reads the memory where ``i.valid & i.ready``.
    data : In(answer)
        The memory's data, valid in the cycle after such a read.
    o : Out(stream of {request, data})
        Requests with their data, one cycle after they were accepted or later.
    """

    i: stream.Interface
    data: Signal
    o: stream.Interface

    def __init__(self, request: StructLayout, answer: int) -> None:
        self.output = StructLayout({"request": request, "data": answer})
        super().__init__(
            {
                "i": In(stream.Signature(request)),
                "data": In(answer),
                "o": Out(stream.Signature(self.output)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        assert PIPE_DEPTH & (PIPE_DEPTH - 1) == 0, "positions wrap by overflow"
        held = Array(record(self.output, name=f"held_{k}", reset_less=True) for k in range(PIPE_DEPTH))
        level = Signal(range(PIPE_DEPTH + 1))
        under_way = Signal(range(PIPE_DEPTH + 1))  # held ones and the one whose data arrive now
        put, get = Signal(range(PIPE_DEPTH)), Signal(range(PIPE_DEPTH))
        arriving = Signal()
        request = Signal.like(self.i.payload, reset_less=True)
        arrival = record(self.output)

        accept = self.i.valid & self.i.ready
        take = self.o.valid & self.o.ready
        push, pop = Signal(), Signal()
        m.d.comb += [
            self.i.ready.eq(under_way != PIPE_DEPTH),
            arrival.request.eq(request),
            arrival.data.eq(self.data),
            self.o.valid.eq(arriving | (level != 0)),
            pop.eq(take & (level != 0)),
            push.eq(arriving & ~(take & (level == 0))),
        ]
        with m.If(level != 0):
            m.d.comb += self.o.payload.eq(held[get])
        with m.Else():
            m.d.comb += self.o.payload.eq(arrival)
        m.d.sync += [
            arriving.eq(accept),
            under_way.eq(under_way + accept - take),
            level.eq(level + push - pop),
        ]
        with m.If(accept):
            m.d.sync += request.eq(self.i.payload)
        with m.If(push):
            m.d.sync += [held[put].eq(arrival), put.eq(put + 1)]
        with m.If(pop):
            m.d.sync += get.eq(get + 1)
        return m
