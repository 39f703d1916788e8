# SPDX-License-Identifier: Apache-2.0
"""What a network needs of a core: which preset holds it, or which parameters of one it needs changed."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

from hysteron_base.errors import HysteronError
from hysteron_base.settings import checked_settings

from .core import CoreConfig, ceil_div
from .encoder import Coding
from .network import Network
from .presets import PRESETS
from .program import compile_network

#: Presets in the order in which they are tried; ``tiny`` is for tests.
_USED = tuple(name for name in PRESETS if name != "tiny")


@dataclass(frozen=True)
class Fit:
    """A preset and the parameters to change, by name; empty if it fits as it is."""

    preset: str
    changes: Mapping[str, int | bool | str]

    @property
    def config(self) -> CoreConfig:
        """The core itself."""
        return CoreConfig.preset(self.preset).override({key: str(value).lower() for key, value in self.changes.items()})

    @property
    def options(self) -> str:
        """As command-line options."""
        changes = [f" --set {name}={str(value).lower()}" for name, value in self.changes.items()]
        return f"--preset {self.preset}{''.join(changes)}"

    @property
    def narrower(self) -> str:
        """Options of ``hysteron import`` that make a network for the preset as it is; empty if there are none."""
        formats = ("weight_bits", "potential_bits", "leak_bits", "bias_bits")
        if not self.changes or not set(self.changes) <= set(formats):
            return ""
        config = CoreConfig.preset(self.preset)
        return " ".join(
            f"--{name.replace('_', '-')} {getattr(config, name)}" for name in formats if name in self.changes
        )


def needed(network: Network, config: CoreConfig) -> dict[str, int | bool]:
    """Parameters of ``config`` that ``network`` needs changed, and the least values that hold it."""
    tiles = [ceil_div(layer.n_out, config.lanes) for layer in network.layers]
    rows = sum(n * sum(each.rows for each in layer.projections) for n, layer in zip(tiles, network.layers, strict=True))
    least: dict[str, int] = {
        "weight_bits": max(layer.weight_bits for layer in network.layers),
        "bias_bits": max(_bias_bits(layer.biases.min(), layer.biases.max()) for layer in network.layers),
        "max_inputs": network.n_in,
        "max_neurons": max(layer.n_out for layer in network.layers),
        "max_layers": len(network.layers),
        "weight_rows": rows,
        "tiles": sum(map(config.tiles_taken, tiles)),
        "max_outputs": network.n_out,
    }
    changes: dict[str, int | bool] = {
        name: value for name, value in least.items() if value > int(getattr(config, name))
    }
    if config.potential_signed != network.potential.signed and network.potential.signed:
        changes["potential_signed"] = True
    bits = network.potential.bits
    if not network.potential.signed and config.potential_signed:
        bits += 1  # a signed format needs a bit more to hold it
    if bits > config.potential_bits:
        changes["potential_bits"] = bits
    if network.layers[0].leak_bits != config.leak_bits:
        changes["leak_bits"] = network.layers[0].leak_bits
    # What other codings make of pixels the host can send.
    if network.encoder is not None and network.encoder.coding is Coding.DIRECT and not config.direct:
        changes["direct"] = True
        if not config.encoder:
            changes["encoder"] = True
    return changes


def _bias_bits(low: int, high: int) -> int:
    """Width of a signed bias of ``low`` to ``high``; 0 if there is none."""
    return 0 if low == high == 0 else max(int(-low - 1 if low < 0 else 0), int(max(high, 0))).bit_length() + 1


def fit(network: Network, settings: Mapping[str, str] | None = None) -> Fit | None:
    """The preset that needs the fewest changes; None if no core can hold the network, however it is set.

    ``settings`` are parameters that every preset has been given before, as texts by name.
    """
    best: Fit | None = None
    for name in _USED:
        try:
            config = CoreConfig.preset(name).override(dict(settings or {}))
            changes = needed(network, config)
            compile_network(network, config.override({key: str(value).lower() for key, value in changes.items()}))
        except HysteronError:
            continue
        if best is None or len(changes) < len(best.changes):
            best = Fit(name, changes)
    return best


def title_of(config: CoreConfig) -> str:
    """A core in a line, for people: its name, what differs from the preset, and its clock."""
    name = config.name.rstrip("*")
    changes = ""
    if config.name != name and name in PRESETS:
        preset = CoreConfig.preset(name)
        differ = [
            f.name for f in fields(config) if f.name != "name" and getattr(config, f.name) != getattr(preset, f.name)
        ]
        changes = ", ".join(f"{each}={str(getattr(config, each)).lower()}" for each in differ)
    return f"core {name}" + (f" with {changes}" if changes else "") + f", {config.clock_hz / 1e6:g} MHz"


def _first(network: Network) -> str | None:
    """The first preset that holds a network as it is; None if none does."""
    for name in _USED:
        try:
            compile_network(network, CoreConfig.preset(name))
        except HysteronError:
            continue
        return name
    return None


def _changed(network: Network, preset: str, settings: Mapping[str, str]) -> CoreConfig:
    """A preset that holds the network, with parameters changed; refused if it holds the network no longer."""
    config = CoreConfig.preset(preset).override(dict(settings))
    try:
        compile_network(network, config)
    except HysteronError as error:
        changes = {key: str(value).lower() for key, value in needed(network, config).items()}
        remedies = [Fit(preset, {**settings, **changes})]
        remedies += [near] if (near := _other(network, preset, settings)) else []
        found = [each.options for each in remedies if _holds(network, each)]
        remedy = f"use {' or '.join(found)}" if found else "leave --set away"
        given = ", ".join(f"{key}={value}" for key, value in settings.items())
        raise HysteronError(
            f"preset {preset} holds the network {network.shape}, but not with {given}: "
            f"{str(error).partition(';')[0]}; {remedy}"
        ) from None
    return config


def _other(network: Network, preset: str, settings: Mapping[str, str]) -> Fit | None:
    """The first other preset that holds the network with the same parameters changed."""
    others = (Fit(name, settings) for name in _USED if name != preset)
    return next((each for each in others if _holds(network, each)), None)


def _holds(network: Network, fit: Fit) -> bool:
    """Whether a preset with its changes holds a network."""
    try:
        compile_network(network, fit.config)
    except HysteronError:
        return False
    return True


def choose_core(network: Network | None, preset: str | None, settings: Mapping[str, str]) -> CoreConfig:
    """The core that is asked for, or the first that holds a network.

    Parameters that are changed change the core that would be taken without them, and never which one it is: another
    one has another clock. Only where no preset holds the network as it is do they choose, as they make it fit.

    Parameters
    ----------
    network
        The network to be held; None if there is none yet.
    preset
        Name of the core; None: the first preset that holds ``network``, or ``digits`` without one.
    settings
        Parameters to be changed, as texts by name.

    Raises
    ------
    HysteronError
        If there is no such preset or parameter, or no preset holds the network: then with what each lacks, and the
        changes that the nearest needs; or if parameters are changed so that the preset holds it no longer.
    """
    settings = checked_settings(settings)
    if preset is not None or network is None:
        return CoreConfig.preset(preset or "digits").override(dict(settings))
    if settings and (kept := _first(network)) is not None:
        return _changed(network, kept, settings)
    reasons, impossible = {}, {}
    for name in _USED:
        try:
            config = CoreConfig.preset(name).override(dict(settings))
        except HysteronError as error:
            impossible[name] = error  # settings that another preset may allow
            continue
        try:
            compile_network(network, config)
        except HysteronError as error:
            reasons[name] = str(error).partition(";")[0]
        else:
            return config
    if not reasons:
        raise impossible[_USED[0]]
    near = fit(network, settings)
    why = reasons[near.preset] if near else next(iter(reasons.values()))
    remedy = "make the network smaller"
    if near is not None:
        remedy = f"use {Fit(near.preset, {**settings, **near.changes}).options}"
    raise HysteronError(f"no preset fits the network {network.shape}: {why}; {remedy}")
