"""What NIR has no word for, as JSON text in a node's metadata under the key ``hysteron``.

The graph carries the format of the potentials, the encoder, the read-out, ``dt`` and the texts; each neuron node the
integers of its layer: mode, reset, both thresholds, leak codes, weight format. A reader that does not know the key
still has the ordinary graph. The layout is described in ``docs/import.md``.
"""

import json
from dataclasses import asdict, dataclass
from typing import Any

from hysteron_base.errors import HysteronError, require
from hysteron_spec import Coding, Encoder, Layer, Mode, Network, Potential, Readout, Reset

#: Key of the text in a node's and the graph's metadata.
KEY = "hysteron"
#: Version this release writes; it reads this one and all older.
VERSION = 1


@dataclass(frozen=True)
class LayerFacts:
    """The integers of a layer that the graph's floats do not tell."""

    mode: Mode
    reset: Reset
    theta_high: int
    theta_low: int
    leak: tuple[int, ...]
    leak_bits: int
    weight_bits: int
    unit_weights: bool

    @classmethod
    def of(cls, layer: Layer) -> "LayerFacts":
        """Of a layer of the hardware."""
        return cls(
            layer.mode,
            layer.reset,
            layer.theta_high,
            layer.theta_low,
            tuple(int(code) for code in layer.leak_codes),
            layer.leak_bits,
            layer.weight_bits,
            layer.unit_weights,
        )

    def text(self) -> str:
        """As it is stored."""
        values = asdict(self) | {"mode": self.mode.name, "reset": self.reset.name, "version": VERSION}
        return json.dumps(values, sort_keys=True)


@dataclass(frozen=True)
class NetworkFacts:
    """What belongs to no layer. ``dt`` is in seconds."""

    dt: float
    potential: Potential
    readout: Readout
    readout_every_step: bool
    encoder: Encoder | None
    name: str
    notes: dict[str, str]

    @classmethod
    def of(cls, network: Network, dt: float) -> "NetworkFacts":
        """Of a network of the hardware, stepped every ``dt`` seconds."""
        return cls(
            dt,
            network.potential,
            network.readout,
            network.readout_every_step,
            network.encoder,
            network.name,
            dict(network.notes),
        )

    def text(self) -> str:
        """As it is stored."""
        encoder = self.encoder
        values = asdict(self) | {
            "readout": self.readout.name,
            "encoder": None if encoder is None else asdict(encoder) | {"coding": encoder.coding.name},
            "version": VERSION,
        }
        return json.dumps(values, sort_keys=True)


def layer_facts(name: str, metadata: dict[str, Any]) -> LayerFacts | None:
    """The facts in the metadata of node ``name``, if it has any."""
    values = _read(f"node {name!r}", metadata)
    if values is None:
        return None
    try:
        return LayerFacts(
            Mode[values["mode"]],
            Reset[values["reset"]],
            int(values["theta_high"]),
            int(values["theta_low"]),
            tuple(int(code) for code in values["leak"]),
            int(values["leak_bits"]),
            int(values["weight_bits"]),
            bool(values["unit_weights"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise _unreadable(f"node {name!r}", error) from None


def network_facts(metadata: dict[str, Any]) -> NetworkFacts | None:
    """The facts in the metadata of a graph, if it has any."""
    values = _read("the graph", metadata)
    if values is None:
        return None
    try:
        encoder = values["encoder"]
        return NetworkFacts(
            float(values["dt"]),
            Potential(**values["potential"]),
            Readout[values["readout"]],
            bool(values["readout_every_step"]),
            None
            if encoder is None
            else Encoder(Coding[encoder["coding"]], encoder["steps"], tuple(encoder["thresholds"]), encoder["seed"]),
            str(values["name"]),
            {str(key): str(text) for key, text in values["notes"].items()},
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _unreadable("the graph", error) from None


def _read(what: str, metadata: dict[str, Any]) -> dict[str, Any] | None:
    """The JSON object under :data:`KEY`, with its version checked."""
    text = (metadata or {}).get(KEY)
    if text is None:
        return None
    try:
        values = json.loads(text)
        version = values["version"]
    except (KeyError, TypeError, ValueError) as error:
        raise _unreadable(what, error) from None
    require(
        type(version) is int and 1 <= version <= VERSION,
        f"metadata {KEY!r} of {what} has version {version!r}, this release reads 1 to {VERSION}; upgrade hysteron",
    )
    return dict(values)


def _unreadable(what: str, error: Exception) -> HysteronError:
    return HysteronError(
        f"metadata {KEY!r} of {what} cannot be read ({type(error).__name__}: {error}); "
        "export the network again or remove the key"
    )
