# SPDX-License-Identifier: Apache-2.0
"""The cocotb side of a machine's test: plays bytes down the serial line and writes down every byte and its cycle.

``$HYSTERON_MACHINE`` names a JSON file ``{"divisor": …, "stages": [{"send": [bytes], "until": replies}, …]}``: each
stage is sent at once, then that many frames are awaited. The answer goes to the same name with ``.out`` behind; what it
holds of a stage is what :class:`hysteron_sim.machine.Stage` says.
"""

import json
import os
from itertools import pairwise
from pathlib import Path

import cocotb
from cocotb.handle import SimHandleBase
from cocotb.triggers import FallingEdge, Timer

#: Nanoseconds of a clock cycle.
CYCLE = 10
#: Counts of the bench.
COUNTS = ("cycle", "core", "cpu", "both")
#: Cycles without a reply after which a stage is given up.
PATIENCE = 2_000_000


@cocotb.test()
async def play(dut: SimHandleBase) -> None:
    """Play all stages."""
    path = Path(os.environ["HYSTERON_MACHINE"])
    script = json.loads(path.read_text())
    divisor = script["divisor"]
    heard: list[tuple[int, list[int]]] = []
    cocotb.start_soon(_listen(dut, divisor, heard))
    await Timer(20 * CYCLE, unit="ns")
    dut.rst.value = 0
    stages = []
    for stage in script["stages"]:
        first = len(heard)
        for byte in stage["send"]:
            await _send(dut, divisor, byte)
        sent = _counts(dut)
        waited = 0
        while _frames([byte for byte, _ in heard[first:]]) < stage["until"] and waited < PATIENCE:
            await Timer(100 * CYCLE, unit="ns")
            waited += 100
        stages.append(
            {
                "sent": sent,
                "answered": heard[first][1] if len(heard) > first else sent,
                "heard": [(byte, counts[0]) for byte, counts in heard[first:]],
            }
        )
    path.with_suffix(".out").write_text(json.dumps(stages))


def _frames(data: list[int]) -> int:
    """Frames that ended; a 0 behind a 0 is none."""
    return sum(byte == 0 and before != 0 for before, byte in pairwise([0, *data]))


def _counts(dut: SimHandleBase) -> list[int]:
    return [int(getattr(dut, name).value) for name in COUNTS]


async def _send(dut: SimHandleBase, divisor: int, byte: int) -> None:
    for bit in (0, *(byte >> k & 1 for k in range(8)), 1):
        dut.rx.value = bit
        await Timer(divisor * CYCLE, unit="ns")


async def _listen(dut: SimHandleBase, divisor: int, heard: list[tuple[int, list[int]]]) -> None:
    while True:
        await FallingEdge(dut.tx)
        begin = _counts(dut)
        await Timer(divisor * CYCLE // 2, unit="ns")
        byte = 0
        for k in range(8):
            await Timer(divisor * CYCLE, unit="ns")
            byte |= int(dut.tx.value) << k
        await Timer(divisor * CYCLE, unit="ns")
        heard.append((byte, begin))
