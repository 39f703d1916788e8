# SPDX-License-Identifier: Apache-2.0
"""The C++ side of a simulated machine's serial line, around a machine that says whatever a test wants."""

from __future__ import annotations

import os
import socket
import subprocess
import time
import tty
from pathlib import Path

from hysteron_sim.machine import PROGRAM

#: Bytes that wait for a host at most, as docs/machine.md says, and what a pseudo-terminal may hold besides.
UNREAD, TERMINAL = 1 << 20, 1 << 16
#: Bytes that the machine says.
SAID = 3 * UNREAD // 2
DIVISOR = 2

#: A machine that says bytes 0 to SAID, low part first, one after the other.
_MACHINE = f"""
#pragma once
#include <cstdint>
struct Vtop {{
    uint8_t clk = 0, rst = 0, rx = 1, tx = 1;
    uint64_t cycle = 0;
    void eval() {{
        if (!clk || rst)
            return;
        const uint64_t byte = cycle / {10 * DIVISOR}, bit = cycle / {DIVISOR} % 10;
        tx = byte >= {SAID} || bit == 9 ? 1 : bit == 0 ? 0 : (byte % 251) >> (bit - 1) & 1;
        cycle++;
    }}
    void final() {{}}
}};
"""


def test_what_nobody_reads_is_lost_beyond_a_megabyte(tmp_path: Path) -> None:
    """What comes first stays, in order."""
    (tmp_path / "Vtop.h").write_text(_MACHINE)
    (tmp_path / "verilated.h").write_text("")
    program = tmp_path / "machine"
    command = ["g++", "-std=c++20", "-O2", f"-I{tmp_path}", str(PROGRAM), "-o", str(program)]
    subprocess.run(command, check=True)
    master, slave = os.openpty()
    tty.setraw(slave)
    ours, control = socket.socketpair()
    ours.settimeout(60)
    words = [str(program), str(master), str(control.fileno()), str(DIVISOR)]
    with ours, control, subprocess.Popen(words, pass_fds=(master, control.fileno())) as running:
        said = 0
        while said < SAID:
            ours.sendall(b"figures\n")
            said += int(ours.recv(256).split()[2])
            time.sleep(0.05)
        os.set_blocking(slave, False)
        read = bytearray()
        silent = 0
        while silent < 20:
            try:
                read += os.read(slave, 1 << 16)
                silent = 0
            except BlockingIOError:
                silent += 1
                time.sleep(0.05)
        ours.close()
        assert running.wait(60) == 0
    os.close(master)
    os.close(slave)
    assert UNREAD <= len(read) <= UNREAD + TERMINAL
    assert read == bytes(k % 251 for k in range(len(read)))
