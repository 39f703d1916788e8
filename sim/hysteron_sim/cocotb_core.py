# SPDX-License-Identifier: Apache-2.0
"""The cocotb side of a simulation: plays scripts on request until it is told to stop.

It runs inside the simulator. Requests are lines of JSON on the file descriptor ``$HYSTERON_REQUESTS``; each is answered
by a line on ``$HYSTERON_REPLIES``. While it waits for a request the simulated clock stands. When the program that sends
requests ends, however it does, so does the simulator.
"""

import json
import os

import cocotb
from cocotb.handle import SimHandleBase
from cocotb.triggers import First, RisingEdge, Timer

#: Time between progress reports: 20,000 cycles.
REPORT_EVERY = 200_000


@cocotb.test()
async def serve(dut: SimHandleBase) -> None:
    """Play scripts. A request is ``{"script": number, "detail": level, "reset": bool}`` or null."""
    with (
        os.fdopen(int(os.environ["HYSTERON_REQUESTS"])) as requests,
        os.fdopen(int(os.environ["HYSTERON_REPLIES"]), "w") as replies,
    ):
        for line in requests:
            request = json.loads(line)
            if request is None:
                break
            if request["reset"]:
                dut.rst.value = 1
                await Timer(40, unit="step")
                dut.rst.value = 0
            dut.script.value = request["script"]
            dut.detail.value = request["detail"]
            await Timer(20, unit="step")
            dut.go.value = 1
            await Timer(20, unit="step")
            while not dut.done.value:
                await First(RisingEdge(dut.done), Timer(REPORT_EVERY, unit="step"))
                print(json.dumps({"beats_left": dut.beats_left.value.to_unsigned()}), file=replies, flush=True)
            dut.go.value = 0
            await Timer(20, unit="step")
            print(json.dumps({"script": request["script"]}), file=replies, flush=True)
