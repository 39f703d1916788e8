# SPDX-License-Identifier: Apache-2.0
"""Networks in words and in plain values, for tables, pages and programs."""

from dataclasses import asdict
from fractions import Fraction
from html import escape
from typing import Any

from hysteron_base.html import table_of
from hysteron_base.text import harmless

from .network import LAYER_FIELDS, Layer, Network


def leak_text(layer: Layer) -> str:
    """The factor that a layer's potentials keep each step, or the range of factors, as fractions."""
    low, high = (Fraction(int(code), 1 << layer.leak_bits) for code in (layer.leak_codes.min(), layer.leak_codes.max()))
    return str(low) if low == high else f"{low} … {high}"


def layer_rows(network: Network) -> tuple[list[str], list[list[str]]]:
    """Headings and a row for each layer, for tables of a network; a heading that begins with ``<`` is of texts."""
    shown = {name: about for name, about in LAYER_FIELDS.items() if about.heading}
    heads = ["layer", "inputs", "neurons", *(each.heading for each in shown.values()), "leak", "<recurrent"]
    rows = [
        [
            str(index),
            str(layer.n_in),
            str(layer.n_out),
            *(about.text(getattr(layer, name)) for name, about in shown.items()),
            leak_text(layer),
            "no" if layer.recurrent is None else "yes",
        ]
        for index, layer in enumerate(network.layers)
    ]
    return heads, rows


def facts(network: Network) -> list[str]:
    """What a network is besides its layers, a line each."""
    encoder, potential = network.encoder, network.potential
    given = "spikes" if encoder is None else f"pixels, {encoder.coding.name.lower()} coding over {encoder.steps} steps"
    return [
        f"potential: {potential.bits} bits, {'signed' if potential.signed else 'unsigned'}",
        f"input: {given}",
        f"read-out: {network.readout.name.lower()}{' after every step' if network.readout_every_step else ''}",
    ]


def as_text(network: Network) -> str:
    """A network as a plain table."""
    heads, rows = layer_rows(network)
    lines = [[head.lstrip("<") for head in heads], *rows]
    widths = [max(len(line[k]) for line in lines) for k in range(len(heads))]
    table = ["  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]
    return "\n".join([f"Network {network.name!r}: {network.shape}", *table, *facts(network)])


def as_html(network: Network) -> str:
    """A network as an HTML table, for notebooks."""
    heads, rows = layer_rows(network)
    top = "".join(f"<th>{escape(head.lstrip('<'))}</th>" for head in heads)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    title = escape(harmless(f"{network.name}: {network.shape}"))
    return (
        f"<table><caption style='text-align:left'><b>{title}</b></caption><thead><tr>{top}</tr></thead>"
        f"<tbody>{body}</tbody></table><p>{'; '.join(map(escape, facts(network)))}</p>"
    )


def layer_as_html(layer: Layer) -> str:
    """A layer as an HTML table, for notebooks."""
    declared = {name: about.text(getattr(layer, name)) for name, about in LAYER_FIELDS.items()}
    rows = {"inputs": str(layer.n_in), "neurons": str(layer.n_out)}
    rows |= declared | {"leak": leak_text(layer), "recurrent": "no" if layer.recurrent is None else "yes"}
    return table_of("Layer", rows)


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
