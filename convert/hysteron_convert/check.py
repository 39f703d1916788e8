# SPDX-License-Identifier: Apache-2.0
"""Whether the integers do what the float network does: a check of every import, and a verdict in one line.

Each layer is run twice, in float and in integers, on the same made-up inputs that make it fire
(:mod:`hysteron_convert.probing`), so what differs is that layer's doing. Where the source is a module of PyTorch, the
module itself is run on the network's inputs too.
"""

from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hysteron_base.errors import HysteronError
from hysteron_spec import Network, Reset

from .leaks import shifted_sums
from .model import FloatLayer, FloatNetwork, Timing
from .probing import Probe, probe_layers
from .report import Rounding, leaks_of
from .rerun import compare_module
from .search import mismatch, run_alone, saturation

#: Share of a layer's spikes that may be missing or too many, neuron by neuron and sample by sample, before it counts as
#: another layer. The trained digits with calibration are off by 0.09 in 4-bit weights and by 0.35 in 1 bit (95 of 98 %
#: accuracy); without, in 1 bit, by 2 (88 %). A silent layer is off by 1.
MOST_OFF = 0.8
#: The same in units of what the layer's own neurons differ from each other: with the weights of others it is about 1,
#: however often the neurons fire; the digits with calibration have 0.05 in 4 bits and 0.26 in 1 bit.
MOST_OF_CHANCE = 0.75
#: Share below which the layer is close, even if its neurons are all alike.
LEAST_OFF = 0.25
#: Least correlation of potentials that are read: the weights of others give about 0, the signs alone of normally
#: distributed weights 0.8.
LEAST_CORRELATION = 0.6
#: Share of the neurons that fire in float and may be silent in integers. Some always are, that fire once in a sample.
MOST_SILENCED = 0.5
#: Share of the module's spikes that may differ from those of the float network: what rounds otherwise at a threshold.
MOST_MISREAD = 1e-3
#: Share of potentials at the ends of their range that is worth a word, and how far off a leak in effect is.
SATURATED, LEAK_OFF = 0.01, 0.01


#: Other neurons that each is compared with.
_OTHERS = 8


class Verdict(Enum):
    """How faithful an import is."""

    EXACT = "exact"
    CLOSE = "close"
    NOT_FAITHFUL = "not faithful"


@dataclass(frozen=True, eq=False)
class Given:
    """What was imported, if it was a module of PyTorch (else None), and how the network is given its input."""

    module: Any = None
    input_shape: tuple[int, ...] | None = None
    mean: float = 0.0
    std: float = 1.0


@dataclass(frozen=True)
class LayerCheck:
    """What one layer does on made-up inputs, in float and in integers.

    Attributes
    ----------
    name
        Name of its neuron's node.
    aimed
        The inputs were made up for this layer, as it never or hardly fires on what the layers before it put out.
    can_fire
        Whether any neuron can exceed its threshold in float, whatever its inputs are.
    read
        Its potentials are read, so spikes do not matter.
    agreement
        Share of spikes and silences, or of winning potentials, that are alike; None of a layer that is silent in both.
    off
        Spikes too few or too many of each neuron in a sample, as a share of the float layer's; of potentials that are
        read, one less their correlation. None of a layer that is silent in both.
    chance
        What ``off`` would be if each neuron fired as another one of the float layer does.
    rate_float, rate
        Spikes per neuron and step.
    silenced
        Share of the neurons that fire in float which never do in integers.
    saturated
        Share of the updates that leave a potential at an end of its range.
    leak, leak_in_effect
        The trained leak and the one in effect, of those neurons for which they differ most; the latter None if all
        potentials were 0.
    module
        Share of the module's spikes that are as in the float network; None without a module.
    """

    name: str
    aimed: bool
    can_fire: bool
    read: bool
    agreement: float | None
    off: float | None
    chance: float
    rate_float: float
    rate: float
    silenced: float
    saturated: float
    leak: float
    leak_in_effect: float | None
    module: float | None = None

    @property
    def fault(self) -> str | None:
        """Why this is another layer than the trained one; None if it is not."""
        if self.module is not None and 1 - self.module > MOST_MISREAD:
            return f"{100 * (1 - self.module):.2g} % of its spikes are not those of the module"
        if self.read:
            worse = self.off is not None and self.off > 1 - LEAST_CORRELATION
            return f"its potentials correlate by {1 - (self.off or 0):.2f} only" if worse else None
        if not self.rate_float and not self.rate:
            return None
        if not self.rate:
            return "it never fires, though it does in float"
        if not self.rate_float:
            return "it fires, though it never does in float"
        if self.silenced > MOST_SILENCED:
            return f"{100 * self.silenced:.0f} % of the neurons that fire in float never do"
        if self.off is not None and self.off > min(MOST_OFF, max(MOST_OF_CHANCE * self.chance, LEAST_OFF)):
            return f"{100 * self.off:.0f} % of its spikes are missing or too many"
        return None

    @property
    def text(self) -> str:
        """The agreement, for people."""
        return "silent" if self.agreement is None else f"{100 * self.agreement:.1f} %"


