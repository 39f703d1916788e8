# SPDX-License-Identifier: Apache-2.0
"""What ``hysteron bench`` measures: cycles of a step over activity, and how fast model and simulator are."""

import platform
import subprocess
import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hysteron_base.errors import SimulationError
from hysteron_base.progress import Tell, quiet, stage
from hysteron_golden import run
from hysteron_spec import (
    PRESETS,
    Coding,
    Encoder,
    Layer,
    Mode,
    Network,
    Potential,
    Readout,
    Reset,
    compile_network,
)

#: Fractions of inputs and neurons that spike in each step.
ACTIVITIES = (0.0, 0.01, 0.05, 0.10, 0.25, 0.50, 1.0)
SEED = 20261121
#: Cores that are measured.
CORES = ("mnist", "openspike")
#: The figures of ``bench.json``: its keys and values.
Figures = dict[str, Any]


def measure_all(tell: Tell = quiet) -> Figures:
    """Measure everything; takes about ten minutes, most of it to build the simulators of the two large cores.

    Returns
    -------
    ``cores``, the parameters of each of :data:`CORES` by name; ``rows``, those of :func:`activity_rows` for each; the
    figures of :func:`golden_speed` and
    :func:`simulator_speed`; the ``seed`` and the ``machine`` that it ran on.

    Raises
    ------
    SimulationError
        If the simulator fails, or hardware and golden differ.
    """
    from hysteron_sim.build import build_model

    rows: list[dict[str, Any]] = []
    for preset in CORES:
        build_model(PRESETS[preset], tell=tell)
        with stage(tell, f"{preset} RTL", len(ACTIVITIES)) as step:
            for done, row in enumerate(activity_rows(preset), start=1):
                rows.append(row)
                step(done)
    with stage(tell, "golden speed"):
        figures: Figures = golden_speed()
    build_model(PRESETS["mnist"], "bare", tell=tell)
    with stage(tell, "simulator speed"):
        figures |= simulator_speed()
    return {
        "cores": {preset: asdict(PRESETS[preset]) for preset in CORES},
        "rows": rows,
        **figures,
        "seed": SEED,
        "machine": platform.processor() or platform.machine(),
    }


def relay_network(preset: str) -> Network:
    """A network in which every layer's activity is the input's: neuron *j* repeats input *j*, at once."""
    one_bit = preset == "openspike"

    def relay(n_in: int, n_out: int) -> Layer:
        weights = np.zeros((n_in, n_out), np.int32)
        j = np.arange(min(n_in, n_out))
        weights[j, j] = 1 if one_bit else 7
        return Layer(
            weights,
            theta_high=0,
            leak=0,
            mode=Mode.PLAIN,
            weight_bits=1 if one_bit else 4,
            unit_weights=one_bit,
        )

    if one_bit:
        return Network((relay(1024, 1024), relay(1024, 1024)), Potential(8, signed=False), name="relay")
    return Network((relay(784, 256), relay(256, 10)), Potential(16), name="relay")


def activity_rows(preset: str) -> Iterator[dict[str, Any]]:
    """Measure cycles a step on the RTL, one row an activity."""
    from hysteron_sim.simulator import Simulator
    from hysteron_sim.verify import simulate

    config = PRESETS[preset]
    network = relay_network(preset)
    program = compile_network(network, config)
    rng = np.random.default_rng(SEED)
    with Simulator(config, detail=False) as simulator:
        for activity in ACTIVITIES:
            # One long sample, so that its beginning and end weigh little.
            steps = 1000 if activity < 0.1 else 200
            inputs = exact_activity(rng, steps, network.n_in, activity)
            comparison = simulate(simulator, program, run(network, inputs, trace=True), inputs)
            if comparison.mismatches:
                raise SimulationError(f"mismatch: {preset} at activity {activity:g}: {comparison.mismatches[0]}")
            predicted = comparison.schedule
            yield {
                "preset": preset,
                "activity": activity,
                "cycles_per_step": comparison.observed.registers["CYCLES"] / steps,
                "bound": predicted.bound / steps,
                "utilisation": predicted.bound / comparison.observed.registers["CYCLES"],
            }


