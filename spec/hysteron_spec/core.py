# SPDX-License-Identifier: Apache-2.0
"""What a generated core is: its parameters, its named presets and the widths that follow from them.

Specified in docs/specification.md, §7.1.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

from hysteron_base.errors import HysteronError, require, set_flags, set_integers
from hysteron_base.settings import checked_settings, meant, one_of, text_of

from .neuron import WEIGHT_BITS, Potential, weight_range
from .packets import WORD

#: Entries of each elastic read pipe (:mod:`hysteron_rtl.readpipe`): 2 sustain one entry a cycle,
#: the rest lets scanning run ahead of the lanes over words with several events. A power of two.
PIPE_DEPTH = 4
#: Cycles after which a tile's state may be read again, counted between the last events of two passes.
STATE_LOOP = 4
#: Most inputs, and most neurons of a layer, of any core.
MAX_NEURONS = 8192


def bits_for(count: int) -> int:
    """Bits that address ``count`` places, at least 1."""
    return max(1, (count - 1).bit_length())


def ceil_div(a: int, b: int) -> int:
    """``a / b`` rounded up."""
    return -(-a // b)


@dataclass(frozen=True)
class CoreConfig:
    """Parameters of a generated core. Any network that fits them runs without re-synthesis.

    Parameters
    ----------
    name
        Name of the preset that it came from, with a star behind it if a parameter was changed.
    lanes
        Neurons that an event reaches at once, and that are updated together except in a serial core; a power of two
        from 2 to 1024.
    weight_bits
        Bits of a weight: 1, 2, 4 or 8.
    potential_bits
        Bits of a stored membrane potential, 8 to 24.
    leak_bits
        Fractional bits of a leak code, 1 to 8.
    bias_bits
        Bits of a neuron's signed bias, 0 (no biases) to 24.
    max_inputs
        Largest number of inputs of the first layer, up to 8192.
    max_neurons
        Largest number of neurons of a layer, up to 8192.
    max_layers
        Largest number of layers, 1 to 16.
    weight_rows
        Rows of the weight memory; a row holds one weight for each lane.
    tiles
        Tiles of all layers together; a tile is ``lanes`` neurons. In a serial core a layer takes whole words of 32
        neurons.
    max_outputs
        Largest number of neurons of the last layer.
    potential_signed
        Whether potentials go below 0, in two's complement; else they stop at 0.
    weight_latency
        Cycles from a weight address to its data, 1 to 4: 1 for a memory read within the cycle that follows the clock
        edge (block RAM; OpenRAM, whose data follow the falling edge), 2 with an output register.
    encoder
        Whether pixels can be encoded on chip (rate, level, latency).
    direct
        Whether pixels can be input currents (needs ``encoder``).
    serial
        The small core (:mod:`hysteron_rtl.serial`): the lanes accumulate together, but their neurons are updated one
        after the other by one circuit, and nothing but input overlaps. At most 32 lanes, no direct input.
    counters
        Whether there are performance counters; without them they read 0.
    clock_hz
        Clock in Hz at which times are stated.
    """

    name: str
    lanes: int
    weight_bits: int
    potential_bits: int
    leak_bits: int
    bias_bits: int
    max_inputs: int
    max_neurons: int
    max_layers: int
    weight_rows: int
    tiles: int
    max_outputs: int
    potential_signed: bool = True
    weight_latency: int = 1
    encoder: bool = True
    direct: bool = False
    serial: bool = False
    counters: bool = True
    clock_hz: int = 100_000_000

    def __post_init__(self) -> None:
        require(self.weight_bits in WEIGHT_BITS, f"weight_bits must be one of {WEIGHT_BITS}, not {self.weight_bits!r}")
        set_integers(
            self,
            lanes=(2, 1024),
            weight_bits=(1, 8),
            potential_bits=(8, 24),
            leak_bits=(1, 8),
            bias_bits=(0, 24),
            max_inputs=(1, MAX_NEURONS),
            max_neurons=(1, MAX_NEURONS),
            max_layers=(1, 16),
            weight_rows=(1, 1 << 20),
            tiles=(1, 1 << 12),
            weight_latency=(1, 4),
            clock_hz=(1, 10**10),
        )
        set_integers(self, max_outputs=(1, self.max_neurons))
        set_flags(self, "potential_signed", "encoder", "direct", "serial", "counters")
        require(self.lanes & (self.lanes - 1) == 0, f"lanes must be a power of two, not {self.lanes}")
        require(self.encoder or not self.direct, "direct input needs the encoder; set encoder=true")
        if self.serial:
            require(self.lanes <= WORD, f"a serial core has at most {WORD} lanes, not {self.lanes}")
            require(not self.direct, "a serial core has no direct input; set direct=false")

    @classmethod
    def preset(cls, name: str) -> "CoreConfig":
        """A named preset; see :data:`~hysteron_spec.presets.PRESETS`."""
        from .presets import PRESETS

        core: CoreConfig = one_of("preset", name, PRESETS)
        return core

    def override(self, settings: Mapping[str, str]) -> "CoreConfig":
        """A copy with fields set from text (``{"lanes": "64"}``), for the command line.

        Raises
        ------
        HysteronError
            If these are no texts by name, a core has no such parameter, or it cannot have the value.
        """
        kinds = {f.name: f.type for f in fields(self) if f.name != "name"}
        values: dict[str, object] = {}
        for key, text in checked_settings(settings).items():
            require(key in kinds, f"a core has no parameter {key!r}; it has {', '.join(kinds)}{meant(key, kinds)}")
            if kinds[key] is bool:
                text = text_of(text)
                require(text in ("true", "false"), f"{key} must be true or false, not {text!r}")
                values[key] = text == "true"
            else:
                try:
                    values[key] = int(text)
                except (TypeError, ValueError):
                    raise HysteronError(f"{key} must be an integer, not {text!r}") from None
                require(isinstance(text, str) or values[key] == text, f"{key} must be an integer, not {text!r}")
        return replace(self, name=f"{self.name}*" if values else self.name, **values)  # type: ignore[arg-type]

    @property
    def potential(self) -> Potential:
        """Format of the stored potentials."""
        return Potential(self.potential_bits, self.potential_signed)

    @property
    def spike_word(self) -> int:
        """Bits of a word of the hidden-spike memory that the event finder takes at once (not of the small core)."""
        return min(WORD, self.lanes)

    @property
    def tile_step(self) -> int:
        """A layer's first tile has a number that is a multiple of this; the small core's layers begin with a word."""
        return WORD // self.lanes if self.serial else 1

    def tiles_taken(self, tiles: int) -> int:
        """Tiles of the core that a layer of so many takes: the next layer begins at the next :attr:`tile_step`."""
        return ceil_div(tiles, self.tile_step) * self.tile_step

    @property
    def spike_words(self) -> int:
        """Words of the small core's hidden-spike memory, for one step."""
        return ceil_div(self.tiles * self.lanes, WORD)

    @property
    def words_per_tile(self) -> int:
        """Spike words in a row of the hidden-spike memory."""
        return self.lanes // self.spike_word

    @property
    def tiles_per_layer(self) -> int:
        """Tiles of the widest layer."""
        return ceil_div(self.max_neurons, self.lanes)

    @property
    def input_words(self) -> int:
        """Spike words of a bitmap of all inputs."""
        return ceil_div(self.max_inputs, WORD)

    @property
    def hidden_words(self) -> int:
        """Spike words of the widest layer."""
        return self.tiles_per_layer * self.words_per_tile

    @property
    def planes(self) -> int:
        """Bitmaps that one input slot holds: the 8 bit planes of the pixels, with direct input."""
        return 8 if self.direct else 1

    @property
    def plane_bits(self) -> int:
        """Width of a plane's number; 0 if there is but one."""
        return (self.planes - 1).bit_length()

    @property
    def output_tiles(self) -> int:
        """Tiles of the widest last layer."""
        return ceil_div(self.max_outputs, self.lanes)

    @property
    def accumulator_bits(self) -> int:
        """Width in which no layer that fits the core can overflow.

        The largest magnitude is the largest weight's times the largest weighted fan-in: the inputs (times 255 if
        they can be pixels) or a layer's neurons, whichever is more, and a layer's neurons again for the
        recurrent part; and a sign.
        """
        low, high = weight_range(self.weight_bits, unit=False)
        fan_in = max(self.max_inputs * (255 if self.direct else 1), self.max_neurons) + self.max_neurons
        return (max(-low, high) * fan_in).bit_length() + 1

    @property
    def weight_row_bits(self) -> int:
        """Width of the weight memory."""
        return self.lanes * self.weight_bits

    @property
    def neuron_bits(self) -> int:
        """Bits of one neuron's parameters."""
        from .layouts import neuron_layout

        return sum(neuron_layout(self).values())

    @property
    def readout_bits(self) -> int:
        """Width of a read-out value, signed: a spike count or step (15 bits), or a potential."""
        return max(16, self.potential_bits + (not self.potential_signed))
