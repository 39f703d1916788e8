# SPDX-License-Identifier: Apache-2.0
"""Rows of a core's memories, field by field, and how they lie on the bus.

Neuron *n* of a layer lives in tile ``n // lanes``, lane ``n % lanes``. The small core's memories are narrow: NEURONS
has a row for each neuron (tile by tile), and JOBS a row for each field of a layer's :func:`descriptor_layout`, at
:data:`DESCRIPTOR_ROWS` rows a layer; there are no THRESHOLDS. What a row holds of a layer follows from
:data:`hysteron_spec.network.LAYER_FIELDS`.

Specified in docs/specification.md, §7.4 to §7.7.
"""

from .core import MAX_NEURONS, CoreConfig, bits_for, ceil_div
from .fields import Declared, Row
from .network import LAYER_FIELDS
from .packets import WORD

#: Fields of a layer's neuron descriptor that come from the network: the range of its potentials.
POTENTIAL_RANGE = ("u_min", "u_max")


def fields_in(row: Row) -> dict[str, Declared]:
    """The declared fields of a layer that a memory holds, in their order."""
    return {name: about for name, about in LAYER_FIELDS.items() if about.row == row}


def is_signed(name: str, config: CoreConfig) -> bool:
    """Whether the field ``name`` of a row of a core is two's complement."""
    return config.potential_signed if name in POTENTIAL_RANGE else LAYER_FIELDS[name].is_signed(config)


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
        **{name: about.width(config) for name, about in fields_in("JOBS").items()},
    }


def threshold_layout(config: CoreConfig) -> dict[str, int]:
    """Fields and widths of a layer's neuron descriptor, lowest bits first: potentials, their range, and the others."""
    own = fields_in("THRESHOLDS")
    return {
        **{name: about.width(config) for name, about in own.items() if about.potential},
        **dict.fromkeys(POTENTIAL_RANGE, config.potential_bits),
        **{name: about.width(config) for name, about in own.items() if not about.potential},
    }


def neuron_layout(config: CoreConfig) -> dict[str, int]:
    """Fields and widths of one neuron's parameters, lowest bits first."""
    return {name: about.width(config) for name, about in fields_in("NEURONS").items()}


#: Rows of JOBS that a layer of the small core has.
DESCRIPTOR_ROWS = 8


def descriptor_flags(config: CoreConfig) -> dict[str, int]:
    """Fields and widths of the first row of a layer's descriptor in the small core, lowest bits first: whether it is
    recurrent, and whatever is declared of a layer that is no potential."""
    others = {name: about for name, about in fields_in("THRESHOLDS").items() if not about.potential}
    return {
        "recurrent": 1,
        **{name: about.width(config) for name, about in (fields_in("JOBS") | others).items()},
    }


def descriptor_layout(config: CoreConfig) -> dict[str, int]:
    """Fields and widths of a layer's descriptor in the small core, each a row of JOBS: its flags
    (:func:`descriptor_flags`), its neurons less one, and its potentials with their range."""
    potentials = {name: width for name, width in threshold_layout(config).items() if _is_potential(name)}
    made = {"flags": sum(descriptor_flags(config).values()), "last": bits_for(MAX_NEURONS), **potentials}
    assert len(made) <= DESCRIPTOR_ROWS and made["flags"] <= descriptor_bits(config)
    return made


def _is_potential(name: str) -> bool:
    return name in POTENTIAL_RANGE or LAYER_FIELDS[name].potential


def descriptor_bits(config: CoreConfig) -> int:
    """Width of JOBS in the small core."""
    return max(16, config.potential_bits)


def row_words(width: int) -> int:
    """Bus words of one memory row: its address step is the next power of two."""
    return ceil_div(width, WORD)


def row_stride(width: int) -> int:
    """Word addresses from one row to the next."""
    return 1 << (row_words(width) - 1).bit_length()
