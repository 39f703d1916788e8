# SPDX-License-Identifier: Apache-2.0
"""Run a network over whole data sets, exactly, at the speed of float matrix products.

NumPy multiplies integer matrices one element at a time, float ones through BLAS. Float results are
exact here, whatever order BLAS adds in: every partial sum is a sum of some of the terms ``w * s``,
so its magnitude is at most ``max_j Σ_i |w[i, j]| · max(s)``. While that bound is at most 2**24 every partial
sum is an integer that float32 represents, hence no operation rounds (fused or not); up to
2**53 the same holds for float64. :func:`product_dtype` chooses, and refuses what neither can hold.

Specified in docs/specification.md, §3 and §5.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hysteron_base.errors import require
from hysteron_spec.encoder import Coding, check_inputs, check_spikes, encode
from hysteron_spec.network import Array, Int32, Layer, Network
from hysteron_spec.neuron import Readout
from hysteron_spec.projection import Source

from .neuron import Leak, starts_armed, step

#: Read-out of a neuron that has not fired (read-out FIRST) and the ceiling of a spike count.
NEVER = (1 << 15) - 1
#: Potentials of one chunk of samples, in elements: small enough for the elementwise work to stay in
#: cache, large enough that the matrix products are not spent on waking BLAS's threads.
_CHUNK = 1 << 18
#: Spikes of one chunk, over all steps: bounds the memory of long samples.
_ELEMENTS = 1 << 25


@dataclass(frozen=True, eq=False, repr=False)
class Result:
    """What a network did.

    Attributes
    ----------
    predictions
        ``(samples,)`` int64: the winning output; ties resolve to the lowest index.
    values
        ``(samples, n_out)`` int32: the read-out after the last step.
    step_values
        ``(samples, steps, n_out)`` int32 if the network answers at every step, else None.
    events
        ``(samples, layers + 1)`` int64: spikes of the input (pixel bits set, in direct coding) and of each
        layer, over all steps.
    spikes
        For each layer ``(samples, steps, n_out)`` bool, if they were asked for.
    potentials
        For each layer ``(samples, steps, n_out)`` int32, after the reset; if asked for.
    inputs
        ``(samples, steps, n_in)`` uint8 spikes that entered, or ``(samples, n_in)`` pixels in direct coding.
    """

    predictions: NDArray[np.int64]
    values: Int32
    step_values: Int32 | None
    events: NDArray[np.int64]
    spikes: tuple[NDArray[np.bool_], ...] | None
    potentials: tuple[Int32, ...] | None
    inputs: NDArray[np.uint8]

    def __repr__(self) -> str:
        samples, outputs = self.values.shape
        traced = "" if self.spikes is None else ", traced"
        events = ", ".join(f"{n:,.1f}" for n in self.events.mean(axis=0)) if samples else "none"
        return f"Result({samples:,} samples, {outputs} outputs{traced}; spikes a sample: {events})"


def product_dtype(layer: Layer, largest_input: int = 1) -> type[np.floating]:
    """Float type in which the layer's matrix products are exact (the bound is in the module's text)."""
    bound = 0
    for projection in layer.projections:
        most = int(np.abs(projection.weights).astype(np.int64).sum(0).max())
        bound += most * (largest_input if projection.source is Source.BEFORE else 1)
    if bound <= 1 << 24:
        return np.float32
    require(bound <= 1 << 53, f"a neuron's inputs can sum to {bound}, beyond the exact range 2**53")
    return np.float64


def run(network: Network, inputs: Array, *, trace: bool = False) -> Result:
    """Run ``network`` on a batch.

    Parameters
    ----------
    network
        What to run.
    inputs
        ``(samples, steps, n_in)`` spikes (0 and 1) for a network without encoder, else images
        ``(samples, pixels…)`` of bytes.
    trace
        Keep every spike and potential; it takes ``5 * samples * steps * neurons`` bytes.

    Raises
    ------
    HysteronError
        If the shape or a value does not suit the network.
    """
    encoder = network.encoder
    data = check_inputs(encoder, inputs, network.n_in)
    steps = data.shape[1] if encoder is None else encoder.steps
    widest = max(layer.n_out for layer in network.layers)
    chunk = max(1, min(_CHUNK // widest, _ELEMENTS // (steps * max(network.n_in, widest))))
    parts = []
    for first in range(0, max(len(data), 1), chunk):
        part = data[first : first + chunk]
        if encoder is not None and encoder.coding is not Coding.DIRECT:
            part = encode(encoder, part)
        parts.append(_run_chunk(network, part, steps, trace))

    def join(pick: str) -> Array:
        return np.concatenate([getattr(part, pick) for part in parts])

    def join_layers(pick: str) -> tuple[Array, ...]:
        return tuple(np.concatenate(layer) for layer in zip(*(getattr(part, pick) for part in parts), strict=True))

    return Result(
        predictions=join("predictions"),
        values=join("values"),
        step_values=join("step_values") if network.readout_every_step else None,
        events=join("events"),
        spikes=join_layers("spikes") if trace else None,
        potentials=join_layers("potentials") if trace else None,
        inputs=join("inputs"),
    )


def _run_chunk(network: Network, inputs: NDArray[np.uint8], steps: int, trace: bool) -> Result:
    samples = len(inputs)
    current: Array = inputs
    constant = inputs.ndim == 2
    in_events = np.bitwise_count(inputs).sum(axis=1, dtype=np.int64) * steps if constant else _count(inputs)
    events = [in_events]
    all_spikes, all_potentials = [], []
    last = len(network.layers) - 1
    values = np.zeros((samples, network.n_out), np.int32)
    step_values = np.zeros((samples, steps, network.n_out), np.int32)
    for index, layer in enumerate(network.layers):
        dtype = product_dtype(layer, 255 if constant and index == 0 else 1)
        forward, own = (_weights(layer, source, dtype) for source in (Source.BEFORE, Source.OWN))
        word = _word(layer, dtype)
        drive = current.astype(dtype, copy=False)
        # One product for all steps: the same numbers, a fraction of the calls.
        assert forward is not None
        drive = _product(drive.reshape(-1, layer.n_in), forward, word)
        drive += layer.biases.astype(word)
        drive = drive.reshape(samples, 1 if constant and index == 0 else steps, layer.n_out)
        leak = Leak.of(layer, network.potential, word)
        u = np.zeros((samples, layer.n_out), word)
        armed = starts_armed(layer, u.shape)
        fired = np.zeros((samples, steps, layer.n_out), dtype)
        potentials = np.zeros((samples, steps, layer.n_out), np.int32) if trace else None
        for t in range(steps):
            total = drive[:, 0 if drive.shape[1] == 1 else t]
            if own is not None and t:
                total = total + _product(fired[:, t - 1], own, word)
            u, armed, spikes, _ = step(u, armed, total, layer, leak, network.potential)
            fired[:, t] = spikes
            if potentials is not None:
                potentials[:, t] = u
            if index == last:
                values = _read(network.readout, values, spikes, u, t)
                step_values[:, t] = values
        events.append(_count(fired))
        if potentials is not None:
            all_spikes.append(fired.astype(bool))
            all_potentials.append(potentials)
        current = fired
    return Result(
        predictions=winner(network.readout, values),
        values=values,
        step_values=step_values if network.readout_every_step else None,
        events=np.stack(events, axis=1),
        spikes=tuple(all_spikes),
        potentials=tuple(all_potentials),
        inputs=inputs,
    )


def _weights(layer: Layer, source: Source, dtype: type[np.floating]) -> Array | None:
    """The weights of the projection that listens to ``source``; None if there is none."""
    return next((each.weights.astype(dtype) for each in layer.projections if each.source is source), None)


def _product(left: Array, right: Array, word: type[np.signedinteger]) -> Array:
    """Exact product of integers held as floats, as integers.

    BLAS kernels may also compute on lanes beyond the operands, whatever lies there, and leave a floating-point
    flag set that NumPy reports; the operands are finite and bounded, so no result can be invalid.
    """
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        return (left @ right).astype(word)


def _word(layer: Layer, dtype: type[np.floating]) -> type[np.signedinteger]:
    """Integer type in which total, bias and potential (at most 2**24) add up without wrapping."""
    small = dtype is np.float32 and int(np.abs(layer.biases.astype(np.int64)).max()) <= 1 << 30
    return np.int32 if small else np.int64


def _count(spikes: Array) -> NDArray[np.int64]:
    return np.count_nonzero(spikes, axis=(1, 2)).astype(np.int64)


def _read(readout: Readout, values: Int32, spikes: NDArray[np.bool_], u: NDArray[np.signedinteger], t: int) -> Int32:
    """Read-out after step ``t``, from the one before it."""
    if readout is Readout.POTENTIAL:
        return u.astype(np.int32)
    if readout is Readout.COUNT:
        before = values if t else np.zeros_like(values)
        return np.minimum(before + spikes, NEVER).astype(np.int32)
    before = values if t else np.full_like(values, NEVER)
    return np.where((before == NEVER) & spikes, min(t, NEVER - 1), before).astype(np.int32)


def winner(readout: Readout, values: Int32) -> NDArray[np.int64]:
    """Index of the winning value along the last axis; ties resolve to the lowest index."""
    return (np.argmin if readout is Readout.FIRST else np.argmax)(values, axis=-1).astype(np.int64)


__all__ = ["NEVER", "Result", "check_spikes", "product_dtype", "run", "winner"]
