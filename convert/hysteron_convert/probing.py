# SPDX-License-Identifier: Apache-2.0
"""Inputs made up for each layer, such that it fires: what a check needs where there are no samples.

The network is given made-up samples, and each layer what the float layers before it put out. A layer that never or
hardly fires on that is given spikes of its own: at all rates, half of them aimed at one neuron each, that is on the
inputs that excite it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hysteron_golden.run import check_spikes
from hysteron_spec import Coding, Encoder, Readout
from hysteron_spec.encoder import check_pixels, encode

from .model import FloatLayer, FloatNetwork, run_layer
from .search import Reference

#: Samples that are made up, and the fewest where the layers are large.
_SAMPLES, _FEWEST = 32, 8
#: Fewest and most steps of a sample of spikes.
_STEPS, _MOST_STEPS = 32, 4096
#: Products of a weight and an input that a layer's probe may take: seconds, whatever the layer.
_PRODUCTS = 1 << 34
#: Numbers that the inputs of a layer may take: bounds the memory.
_ELEMENTS = 1 << 24
#: Spikes of a neuron, on average, below which there is nothing to judge a layer by.
_LEAST_SPIKES = 8
#: How many times as long as it takes the middle neuron to fire, with all that excites it on, a sample of spikes lasts.
_PATIENCE = 8


@dataclass(frozen=True, eq=False)
class Probe:
    """What one layer is tried on.

    Attributes
    ----------
    reference
        The inputs, and what the float layer does with them.
    aimed
        The inputs were made up for this layer, as it never or hardly fired on what the layers before it put out.
    can_fire
        Whether any neuron can exceed its threshold at all, whatever its inputs are.
    """

    reference: Reference
    aimed: bool
    can_fire: bool


def probe_layers(network: FloatNetwork, samples: NDArray[np.uint8] | None = None) -> tuple[Probe, ...]:
    """A probe of each layer. Nothing is random: the same network has the same probes.

    Parameters
    ----------
    network
        What is probed.
    samples
        Spikes or pixels as the network takes them, whose statistics the made-up ones should have: each input of a
        made-up sample is that of one of two samples. None: all rates and brightnesses.
    """
    rng = np.random.default_rng(0)
    first = network.layers[0]
    steps, count = _size(network)
    encoder = network.encoder
    if samples is not None and len(samples):
        checked = check_spikes(samples, network.n_in) if encoder is None else check_pixels(samples, network.n_in)
        given = _crossed(rng, checked.reshape(len(checked), -1, network.n_in), count)
        given = given if encoder is None else given[:, 0]
    elif encoder is None:
        given = _spikes(rng, first, count, steps, 1.0)
    else:
        given = _pixels(rng, network.n_in, count)
    direct = encoder if encoder is not None and encoder.coding is Coding.DIRECT else None
    inputs = given if direct or encoder is None else encode(encoder, given)
    probes = []
    for index, layer in enumerate(network.layers):
        read = index == len(network.layers) - 1 and network.readout is Readout.POTENTIAL
        probes.append(_probe(layer, inputs, direct if index == 0 else None, read, steps, rng))
        # What the layers behind see is what this one does with what it is given in the network.
        length = direct.steps if index == 0 and direct else inputs.shape[1]
        inputs = run_layer(layer, inputs, length)[0].astype(np.uint8)
    return tuple(probes)


def _probe(
    layer: FloatLayer,
    inputs: NDArray[np.uint8],
    direct: Encoder | None,
    read: bool,
    steps: int,
    rng: np.random.Generator,
) -> Probe:
    """The probe of one layer, from what arrives at it in the network."""
    length = direct.steps if direct else inputs.shape[1]
    spikes, potentials = run_layer(layer, inputs, length)
    can_fire = _can_fire(layer, 255 if direct else 1)
    idle = not potentials.any() if read or not layer.spiking else spikes.sum() < _LEAST_SPIKES * spikes.shape[2]
    aimed = idle and (can_fire or not layer.spiking)
    if aimed:
        for strength in (1.0, 2.0):
            if direct:
                inputs = (255 * _spikes(rng, layer, len(inputs), 1, strength)[:, 0]).astype(np.uint8)
            else:
                inputs = _spikes(rng, layer, len(inputs), max(length, steps), strength)
            length = direct.steps if direct else inputs.shape[1]
            spikes, potentials = run_layer(layer, inputs, length)
            if spikes.sum() >= _LEAST_SPIKES * spikes.shape[2]:
                break
    return Probe(Reference(inputs, direct, spikes, potentials, read), bool(aimed), can_fire)


def _size(network: FloatNetwork) -> tuple[int, int]:
    """Steps and samples, long enough for neurons that take many spikes to fire, short enough to take seconds."""
    products = max(layer.n_in * layer.n_out for layer in network.layers)
    slowest = max(_steps_to_fire(layer) for layer in network.layers)
    steps = int(np.clip(_PATIENCE * slowest, _STEPS, _MOST_STEPS))
    widest = max(network.n_in, *(layer.n_out for layer in network.layers))
    most = min(_PRODUCTS // products, _ELEMENTS // widest)
    steps = max(min(steps, most // _FEWEST), _STEPS)
    return steps, int(np.clip(most // steps, _FEWEST, _SAMPLES))


def excitement(layer: FloatLayer, largest_input: int = 1) -> NDArray[np.float64]:
    """``(n_out,)`` what a step adds at most to each potential."""
    most = np.maximum(layer.weights, 0).sum(axis=0) * largest_input + layer.bias
    return most if layer.recurrent is None else most + np.maximum(layer.recurrent, 0).sum(axis=0)


def _steps_to_fire(layer: FloatLayer) -> float:
    """Steps with all that excites it on, in which the middle one of the neurons that can fire does."""
    most = excitement(layer)
    able = (most > 0) & np.isfinite(layer.threshold)
    with np.errstate(over="ignore"):
        return float(np.median(layer.threshold[able] / most[able])) if able.any() else 1.0


def _can_fire(layer: FloatLayer, largest_input: int) -> bool:
    """Whether the largest potential that a neuron can settle at exceeds its threshold."""
    most = excitement(layer, largest_input)
    with np.errstate(divide="ignore", invalid="ignore"):
        highest = np.where(most > 0, most / (1 - layer.beta), most)
    if layer.start is not None:
        highest = np.maximum(highest, layer.beta * layer.start + most)
    return bool((highest > layer.threshold).any())


def _spikes(rng: np.random.Generator, layer: FloatLayer, count: int, steps: int, strength: float) -> NDArray[np.uint8]:
    """``(count, steps, n_in)`` spikes, from rare to nearly always; every other sample is aimed at one neuron.

    ``strength`` 2 turns all inputs on that excite the neuron, and none of the others.
    """
    order = np.argsort(-(np.maximum(layer.weights, 0).sum(axis=0) + layer.bias), kind="stable")
    rates = np.geomspace(0.03, 0.9, count)
    chance = np.repeat(rates[:, None], layer.n_in, axis=1)
    for place in range(1, count, 2):
        # The easiest neurons, and others spread over all.
        neuron = order[(place // 2) * layer.n_out // count if place % 4 == 1 else place // 4 % layer.n_out]
        chance[place] = np.clip(np.where(layer.weights[:, neuron] > 0, 0.5 * strength, 0.1 * (2 - strength)), 0, 1)
    return np.asarray(rng.random((count, steps, layer.n_in)) < chance[:, None], np.uint8)


def _pixels(rng: np.random.Generator, n_in: int, count: int) -> NDArray[np.uint8]:
    """``(count, n_in)`` pixels, of which some are dark, in samples of all brightnesses."""
    lit = rng.random((count, n_in)) < np.linspace(0.1, 1.0, count)[:, None]
    return np.asarray(rng.integers(0, 256, (count, n_in)) * lit, np.uint8)


def _crossed(rng: np.random.Generator, samples: NDArray[np.uint8], count: int) -> NDArray[np.uint8]:
    """Samples of which each input is that of one of two of the ``samples``, so that means stay what they are."""
    one, other = rng.integers(0, len(samples), (2, count))
    mask = rng.random((count, 1, samples.shape[2])) < 0.5
    return np.asarray(np.where(mask, samples[one], samples[other]), np.uint8)
