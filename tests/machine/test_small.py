"""A small machine with a small core: what other machines' devices do, its firmware does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("pythondata_cpu_picorv32", reason="the processor is not installed (extra 'machine')")
pytest.importorskip("ziglang", reason="the compiler is not installed (extra 'machine')")

from hysteron_cli.machine import stream
from hysteron_golden import Coding, CoreConfig, Encoder, Layer, Mode, Network, Potential, Readout, Reset, run
from hysteron_sim.machine import SimulatedMachine
from hysteron_wire.machine import MachineConfig

CORE = replace(
    CoreConfig.preset("tiny"),
    name="tiny-serial",
    serial=True,
    direct=False,
    encoder=False,
    max_neurons=90,
    max_outputs=80,
    tiles=48,
    weight_rows=4000,
)


def streamed(network: Network, inputs: np.ndarray) -> list[int]:
    """Samples that differ from golden."""
    machine = SimulatedMachine(CORE, MachineConfig(small=True))
    try:
        done = stream(machine, network, inputs, run(network, inputs), patience=60.0)
    finally:
        machine.close()
    return done.mismatches


def test_images_of_a_network_with_two_layers() -> None:
    rng = np.random.default_rng(3)
    hidden = Layer(rng.integers(-8, 8, (60, 70)), theta_high=60, theta_low=20, leak=4, mode=Mode.LATCH)
    last = Layer(rng.integers(-8, 8, (70, 10)), theta_high=2047, leak=8, mode=Mode.PLAIN, reset=Reset.NONE)
    encoder = Encoder(Coding.LEVEL, 4, (32, 96, 160, 224))
    network = Network((hidden, last), Potential(12), encoder, Readout.POTENTIAL, name="small")
    assert streamed(network, rng.integers(0, 256, (25, 60)).astype(np.uint8)) == []


def test_long_answers_without_a_zero() -> None:
    """320 bytes of negative potentials, none of them 0: blocks of 254 on the line."""
    last = Layer(np.full((8, 80), -3), theta_high=2047, leak=0, mode=Mode.PLAIN, reset=Reset.NONE)
    network = Network((last,), Potential(12), None, Readout.POTENTIAL, readout_every_step=True, name="long")
    inputs = np.ones((6, 3, 8), np.uint8)
    inputs[:, 0, 2:] = 0
    values = run(network, inputs).values
    assert (values < 0).all() and (values & 0xFF).all()
    assert streamed(network, inputs) == []


def test_answers_full_of_zeros() -> None:
    last = Layer(np.zeros((8, 80), np.int64), theta_high=5, mode=Mode.PLAIN)
    network = Network((last,), Potential(12), name="zeros")
    assert streamed(network, np.ones((5, 2, 8), np.uint8)) == []
