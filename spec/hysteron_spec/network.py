# SPDX-License-Identifier: Apache-2.0
"""What a network is: frozen, validated descriptions of layers and networks.

Everything here is checked when it is built, so the rest of the code trusts it. The *behaviour* of a
neuron is in :mod:`hysteron_golden.neuron`, of a whole network in :mod:`hysteron_golden.run`.

Specified in docs/specification.md, §2.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hysteron_base.errors import HysteronError, integer_in, rectangular, require, set_flags, shown
from hysteron_base.settings import member_of

from .encoder import Encoder
from .fields import Declared, declared
from .neuron import WEIGHT_BITS, Mode, Potential, Readout, Reset, weight_range
from .projection import Dense, Source

Int32 = NDArray[np.int32]
#: Any array; what it must hold is checked, not declared.
Array = NDArray[Any]


def _whole(name: str, values: ArrayLike, shape: tuple[int | None, ...]) -> Int32:
    """``values`` as a read-only int32 array of ``shape`` (None: any); names the first bad element."""
    array = rectangular(name, values)
    require(array.dtype.kind in "biuf", f"{name} must hold integers, not {array.dtype}")
    require(
        array.ndim == len(shape) and all(want in (None, have) for want, have in zip(shape, array.shape, strict=True)),
        f"{name} must have shape {_shape(shape)}, not {array.shape}",
    )
    if array.dtype.kind == "f":
        bad = ~np.isfinite(array) | (array != np.rint(array))
        if bad.any():
            where = tuple(int(i) for i in np.argwhere(bad)[0])
            raise HysteronError(f"{name}{list(where)} = {array[where]} is not an integer; quantise the network first")
    limit = np.iinfo(np.int32)
    # In float32 the largest int32 would round up.
    exact = array.astype(np.float64) if array.dtype.kind == "f" else array
    far = (exact < limit.min) | (exact > limit.max)
    if far.any():
        raise HysteronError(f"{name} must fit 32 bits, not {array[far][0]}")
    result = array.astype(np.int32)
    result.setflags(write=False)
    return result


def _shape(shape: tuple[int | None, ...]) -> str:
    return "(" + ", ".join("any" if n is None else str(n) for n in shape) + ("," * (len(shape) == 1)) + ")"


@dataclass(frozen=True, eq=False, repr=False)
class Layer:
    """One layer: ``n_out`` neurons fed by ``n_in`` inputs and, optionally, by its own last spikes.

    Parameters
    ----------
    weights
        ``(n_in, n_out)`` integers.
    theta_high, theta_low
        A neuron fires above ``theta_high`` and re-arms below ``theta_low``
        (``theta_low <= theta_high``, ``theta_high >= 0``: a neuron at rest is silent).
    leak
        Leak code of each neuron, ``0 … 2**leak_bits``; one number serves for all. The default keeps
        the potential.
    bias
        ``(n_out,)`` integers added at every step; one number serves for all.
    recurrent
        ``(n_out, n_out)`` integers, source first, or None.
    mode, reset
        See :class:`Mode` and :class:`Reset`.
    weight_bits
        1, 2, 4 or 8; it bounds both ``weights`` and ``recurrent``.
    unit_weights
        With 1-bit weights: they are 0/1 instead of ±1.
    leak_bits
        Fractional bits *m* of the leak code, 1 to 8.

    Raises
    ------
    HysteronError
        Naming the first value that is out of range.
    """

    weights: Array
    theta_high: int = field(
        metadata=Declared(
            "a neuron fires above it",
            row="THRESHOLDS",
            potential=True,
            limits=(0, (1 << 24) - 1),
            heading="high",
        ).metadata
    )
    theta_low: int = field(
        default=0,
        metadata=Declared(
            "a neuron re-arms below it",
            row="THRESHOLDS",
            potential=True,
            limits=lambda layer: (-(1 << 23), layer.theta_high),
            heading="low",
        ).metadata,
    )
    leak: Array | int | None = field(
        default=None,
        metadata=Declared(
            "code of what is left of a potential after a step, in units of 1 / 2**leak_bits",
            row="NEURONS",
            bits=lambda config: config.leak_bits + 1,
            each_neuron=True,
            limits=lambda layer: (0, 1 << layer.leak_bits),
            core_parameter="leak_bits",
            plural="leak codes",
        ).metadata,
    )
    bias: Array | int = field(
        default=0,
        metadata=Declared(
            "added to the potential at every step",
            row="NEURONS",
            bits=lambda config: config.bias_bits,
            signed=True,
            each_neuron=True,
            limits=(-(1 << 31), (1 << 31) - 1),
            core_parameter="bias_bits",
            plural="biases",
        ).metadata,
    )
    recurrent: Array | None = None
    mode: Mode = field(
        default=Mode.LATCH,
        metadata=Declared("how a neuron re-arms", row="THRESHOLDS", bits=2, choices=Mode, heading="<mode").metadata,
    )
    reset: Reset = field(
        default=Reset.ZERO,
        metadata=Declared(
            "what a spike does to the potential", row="THRESHOLDS", bits=2, choices=Reset, heading="<reset"
        ).metadata,
    )
    weight_bits: int = field(default=4, metadata=Declared("bits of a weight", limits=(1, 8), heading="bits").metadata)
    unit_weights: bool = field(
        default=False,
        metadata=Declared("1-bit weights are 0/1 instead of ±1", row="JOBS", bits=1, flag=True).metadata,
    )
    leak_bits: int = field(default=3, metadata=Declared("fractional bits of the leak codes", limits=(1, 8)).metadata)

    def __post_init__(self) -> None:
        def put(name: str, value: object) -> None:
            object.__setattr__(self, name, value)

        require(self.weight_bits in WEIGHT_BITS, f"weight bits must be one of {WEIGHT_BITS}, not {self.weight_bits!r}")
        require(
            not self.unit_weights or self.weight_bits == 1,
            f"0/1 weights need 1 weight bit, not {self.weight_bits}",
        )
        set_flags(self, "unit_weights")
        put("weight_bits", int(self.weight_bits))
        put("leak_bits", integer_in("leak bits", self.leak_bits, 1, 8))
        put("weights", _whole("weights", self.weights, (None, None)))
        n_in, n_out = self.weights.shape
        require(n_in > 0 and n_out > 0, f"a layer needs inputs and neurons, not {n_in} and {n_out}")
        self._check_weights("weights", self.weights)
        if self.recurrent is not None:
            put("recurrent", _whole("recurrent", self.recurrent, (n_out, n_out)))
            self._check_weights("recurrent", self.recurrent)
        if self.leak is None:
            put("leak", 1 << self.leak_bits)
        for name, about in LAYER_FIELDS.items():
            if name not in _CHECKED:
                put(name, self._checked(name, about))

    def _checked(self, name: str, about: Declared) -> object:
        """The value of a declared field, of its own type and within its limits."""
        value = getattr(self, name)
        if about.choices is not None:
            return member_of(name, value, about.choices)
        if about.flag:
            require(isinstance(value, bool | np.bool_), f"{name} must be true or false, not {value!r}")
            return bool(value)
        low, high = about.range_of(self)
        if not about.each_neuron:
            return integer_in(name, value, low, high)
        array = np.asarray(value)
        values = _whole(name, np.broadcast_to(array, (self.n_out,)) if array.ndim == 0 else array, (self.n_out,))
        bad = (values < low) | (values > high)
        if bad.any():
            j = int(np.argmax(bad))
            raise HysteronError(f"{name}[{j}] must be from {low} to {high}, not {values[j]}")
        return values

    def _check_weights(self, name: str, values: Int32) -> None:
        low, high = weight_range(self.weight_bits, self.unit_weights)
        bad = (values < low) | (values > high)
        if self.weight_bits == 1 and not self.unit_weights:
            bad |= values == 0
        if bad.any():
            i, j = (int(k) for k in np.argwhere(bad)[0])
            allowed = "-1 or 1" if (low, high) == (-1, 1) and self.weight_bits == 1 else f"from {low} to {high}"
            raise HysteronError(
                f"{name}[{i}, {j}] must be {allowed} with {self.weight_bits} weight bits, not {values[i, j]}"
            )

    def __repr__(self) -> str:
        kinds = f"{self.mode.name.lower()}, reset {self.reset.name.lower()}, {self.weight_bits}-bit weights"
        back = ", recurrent" if self.recurrent is not None else ""
        return f"Layer({self.n_in} → {self.n_out}: {kinds}, θ {self.theta_low} … {self.theta_high}{back})"

    def _repr_html_(self) -> str:
        from .describe import layer_as_html

        return layer_as_html(self)

    @property
    def n_in(self) -> int:
        """Inputs (axons), without the recurrent ones."""
        return self.weights.shape[0]

    @property
    def n_out(self) -> int:
        """Neurons."""
        return self.weights.shape[1]

    @property
    def projections(self) -> tuple[Dense, ...]:
        """What feeds the layer, in the order of a tile's weight rows: a forward projection, then a recurrent one."""
        found = [Dense("weights", Source.BEFORE, self.weights)]
        if self.recurrent is not None:
            found.append(Dense("recurrent", Source.OWN, self.recurrent))
        return tuple(found)

    @property
    def leak_codes(self) -> Int32:
        """``(n_out,)`` leak codes."""
        return np.asarray(self.leak, np.int32)

    @property
    def biases(self) -> Int32:
        """``(n_out,)`` biases."""
        return np.asarray(self.bias, np.int32)


