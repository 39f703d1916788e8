# SPDX-License-Identifier: Apache-2.0
"""What quantising changed: every leak, threshold, weight and bias, wanted and got, as numbers and as text."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .leaks import leak_in_effect
from .linear import Floats

#: Distinct leaks of a layer that are listed one by one; of more, the worst are.
LISTED_LEAKS = 8


@dataclass(frozen=True)
class LeakRounding:
    """One leak: ``beta`` wanted, its ``code``, the factor ``got`` and how many neurons have it.

    ``effect`` is the leak in effect, with truncation: the sum of what the leak left over the sum of what there was,
    over the potentials that occurred in the calibration, without one on made-up inputs; None if all of them were 0.
    """

    beta: float
    code: int
    got: float
    neurons: int
    effect: float | None = None

    @property
    def error(self) -> float:
        """What the leak is in effect, or by its code where that is not known, less what was wanted."""
        return (self.got if self.effect is None else self.effect) - self.beta


@dataclass(frozen=True)
class ValueRounding:
    """Rounding of an array. Errors are in units of the least significant bit, clipped values included."""

    count: int
    largest_error: float
    rms_error: float
    clipped: int
    low: int
    high: int

    @classmethod
    def of(cls, wanted: Floats, got: NDArray[np.integer], rounded: NDArray[np.integer]) -> "ValueRounding":
        """``wanted`` in units of the bit, ``rounded`` without bounds, ``got`` within them."""
        error = np.abs(got - wanted)
        return cls(
            int(got.size),
            float(error.max()),
            float(np.sqrt(np.mean(error**2))),
            int(np.count_nonzero(got != rounded)),
            int(got.min()),
            int(got.max()),
        )


@dataclass(frozen=True)
class LayerRounding:
    """What became of one layer.

    Attributes
    ----------
    exact
        Nothing was rounded: every value already was an integer that the hardware holds.
    scale
        Integer units per unit of the trained potential.
    threshold
        Wanted, in trained units; None if thresholds differ between neurons (they are folded into the weights).
        ``theta_high`` is the integer.
    agreement
        Share of neurons and steps of the calibration that spike, or do not, as in the float network, given the
        quantised layers before; for potentials that are read, the share of samples with the same winner. None without
        calibration, and of a layer that fires neither in float nor in integers: silence is no agreement.
    rate, rate_float
        Spikes per neuron and step in the calibration.
    saturated
        Share of potentials at the ends of their range in the calibration.
    """

    name: str
    inputs: int
    neurons: int
    exact: bool
    weight_bits: int
    scale: float
    threshold: float | None
    theta_high: int
    weights: ValueRounding
    recurrent: ValueRounding | None
    bias: ValueRounding
    leaks: tuple[LeakRounding, ...]
    agreement: float | None = None
    rate: float | None = None
    rate_float: float | None = None
    saturated: float | None = None

    @property
    def silent(self) -> bool:
        """Whether the layer's spikes matter, and in the calibration it has none, neither in float nor in integers."""
        return self.rate is not None and self.agreement is None


@dataclass(frozen=True)
class Rounding:
    """The report of a whole network; ``remarks`` are sentences about what numbers cannot tell."""

    layers: tuple[LayerRounding, ...]
    remarks: tuple[str, ...]

    @property
    def exact(self) -> bool:
        """Whether nothing was rounded at all."""
        return all(layer.exact for layer in self.layers)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        layers = []
        for layer in self.layers:
            values = asdict(layer)
            values["silent"] = layer.silent
            values["leaks"] = [asdict(leak) | {"error": leak.error} for leak in layer.leaks]
            layers.append(values)
        return {"exact": self.exact, "layers": layers, "remarks": list(self.remarks)}

    def rows(self) -> list[dict[str, Any]]:
        """A table, a row for each matrix of weights; what a recurrent one does not have of its own is None.

        Errors are in units of the least significant bit; ``agreement`` is a share, 0 to 1, or None; see ``silent``.
        """
        rows = []
        for layer in self.layers:
            for kind, weights in (("weights", layer.weights), ("recurrent", layer.recurrent)):
                if weights is None:
                    continue
                own = kind == "weights"
                rows.append(
                    {
                        "node": layer.name,
                        "kind": kind,
                        "inputs": layer.inputs if own else layer.neurons,
                        "neurons": layer.neurons,
                        "weight_bits": layer.weight_bits,
                        "theta_high": layer.theta_high if own else None,
                        "scale": layer.scale if own else None,
                        "rms_error": weights.rms_error,
                        "largest_error": weights.largest_error,
                        "clipped": weights.clipped,
                        "largest_bias_error": layer.bias.largest_error if own else None,
                        "clipped_biases": layer.bias.clipped if own else None,
                        "agreement": layer.agreement if own else None,
                        "silent": layer.silent if own else None,
                    }
                )
        return rows


def leaks_of(
    beta: Floats, codes: NDArray[np.integer], bits: int, sums: NDArray[np.int64] | None = None
) -> tuple[LeakRounding, ...]:
    """Every distinct leak and its code, by beta; ``sums`` are the :func:`~hysteron_convert.leaks.shifted_sums`."""
    pairs, which, counts = np.unique(np.stack([beta, codes]), axis=1, return_inverse=True, return_counts=True)
    leaks = []
    for number, (wanted, code) in enumerate(pairs.T):
        effect = None if sums is None else leak_in_effect(sums[:, which.reshape(-1) == number], int(code))
        got = float(code / (1 << bits))
        leaks.append(LeakRounding(float(wanted), int(code), got, int(counts[number]), effect))
    return tuple(leaks)


def leak_text(leaks: tuple[LeakRounding, ...]) -> str:
    """For people: ``0.9 → 0.875, in effect 0.86 (code 7, 128 neurons)``, the worst ones if there are many."""
    shown = leaks
    if len(leaks) > LISTED_LEAKS:
        shown = tuple(sorted(leaks, key=lambda leak: -abs(leak.error))[:LISTED_LEAKS])

    def text(leak: LeakRounding) -> str:
        effect = "" if leak.effect is None else f", in effect {leak.effect:.4g}"
        return f"{leak.beta:.6g} → {leak.got:.6g}{effect} (code {leak.code}, {leak.neurons} neurons)"

    lines = [text(leak) for leak in shown]
    if len(leaks) > len(shown):
        lines.append(f"… and {len(leaks) - len(shown)} more, each off by at most {abs(shown[-1].error):.3g}")
    return "\n".join(lines)