def exact_activity(rng: np.random.Generator, steps: int, n_in: int, activity: float) -> NDArray[np.uint8]:
    """``(1, steps, n_in)`` spikes with the same number in every step."""
    spikes = np.zeros((1, steps, n_in), np.uint8)
    for t in range(steps):
        spikes[0, t, rng.permutation(n_in)[: round(activity * n_in)]] = 1
    return spikes


def golden_speed() -> dict[str, float]:
    """Images a second of the golden model on an MNIST-size network, and its time over the bare matrix products'."""
    rng = np.random.default_rng(SEED)
    samples, steps = 10_000, 4
    network = Network(
        (
            Layer(rng.integers(-8, 8, (784, 256)), theta_high=60, theta_low=20, leak=4),
            Layer(rng.integers(-8, 8, (256, 10)), theta_high=32767, mode=Mode.PLAIN, reset=Reset.NONE),
        ),
        Potential(16),
        Encoder(Coding.LEVEL, steps, (32, 80, 128, 176)),
        Readout.POTENTIAL,
    )
    images = (rng.integers(0, 256, (samples, 784)) * (rng.random((samples, 784)) < 0.2)).astype(np.uint8)
    drive = (rng.random((samples * steps, 784)) < 0.14).astype(np.float32)
    hidden = (rng.random((samples * steps, 256)) < 0.1).astype(np.float32)
    w0, w1 = (layer.weights.astype(np.float32) for layer in network.layers)
    times: dict[str, list[float]] = {"golden": [], "matmul": []}
    for _ in range(5):
        start = time.perf_counter()
        run(network, images)
        times["golden"].append(time.perf_counter() - start)
        start = time.perf_counter()
        drive @ w0
        hidden @ w1
        times["matmul"].append(time.perf_counter() - start)
    golden, matmul = (float(np.median(times[name])) for name in ("golden", "matmul"))
    return {"golden_images_per_second": samples / golden, "golden_over_matmul": golden / matmul}


def simulator_speed() -> dict[str, float]:
    """Simulated cycles a second of the ``mnist`` core, and the time of a whole cocotb run over a bare C++ loop's.

    Both play the same script on the same verilated harness: load the network, stream the samples, write the answers.
    A run is timed from the start of its process to its end.
    """
    from hysteron_golden import activities, schedule
    from hysteron_sim.build import build_model
    from hysteron_sim.simulator import Script, Simulator
    from hysteron_sim.verify import stimulus_of

    config = PRESETS["mnist"]
    network = relay_network("mnist")
    program = compile_network(network, config)
    inputs = exact_activity(np.random.default_rng(SEED), 8000, network.n_in, 0.1)
    activity = activities(run(network, inputs, trace=True), inputs)
    predicted = schedule(program, activity, reads=False)
    script = Script()
    script.load(program)
    script.run(stimulus_of(activity, predicted))
    bare = build_model(config, "bare") / "bare"
    cocotb_times, bare_times = [], []
    cycles = 0
    for _ in range(3):
        start = time.perf_counter()
        with Simulator(config, detail=False) as simulator:
            number = simulator.write(script)
            simulator.execute(number)
            simulator.stop()
            cocotb_times.append(time.perf_counter() - start)
            start = time.perf_counter()
            output = subprocess.run(
                [bare, f"+folder={simulator.folder}", str(number), "0"], check=True, capture_output=True, text=True
            )
            bare_times.append(time.perf_counter() - start)
            cycles = int(output.stdout.split()[-1])
    cocotb, alone = float(np.median(cocotb_times)), float(np.median(bare_times))
    return {"rtl_cycles_per_second": cycles / cocotb, "cocotb_over_bare": cocotb / alone, "cocotb_run_cycles": cycles}
