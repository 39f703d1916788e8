"""Rows of a core's memories, field by field, and how they lie on the bus.

Neuron *n* of a layer lives in tile ``n // lanes``, lane ``n % lanes``. The small core's memories are narrow: NEURONS
has a row for each neuron (tile by tile), and JOBS a row for each field of a layer's :func:`descriptor_layout`, at
:data:`DESCRIPTOR_ROWS` rows a layer; there are no THRESHOLDS.
"""

from .core import CoreConfig, bits_for, ceil_div


def job_layout(config: CoreConfig) -> dict[str, int]:
    """Fields and widths of a layer's sequencer descriptor, lowest bits first."""
    tile = bits_for(config.tiles)
    return {
        "source": tile,  # first tile of the layer it listens to
        "own": tile,  # its first tile
        "last_tile": bits_for(config.tiles_per_layer),  # its tiles, less one
        "weights": bits_for(config.weight_rows),  # its first weight row
        "fan_in": bits_for(max(config.max_inputs, config.max_neurons) + 1),
        "stride": bits_for(max(config.max_inputs, config.max_neurons) + config.max_neurons + 1),  # rows of a tile
        "recurrent": 1,
        "unit": 1,  # 0/1 weights
    }


def threshold_layout(config: CoreConfig) -> dict[str, int]:
    """Fields and widths of a layer's neuron descriptor; the first four are potentials."""
    bits = config.potential_bits
    return {"theta_high": bits, "theta_low": bits, "u_min": bits, "u_max": bits, "mode": 2, "reset": 2}


#: Rows of JOBS that a layer of the small core has.
DESCRIPTOR_ROWS = 8


def descriptor_layout(config: CoreConfig) -> dict[str, int]:
    """Fields and widths of a layer's descriptor in the small core, each a row of JOBS; signed where
    :func:`threshold_layout` is. ``flags`` has ``recurrent``, ``unit``, ``mode`` and ``reset`` from the lowest bit."""
    bits = config.potential_bits
    return {"flags": 6, "last": 13, "theta_high": bits, "theta_low": bits, "u_min": bits, "u_max": bits}


def descriptor_bits(config: CoreConfig) -> int:
    """Width of JOBS in the small core."""
    return max(16, config.potential_bits)


def row_words(width: int) -> int:
    """Bus words of one memory row: its address step is the next power of two."""
    return ceil_div(width, 32)


def row_stride(width: int) -> int:
    """Word addresses from one row to the next."""
    return 1 << (row_words(width) - 1).bit_length()
