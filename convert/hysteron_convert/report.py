# SPDX-License-Identifier: Apache-2.0
"""What quantising changed: every leak, threshold, weight and bias, wanted and got, as numbers and as text."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .linear import Floats

#: Distinct leaks of a layer that are listed one by one; of more, the worst are.
LISTED_LEAKS = 8


@dataclass(frozen=True)
class LeakRounding:
    """One leak: ``beta`` wanted, its ``code``, the factor ``got`` and how many neurons have it."""

    beta: float
    code: int
    got: float
    neurons: int

    @property
    def error(self) -> float:
        """Got less wanted."""
        return self.got - self.beta


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
        quantised layers before; for potentials that are read, the share of samples with the same winner.
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
    leak_bits_needed: int | None
    agreement: float | None = None
    rate: float | None = None
    rate_float: float | None = None
    saturated: float | None = None


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
            values["leaks"] = [asdict(leak) | {"error": leak.error} for leak in layer.leaks]
            layers.append(values)
        return {"exact": self.exact, "layers": layers, "remarks": list(self.remarks)}

    def rows(self) -> list[dict[str, Any]]:
        """A table, a row for each matrix of weights; what a recurrent one does not have of its own is None.

        Errors are in units of the least significant bit; ``agreement`` is a share, 0 to 1.
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
                    }
                )
        return rows


def leaks_of(beta: Floats, codes: NDArray[np.integer], bits: int) -> tuple[LeakRounding, ...]:
    """Every distinct leak and its code, by beta."""
    pairs, counts = np.unique(np.stack([beta, codes]), axis=1, return_counts=True)
    return tuple(
        LeakRounding(float(wanted), int(code), float(code / (1 << bits)), int(count))
        for wanted, code, count in zip(*pairs, counts, strict=True)
    )


def leak_text(leaks: tuple[LeakRounding, ...]) -> str:
    """For people: ``0.9 → 7/8 = 0.875 (128 neurons)``, the worst ones if there are many."""
    shown = leaks
    if len(leaks) > LISTED_LEAKS:
        shown = tuple(sorted(leaks, key=lambda leak: -abs(leak.error))[:LISTED_LEAKS])
    lines = [f"{leak.beta:.6g} → {leak.got:.6g} (code {leak.code}, {leak.neurons} neurons)" for leak in shown]
    if len(leaks) > len(shown):
        lines.append(f"… and {len(leaks) - len(shown)} more, each off by at most {abs(shown[-1].error):.3g}")
    return "\n".join(lines)


def leak_bits_needed(beta: Floats, tolerance: float = 0.01) -> int | None:
    """Fewest leak bits that bring every leak within ``tolerance``; None if 8 do not."""
    for bits in range(1, 9):
        full = 1 << bits
        if np.all(np.abs(np.rint(beta * full) / full - beta) <= tolerance):
            return bits
    return None
