# SPDX-License-Identifier: Apache-2.0
"""One layer in integers, at a given scale.

A layer's integers follow from one scale ``s``, integer units per trained unit: ``w = round(s w')``, the same for
biases, and ``theta_high = s θ``, which must be an integer and so limits the scales that can be had.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hysteron_base.errors import integer_in, require
from hysteron_spec import Layer, Mode, Potential
from hysteron_spec.neuron import WEIGHT_BITS, weight_range

from .linear import Floats
from .model import FloatLayer, FloatNetwork
from .report import ValueRounding

Ints = NDArray[np.int64]

#: Formats where the user and the file say nothing: those of the presets ``digits`` and ``mnist``.
WEIGHTS, POTENTIAL, LEAK, BIAS = 4, Potential(16), 3, 12
#: Bits of a bias that is not limited: what a network file holds.
ANY_BIAS = 32
#: How far from an integer a value may be to count as one, in units of the neuron's largest weight or of 1, whichever is
#: smaller: what float32 in a file leaves. An absolute bound would call weights integers, namely 0, that only are small.
_SLACK = 1e-4
#: The same for a leak, in units of what it takes off or of what it leaves, whichever is smaller.
_LEAK_SLACK = 1e-3
#: Beyond this no integer is of use: larger ones are clipped before they are made integers, which would wrap.
_LARGEST = 2.0**40
#: Below this a scale would overflow.
_LEAST = 1e-300


@dataclass(frozen=True)
class Format:
    """Widths that the integers must fit. ``bias_bits`` 0 means no biases."""

    weight_bits: int = WEIGHTS
    potential: Potential = POTENTIAL
    leak_bits: int = LEAK
    bias_bits: int = BIAS

    def __post_init__(self) -> None:
        require(self.weight_bits in WEIGHT_BITS, f"weight bits must be one of {WEIGHT_BITS}, not {self.weight_bits!r}")
        integer_in("leak bits", self.leak_bits, 1, 8)
        integer_in("bias bits", self.bias_bits, 0, ANY_BIAS)

    @property
    def bias_range(self) -> tuple[int, int]:
        """Smallest and largest bias."""
        bound = 1 << self.bias_bits - 1 if self.bias_bits else 0
        return -bound, max(bound - 1, 0)


@dataclass(frozen=True, eq=False)
class Normal:
    """A float layer with one threshold: per-neuron thresholds are folded into the weights.

    ``theta`` is None for a layer that only integrates and 0 where the threshold is; in both cases the scale is free.
    """

    layer: FloatLayer
    weights: Floats
    recurrent: Floats | None
    bias: Floats
    theta: float | None
    read: bool

    @property
    def free(self) -> bool:
        """Whether the threshold leaves the scale free."""
        return not self.theta

    @property
    def largest(self) -> float:
        """Largest magnitude of a weight."""
        return max(float(np.abs(part).max()) for part in self.matrices)

    @property
    def matrices(self) -> list[Floats]:
        """Weights, and recurrent weights if there are any."""
        return [self.weights] + ([] if self.recurrent is None else [self.recurrent])


def normalise(layer: FloatLayer, read: bool) -> Normal:
    """Fold differing thresholds into the weights. ``read``: whether the layer's potentials are the answer."""
    theta = layer.threshold
    for what, values in (("weights", np.abs(layer.weights)), ("thresholds", theta)):
        least = float(values.max()) if what == "weights" else float(values[values > 0].min(initial=1.0))
        require(
            least == 0 or least >= _LEAST,
            f"{what} of node {layer.name!r} are as small as {least:g}, beyond what can be scaled; give another unit",
        )
    if not np.isfinite(theta).any():
        return Normal(layer, layer.weights, layer.recurrent, layer.bias, None, read)
    require(
        bool(np.isfinite(theta).all()),
        f"node {layer.name!r} has neurons with and without a threshold; split it into two nodes",
    )
    if (theta == theta[0]).all():
        return Normal(layer, layer.weights, layer.recurrent, layer.bias, float(theta[0]), read)
    require(bool((theta > 0).all()), f"node {layer.name!r} has some thresholds 0 and some not; make all positive")
    require(
        not read,
        f"node {layer.name!r} has a threshold for each neuron and its potentials are read; folding them would "
        "change which is largest: give one threshold or read spikes",
    )
    reference = float(theta.max())
    factor = reference / theta
    recurrent = None if layer.recurrent is None else layer.recurrent * factor
    return Normal(layer, layer.weights * factor, recurrent, layer.bias * factor, reference, read)


@dataclass(frozen=True, eq=False)
class Candidate:
    """One way to quantise a layer: its integers and how they came about."""

    layer: Layer
    scale: float
    weights: ValueRounding
    recurrent: ValueRounding | None
    bias: ValueRounding

    @property
    def parts(self) -> list[ValueRounding]:
        """Weights, and recurrent weights if there are any."""
        return [self.weights] + ([] if self.recurrent is None else [self.recurrent])

    @property
    def clipped(self) -> int:
        """Values that did not fit."""
        return self.bias.clipped + sum(part.clipped for part in self.parts)

    def vanished(self, normal: Normal) -> bool:
        """Whether a matrix of weights became 0 altogether that was not."""
        return any(
            part.any() and not got.low and not got.high for part, got in zip(normal.matrices, self.parts, strict=True)
        )


def highest_threshold(form: Format) -> int:
    """The largest threshold that a potential still exceeds: at the highest potential itself a neuron never fires."""
    return form.potential.high - 1


