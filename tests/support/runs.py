# SPDX-License-Identifier: Apache-2.0
"""Random networks, run and scheduled: what the tests of timing and of the report of a run take."""

from itertools import pairwise
from typing import Any

import numpy as np

from hysteron_golden.run import run
from hysteron_golden.schedule import activities, schedule, sent_inputs
from hysteron_spec.core import CoreConfig
from hysteron_spec.encoder import Coding, Encoder
from hysteron_spec.network import Layer, Network
from hysteron_spec.neuron import Mode, Potential, Readout, Reset
from hysteron_spec.program import compile_network

SIZES = (16, 12, 5)
STEPS = 6
ENCODERS = {
    "level": Encoder(Coding.LEVEL, STEPS, (200, 160, 120, 80, 60, 40)),
    "direct": Encoder(Coding.DIRECT, 4),
    "spikes": None,
}


def make(
    mode: Mode = Mode.LATCH,
    coding: str = "level",
    *,
    sizes: tuple[int, ...] = SIZES,
    recurrent: bool = False,
    theta: tuple[int, int] = (12, 4),
    samples: int = 9,
    readout: Readout = Readout.COUNT,
    reset: Reset = Reset.ZERO,
    reads: bool = True,
    config: CoreConfig = CoreConfig.preset("tiny"),  # noqa: B008 - frozen
) -> dict[str, Any]:
    """Arguments of :func:`write_report` for a random network on ``config``."""
    rng = np.random.default_rng(7)
    layers = []
    for index, (n_in, n_out) in enumerate(pairwise(sizes)):
        scale = 50 if coding == "direct" and index == 0 else 1
        layers.append(
            Layer(
                np.clip(np.rint(rng.normal(1, 3, (n_in, n_out))), -8, 7),
                theta[0] * scale,
                theta[1] * scale,
                leak=rng.integers(2, 8, n_out),
                mode=mode,
                reset=reset,
                recurrent=rng.integers(-3, 4, (n_out, n_out)) if recurrent else None,
            )
        )
    network = Network(
        tuple(layers),
        Potential(12),
        ENCODERS[coding],
        readout,
        name="test net",
        readout_every_step=readout is Readout.FIRST,
    )
    if coding == "spikes":
        inputs = (rng.random((samples, STEPS, sizes[0])) < 0.3).astype(np.uint8)
    else:
        inputs = rng.integers(0, 256, (samples, sizes[0]), np.uint8)
    program = compile_network(network, config)
    result = run(network, inputs, trace=True)
    plan = schedule(program, activities(result, sent_inputs(program, result, inputs)), reads=reads)
    summary = {
        "preset": "tiny",
        "network": "test net 16-12-5",
        "images": samples,
        "accuracy": 0.5,
        "mismatches": 0,
        "cycles_per_image_median": 123.5,
        "cycles_per_image_max": 1999,
        "latency_cycles_median": 250.0,
        "events_per_image": 77.25,
        "utilisation": plan.utilisation,
        "clock_hz": 100_000_000,
        "images_per_second": 809_716.6,
    }
    return {
        "summary": summary,
        "program": program,
        "result": result,
        "schedule": plan,
        "labels": rng.integers(0, sizes[-1], samples),
        "images": inputs if inputs.ndim == 2 else None,
    }
