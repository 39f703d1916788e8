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
from hysteron_spec import Encoder, Layer, Network, Potential
from hysteron_spec.neuron import weight_range

from .candidates import Candidate, Format, Ints, Normal, highest_threshold, make_candidate
from .leaks import nearest_codes, shifted_sums
from .linear import Floats

#: Octaves below and above the largest scale that clips no weight, and steps an octave, that are tried.
_OCTAVES_DOWN, _OCTAVES_UP, _STEPS = 2, 3, 4
#: Steps of the second, finer pass around the best, as exponents of 2.
_FINE = (-3 / 16, -1 / 8, -1 / 16, 1 / 16, 1 / 8, 3 / 16)
#: Rounds in which leak codes are chosen by their effect (another scale has other potentials, so other effects), and
#: scales that are tried with them, as exponents of 2.
_LEAK_ROUNDS, _LEAK_OCTAVES = 2, (0.0, -1 / 8, 1 / 8)


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
        return run_alone(candidate.layer, form.potential, self)

    def distance(self, result: Result) -> float:
        """How far the integer layer is from the float one; 0 is equal."""
        assert result.spikes is not None and result.potentials is not None
        if self.read:
            return mismatch(result.potentials[0][:, -1].astype(np.float64), self.potentials[:, -1])
        ahead = np.cumsum(result.spikes[0].astype(np.int32) - self.spikes, axis=1)
        return float(np.abs(ahead).mean())

    def agreement(self, result: Result) -> float | None:
        """Share of spikes and silences, or of winning potentials, that are as in the float layer; None of silence."""
        assert result.spikes is not None and result.potentials is not None
        if self.read:
            got, wanted = result.potentials[0][:, -1], self.potentials[:, -1]
            return float(np.mean(got.argmax(1) == wanted.argmax(1))) if got.any() or wanted.any() else None
        if not self.spikes.any() and not result.spikes[0].any():
            return None
        return float(np.mean(result.spikes[0] == self.spikes))


def run_alone(layer: Layer, potential: Potential, reference: Reference) -> Result:
    """What one integer layer does with the inputs of ``reference``."""
    return run(Network((layer,), potential, reference.encoder), reference.inputs, trace=True)


def saturation(result: Result, potential: Potential) -> float:
    """Share of a single layer's potentials at the ends of their range."""
    assert result.potentials is not None
    ends = result.potentials[0] == potential.high
    # The lower end is where an unsigned potential rests.
    return float(np.mean(ends | (result.potentials[0] == potential.low) if potential.signed else ends))


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


def at_scale(normal: Normal, wanted: float, form: Format, room: float = 0.0) -> tuple[float, int]:
    """The scale nearest to ``wanted`` that can be had, and its ``theta_high``.

    ``room`` is how far a step may lift a potential above the threshold, in trained units: as much stays free above the
    threshold, up to half of all potentials, where no samples show how far they rise.
    """
    if normal.free:
        # A threshold that no potential exceeds; a threshold of 0 stays 0.
        return wanted, form.potential.high if normal.theta is None else 0
    assert normal.theta is not None
    highest = int(highest_threshold(form) * max(0.5, normal.theta / (normal.theta + room)))
    theta_high = int(min(max(np.rint(min(normal.theta * wanted, highest)), 1), highest))
    return theta_high / normal.theta, theta_high


def search(normal: Normal, form: Format, reference: Reference, progress: Callable[[], None] | None = None) -> Candidate:
    """The candidate that comes closest to the float layer; of equals the one that clips least, then the finest.

    Scales are tried first, with the nearest leak codes, then around the best scale the codes whose leak *in effect* is
    nearest (:mod:`hysteron_convert.leaks`).
    """
    plain = plain_scale(normal, form)
    mean_input = reference.mean_input
    best: tuple[tuple[Any, ...], Candidate] | None = None
    seen: set[tuple[Any, ...]] = set()

    def attempt(scale: float, codes: Ints | None = None) -> None:
        nonlocal best
        got, theta_high = at_scale(normal, scale, form)
        mark = (got, None if codes is None else codes.tobytes())
        if mark not in seen:
            seen.add(mark)
            for correction in (None, mean_input):
                candidate = make_candidate(normal, got, theta_high, form, correction, codes)
                if correction is not None and not form.bias_bits:
                    continue
                distance = reference.distance(reference.run(candidate, form))
                key = (candidate.vanished(normal), distance, candidate.clipped, -got)
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
    for _ in range(_LEAK_ROUNDS):
        chosen = best[1]
        for above in (False, True):
            codes = codes_in_effect(normal, chosen, form, reference, above)
            for octaves in _LEAK_OCTAVES:
                attempt(chosen.scale * 2.0**octaves, codes)
    return best[1]


def codes_in_effect(
    normal: Normal, candidate: Candidate, form: Format, reference: Reference, above: bool = False
) -> Ints:
    """The leak codes that, on the potentials which ``candidate`` has, come closest to the trained leaks in effect.

    ``above``: of those that leave no less than the trained leaks do.
    """
    result = reference.run(candidate, form)
    assert result.potentials is not None
    return nearest_codes(normal.layer.beta, shifted_sums(result.potentials[0], form.leak_bits), above)


#: Calls of ``progress`` in one :func:`search`.
ATTEMPTS = (_OCTAVES_DOWN + _OCTAVES_UP) * _STEPS + 1 + len(_FINE) + _LEAK_ROUNDS * 2 * len(_LEAK_OCTAVES)
