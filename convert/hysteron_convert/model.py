# SPDX-License-Identifier: Apache-2.0
"""A network as it was trained, in float: what importers make and what quantising starts from.

:meth:`FloatNetwork.run` is the reference "before": float64, with the reset exactly where the framework that trained
the network has it (:class:`Timing`). What the hardware does differs from it by rounding and by the timing of the
reset only, and both are reported.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hysteron_base.errors import HysteronError, require
from hysteron_golden.run import check_spikes, winner
from hysteron_spec import Coding, Encoder, Mode, Readout, Reset
from hysteron_spec.encoder import check_pixels, encode
from hysteron_spec.neuron import NEVER

from .linear import Floats
from .metadata import LayerFacts, NetworkFacts

#: Elements (samples × steps × neurons) that are computed together: bounds the memory.
_ELEMENTS = 1 << 24


class Timing(IntEnum):
    """When a reset acts. NIR and the hardware know the first, snnTorch has all four.

    With ``r[t] = u[t-1] > θ`` (whether the potential that the step before *returned* lies above the threshold):
    """

    #: The potential is reset in the step of the spike: NIR, and the hardware.
    SAME_STEP = 0
    #: As above, but after a step that leaves ``u > θ`` a neuron that subtracts θ fires above 2 θ (snnTorch with
    #: ``reset_delay=False``, which subtracts θ first and takes it back if there is no spike).
    SAME_STEP_GUARDED = 1
    #: The potential is reset in the step after the spike, before (zero) or after (subtract) the leak: snnTorch's Leaky.
    NEXT_STEP = 2
    #: As above, but a reset to zero also discards the input of the step after the spike: snnTorch's RLeaky, Synaptic
    #: and Lapicque.
    NEXT_STEP_BLANKING = 3


@dataclass(frozen=True, eq=False)
class FloatLayer:
    """One layer, in the units it was trained in.

    Attributes
    ----------
    name
        Name of its neuron's node, for people and messages.
    weights
        ``(n_in, n_out)`` float64.
    bias
        ``(n_out,)``, added at every step.
    beta
        ``(n_out,)`` factor that a step leaves of a potential, 0 to 1.
    threshold
        ``(n_out,)``, at least 0; infinite for a neuron that only integrates.
    reset, timing
        What a spike does, and when.
    recurrent
        ``(n_out, n_out)``, source first, acting on the spikes of the step before; or None.
    start
        ``(n_out,)`` potentials before the first step (the hardware starts from 0).
    mode, theta_low
        Hysteresis, which only files of Hysteron's own have; ``theta_low`` is in the threshold's unit.
    facts
        The exact integers of a layer that was a Hysteron layer before.
    at_threshold
        A potential that is equal to the threshold fires, too (Sinabs, SpikingJelly, Rockpool; the hardware: above).
    """

    name: str
    weights: Floats
    bias: Floats
    beta: Floats
    threshold: Floats
    reset: Reset = Reset.ZERO
    timing: Timing = Timing.SAME_STEP
    recurrent: Floats | None = None
    start: Floats | None = None
    mode: Mode = Mode.PLAIN
    theta_low: float = 0.0
    facts: LayerFacts | None = None
    at_threshold: bool = False

    def __post_init__(self) -> None:
        n_in, n_out = self.weights.shape
        require(n_in > 0 and n_out > 0, f"node {self.name!r} needs inputs and neurons, not {n_in} and {n_out}")
        for what, shape in (("bias", (n_out,)), ("beta", (n_out,)), ("threshold", (n_out,))):
            have = getattr(self, what).shape
            require(have == shape, f"{what} of node {self.name!r} must have shape {shape}, not {have}")
        for what in ("weights", "bias", "beta", "recurrent", "start"):
            values = getattr(self, what)
            require(
                values is None or bool(np.isfinite(values).all()),
                f"{what} of node {self.name!r} must be finite numbers; the network may have diverged in training",
            )
        require(
            bool(((self.beta >= 0) & (self.beta <= 1)).all()),
            f"beta of node {self.name!r} must lie between 0 and 1, not {self.beta.min():g} … {self.beta.max():g}",
        )
        require(
            bool((self.threshold >= 0).all()),
            f"threshold of node {self.name!r} must be at least 0, not {self.threshold.min():g}; "
            "a neuron at rest must be silent on the hardware",
        )
        require(
            not self.at_threshold or bool((self.threshold > 0).all()),
            f"threshold of node {self.name!r} must be above 0 where a potential that is equal to it fires; "
            "a neuron at rest must be silent on the hardware",
        )
        require(
            self.mode is Mode.PLAIN or self.timing is Timing.SAME_STEP,
            f"node {self.name!r} has hysteresis and a late reset; only one of them can be modelled",
        )

    @property
    def lowered(self) -> int:
        """By how much the hardware's threshold, above which it fires, lies below this one, in integer units.

        None where the threshold is also taken off: that must be right.
        """
        return int(self.at_threshold and self.reset is not Reset.SUBTRACT)

    @property
    def n_in(self) -> int:
        """Inputs, without the recurrent ones."""
        return self.weights.shape[0]

    @property
    def n_out(self) -> int:
        """Neurons."""
        return self.weights.shape[1]

    @property
    def spiking(self) -> bool:
        """Whether any of its neurons can fire."""
        return bool(np.isfinite(self.threshold).any())


@dataclass(frozen=True, eq=False)
class FloatResult:
    """What a float network did; the fields are those of :class:`hysteron_golden.Result`.

    ``values`` and ``potentials`` are float64; potentials are those after the step as the framework returns them.
    """

    predictions: NDArray[np.int64]
    values: Floats
    spikes: tuple[NDArray[np.bool_], ...] | None
    potentials: tuple[Floats, ...] | None
    rates: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class FloatNetwork:
    """Layers in order, how samples go in and what is read out.

    Attributes
    ----------
    layers
        At least one; each has as many inputs as its predecessor has neurons.
    encoder
        How pixels become input; None: the network is given spikes.
    readout
        What is read from the last layer.
    name
        For people.
    remarks
        What the importer had to assume or change.
    facts
        What else a file of Hysteron's own says.
    shown
        Steps in which the module that was read shows one input itself; None if each step is given its own.
    """

    layers: tuple[FloatLayer, ...]
    encoder: Encoder | None = None
    readout: Readout = Readout.COUNT
    name: str = "network"
    remarks: tuple[str, ...] = ()
    facts: NetworkFacts | None = field(default=None)
    shown: int | None = None

    def __post_init__(self) -> None:
        require(len(self.layers) > 0, "a network needs at least one layer of neurons, not 0")
        for before, after in zip(self.layers, self.layers[1:], strict=False):
            require(
                after.n_in == before.n_out,
                f"node {after.name!r} must have {before.n_out} inputs as {before.name!r} has neurons, not {after.n_in}",
            )
            require(
                bool(np.isfinite(before.threshold).all()),
                f"node {before.name!r} only integrates, but {after.name!r} listens to it; "
                "potentials cannot travel between layers, only spikes can: replace it with a spiking node",
            )
        require(
            self.readout is Readout.POTENTIAL or bool(np.isfinite(self.layers[-1].threshold).all()),
            f"node {self.layers[-1].name!r} only integrates, so its spikes cannot be read; read its potential",
        )

    @property
    def n_in(self) -> int:
        """Inputs of the first layer."""
        return self.layers[0].n_in

    @property
    def shape(self) -> str:
        """For people: ``784-256-10``."""
        return "-".join(str(n) for n in (self.n_in, *(layer.n_out for layer in self.layers)))

    def with_input(self, encoder: Encoder | None, mean: float = 0.0, std: float = 1.0) -> "FloatNetwork":
        """The same network, given pixels (or spikes) instead of the numbers it was trained on.

        It was trained on ``x = (pixel / 255 - mean) / std``. In direct coding the pixel itself is the input, else
        spikes, which stand for ``pixel / 255``; the factor goes into the weights, the offset into the bias of the
        first layer.

        Parameters
        ----------
        encoder
            How pixels become input; None for a network that is given spikes.
        mean, std
            The normalisation in training, as of torchvision's ``Normalize``.
        """
        require(
            bool(np.isfinite([mean, std]).all()) and std > 0,
            f"mean and std must be numbers and std positive, not {mean:g} and {std:g}",
        )
        full = 255 if encoder is not None and encoder.coding is Coding.DIRECT else 1
        first = self.layers[0]
        layer = replace(
            first,
            weights=first.weights / (full * std),
            bias=first.bias - first.weights.sum(axis=0) * (mean / std),
        )
        return replace(self, layers=(layer, *self.layers[1:]), encoder=encoder)

    def run(
        self, inputs: NDArray[Any], *, trace: bool = False, progress: Callable[[float], None] | None = None
    ) -> FloatResult:
        """Run on a batch.

        Parameters
        ----------
        inputs
            As for :func:`hysteron_golden.run`: ``(samples, steps, n_in)`` spikes, or ``(samples, pixels…)`` bytes
            for a network with an encoder.
        trace
            Keep every spike and potential.
        progress
            Called with the share that is done, 0 to 1.
        """
        if self.encoder is None:
            data = check_spikes(inputs, self.n_in)
            steps = data.shape[1]
        else:
            data = check_pixels(inputs, self.n_in)
            steps = self.encoder.steps
        require(len(data) > 0, "there must be at least one sample, not 0")
        widest = max(self.n_in, *(layer.n_out for layer in self.layers))
        chunk = max(1, _ELEMENTS // (steps * widest))
        parts = []
        for first in range(0, len(data), chunk):
            part = data[first : first + chunk]
            if self.encoder is not None and self.encoder.coding is not Coding.DIRECT:
                part = encode(self.encoder, part)
            parts.append(self._run_chunk(part, steps, trace))
            if progress is not None:
                progress(min(first + chunk, len(data)) / len(data))
        values = np.concatenate([part[0] for part in parts])
        counts = np.sum([part[1] for part in parts], axis=0)
        sizes = [len(data) * steps * layer.n_out for layer in self.layers]
        return FloatResult(
            predictions=winner(self.readout, values),
            values=values,
            spikes=tuple(np.concatenate(x) for x in zip(*(p[2] for p in parts), strict=True)) if trace else None,
            potentials=tuple(np.concatenate(x) for x in zip(*(p[3] for p in parts), strict=True)) if trace else None,
            rates=tuple(float(count / size) for count, size in zip(counts, sizes, strict=True)),
        )

    def _run_chunk(
        self, inputs: NDArray[np.uint8], steps: int, trace: bool
    ) -> tuple[Floats, list[int], list[NDArray[np.bool_]], list[Floats]]:
        """Read-out values, spikes of each layer, and if they are traced all spikes and potentials."""
        current: NDArray[Any] = inputs
        counts, all_spikes, all_potentials = [], [], []
        for layer in self.layers:
            spikes, potentials = run_layer(layer, current, steps)
            counts.append(int(np.count_nonzero(spikes)))
            if trace:
                all_spikes.append(spikes)
                all_potentials.append(potentials)
            current = spikes
        if self.readout is Readout.POTENTIAL:
            values = potentials[:, -1]
        elif self.readout is Readout.COUNT:
            values = spikes.sum(axis=1).astype(np.float64)
        else:
            values = np.where(spikes.any(axis=1), spikes.argmax(axis=1), NEVER).astype(np.float64)
        return values, counts, all_spikes, all_potentials


def run_layer(layer: FloatLayer, inputs: NDArray[Any], steps: int) -> tuple[NDArray[np.bool_], Floats]:
    """One layer over all steps.

    Parameters
    ----------
    layer
        Which.
    inputs
        ``(samples, steps, n_in)`` spikes, or ``(samples, n_in)`` numbers that stay for all steps.
    steps
        How many.

    Returns
    -------
    Spikes and potentials after the step, each ``(samples, steps, n_out)``.
    """
    samples = len(inputs)
    with np.errstate(invalid="ignore"):  # BLAS may leave the flag set on exact products
        drive = inputs.reshape(-1, layer.n_in).astype(np.float64) @ layer.weights + layer.bias
    drive = drive.reshape(samples, -1, layer.n_out)
    u = np.zeros((samples, layer.n_out)) if layer.start is None else np.tile(layer.start, (samples, 1))
    fired = np.zeros((samples, layer.n_out), bool)
    armed = np.ones((samples, layer.n_out), bool)
    spikes = np.zeros((samples, steps, layer.n_out), bool)
    potentials = np.zeros((samples, steps, layer.n_out))
    theta = layer.threshold
    # An infinite threshold times False is not a number.
    step_down = np.where(np.isfinite(theta), theta, 0.0) if layer.reset is Reset.SUBTRACT else np.zeros(layer.n_out)
    for t in range(steps):
        total = drive[:, 0 if drive.shape[1] == 1 else t]
        if layer.recurrent is not None and t:
            total = total + fired @ layer.recurrent
        late = np.zeros_like(fired)
        if layer.timing is not Timing.SAME_STEP:
            late = u >= theta if layer.at_threshold else u > theta
        if layer.reset is Reset.ZERO and layer.timing is Timing.NEXT_STEP:
            u = np.where(late, 0.0, u)
        v = layer.beta * u + total - late * step_down
        if layer.reset is Reset.ZERO and layer.timing is Timing.NEXT_STEP_BLANKING:
            v = np.where(late, 0.0, v)
        fired = v >= theta if layer.at_threshold else v > theta
        if layer.mode is not Mode.PLAIN:
            fired &= armed
            below = v < layer.theta_low
            armed = (armed & ~fired) | below if layer.mode is Mode.LATCH else below & ~fired
        if layer.timing in (Timing.SAME_STEP, Timing.SAME_STEP_GUARDED):
            v = np.where(fired, 0.0, v) if layer.reset is Reset.ZERO else v - (fired * 1.0 - late) * step_down
        u = v
        spikes[:, t], potentials[:, t] = fired, u
    return spikes, potentials


def reset_of(name: str) -> Reset:
    """The reset called ``name``."""
    try:
        return Reset[name.upper()]
    except (AttributeError, KeyError):
        raise HysteronError(f"reset must be zero, subtract or none, not {name!r}") from None
