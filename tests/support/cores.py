# SPDX-License-Identifier: Apache-2.0
"""Cores in which every width and every option takes several values."""

from dataclasses import replace

from hysteron_spec.core import CoreConfig
from hysteron_spec.presets import PRESETS

TINY = PRESETS["tiny"]

#: Names and cores; each is built once and plays its share of the random networks.
CORES: dict[str, CoreConfig] = {
    config.name: config
    for config in (
        TINY,
        replace(
            TINY,
            name="slow-memory",
            weight_latency=3,
            weight_bits=8,
            potential_bits=24,
            leak_bits=8,
            bias_bits=24,
            lanes=2,
            tiles=30,
            weight_rows=1500,
        ),
        replace(
            TINY,
            name="binary",
            weight_bits=1,
            potential_bits=8,
            potential_signed=False,
            bias_bits=0,
            encoder=False,
            direct=False,
            lanes=8,
            max_inputs=100,
            max_neurons=64,
            max_outputs=40,
            max_layers=3,
        ),
        replace(
            TINY,
            name="wide",
            lanes=64,
            weight_bits=2,
            leak_bits=1,
            bias_bits=1,
            max_neurons=200,
            max_outputs=130,
            max_layers=5,
            weight_latency=2,
            direct=False,
            weight_rows=1200,
        ),
        replace(TINY, name="serial", serial=True, direct=False, lanes=4, tiles=64),
        replace(
            TINY,
            name="serial-binary",
            serial=True,
            direct=False,
            encoder=False,
            lanes=32,
            weight_bits=1,
            weight_latency=3,
            potential_bits=20,
            bias_bits=0,
            max_neurons=100,
            max_outputs=70,
            max_layers=5,
            tiles=18,
            weight_rows=1200,
        ),
        replace(
            TINY,
            name="one-layer",
            max_layers=1,
            max_neurons=5,
            max_outputs=5,
            lanes=16,
            potential_bits=9,
            weight_bits=8,
            leak_bits=5,
            max_inputs=33,
        ),
    )
}
