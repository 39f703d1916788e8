# SPDX-License-Identifier: Apache-2.0
"""Which scale quantises a layer best: tried on calibration samples against the float network.

What is compared is what the next layer or the read-out will see. Of a layer whose spikes matter: the area between the
cumulative spike counts of the two networks, per neuron and step, so that a spike that comes a step late costs 1 step
and a missing one all that remain. Of a layer whose potentials are read: how little they correlate, whatever their
scale.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hysteron_golden import Result, run
from hysteron_spec import Encoder, Network
from hysteron_spec.neuron import weight_range

from .candidates import Candidate, Format, Normal, make_candidate
from .linear import Floats

#: Octaves below and above the largest scale that clips no weight, and steps an octave, that are tried.
_OCTAVES_DOWN, _OCTAVES_UP, _STEPS = 2, 3, 4
#: Steps of the second, finer pass around the best, as exponents of 2.
_FINE = (-3 / 16, -1 / 8, -1 / 16, 1 / 16, 1 / 8, 3 / 16)


@dataclass(frozen=True, eq=False)
class Reference:
    """What a layer does in the float network, and what the quantised one gives it.

    Attributes
    ----------
    inputs
        ``(samples, steps, n_in)`` spikes of the quantised layer before (or pixels, with ``encoder``).
    encoder
        The direct encoder for a first layer that is given pixels, else None.
    spikes, potentials
        ``(samples, steps, n_out)`` of the float layer.
    read
        Whether its final potentials are the answer.
    """

    inputs: NDArray[np.uint8]
    encoder: Encoder | None
    spikes: NDArray[np.bool_]
    potentials: Floats
    read: bool

    @property
    def mean_input(self) -> Floats:
        """``(n_in,)`` mean over samples and steps."""
        return np.asarray(self.inputs.reshape(-1, self.inputs.shape[-1]).mean(axis=0), np.float64)

    def run(self, candidate: Candidate, form: Format) -> Result:
        """What the integer layer does with the inputs."""
        network = Network((candidate.layer,), form.potential, self.encoder)
        return run(network, self.inputs, trace=True)

    def distance(self, result: Result) -> float:
        """How far the integer layer is from the float one; 0 is equal."""
        assert result.spikes is not None and result.potentials is not None
        if self.read:
            return mismatch(result.potentials[0][:, -1].astype(np.float64), self.potentials[:, -1])
        ahead = np.cumsum(result.spikes[0].astype(np.int32) - self.spikes, axis=1)
        return float(np.abs(ahead).mean())


def mismatch(got: Floats, wanted: Floats) -> float:
    """One less the correlation of two read-outs ``(samples, n_out)``, each centred within a sample.

    What all outputs share decides nothing; with a single output it is kept.
    """
    if got.shape[1] > 1:
        got = got - got.mean(axis=1, keepdims=True)
        wanted = wanted - wanted.mean(axis=1, keepdims=True)
    norm = float(np.sqrt((got**2).sum() * (wanted**2).sum()))
    return 1.0 - float((got * wanted).sum()) / norm if norm else 1.0


def plain_scale(normal: Normal, form: Format) -> float:
    """The largest scale that clips no weight; for 1-bit weights the one that keeps their mean size."""
    if form.weight_bits == 1:
        mean = float(np.mean([np.abs(part).mean() for part in normal.matrices]))
        return 1.0 / mean if mean else 1.0
    return weight_range(form.weight_bits, False)[1] / normal.largest if normal.largest else 1.0


def at_scale(normal: Normal, wanted: float, form: Format) -> tuple[float, int]:
    """The scale nearest to ``wanted`` that can be had, and its ``theta_high``."""
    if normal.free:
        # A threshold that no potential exceeds; a threshold of 0 stays 0.
        return wanted, form.potential.high if normal.theta is None else 0
    assert normal.theta is not None
    theta_high = int(min(max(np.rint(normal.theta * wanted), 1), form.potential.high))
    return theta_high / normal.theta, theta_high


def search(normal: Normal, form: Format, reference: Reference, progress: Callable[[], None] | None = None) -> Candidate:
    """The candidate that comes closest to the float layer; of equals the one that clips least, then the finest."""
    plain = plain_scale(normal, form)
    mean_input = reference.mean_input
    best: tuple[tuple[Any, ...], Candidate] | None = None
    seen: set[float] = set()

    def attempt(scale: float) -> None:
        nonlocal best
        got, theta_high = at_scale(normal, scale, form)
        if got not in seen:
            seen.add(got)
            for correction in (None, mean_input):
                candidate = make_candidate(normal, got, theta_high, form, correction)
                if correction is not None and not form.bias_bits:
                    continue
                key = (reference.distance(reference.run(candidate, form)), candidate.clipped, -got)
                if best is None or key < best[0]:
                    best = key, candidate
        if progress is not None:
            progress()

    for step in range(-_OCTAVES_DOWN * _STEPS, _OCTAVES_UP * _STEPS + 1):
        attempt(plain * 2.0 ** (step / _STEPS))
    assert best is not None
    centre = best[1].scale
    for octaves in _FINE:
        attempt(centre * 2.0**octaves)
    return best[1]


#: Calls of ``progress`` in one :func:`search`.
ATTEMPTS = (_OCTAVES_DOWN + _OCTAVES_UP) * _STEPS + 1 + len(_FINE)
