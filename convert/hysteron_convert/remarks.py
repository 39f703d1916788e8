# SPDX-License-Identifier: Apache-2.0
"""What deserves a sentence about one quantised layer: what numbers in a table do not tell, and what is refused.

A remedy is only given if it was tried on the same inputs and does better.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from hysteron_base.errors import require
from hysteron_spec.network import Layer
from hysteron_spec.neuron import WEIGHT_BITS, Potential, weight_range

from .candidates import Candidate, Format, Ints, Normal, make_candidate
from .leaks import shifted_sums
from .report import LayerRounding, leaks_of
from .search import Reference, at_scale, codes_in_effect, plain_scale, saturation

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
    normal: Normal,
    candidate: Candidate,
    rounding: LayerRounding,
    form: Format,
    evidence: Reference,
    *,
    calibrated: bool,
    room: float | None,
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
    room
        What the scale left free above the threshold, if it follows from the weights alone (see
        :func:`~hysteron_convert.search.at_scale`); None if it was searched.
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
        remarks += _scale_remarks(node, normal, candidate, form, evidence, room)
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
            f"{form.potential.bits} bits" + _saturation_remedy(normal, candidate, form, evidence)
        )
    return remarks + _silence_remarks(node, normal, candidate.layer, rounding, form)


def _scale_remarks(
    node: str, normal: Normal, candidate: Candidate, form: Format, evidence: Reference, room: float | None
) -> list[str]:
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
    if gone := _gone(normal, candidate):
        less = (
            (bits, _gone(normal, wider)) for bits, wider in _with_more_bits(normal, candidate, form, evidence, room)
        )
        more = next((f"; with {bits} weight bits of {left or 'none'}" for bits, left in less if left < gone), "")
        remarks.append(f"{node}: all weights of {gone} of {got.shape[1]} neurons became 0{more}")
    if _recurrent_gone(normal, candidate):
        tried = _with_more_bits(normal, candidate, form, evidence, room)
        kept = (bits for bits, wider in tried if not _recurrent_gone(normal, wider))
        more = next((f"; with {bits} weight bits they do not" for bits in kept), "")
        remarks.append(f"{node}: all recurrent weights became 0{more}")
    return remarks


def _gone(normal: Normal, candidate: Candidate) -> int:
    """Neurons all of whose weights became 0."""
    return int(np.count_nonzero(normal.weights.any(axis=0) & ~candidate.layer.weights.any(axis=0)))


def _recurrent_gone(normal: Normal, candidate: Candidate) -> bool:
    """Whether all recurrent weights became 0."""
    own, wanted = candidate.recurrent, normal.recurrent
    return own is not None and wanted is not None and bool(wanted.any()) and not own.low and not own.high


def _with_more_bits(
    normal: Normal, candidate: Candidate, form: Format, evidence: Reference, room: float | None
) -> Iterator[tuple[int, Candidate]]:
    """The layer with more weight bits, fewest first, as far as that does no harm: the scale grows with their range.

    It grows no further than the range of potentials lets the threshold. One bit has no 0 to be lost in.
    """
    if form.weight_bits == 1:
        return
    before = evidence.distance(evidence.run(candidate, form))
    for bits in (each for each in WEIGHT_BITS if each > form.weight_bits):
        wider = replace(form, weight_bits=bits)
        if room is None:
            finer = weight_range(bits, False)[1] / weight_range(form.weight_bits, False)[1]
            scale = at_scale(normal, candidate.scale * finer, wider)
        else:
            scale = at_scale(normal, plain_scale(normal, wider), wider, room)
        attempt = make_candidate(normal, *scale, wider)
        if evidence.distance(evidence.run(attempt, wider)) <= before:
            yield bits, attempt


def _saturation_remedy(normal: Normal, candidate: Candidate, form: Format, evidence: Reference) -> str:
    """The fewest potential bits in which hardly a potential is at an end and the spikes come closer, if any do."""
    have = evidence.run(candidate, form)
    before, agreed = evidence.distance(have), evidence.agreement(have)
    for bits in range(form.potential.bits + 1, 25):
        wider = replace(form, potential=Potential(bits, form.potential.signed))
        attempt = candidate
        if normal.theta is None:  # a threshold that no potential exceeds
            attempt = replace(candidate, layer=replace(candidate.layer, theta_high=wider.potential.high))
        got = evidence.run(attempt, wider)
        agrees = evidence.agreement(got)
        free = saturation(got, wider.potential) <= _SATURATED
        if free and evidence.distance(got) < before and agreed is not None and agrees is not None and agrees > agreed:
            better = f"{100 * agrees:.1f} instead of {100 * agreed:.1f}"
            return f"; with {bits} potential bits {better} % agree in the calibration"
    return ""


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
