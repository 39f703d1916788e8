# SPDX-License-Identifier: Apache-2.0
"""The machine's serial line in Amaranth's simulator: somebody who speaks, somebody who listens."""

from collections.abc import Iterable
from typing import Any

from hysteron_rtl.machine.machine import Machine
from hysteron_spec.machine import MachineConfig
from support.machine_bench import EchoCore

DIVISOR = MachineConfig().divisor
#: Where the tests keep the receiver's buffers, and what they send.
BUFFERS, OUT = 0x2000, 0x100


async def say(ctx: Any, machine: Machine, data: Iterable[int], divisor: int = DIVISOR) -> None:
    """Put bytes on the line to the machine, and leave the last time to arrive."""
    for byte in data:
        for bit in (0, *(byte >> k & 1 for k in range(8)), 1):
            ctx.set(machine.rx, bit)
            await ctx.tick().repeat(divisor)
    await ctx.tick().repeat(6)


class Ear:
    """The line from the machine, cycle by cycle; a 0 follows a reset."""

    def __init__(self) -> None:
        self.levels: list[int] = []

    async def __call__(self, ctx: Any, machine: Machine, _: EchoCore) -> None:
        async for _, _, level in ctx.tick().sample(machine.tx):
            self.levels.append(level)

    def heard(self, divisor: int = DIVISOR) -> bytes:
        """The bytes, each of ten bits of exactly ``divisor`` cycles."""
        data = bytearray()
        at = 0
        while at < len(self.levels):
            if self.levels[at]:
                at += 1
                continue
            bits = self.levels[at : at + 10 * divisor]
            assert all(len(set(bits[k : k + divisor])) == 1 for k in range(0, 10 * divisor, divisor))
            assert bits[-1] == 1
            data.append(sum(bits[divisor * (k + 1)] << k for k in range(8)))
            at += 10 * divisor
        return bytes(data)
