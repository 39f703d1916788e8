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
from .leaks import shifted_sums
from .model import FloatLayer, FloatNetwork, FloatResult, Timing
from .probing import excitement, probe_layers
from .remarks import layer_remarks, refuse_vanished
from .report import LayerRounding, Rounding, leaks_of
from .search import ATTEMPTS, Reference, at_scale, plain_scale, saturation, search

#: Share of zero weights above which 1-bit weights, which have no zero, are refused.
_ZEROS = 0.1


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
    probes = probe_layers(network) if calibration is None else ()
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
        room: float | None = None
        evidence = probes[index].reference if have is None else have
        # Of a layer that is silent in the calibration, that tells no more than no calibration does.
        if candidate is None and (have is None or not (have.read or have.spikes.any())):
            room = max(float(excitement(source, 255 if evidence.encoder else 1).max()), 0.0)
            scale = at_scale(normal, plain_scale(normal, form), searched, room)
            candidate = make_candidate(normal, *scale, searched)
        elif candidate is None:
            assert have is not None

            def attempted(done: list[int] = [0], index: int = index) -> None:  # noqa: B006 (a counter of its own)
                done[0] += 1
                if progress is not None:
                    progress((index + done[0] / ATTEMPTS) / len(network.layers))

            candidate = search(normal, searched, have, attempted)
        refuse_vanished(normal, candidate, form)
        result = evidence.run(candidate, form)
        layers.append(candidate.layer)
        roundings.append(_rounding(normal, candidate, exact, form, evidence, result, have is not None))
        calibrated = have is not None
        remarks += layer_remarks(normal, candidate, roundings[-1], searched, evidence, calibrated=calibrated, room=room)
        if have is not None:
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
    normal: Normal, candidate: Candidate, exact: bool, form: Format, have: Reference, result: Result, calibrated: bool
) -> LayerRounding:
    """The report of a layer that did ``result`` where the float layer did what ``have`` says."""
    source, layer = normal.layer, candidate.layer
    agreement = rate = rate_float = saturated = None
    assert result.spikes is not None and result.potentials is not None
    if calibrated:
        rate, rate_float = float(result.spikes[0].mean()), float(have.spikes.mean())
        saturated = saturation(result, form.potential)
        agreement = have.agreement(result)
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
        leaks=leaks_of(
            source.beta, layer.leak_codes, form.leak_bits, shifted_sums(result.potentials[0], form.leak_bits)
        ),
        agreement=agreement,
        rate=rate,
        rate_float=rate_float,
        saturated=saturated,
    )
