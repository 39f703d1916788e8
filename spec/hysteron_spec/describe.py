"""Networks in words and in plain values, for tables, pages and programs."""

from dataclasses import asdict
from fractions import Fraction
from typing import Any

from .network import LAYER_FIELDS, Layer, Network


def leak_text(layer: Layer) -> str:
    """The factor that a layer's potentials keep each step, or the range of factors, as fractions."""
    low, high = (Fraction(int(code), 1 << layer.leak_bits) for code in (layer.leak_codes.min(), layer.leak_codes.max()))
    return str(low) if low == high else f"{low} … {high}"


def describe(network: Network) -> dict[str, Any]:
    """A network as plain values, without its weights."""
    encoder = network.encoder
    return {
        "name": network.name,
        "shape": network.shape,
        "potential": asdict(network.potential),
        "encoder": None if encoder is None else asdict(encoder) | {"coding": encoder.coding.name.lower()},
        "readout": network.readout.name.lower(),
        "readout_every_step": network.readout_every_step,
        "notes": dict(network.notes),
        "layers": [
            {
                "inputs": layer.n_in,
                "neurons": layer.n_out,
                "projections": [
                    {"name": each.name, "source": each.source.name.lower(), "sources": each.sources, "rows": each.rows}
                    for each in layer.projections
                ],
                **{
                    name: about.plain(getattr(layer, name))
                    for name, about in LAYER_FIELDS.items()
                    if not about.each_neuron
                },
            }
            for layer in network.layers
        ],
    }