def leak_codes(beta: Floats, bits: int) -> Ints:
    """Nearest leak code of each beta."""
    return np.rint(beta * (1 << bits)).astype(np.int64)


def make_candidate(
    normal: Normal,
    scale: float,
    theta_high: int,
    form: Format,
    mean_input: Floats | None = None,
    codes: Ints | None = None,
) -> Candidate:
    """The layer at ``scale`` integer units per trained unit. ``codes`` are those of the leaks; None: the nearest.

    With ``mean_input`` (n_in,), the mean of each input over samples and steps, biases also make up for what rounding
    the weights does to the mean of each neuron's drive (M. Nagel et al., "Data-free quantization through weight
    equalization and bias correction", ICCV 2019).
    """
    source = normal.layer
    unit = source.facts is not None and source.facts.unit_weights and form.weight_bits == 1

    def matrix(values: Floats) -> tuple[Ints, ValueRounding]:
        wanted = _bounded(values, scale)
        low, high = weight_range(form.weight_bits, unit)
        rounded = np.rint(wanted).astype(np.int64)
        if form.weight_bits == 1 and not unit:
            # One bit has no zero: it holds the sign, of a weight that is 0 the positive one.
            return (got := np.where(wanted < 0, -1, 1)), ValueRounding.of(wanted, got, got)
        got = np.clip(rounded, low, high)
        return got, ValueRounding.of(wanted, got, rounded)

    weights, weight_rounding = matrix(normal.weights)
    recurrent, recurrent_rounding = (None, None) if normal.recurrent is None else matrix(normal.recurrent)
    wanted = _bounded(normal.bias, scale)
    if mean_input is not None:
        wanted = _bounded(wanted + mean_input @ (_bounded(normal.weights, scale) - weights))
    rounded = np.rint(wanted).astype(np.int64)
    bias = np.clip(rounded, *form.bias_range)
    # Levels between two thresholds keep their place relative to the upper one.
    theta_low = int(np.clip(np.rint(source.theta_low * scale), form.potential.low, theta_high))
    layer = Layer(
        weights,
        theta_high=max(0, theta_high - source.lowered),
        theta_low=theta_low if source.mode is not Mode.PLAIN or source.facts is not None else 0,
        leak=leak_codes(source.beta, form.leak_bits) if codes is None else codes,
        bias=bias,
        recurrent=recurrent,
        mode=source.mode,
        reset=source.reset,
        weight_bits=form.weight_bits,
        unit_weights=unit,
        leak_bits=form.leak_bits,
        **({} if source.facts is None else source.facts.others),
    )
    return Candidate(layer, scale, weight_rounding, recurrent_rounding, ValueRounding.of(wanted, bias, rounded))


def _bounded(values: Floats, scale: float = 1.0) -> Floats:
    """``values * scale``, within what an integer can hold."""
    with np.errstate(over="ignore"):
        return np.clip(values * scale, -_LARGEST, _LARGEST)


def _near_integer(values: Floats, beside: Floats | None = None) -> bool:
    """Whether ``(rows, neurons)`` are integers, judged by each neuron's largest value, those ``beside`` it included."""
    largest = np.abs(values if beside is None else np.concatenate([values, beside])).max(axis=0)
    return bool((np.abs(values - np.rint(values)) <= _SLACK * np.minimum(1.0, largest)).all())


def exact_candidate(normal: Normal, form: Format) -> Candidate | None:
    """The layer as it is, if every value already is an integer that the hardware holds.

    A threshold that no potential exceeds is not held, unless the file says that it is the hardware's own.
    """
    source = normal.layer
    theta = normal.theta
    if theta is None:
        theta = float(form.potential.high if source.facts is None else source.facts.theta_high)
    highest = form.potential.high if normal.theta is None or source.facts is not None else highest_threshold(form)
    codes = np.rint(source.beta * (1 << form.leak_bits))
    leak_slack = 1e-7 + _LEAK_SLACK * np.minimum(source.beta, 1 - source.beta)
    unit = source.facts is not None and source.facts.unit_weights
    low, high = weight_range(form.weight_bits, unit)
    if not (
        _near_integer(np.array([[theta], [source.theta_low]]))
        and np.rint(theta) <= highest
        and _near_integer(normal.bias[None], np.concatenate(normal.matrices))
        and bool((np.abs(codes / (1 << form.leak_bits) - source.beta) <= leak_slack).all())
        and all(
            _near_integer(part) and part.min() >= low - 0.5 and part.max() <= high + 0.5 for part in normal.matrices
        )
        and not (form.weight_bits == 1 and not unit and any((np.rint(part) == 0).any() for part in normal.matrices))
    ):
        return None
    candidate = make_candidate(normal, 1.0, int(np.rint(theta)), form)
    return None if candidate.clipped else candidate


def choose_formats(
    network: FloatNetwork, weight_bits: int | None, potential: Potential | None, leak_bits: int | None
) -> list[Format]:
    """Each layer's format: what the user says, else what the file says, else the defaults; biases not limited."""
    facts = [layer.facts for layer in network.layers]
    stated = {fact.leak_bits for fact in facts if fact is not None}
    if leak_bits is None:
        leak_bits = stated.pop() if len(stated) == 1 else LEAK
    if potential is None:
        potential = network.facts.potential if network.facts is not None else POTENTIAL
    return [
        Format(
            weight_bits if weight_bits is not None else fact.weight_bits if fact is not None else WEIGHTS,
            potential,
            leak_bits,
            ANY_BIAS,
        )
        for fact in facts
    ]
