# SPDX-License-Identifier: Apache-2.0
"""Random networks, samples and back-pressure over a core's whole configuration space, for hypothesis.

A case is drawn from few, small integers, so that hypothesis can shrink it; the bulk (weights, spikes) comes
from a generator seeded by one of them.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from hysteron_spec.core import CoreConfig
from hysteron_spec.encoder import Coding, Encoder
from hysteron_spec.network import Layer, Network
from hysteron_spec.neuron import Mode, Potential, Readout, Reset, weight_range

from .networks import other_fields


@dataclass(frozen=True, eq=False)
class Case:
    """A network with samples and gaps."""

    network: Network
    inputs: NDArray[np.uint8]
    source_gaps: tuple[int, ...]
    sink_gaps: tuple[int, ...]
    seed: int

    def __repr__(self) -> str:
        layers = [
            f"{layer.mode.name}/{layer.reset.name}/{layer.theta_low}<{layer.theta_high}"
            f"{'/recurrent' * (layer.recurrent is not None)}"
            for layer in self.network.layers
        ]
        return (
            f"Case(seed={self.seed}, {self.network.shape}, {layers}, {self.network.potential}, {self.network.encoder}, "
            f"{self.network.readout.name}, every_step={self.network.readout_every_step}, inputs={self.inputs.shape}, "
            f"gaps={len(self.source_gaps)}/{len(self.sink_gaps)})"
        )


def _weights(rng: np.random.Generator, config: CoreConfig, shape: tuple[int, int], kind: str) -> NDArray[np.int64]:
    low, high = weight_range(config.weight_bits, unit=kind == "unit")
    if config.weight_bits == 1:
        return rng.choice([0, 1] if kind == "unit" else [-1, 1], shape)
    if kind == "extreme":
        return rng.choice([low, high], shape)
    if kind == "positive":
        return rng.integers(0, high + 1, shape)
    return rng.integers(low, high + 1, shape)


def _layer_rows(n_in: int, n_out: int, recurrent: bool, lanes: int) -> int:
    return -(-n_out // lanes) * (n_in + n_out * recurrent)


@st.composite
def cases(draw: st.DrawFn, config: CoreConfig, coding: Coding | None = None) -> Case:
    """Cases that fit ``config``, with pixels in ``coding`` or with spikes."""
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    depth = draw(st.integers(1, config.max_layers))
    n_in = draw(st.integers(1, config.max_inputs))
    potential = config.potential
    if draw(st.booleans()):
        bits = draw(st.integers(8, config.potential_bits))
        potential = Potential(bits, config.potential_signed)
    layers: list[Layer] = []
    rows = tiles = 0
    fan_in = n_in
    for index in range(depth):
        widest = config.max_outputs if index == depth - 1 else config.max_neurons
        n_out = draw(st.integers(1, widest))
        recurrent = draw(st.booleans())
        need_tiles = -(-n_out // config.lanes)
        while _layer_rows(fan_in, n_out, recurrent, config.lanes) + rows > config.weight_rows or (
            tiles + need_tiles > config.tiles
        ):
            n_out, recurrent = n_out // 2, False
            need_tiles = -(-n_out // config.lanes)
        if n_out == 0:
            break
        rows += _layer_rows(fan_in, n_out, recurrent, config.lanes)
        tiles += need_tiles
        kind = draw(st.sampled_from(["positive", "any", "extreme", "unit"]))
        layers.append(_layer(draw, rng, config, potential, (fan_in, n_out), recurrent, kind))
        fan_in = n_out
    while layers and layers[-1].n_out > config.max_outputs:
        layers.pop()
    if not layers:
        layers = [_layer(draw, rng, config, potential, (n_in, 1), False, "any")]
    encoder = _encoder(draw, coding)
    network = Network(
        tuple(layers),
        potential,
        encoder,
        draw(st.sampled_from(Readout)),
        draw(st.booleans()),
        name="random",
    )
    samples = draw(st.integers(1, 4))
    if encoder is None:
        steps = draw(st.integers(1, 6))
        activity = draw(st.sampled_from([0.3, 0.1, 0.6, 0.02, 1.0, 0.0]))
        inputs = (rng.random((samples, steps, n_in)) < activity).astype(np.uint8)
    else:
        scale = draw(st.sampled_from([255, 255, 60, 0]))
        inputs = (rng.random((samples, n_in)) * (scale + 1)).astype(np.uint8)
        inputs[rng.random(inputs.shape) < draw(st.sampled_from([0.0, 0.3, 0.8]))] = 0
    source, sink = (
        tuple(rng.integers(0, longest + 1, 4000).tolist()) if (longest := draw(st.sampled_from([0, 0, 1, 7]))) else ()
        for _ in range(2)
    )
    return Case(network, inputs, source, sink, seed)


def _layer(
    draw: st.DrawFn,
    rng: np.random.Generator,
    config: CoreConfig,
    potential: Potential,
    shape: tuple[int, int],
    recurrent: bool,
    kind: str,
) -> Layer:
    n_in, n_out = shape
    unit = config.weight_bits == 1 and kind == "unit"
    # Thresholds near what the inputs reach make neurons fire, hold and re-arm; the extremes are drawn too.
    reach = max(1, int(n_in**0.5) * weight_range(config.weight_bits, unit=unit)[1])
    high = min(draw(st.sampled_from([0, 1, reach // 8, reach // 4, reach // 2, reach, potential.high])), potential.high)
    low = max(draw(st.sampled_from([high, high // 2, 0, -reach, potential.low])), potential.low)
    codes = draw(st.sampled_from(["zero", "keep", "half", "mixed"]))
    full = 1 << config.leak_bits
    leak: Any = {"zero": 0, "keep": full, "half": full // 2, "mixed": rng.integers(0, full + 1, n_out)}[codes]
    bound = 1 << max(config.bias_bits - 1, 0) if config.bias_bits else 0
    bias = rng.integers(-bound, bound, n_out) if bound and draw(st.booleans()) else 0
    return Layer(
        weights=_weights(rng, config, shape, kind),
        theta_high=high,
        theta_low=min(low, high),
        leak=leak,
        bias=bias,
        recurrent=_weights(rng, config, (n_out, n_out), kind) if recurrent else None,
        mode=draw(st.sampled_from(Mode)),
        reset=draw(st.sampled_from(Reset)),
        weight_bits=config.weight_bits,
        unit_weights=unit,
        leak_bits=config.leak_bits,
        **other_fields(lambda low, high: draw(st.integers(low, high))),
    )


def codings(config: CoreConfig) -> list[Coding | None]:
    """Input codings of ``config``; None stands for spikes."""
    return [None, *(c for c in Coding if config.encoder and (config.direct or c is not Coding.DIRECT))]


def _encoder(draw: st.DrawFn, coding: Coding | None) -> Encoder | None:
    if coding is None:
        return None
    steps = draw(st.integers(1, 5))
    if coding is Coding.LATENCY:
        return Encoder.latency(steps)
    levels = tuple(draw(st.integers(0, 255)) for _ in range(steps)) if coding is Coding.LEVEL else ()
    return Encoder(coding, steps, levels, draw(st.integers(0, 2**32 - 1)) if coding is Coding.RATE else 0)


__all__ = ["Case", "cases", "codings"]
