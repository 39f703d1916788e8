# SPDX-License-Identifier: Apache-2.0
"""Map a network onto a core: memory images, layer descriptors and register values.

Neuron *n* of a layer lives in tile ``n // lanes``, lane ``n % lanes``. A layer's weight rows lie tile
after tile; within a tile the rows of the inputs come first, then those of the recurrent sources. Tiles are
numbered over all layers; a tile has the same address in the state, the parameter and the spike memory.

The small core's memories are narrow: NEURONS has a row for each neuron (tile by tile), and JOBS a row for each field
of a layer's :func:`descriptor_layout`, at 8 rows a layer; there are no THRESHOLDS.

Specified in docs/specification.md, §7.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hysteron_base.errors import of_kind, require
from hysteron_spec.registers import REGIONS, REGISTERS

from .core import CoreConfig, ceil_div
from .encoder import Coding
from .layouts import (
    DESCRIPTOR_ROWS,
    descriptor_bits,
    descriptor_flags,
    descriptor_layout,
    job_layout,
    neuron_layout,
    row_stride,
    row_words,
    threshold_layout,
)
from .network import LAYER_FIELDS, Layer, Network
from .neuron import weight_range
from .packets import WORD

Words = NDArray[np.uint32]


@dataclass(frozen=True, eq=False)
class Program:
    """A network mapped onto a core.

    Attributes
    ----------
    source, network
        The network that was mapped, and what the core runs of it: the same without its encoder, if the core has none.
    images
        For each memory region a ``(rows, words)`` uint32 image.
    widths
        For each region the bits of a row.
    tiles
        Tiles of each layer.
    registers
        Register values that configure the core.
    """

    source: Network
    network: Network
    config: CoreConfig
    images: dict[str, Words]
    widths: dict[str, int]
    tiles: tuple[int, ...]
    weight_base: tuple[int, ...]
    tile_base: tuple[int, ...]
    registers: dict[str, int]

    @property
    def encodes_elsewhere(self) -> bool:
        """Whether whoever sends the samples must make spikes of their pixels: the core has no encoder."""
        return self.network.encoder is None and self.source.encoder is not None

    def bus_writes(self) -> Iterator[tuple[int, int]]:
        """``(byte address, word)`` writes that stop and reset the core and load everything, in order."""
        yield REGISTERS["CONTROL"].address, 0
        yield REGISTERS["COMMAND"].address, REGISTERS["COMMAND"].pack(RESET=1)
        address = REGISTERS["MEMORY_ADDRESS"]
        data = REGISTERS["MEMORY_DATA"].address
        for region, image in self.images.items():
            stride = row_stride(self.widths[region])
            contiguous = image.shape[1] == stride
            for row, words in enumerate(image):
                if row == 0 or not contiguous:
                    yield address.address, address.pack(REGION=REGIONS[region], WORD=row * stride)
                for word in words:
                    yield data, int(word)
        for name, value in self.registers.items():
            yield REGISTERS[name].address, value


def _pack(fields: list[tuple[NDArray[np.integer], int]], width: int) -> Words:
    """Rows of bits: each field is ``(rows, n)`` values of so many bits, repeated over n."""
    rows = fields[0][0].shape[0]
    columns = []
    for values, bits in fields:
        if bits:
            shifts = np.arange(bits)
            columns.append((values.astype(np.int64)[..., None] >> shifts & 1).astype(np.uint8))
    packed = np.concatenate(columns, axis=2).reshape(rows, -1)
    assert packed.shape[1] == width
    padded = np.zeros((rows, row_words(width) * WORD), np.uint8)
    padded[:, :width] = packed
    return np.packbits(padded, axis=1, bitorder="little").view("<u4").astype(np.uint32)


def _by_tile(values: NDArray[np.integer], lanes: int, tiles: int = 0) -> NDArray[np.integer]:
    """``(…, n)`` as ``(tiles, …, lanes)``, filled up with 0 to whole tiles and to at least ``tiles``."""
    n = values.shape[-1]
    padded = np.zeros((*values.shape[:-1], max(ceil_div(n, lanes), tiles) * lanes), np.int32)
    padded[..., :n] = values
    return np.moveaxis(padded.reshape(*values.shape[:-1], -1, lanes), -2, 0)


def _weight_codes(values: NDArray[np.integer], bits: int) -> NDArray[np.integer]:
    """Memory codes: 1-bit weights as 1 for +1 and 0 for the other value, wider ones as they are."""
    return (values > 0).astype(np.int32) if bits == 1 else values


def compile_network(network: Network, config: CoreConfig) -> Program:
    """Map ``network`` onto ``config``.

    On a core without an encoder a network that encodes is mapped without doing so; it must be sent the spikes of
    :func:`~hysteron_spec.encoder.encode`.

    Raises
    ------
    HysteronError
        Naming what does not fit, how much of it there is and how much the core has.
    """
    of_kind("network", network, Network, "load one, or make it of layers")
    of_kind("config", config, CoreConfig, "give PRESETS[name]")

    def fits(what: str, need: int, have: int, parameter: str) -> None:
        require(
            need <= have,
            f"the network needs {need} {what}, core {config.name!r} has {have}; choose a larger preset or {parameter}",
        )

    fits("layers", len(network.layers), config.max_layers, "max_layers")
    fits("inputs", network.n_in, config.max_inputs, "max_inputs")
    fits("outputs", network.n_out, config.max_outputs, "max_outputs")
    require(
        config.potential.low <= network.potential.low and network.potential.high <= config.potential.high,
        f"the network's potentials reach {network.potential.low} to {network.potential.high}, "
        f"core {config.name!r} holds "
        f"{config.potential.low} to {config.potential.high}; choose another preset or potential_bits",
    )
    require(
        network.layers[0].leak_bits == config.leak_bits,
        f"the network's leak codes have {network.layers[0].leak_bits} fractional bits, "
        f"core {config.name!r} has {config.leak_bits}; set leak_bits",
    )
    source_network, network = network, _for_core(network, config)
    lanes = config.lanes
    weights, neurons = [], []
    jobs: dict[str, list[int]] = {name: [] for name in job_layout(config)}
    thresholds: dict[str, list[int]] = {name: [] for name in threshold_layout(config)}
    descriptors: dict[str, list[int]] = {name: [] for name in descriptor_layout(config)}
    tiles, weight_base, tile_base = [], [], []
    next_row = next_tile = source = 0
    for index, layer in enumerate(network.layers):
        fits(f"neurons in layer {index}", layer.n_out, config.max_neurons, "max_neurons")
        _check_layer(index, layer, config)
        matrix = np.concatenate([_weight_codes(each.matrix(), config.weight_bits) for each in layer.projections])
        per_tile = _by_tile(matrix, lanes)
        weights.append(per_tile.reshape(-1, lanes))
        n_tiles = len(per_tile)
        occupied = config.tiles_taken(n_tiles)
        neurons.append({name: _by_tile(getattr(layer, name), lanes, occupied) for name in neuron_layout(config)})
        row = {
            "source": source,
            "own": next_tile,
            "last_tile": n_tiles - 1,
            "weights": next_row,
            "fan_in": layer.n_in,
            "stride": len(matrix),
            "recurrent": int(layer.recurrent is not None),
            "u_min": network.potential.low,
            "u_max": network.potential.high,
            "last": layer.n_out - 1,
            **{name: int(getattr(layer, name)) for name in LAYER_FIELDS if name not in neuron_layout(config)},
        }
        row["flags"] = _packed({name: (row[name], bits) for name, bits in descriptor_flags(config).items()})
        for table in (jobs, thresholds, descriptors):
            for name, column in table.items():
                column.append(row[name])
        tiles.append(n_tiles)
        weight_base.append(next_row)
        tile_base.append(next_tile)
        source = next_tile
        next_tile += occupied
        next_row += n_tiles * len(matrix)
    fits("tiles", next_tile, config.tiles, "tiles")
    fits("weight rows", next_row, config.weight_rows, "weight_rows")
    per_row = 1 if config.serial else lanes
    widths = {"WEIGHTS": config.weight_row_bits, "NEURONS": per_row * config.neuron_bits}
    parameters = [
        (np.concatenate([each[name] for each in neurons]).reshape(-1, per_row), bits)
        for name, bits in neuron_layout(config).items()
    ]
    images = {
        "WEIGHTS": _pack([(np.concatenate(weights), config.weight_bits)], widths["WEIGHTS"]),
        "NEURONS": _pack(parameters, widths["NEURONS"]),
    }
    if config.serial:
        rows = np.zeros((len(network.layers), DESCRIPTOR_ROWS), np.int64)
        rows[:, : len(descriptors)] = np.array(list(descriptors.values())).T
        widths["JOBS"] = descriptor_bits(config)
        images["JOBS"] = _pack([(rows.reshape(-1, 1), widths["JOBS"])], widths["JOBS"])
    else:
        for region, table, layout in (
            ("JOBS", jobs, job_layout(config)),
            ("THRESHOLDS", thresholds, threshold_layout(config)),
        ):
            widths[region] = sum(layout.values())
            images[region] = _pack_records(table, layout)
    encoder = network.encoder
    if encoder is not None and encoder.thresholds:
        widths["LEVELS"] = 8
        images["LEVELS"] = np.array(encoder.thresholds, np.uint32)[:, None]
    registers = {
        "NETWORK": REGISTERS["NETWORK"].pack(INPUTS=network.n_in, LAYERS=len(network.layers)),
        "READOUT": REGISTERS["READOUT"].pack(
            OUTPUTS=network.n_out, KIND=network.readout, EVERY_STEP=int(network.readout_every_step), VECTOR=1
        ),
    }
    # Without an encoder STEPS is 0, and the core refuses images.
    registers["ENCODER"] = 0
    if encoder is not None:
        registers["ENCODER"] = REGISTERS["ENCODER"].pack(STEPS=encoder.steps, CODING=encoder.coding)
        state = encoder.lfsr_state()
        for k in range(4):
            registers[f"SEED{k}"] = state >> 32 * k & 0xFFFFFFFF
    return Program(
        source_network, network, config, images, widths, tuple(tiles), tuple(weight_base), tuple(tile_base), registers
    )


def _for_core(network: Network, config: CoreConfig) -> Network:
    """``network``, without its encoder if the core has none: then whoever sends encodes, and sends spikes."""
    encoder = network.encoder
    if encoder is None:
        return network
    require(
        config.direct or encoder.coding is not Coding.DIRECT,
        f"the network takes pixels directly, core {config.name!r} cannot; "
        + ("a serial core never can, choose another preset" if config.serial else "set direct=true"),
    )
    return network if config.encoder else replace(network, encoder=None)


def _packed(values: dict[str, tuple[int, int]]) -> int:
    """Numbers side by side, each with its width, from the lowest bit up."""
    word = at = 0
    for value, bits in values.values():
        word |= value << at
        at += bits
    return word


def _pack_records(table: dict[str, list[int]], layout: dict[str, int]) -> Words:
    fields = [(np.array(table[name])[:, None], bits) for name, bits in layout.items()]
    return _pack(fields, sum(layout.values()))


def _check_layer(index: int, layer: Layer, config: CoreConfig) -> None:
    low, high = weight_range(config.weight_bits, layer.unit_weights)
    require(
        config.weight_bits == 1 or not layer.unit_weights,
        f"layer {index} has 0/1 weights of 1 bit, core {config.name!r} has {config.weight_bits}-bit weights; "
        f"give the layer weight_bits={config.weight_bits}",
    )
    for matrix in (each.matrix() for each in layer.projections):
        require(
            low <= matrix.min() and matrix.max() <= high and (config.weight_bits > 1 or layer.weight_bits == 1),
            f"layer {index} has weights from {matrix.min()} to {matrix.max()}, "
            f"core {config.name!r} holds {low} to {high} "
            f"({config.weight_bits} bits); choose another preset or weight_bits",
        )
    for name, about in LAYER_FIELDS.items():
        if about.row is None or about.potential or about.choices is not None or about.flag:
            continue  # these fit any core whose potentials hold the network's
        width, values = about.width(config), np.asarray(getattr(layer, name))
        least, most = (0, (1 << width) - 1) if not about.signed else (-(1 << width >> 1), (1 << width >> 1) - 1)
        require(
            (width > 0 and least <= values.min() and values.max() <= most) or not values.any(),
            f"layer {index} has {about.plural or name} from {values.min()} to {values.max()}, core {config.name!r} "
            f"holds {min(least, 0)} to {max(most, 0)}; choose another preset or {about.core_parameter}",
        )