@dataclass(frozen=True)
class Check:
    """The check of an import.

    Attributes
    ----------
    verdict
        How faithful it is.
    reason
        Why, or where.
    layers
        What each layer did.
    notes
        Sentences about layers that are silent, and about what could not be checked.
    """

    verdict: Verdict
    reason: str
    layers: tuple[LayerCheck, ...]
    notes: tuple[str, ...]

    @property
    def faithful(self) -> bool:
        """Whether the integers may stand for the trained network."""
        return self.verdict is not Verdict.NOT_FAITHFUL

    def __str__(self) -> str:
        return f"{self.verdict.value} ({self.reason})"

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        layers = [asdict(layer) | {"fault": layer.fault} for layer in self.layers]
        return {"verdict": self.verdict.value, "reason": self.reason, "layers": layers, "notes": list(self.notes)}


def check_network(
    before: FloatNetwork,
    after: Network,
    rounding: Rounding,
    samples: NDArray[Any] | None = None,
    given: "Given | None" = None,
) -> Check:
    """Run both networks on made-up inputs, layer by layer, and judge.

    Parameters
    ----------
    before, after
        The float network and its integers.
    rounding
        What was rounded.
    samples
        Calibration samples, whose statistics the made-up ones should have; None: all rates and brightnesses.
    given
        The module of PyTorch that ``before`` was read from, if it was.
    """
    probes = probe_layers(before, samples)
    notes: list[str] = []
    shares: dict[str, float] = {}
    if given is not None and given.module is not None:
        inputs, shape = probes[0].reference.inputs, given.input_shape
        try:
            shares = compare_module(given.module, before, inputs, input_shape=shape, mean=given.mean, std=given.std)
        except HysteronError as error:
            notes.append(f"the module could not be run on made-up inputs ({error}); only its reading was compared")
    layers = []
    for index, (source, probe) in enumerate(zip(before.layers, probes, strict=True)):
        layers.append(_check_layer(after, index, source, probe, shares.get(source.name)))
        notes += _notes(layers[-1])
    verdict, reason = _judge(before, after, rounding, tuple(layers))
    return Check(verdict, reason, tuple(layers), tuple(notes))


