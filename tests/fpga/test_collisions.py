# SPDX-License-Identifier: Apache-2.0
"""Nothing depends on what a memory gives while the word that is read is being written, which block RAM leaves open."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from amaranth.hdl import Module, Shape, Signal, Value
from amaranth.lib.memory import Memory

import hysteron_rtl.verilog
from hysteron_base.files import build_root
from hysteron_golden import run
from hysteron_sim.simulator import Simulator
from hysteron_sim.verify import simulate
from hysteron_spec import Layer, Network, Potential, compile_network
from hysteron_spec.core import CoreConfig
from hysteron_spec.presets import PRESETS

#: A memory of more words with one read port may become a single-port RAM, which reads nothing while it is written.
DEEP = 2048


class Hostile:
    """A platform whose memories answer the opposite of what was asked for where a read meets a write; deep ones also
    forget what they answered last when any word is written."""

    def __init__(self) -> None:
        self.memories = 0

    def get_memory(self, outer: Memory) -> Any:
        if len(outer.write_ports) != 1:
            return outer.elaborate(None)
        self.memories += 1
        m = Module()
        (write,) = outer.write_ports
        inner = Memory(shape=Shape.cast(outer.shape).width, depth=outer.depth, init=[])
        grain = Shape.cast(outer.shape).width // len(write.en)
        put = inner.write_port(granularity=grain if len(write.en) > 1 else None)
        m.d.comb += [put.addr.eq(write.addr), put.data.eq(write.data), put.en.eq(write.en)]
        for number, read in enumerate(outer.read_ports):
            kept = write in read.transparent_for
            get = inner.read_port(domain=read.domain, transparent_for=(put,) if kept else ())
            m.d.comb += get.addr.eq(read.addr)
            if read.domain == "comb":
                m.d.comb += Value.cast(read.data).eq(get.data)
                continue
            met = Signal(name=f"met_{number}")
            deep = outer.depth > DEEP and len(outer.read_ports) == 1
            with m.If(read.en):
                m.d.sync += met.eq(0 if kept else write.en.any() & (write.addr == read.addr))
            with m.If(write.en.any() & deep):
                m.d.sync += met.eq(1)
            m.d.comb += [get.en.eq(read.en), Value.cast(read.data).eq(get.data ^ met.replicate(len(get.data)))]
        m.submodules.memory = inner.elaborate(None)
        return m


@pytest.fixture
def hostile(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Hostile:
    """Cores are generated with such memories, each time anew."""
    (tmp_path / "build").mkdir()
    # What does not depend on the cores.
    for kept in ("zig", "objects"):
        shared = build_root().resolve() / kept
        shared.mkdir(parents=True, exist_ok=True)
        (tmp_path / "build" / kept).symlink_to(shared)
    monkeypatch.setenv("HYSTERON_BUILD", str(tmp_path / "build"))
    platform = Hostile()
    convert = hysteron_rtl.verilog.verilog.convert
    monkeypatch.setattr(
        hysteron_rtl.verilog.verilog,
        "convert",
        lambda *words, **more: convert(*words, **(more | {"platform": platform})),
    )
    return platform


def core(**change: Any) -> CoreConfig:
    return replace(PRESETS["icebreaker"], max_inputs=100, weight_rows=4000, counters=True, **change)


@pytest.mark.parametrize("encoder", [False, True])
def test_the_small_core(hostile: Hostile, encoder: bool) -> None:
    rng = np.random.default_rng(2)
    config = core(name=f"hostile-{encoder}", encoder=encoder)
    layers = (
        Layer(rng.integers(-8, 8, (70, 60)), 30, 8, leak=6, recurrent=rng.integers(-8, 8, (60, 60))),
        Layer(rng.integers(-8, 8, (60, 9)), 20, 5, leak=7),
    )
    network = Network(layers, Potential(12), readout_every_step=True, name="hostile")
    with Simulator(config) as simulator:
        for activity in (0.02, 0.3):
            inputs = (rng.random((5, 6, 70)) < activity).astype(np.uint8)
            program = compile_network(network, config)
            done = simulate(simulator, program, run(network, inputs, trace=True), inputs)
            assert not done.mismatches, str(done.mismatches[0])
    assert hostile.memories >= 7


def test_the_small_machine(hostile: Hostile) -> None:
    pytest.importorskip("pythondata_cpu_picorv32", reason="the processor is not installed (extra 'machine')")
    from hysteron_sim.machine import SimulatedMachine
    from hysteron_sim.system import stream
    from hysteron_spec.machine import MachineConfig

    rng = np.random.default_rng(4)
    layers = (Layer(rng.integers(-8, 8, (70, 30)), 30, 8, leak=6), Layer(rng.integers(-8, 8, (30, 9)), 20, 5, leak=7))
    network = Network(layers, Potential(12), readout_every_step=True, name="hostile")
    inputs = (rng.random((30, 4, 70)) < 0.1).astype(np.uint8)
    machine = SimulatedMachine(core(name="hostile-machine"), MachineConfig(small=True))
    try:
        done = stream(machine, network, inputs, run(network, inputs), patience=60.0)
    finally:
        machine.close()
    assert done.mismatches == []
    # Those of the core, the processor's RAM, the queue of answers, the receiver's lengths.
    assert hostile.memories >= 10
