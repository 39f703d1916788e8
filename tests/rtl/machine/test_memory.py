# SPDX-License-Identifier: Apache-2.0
"""The memory that several share, and the ROM."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

import pytest

from hysteron_rtl.machine.memory import Rom, SharedRam
from support.bench import scramble, simulate

SIZE = 64
NAMES = ("first", "second", "third", "fourth")


@dataclass(frozen=True)
class Access:
    """What a requester asks for; without ``strobe`` it reads."""

    address: int
    data: int
    strobe: int


def random_access(rng: Random, reads: float) -> Access:
    """Anywhere, also beyond the end and within a word."""
    address = rng.randrange(SIZE) + rng.choice((0, 0, SIZE, 0x1000_0000, 0xFFFF_0000))
    strobe = 0 if rng.random() < reads else rng.choice((0xF, 1, 2, 4, 8, rng.randrange(1, 16)))
    return Access(address, rng.getrandbits(32), strobe)


def written(before: int, access: Access) -> int:
    """A word after a write."""
    mask = sum(0xFF << 8 * k for k in range(4) if access.strobe >> k & 1)
    return before & ~mask | access.data & mask


def check(names: tuple[str, ...], cycles: int, asks: float, reads: float = 0.5) -> dict[str, int]:
    """Compare with a list of words in every cycle; returns how many accesses each requester made."""
    dut = SharedRam(size=SIZE, requesters=names)
    rng = Random(f"{names} {asks}")
    done = dict.fromkeys(names, 0)

    async def bench(ctx: Any) -> None:
        words = [0] * (SIZE // 4)
        requests: dict[str, Access] = {}
        answer: tuple[str, int] | None = None
        for cycle in range(cycles):
            for name in names:
                port = getattr(dut, name)
                if name not in requests and rng.random() < asks:
                    requests[name] = random_access(rng, reads)
                request = requests.get(name)
                ctx.set(port.valid, request is not None)
                for member in ("address", "data", "strobe"):
                    if request is None:
                        scramble(ctx, getattr(port, member), rng)
                    else:
                        ctx.set(getattr(port, member), getattr(request, member))
            if answer is not None:
                assert ctx.get(getattr(dut, answer[0]).answer) == answer[1], f"cycle {cycle}"
            answer = None
            for k, name in enumerate(names):
                free = not any(before in requests for before in names[:k])
                if name in requests:
                    assert ctx.get(getattr(dut, name).ready) == free, f"cycle {cycle}"
            for name in names:
                if name in requests:
                    request = requests.pop(name)
                    done[name] += 1
                    number = request.address % SIZE // 4
                    if request.strobe:
                        words[number] = written(words[number], request)
                    else:
                        answer = (name, words[number])
                    break
            await ctx.tick()

    simulate(dut, bench)
    return done


@pytest.mark.parametrize("asks", [0.1, 0.3, 0.7])
@pytest.mark.parametrize("names", [NAMES, NAMES[:2]])
def test_random_accesses(names: tuple[str, ...], asks: float) -> None:
    done = check(names, 500, asks)
    assert done[names[0]] > 40


def test_one_requester_is_served_in_every_cycle() -> None:
    assert check(NAMES[:1], 200, 1.0) == {"first": 200}


def test_the_first_goes_first() -> None:
    assert check(NAMES, 100, 1.0) == {"first": 100, "second": 0, "third": 0, "fourth": 0}


def test_memory_is_0_at_first() -> None:
    check(NAMES[:1], 100, 1.0, reads=1.0)


@pytest.mark.parametrize("given", [0, 1, 7, SIZE // 4])
def test_rom(given: int) -> None:
    rng = Random(given)
    words = [rng.getrandbits(32) for _ in range(given)]
    dut = Rom(size=SIZE, words=words)

    async def bench(ctx: Any) -> None:
        for _ in range(3):
            for address in rng.sample(range(SIZE // 4), SIZE // 4):
                ctx.set(dut.address, address)
                await ctx.tick()
                assert ctx.get(dut.data) == (words[address] if address < given else 0)

    simulate(dut, bench)
