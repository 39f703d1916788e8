# SPDX-License-Identifier: Apache-2.0
"""What deserves a sentence about one quantised layer: what numbers in a table do not tell, and what is refused.

A remedy is only given if it was tried on the same inputs and does better.
"""

from dataclasses import replace

import numpy as np

from hysteron_base.errors import require
from hysteron_spec.network import Layer

from .candidates import Candidate, Format, Ints, Normal, make_candidate
from .leaks import shifted_sums
from .report import LayerRounding, leaks_of
from .search import Reference, codes_in_effect, plain_scale

#: Share of saturated potentials above which a remark says so.
_SATURATED = 1e-3
#: How far off a leak may be in effect without a remark.
_LEAK = 0.01


def refuse_vanished(normal: Normal, candidate: Candidate, form: Format) -> None:
    """Refuse weights that all became 0 and were not: the threshold is too many times as large as they."""
    if not candidate.weights.low and not candidate.weights.high and normal.weights.any():
        assert normal.theta is not None
        largest = float(np.abs(normal.weights).max())
        # A weight becomes 1 at the least scale that makes it more than a half.
        needed = int(np.ceil(np.log2(normal.theta / largest))) + 1
        remedy = (
            f"take {needed} potential bits or more"
            if form.potential.bits < needed <= 24
            else "no width of a potential is enough; give a longer dt, or larger weights"
        )
        require(
            False,
            f"all weights of node {normal.layer.name!r} would become 0: its threshold is {normal.theta / largest:.3g} "
            f"times the largest of them, and {form.potential.bits} bits of potential hold no such range; {remedy}",
        )


def layer_remarks(
    normal: Normal, candidate: Candidate, rounding: LayerRounding, form: Format, evidence: Reference, calibrated: bool
) -> list[str]:
    """Sentences about one layer.

    Parameters
    ----------
    normal, candidate, rounding
        The float layer, its integers and their report.
    form
        Formats that the integers were chosen in.
    evidence
        Inputs, and what the float layer does with them.
    calibrated
        Whether those are calibration samples.
    """
    source = normal.layer
    node = f"node {rounding.name!r}"
    theta = source.threshold[np.isfinite(source.threshold)]
    remarks = []
    if theta.size and not (theta == theta[0]).all():
        remarks.append(
            f"{node}: thresholds {theta.min():g} … {theta.max():g} are folded into the weights of each neuron; "
            "the hardware has one threshold a layer"
        )
    if not rounding.exact:
        remarks += _scale_remarks(node, normal, candidate, form)
    worst = max(rounding.leaks, key=lambda leak: abs(leak.error))
    if abs(worst.error) > _LEAK:
        cut = worst.effect is not None and worst.effect != worst.got
        effect = f", in effect {worst.effect:.4g} as each of its shifts cuts off" if cut else ""
        remarks.append(
            f"{node}: leak {worst.beta:.6g} becomes {worst.got:.6g}{effect}"
            + _leak_remedy(normal, candidate, form, evidence, calibrated)
        )
    if rounding.bias.clipped:
        remarks.append(
            f"{node}: {rounding.bias.clipped} of {rounding.bias.count} biases do not fit {form.bias_bits} bits"
        )
    if rounding.saturated is not None and rounding.saturated > _SATURATED:
        remarks.append(
            f"{node}: {100 * rounding.saturated:.2g} % of the potentials reach the ends of "
            f"{form.potential.bits} bits; give more potential bits"
        )
    return remarks + _silence_remarks(node, normal, candidate.layer, rounding, form)


def _scale_remarks(node: str, normal: Normal, candidate: Candidate, form: Format) -> list[str]:
    """What the range of thresholds did to the scale, and what it cost the weights."""
    remarks = []
    theta_high = candidate.layer.theta_high
    wanted = 0.0 if normal.theta is None else normal.theta * plain_scale(normal, form)
    if wanted >= form.potential.high and theta_high < form.potential.high:
        bits = int(np.ceil(np.log2(wanted))) + 1 + form.potential.signed
        more = f"; {bits} potential bits keep them" if bits <= 24 else ""
        remarks.append(
            f"{node}: at the scale of its weights the threshold would be {wanted:.0f}, which potentials of "
            f"{form.potential.bits} bits cannot exceed; the scale is lowered to a threshold of {theta_high}, and "
            f"weights are {candidate.weights.low} … {candidate.weights.high}{more}"
        )
    clipped, count = candidate.weights.clipped, candidate.weights.count
    if normal.theta and wanted < 0.5 and clipped:
        remarks.append(
            f"{node}: {clipped} of {count} weights do not fit {form.weight_bits} bits and are clipped: the threshold "
            f"is only {normal.theta / normal.largest:.3g} of the largest weight, and an integer one is at least 1"
        )
    got = candidate.layer.weights
    gone = int(np.count_nonzero(normal.weights.any(axis=0) & ~got.any(axis=0)))
    if gone:
        remarks.append(f"{node}: all weights of {gone} of {got.shape[1]} neurons became 0; give more weight bits")
    own = candidate.recurrent
    if own is not None and normal.recurrent is not None and normal.recurrent.any() and not own.low and not own.high:
        remarks.append(f"{node}: all recurrent weights became 0; give more weight bits")
    return remarks


def _silence_remarks(node: str, normal: Normal, layer: Layer, rounding: LayerRounding, form: Format) -> list[str]:
    """Whether the layer never fires in the calibration, or never can."""
    if normal.theta is None or normal.read:
        return []
    if layer.theta_high >= form.potential.high:
        return [f"{node}: cannot fire: its threshold {layer.theta_high} is the highest potential"]
    if rounding.silent:
        return [
            f"{node}: never fires on the calibration samples, neither in float nor in integers, so its scale follows "
            "from the weights alone; see that the samples are what the network was trained on (mean, std, coding)"
        ]
    if rounding.rate == 0:
        return [f"{node}: never fires in integers on the calibration samples, though it does in float"]
    if rounding.rate_float == 0:
        return [f"{node}: never fires in float on the calibration samples, though it does in integers"]
    return []


def _leak_remedy(normal: Normal, candidate: Candidate, form: Format, evidence: Reference, calibrated: bool) -> str:
    """The fewest leak bits that bring the leak in effect within reach and the spikes closer, if any do."""
    have = evidence.run(candidate, form)
    before, agreed = evidence.distance(have), evidence.agreement(have)
    for bits in range(form.leak_bits + 1, 9):
        wider = replace(form, leak_bits=bits)

        def made(codes: Ints | None, wider: Format = wider) -> Candidate:
            return make_candidate(normal, candidate.scale, candidate.layer.theta_high, wider, codes=codes)

        attempt = made(None)
        if calibrated:
            attempt = made(codes_in_effect(normal, attempt, wider, evidence))
        # The biases stay those that were chosen.
        attempt = replace(attempt, layer=replace(attempt.layer, bias=candidate.layer.bias))
        got = evidence.run(attempt, wider)
        assert got.potentials is not None
        leaks = leaks_of(normal.layer.beta, attempt.layer.leak_codes, bits, shifted_sums(got.potentials[0], bits))
        agrees = evidence.agreement(got)
        close = max(abs(leak.error) for leak in leaks) <= _LEAK
        if close and evidence.distance(got) < before and agreed is not None and agrees is not None and agrees > agreed:
            where = "in the calibration" if calibrated else "on made-up inputs"
            return f"; with {bits} leak bits {100 * agrees:.1f} instead of {100 * agreed:.1f} % agree {where}"
    return ""