#: Fields of a layer that are declared, by name.
LAYER_FIELDS = declared(Layer)
#: Those that are checked by hand, before the others: they say what the others must be.
_CHECKED = ("weight_bits", "unit_weights", "leak_bits")
#: Fields of a layer that hold the weights of its projections, in the order of a tile's rows.
PROJECTIONS = ("weights", "recurrent")


def _is_text(value: object) -> bool:
    """Whether ``value`` is text that can be written to a file."""
    try:
        return isinstance(value, str) and value.encode() is not None
    except UnicodeEncodeError:
        return False


@dataclass(frozen=True, eq=False, repr=False)
class Network:
    """Layers in order, the format of their potentials, and how samples go in and answers come out.

    Parameters
    ----------
    layers
        At least one; each has as many inputs as its predecessor has neurons.
    potential
        Format of every membrane potential; a potential saturates once a step at its ends.
    encoder
        How pixels become input; None: the network is given spikes.
    readout
        What is read from the last layer.
    readout_every_step
        Answer after every step, not only after a sample's last one.
    name
        For people.
    notes
        Free text values that travel in the file (training accuracy, data set, seed).
    """

    layers: tuple[Layer, ...]
    potential: Potential = field(default_factory=Potential)
    encoder: Encoder | None = None
    readout: Readout = Readout.COUNT
    readout_every_step: bool = False
    name: str = "network"
    notes: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        require(
            isinstance(self.layers, Iterable),
            f"layers must be a list of Layer, not {shown(self.layers)}; give (layer,) for one",
        )
        object.__setattr__(self, "layers", tuple(self.layers))
        for index, layer in enumerate(self.layers):
            require(isinstance(layer, Layer), f"layer {index} must be a Layer, not {layer!r}")
        require(isinstance(self.potential, Potential), f"potential must be a Potential, not {self.potential!r}")
        require(
            self.encoder is None or isinstance(self.encoder, Encoder),
            f"encoder must be an Encoder or None, not {self.encoder!r}",
        )
        require(_is_text(self.name), f"name must be text, not {self.name!r}")
        require(
            isinstance(self.notes, dict) and all(_is_text(t) for item in self.notes.items() for t in item),
            f"notes must be texts by name, not {self.notes!r}",
        )
        set_flags(self, "readout_every_step")
        require(len(self.layers) > 0, "a network needs at least one layer, not 0")
        object.__setattr__(self, "readout", member_of("readout", self.readout, Readout))
        for index, layer in enumerate(self.layers):
            if index:
                have = self.layers[index - 1].n_out
                require(layer.n_in == have, f"layer {index} must have {have} inputs, not {layer.n_in}")
            require(
                layer.leak_bits == self.layers[0].leak_bits,
                f"layer {index} must have {self.layers[0].leak_bits} leak bits as layer 0, not {layer.leak_bits}",
            )
            for name in (name for name, about in LAYER_FIELDS.items() if about.potential):
                value = getattr(layer, name)
                require(
                    self.potential.low <= value <= self.potential.high,
                    f"layer {index}: {name} must lie in the potential's range "
                    f"{self.potential.low} to {self.potential.high}, not {value}",
                )
        if self.encoder is not None:
            integer_in("inputs of an encoded network", self.n_in, 1, 65535)

    def __repr__(self) -> str:
        from .describe import as_text

        return as_text(self)

    def _repr_html_(self) -> str:
        from .describe import as_html

        return as_html(self)

    @property
    def n_in(self) -> int:
        """Inputs of the first layer."""
        return self.layers[0].n_in

    @property
    def n_out(self) -> int:
        """Neurons of the last layer."""
        return self.layers[-1].n_out

    @property
    def shape(self) -> str:
        """For people: ``784-256-10``."""
        return "-".join(str(n) for n in (self.n_in, *(layer.n_out for layer in self.layers)))
