# SPDX-License-Identifier: Apache-2.0
"""The elastic read pipe against a queue, cycle for cycle."""

from collections import deque
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from amaranth.lib import data

from hysteron_rtl.readpipe import ReadPipe
from hysteron_spec.core import PIPE_DEPTH
from support.bench import plain, simulate

REQUEST = data.StructLayout({"tag": 9, "kind": 3})
ANSWER = 20


def check(cycles: int, offers: Callable[[int], bool], takes: Callable[[int], bool], seed: int = 0) -> list[int]:
    """Compare the pipe with a queue in every cycle; returns the cycles in which an answer was taken."""
    dut = ReadPipe(REQUEST, ANSWER)
    rng = Random(seed)
    taken: list[int] = []

    async def bench(ctx: Any) -> None:
        queue: deque[dict[str, Any]] = deque()
        arriving = False
        request = {"tag": 0, "kind": 0}
        valid = False
        for cycle in range(cycles):
            if not valid:  # a stream keeps its offer until it is accepted
                valid = offers(cycle)
                request = {"tag": rng.getrandbits(9), "kind": rng.getrandbits(3)}
            ready = takes(cycle)
            ctx.set(dut.i.valid, valid)
            ctx.set(dut.i.payload, request)
            # The memory's data is good only in the cycle after a read.
            ctx.set(dut.data, queue[-1]["data"] if arriving else rng.getrandbits(ANSWER))
            ctx.set(dut.o.ready, ready)

            assert ctx.get(dut.o.valid) == bool(queue), f"cycle {cycle}"
            assert ctx.get(dut.i.ready) == (len(queue) < PIPE_DEPTH), f"cycle {cycle}"
            if queue:
                assert plain(ctx.get(dut.o.payload)) == queue[0], f"cycle {cycle}"
            arriving = valid and len(queue) < PIPE_DEPTH
            if queue and ready:
                queue.popleft()
                taken.append(cycle)
            if arriving:
                queue.append({"request": request, "data": rng.getrandbits(ANSWER)})
                valid = False
            await ctx.tick()

    simulate(dut, bench)
    return taken


@pytest.mark.parametrize(("offer", "take"), [(0.5, 0.5), (0.9, 0.3), (0.3, 0.9), (0.8, 0.8), (0.95, 0.95)])
def test_random_stalls(offer: float, take: float) -> None:
    rng = Random(f"{offer} {take}")
    assert len(check(600, lambda _: rng.random() < offer, lambda _: rng.random() < take)) > 100


def test_one_a_cycle_after_one_cycle() -> None:
    assert check(40, lambda _: True, lambda _: True) == list(range(1, 40))


def test_lone_requests_take_one_cycle() -> None:
    assert check(60, lambda cycle: cycle % 7 == 0, lambda _: True) == list(range(1, 60, 7))


def test_fills_up_while_nothing_is_taken_and_drains_without_a_gap() -> None:
    taken = check(80, lambda _: True, lambda cycle: cycle % 20 >= 10)
    assert taken == [cycle for cycle in range(80) if cycle % 20 >= 10]


def test_full_rate_with_one_place_left() -> None:
    assert check(40, lambda _: True, lambda cycle: cycle >= PIPE_DEPTH - 1) == list(range(PIPE_DEPTH - 1, 40))
