# SPDX-License-Identifier: Apache-2.0
"""What NIR has no word for, as JSON text in a node's metadata under the key ``hysteron``.

The graph carries the format of the potentials, the encoder, the read-out, ``dt`` and the texts; each neuron node the
integers of its layer: mode, reset, both thresholds, leak codes, weight format. A reader that does not know the key
still has the ordinary graph. The layout is described in ``docs/import.md``.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from hysteron_base.errors import HysteronError, require
from hysteron_spec import Coding, Encoder, Layer, Network, Potential, Readout
from hysteron_spec.fields import Declared
from hysteron_spec.network import LAYER_FIELDS
from hysteron_spec.store import VERSION

#: Key of the text in a node's and the graph's metadata. Its version is that of the network file: both have the declared
#: fields of a layer, and a release that does not know one must refuse either.
KEY = "hysteron"
#: Declared fields of a layer that the graph's own numbers tell.
_IN_GRAPH = ("bias",)
#: Those that the metadata hold.
FACTS = {name: about for name, about in LAYER_FIELDS.items() if name not in _IN_GRAPH}
#: Those of them that an import works out itself; the others go to the layer as they are.
_WORKED_OUT = ("theta_high", "theta_low", "leak", "mode", "reset", "weight_bits", "unit_weights", "leak_bits")


@dataclass(frozen=True)
class LayerFacts:
    """The integers of a layer that the graph's floats do not tell: its declared fields, as attributes.

    ``leak`` is a tuple of codes, one a neuron.
    """

    values: Mapping[str, Any]

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["values"][name]
        except KeyError:
            raise AttributeError(name) from None

    @classmethod
    def of(cls, layer: Layer) -> "LayerFacts":
        """The facts of a layer of the hardware."""
        return cls({name: about.parsed(about.plain(getattr(layer, name))) for name, about in FACTS.items()})

    @property
    def others(self) -> dict[str, Any]:
        """Fields that an import does not work out itself, for :class:`~hysteron_spec.network.Layer`."""
        return {name: value for name, value in self.values.items() if name not in _WORKED_OUT}

    def text(self) -> str:
        """The facts as they are stored."""
        values = {name: about.plain(self.values[name]) for name, about in FACTS.items()}
        return json.dumps(values | {"version": VERSION}, sort_keys=True)


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
        """The facts of a network of the hardware, stepped every ``dt`` seconds."""
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


def layer_facts(name: str, metadata: dict[str, Any] | None) -> LayerFacts | None:
    """The facts in the metadata of node ``name``, if it has any."""
    values = _read(f"node {name!r}", metadata)
    if values is None:
        return None
    try:
        present = {key: about for key, about in FACTS.items() if key in values or about.since <= values["version"]}
        facts = LayerFacts({key: _whole(key, about, about.parsed(values[key])) for key, about in present.items()})
        if facts.theta_low > facts.theta_high:
            raise ValueError(f"theta_low {facts.theta_low} lies above theta_high {facts.theta_high}")
        return facts
    except (KeyError, TypeError, ValueError) as error:
        raise _unreadable(f"node {name!r}", error) from None


def _whole(key: str, about: Declared, value: Any) -> Any:
    """``value`` if it is of the field's kind and, where the layer has one, within its limits; else a ValueError."""
    parts = value if about.each_neuron else (value,)
    kind = bool if about.flag else int
    if not all(isinstance(part, kind) and (about.flag or not isinstance(part, bool)) for part in parts):
        raise ValueError(f"{str(value)[:40]!r} is no {'flag' if about.flag else 'whole number'}")
    low, high = about.limits if isinstance(about.limits, tuple) else (-(1 << 31), (1 << 31) - 1)
    for part in parts:
        if not about.flag and not low <= part <= high:
            raise ValueError(f"{key} must be from {low} to {high}, not {str(part)[:40]}")
    return value


def network_facts(metadata: dict[str, Any] | None) -> NetworkFacts | None:
    """The facts in the metadata of a graph, if it has any."""
    values = _read("the graph", metadata)
    if values is None:
        return None
    try:
        encoder = values["encoder"]
        return NetworkFacts(
            _seconds(values["dt"]),
            Potential(**values["potential"]),
            Readout[values["readout"]],
            _flag("readout_every_step", values["readout_every_step"]),
            None
            if encoder is None
            else Encoder(Coding[encoder["coding"]], encoder["steps"], tuple(encoder["thresholds"]), encoder["seed"]),
            _text("name", values["name"]),
            {str(key): _text(f"note {str(key)[:40]!r}", text) for key, text in values["notes"].items()},
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _unreadable("the graph", error) from None


def _flag(name: str, value: Any) -> bool:
    """A JSON boolean; text such as "no" would be true."""
    if not isinstance(value, bool):
        raise ValueError(f"{name} must be true or false, not {str(value)[:40]!r}")
    return value


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{name} must be text, not {str(value)[:40]}")
    return value


def _seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < float("inf"):
        raise ValueError(f"dt must be a positive number of seconds, not {str(value)[:40]!r}")
    return float(value)


def _read(what: str, metadata: dict[str, Any] | None) -> dict[str, Any] | None:
    """The JSON object under :data:`KEY`, with its version checked."""
    require(
        metadata is None or isinstance(metadata, Mapping),
        f"metadata of {what} must be named values, not a {type(metadata).__name__}",
    )
    text = (metadata or {}).get(KEY)
    if text is None:
        return None
    try:
        values = json.loads(text)
        version = values["version"]
    except (KeyError, TypeError, ValueError, RecursionError) as error:
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