def _check_layer(after: Network, index: int, source: FloatLayer, probe: Probe, module: float | None) -> LayerCheck:
    layer, have = after.layers[index], probe.reference
    result = run_alone(layer, after.potential, have)
    assert result.spikes is not None and result.potentials is not None
    spikes, potentials = result.spikes[0], result.potentials[0]
    agreement = have.agreement(result)
    off: float | None = None
    counts, wanted = (fired.sum(axis=1, dtype=np.int64) for fired in (spikes, have.spikes))
    total = max(int(wanted.sum()), 1)
    others = range(1, min(source.n_out, _OTHERS + 1))
    distances = [np.abs(np.roll(wanted, shift, axis=1) - wanted).sum() / total for shift in others]
    if agreement is not None and have.read:
        off = mismatch(potentials[:, -1].astype(np.float64), have.potentials[:, -1])
    elif agreement is not None:
        off = float(np.abs(counts - wanted).sum() / total)
    lively, fires = np.any(have.spikes, axis=(0, 1)), np.any(spikes, axis=(0, 1))
    sums = shifted_sums(potentials, layer.leak_bits)
    worst = max(leaks_of(source.beta, layer.leak_codes, layer.leak_bits, sums), key=lambda leak: abs(leak.error))
    return LayerCheck(
        name=source.name,
        aimed=probe.aimed,
        can_fire=probe.can_fire,
        read=have.read,
        agreement=agreement,
        off=off,
        chance=float(np.mean(distances)) if distances else 1.0,
        rate_float=float(have.spikes.mean()),
        rate=float(spikes.mean()),
        silenced=float(np.mean(~fires[lively])) if lively.any() else 0.0,
        saturated=saturation(result, after.potential),
        leak=worst.beta,
        leak_in_effect=worst.effect,
        module=module,
    )


def _notes(layer: LayerCheck) -> list[str]:
    """What must be said of a silent layer."""
    node = f"node {layer.name!r}"
    if layer.read:
        return [f"{node}: its potentials stay 0 on made-up inputs"] if layer.agreement is None else []
    if not layer.can_fire:
        return [f"{node}: cannot fire, whatever its inputs are: its weights never lift a potential over the threshold"]
    if layer.agreement is None:
        return [f"{node}: could not be made to fire, so nothing of it was compared"]
    if layer.aimed:
        return [f"{node}: hardly fires in float on what the layers before it put out; it was given spikes of its own"]
    return []


def _judge(
    before: FloatNetwork, after: Network, rounding: Rounding, layers: tuple[LayerCheck, ...]
) -> tuple[Verdict, str]:
    """The verdict and its reason."""
    facts = before.facts
    own = facts is not None and facts.potential == after.potential
    if rounding.exact and own and all(layer.facts is not None for layer in before.layers):
        return Verdict.EXACT, "every integer is the one that the file states"
    for layer in layers:
        if layer.fault is not None:
            return Verdict.NOT_FAITHFUL, f"node {layer.name!r}: {layer.fault}"
    if not any(layer.agreement is not None for layer in layers):
        return Verdict.NOT_FAITHFUL, "no layer could be made to fire, so nothing was compared"
    reasons = [] if rounding.exact else ["rounded to integers"]
    if any(_late(layer) for layer in before.layers):
        reasons.append("the reset acts at once")
    leaks = [layer for layer in layers if layer.leak_in_effect is not None]
    leaking = max(leaks, key=lambda layer: abs((layer.leak_in_effect or 0) - layer.leak), default=None)
    if leaking is not None and abs((leaking.leak_in_effect or 0) - leaking.leak) > LEAK_OFF:
        reasons.append(f"node {leaking.name!r} leaks {leaking.leak_in_effect:.3g} in effect, not {leaking.leak:.3g}")
    full = max(layers, key=lambda layer: layer.saturated)
    if full.saturated > SATURATED:
        reasons.append(f"{100 * full.saturated:.2g} % of the potentials of node {full.name!r} are at their ends")
    compared = [layer for layer in layers if layer.agreement is not None]
    least = min(compared, key=lambda layer: layer.agreement or 0)
    if rounding.exact and least.agreement == 1 and len(compared) == len(layers):
        return Verdict.EXACT, "nothing was rounded, and every spike is the same"
    silent = [repr(layer.name) for layer in layers if layer.agreement is None]
    if silent:
        reasons.append(f"silent and not compared: {', '.join(silent)}")
    reasons.append(f"{least.text} agree at least, in node {least.name!r}")
    return Verdict.CLOSE, "; ".join(reasons)


def _late(layer: FloatLayer) -> bool:
    return layer.timing is not Timing.SAME_STEP and layer.reset is not Reset.NONE
