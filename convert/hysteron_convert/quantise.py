# SPDX-License-Identifier: Apache-2.0
"""From float to the integers of the hardware, with a report of everything that was rounded.

A small scale loses the weights' detail, a large one clips them. Which is best no formula tells, so it is tried: layer
after layer, on calibration samples, with the integer layers before it already in place
(:mod:`hysteron_convert.search`). Without samples the largest scale that clips nothing is taken. Nothing is random.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hysteron_base.errors import require
from hysteron_golden import Result
from hysteron_golden.run import check_spikes
from hysteron_spec import Coding, Network, Potential, Readout, Reset
from hysteron_spec.encoder import check_pixels, encode

from .candidates import (
    BIAS,
    Candidate,
    Format,
    Normal,
    choose_formats,
    exact_candidate,
    make_candidate,
    normalise,
)
from .model import FloatLayer, FloatNetwork, FloatResult, Timing
from .report import LayerRounding, Rounding, leak_bits_needed, leaks_of
from .search import ATTEMPTS, Reference, at_scale, plain_scale, search

#: Share of zero weights above which 1-bit weights, which have no zero, are refused.
_ZEROS = 0.1
#: Share of saturated potentials above which a remark says so.
_SATURATED = 1e-3


@dataclass(frozen=True, eq=False)
class Quantised:
    """A network of integers and what it cost."""

    network: Network
    rounding: Rounding


def quantise(
    network: FloatNetwork,
    calibration: NDArray[Any] | None = None,
    *,
    weight_bits: int | None = None,
    potential: Potential | None = None,
    leak_bits: int | None = None,
    bias_bits: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> Quantised:
    """The integer network that comes closest to ``network``.

    Parameters
    ----------
    network
        What to quantise.
    calibration
        Samples as ``network.run`` takes them, some 100 to 500; labels are not needed. They should not be those that
        accuracy is measured on. None: scales follow from the weights alone.
    weight_bits, potential, leak_bits, bias_bits
        Formats of the hardware; None: what the file says if it was exported by Hysteron, else 4, 16 bits signed,
        3 and 12. ``bias_bits`` 0 means no biases.
    progress
        Called with the share that is done, 0 to 1.

    Returns
    -------
    The network and the report. A layer whose values all are integers that fit is taken as it is.

    Raises
    ------
    HysteronError
        If a layer cannot be held in the format, naming its node.
    """
    formats = choose_formats(network, weight_bits, potential, leak_bits)
    inputs = None if calibration is None else _first_inputs(network, calibration)
    reference = None if calibration is None else network.run(calibration, trace=True)
    remarks = list(network.remarks)
    if any(_resets_otherwise(layer) for layer in network.layers):
        remarks.append("the float reference resets as the framework that trained it, the hardware at once")
    layers, roundings = [], []
    for index, (source, form) in enumerate(zip(network.layers, formats, strict=True)):
        searched = replace(form, bias_bits=BIAS if bias_bits is None else bias_bits)
        read = index == len(network.layers) - 1 and network.readout is Readout.POTENTIAL
        normal = normalise(source, read)
        _check_zeros(normal, form)
        have = _reference(network, reference, inputs, index, read)
        # Biases that are integers already may have any width, unless one is asked for.
        candidate = exact_candidate(normal, form if bias_bits is None else searched)
        exact = candidate is not None
        if candidate is None and have is None:
            candidate = make_candidate(normal, *at_scale(normal, plain_scale(normal, form), searched), searched)
        elif candidate is None:
            assert have is not None

            def attempted(done: list[int] = [0], index: int = index) -> None:  # noqa: B006 (a counter of its own)
                done[0] += 1
                if progress is not None:
                    progress((index + done[0] / ATTEMPTS) / len(network.layers))

            candidate = search(normal, searched, have, attempted)
        result = None if have is None else have.run(candidate, form)
        layers.append(candidate.layer)
        roundings.append(_rounding(normal, candidate, exact, form, have, result))
        remarks.extend(_layer_remarks(roundings[-1], source, searched))
        if result is not None:
            assert result.spikes is not None
            inputs = result.spikes[0].astype(np.uint8)
        if progress is not None:
            progress((index + 1) / len(network.layers))
    if calibration is None and not all(rounding.exact for rounding in roundings):
        remarks.append("no calibration samples were given: scales follow from the weights alone")
    facts = network.facts
    result_network = Network(
        tuple(layers),
        formats[0].potential,
        network.encoder,
        network.readout,
        readout_every_step=facts is not None and facts.readout_every_step,
        name=network.name,
        notes={} if facts is None else facts.notes,
    )
    return Quantised(result_network, Rounding(tuple(roundings), tuple(remarks)))


def _resets_otherwise(layer: FloatLayer) -> bool:
    """Whether the float layer's reset may show another result than the hardware's."""
    guarded = layer.timing is Timing.SAME_STEP_GUARDED and layer.reset is Reset.ZERO
    return layer.timing is not Timing.SAME_STEP and layer.reset is not Reset.NONE and not guarded


def _first_inputs(network: FloatNetwork, calibration: NDArray[Any]) -> NDArray[np.uint8]:
    """What enters the first layer: spikes, or pixels in direct coding."""
    if network.encoder is None:
        return check_spikes(calibration, network.n_in)
    pixels = check_pixels(calibration, network.n_in)
    return pixels if network.encoder.coding is Coding.DIRECT else encode(network.encoder, pixels)


def _reference(
    network: FloatNetwork,
    reference: FloatResult | None,
    inputs: NDArray[np.uint8] | None,
    index: int,
    read: bool,
) -> Reference | None:
    if reference is None or inputs is None:
        return None
    assert reference.spikes is not None and reference.potentials is not None
    direct = index == 0 and network.encoder is not None and network.encoder.coding is Coding.DIRECT
    encoder = network.encoder if direct else None
    return Reference(inputs, encoder, reference.spikes[index], reference.potentials[index], read)


def _check_zeros(normal: Normal, form: Format) -> None:
    """Refuse 1-bit weights for a layer of which much is no connection at all."""
    facts = normal.layer.facts
    if form.weight_bits > 1 or (facts is not None and facts.unit_weights):
        return
    zeros = sum(int(np.count_nonzero(part == 0)) for part in normal.matrices)
    total = sum(part.size for part in normal.matrices)
    require(
        zeros <= _ZEROS * total,
        f"{zeros} of {total} weights of node {normal.layer.name!r} are 0, which 1 bit cannot hold (an unrolled "
        "convolution or pool is full of them); take 2 weight bits or more",
    )


def _rounding(
    normal: Normal, candidate: Candidate, exact: bool, form: Format, have: Reference | None, result: Result | None
) -> LayerRounding:
    source, layer = normal.layer, candidate.layer
    agreement = rate = rate_float = saturated = None
    if have is not None and result is not None:
        assert result.spikes is not None and result.potentials is not None
        rate, rate_float = float(result.spikes[0].mean()), float(have.spikes.mean())
        saturated = float(
            np.mean((result.potentials[0] == form.potential.low) | (result.potentials[0] == form.potential.high))
        )
        if not form.potential.signed:
            # The lower end is where an unsigned potential rests.
            saturated = float(np.mean(result.potentials[0] == form.potential.high))
        agreement = (
            float(np.mean(result.potentials[0][:, -1].argmax(1) == have.potentials[:, -1].argmax(1)))
            if have.read
            else float(np.mean(result.spikes[0] == have.spikes))
        )
    theta = source.threshold
    one = np.isfinite(theta).all() and (theta == theta[0]).all()
    return LayerRounding(
        name=source.name,
        inputs=source.n_in,
        neurons=source.n_out,
        exact=exact,
        weight_bits=form.weight_bits,
        scale=candidate.scale,
        threshold=float(theta[0]) if one else None,
        theta_high=layer.theta_high,
        weights=candidate.weights,
        recurrent=candidate.recurrent,
        bias=candidate.bias,
        leaks=leaks_of(source.beta, layer.leak_codes, form.leak_bits),
        leak_bits_needed=leak_bits_needed(source.beta),
        agreement=agreement,
        rate=rate,
        rate_float=rate_float,
        saturated=saturated,
    )


def _layer_remarks(rounding: LayerRounding, source: FloatLayer, form: Format) -> list[str]:
    """What deserves a sentence about one layer."""
    remarks = []
    name = rounding.name
    theta = source.threshold[np.isfinite(source.threshold)]
    if theta.size and not (theta == theta[0]).all():
        remarks.append(
            f"node {name!r}: thresholds {theta.min():g} … {theta.max():g} are folded into the weights of each neuron; "
            "the hardware has one threshold a layer"
        )
    worst = max(rounding.leaks, key=lambda leak: abs(leak.error))
    if abs(worst.error) > 0.01:
        needed = rounding.leak_bits_needed
        remedy = "no leak code comes closer than 0.01" if needed is None else f"{needed} leak bits come within 0.01"
        remarks.append(f"node {name!r}: leak {worst.beta:.6g} becomes {worst.got:.6g}; {remedy}")
    if rounding.bias.clipped:
        remarks.append(
            f"node {name!r}: {rounding.bias.clipped} of {rounding.bias.count} biases do not fit {form.bias_bits} bits"
        )
    if rounding.saturated is not None and rounding.saturated > _SATURATED:
        remarks.append(
            f"node {name!r}: {100 * rounding.saturated:.2g} % of the potentials reach the ends of "
            f"{form.potential.bits} bits; give more potential bits"
        )
    return remarks
