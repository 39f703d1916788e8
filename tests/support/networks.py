# SPDX-License-Identifier: Apache-2.0
"""What the tests share: settings, random networks (two ways) and the reading of an error message."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import HealthCheck, configuration, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hysteron_spec.encoder import Coding, Encoder
from hysteron_spec.network import LAYER_FIELDS, PROJECTIONS, Layer, Network
from hysteron_spec.neuron import Mode, Potential, Readout, Reset, weight_range
from hysteron_spec.store import ARRAYS, VALUES

# Derandomised runs need no example database; keep Hypothesis from writing into the tree.
configuration.set_hypothesis_home_dir(tempfile.gettempdir())


def examples(count: int) -> settings:
    """Settings of a property test: the same ``count`` examples on every run."""
    return settings(
        derandomize=True,
        deadline=None,
        database=None,
        max_examples=count,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


def layer(**changes: object) -> Layer:
    """A small valid layer of 3 inputs and 2 neurons, with some arguments changed."""
    return Layer(**{"weights": [[1, 2], [3, -4], [-5, 6]], "theta_high": 10, "theta_low": 5, **changes})


def network(**changes: object) -> Network:
    """A small valid network of one layer, with some arguments changed."""
    return Network(**{"layers": (layer(),), **changes})


def assert_same(a: Network, b: Network) -> None:
    """Both networks say the same in every attribute, arrays included."""
    for name in ("potential", "encoder", "readout", "readout_every_step", "name", "notes"):
        assert getattr(a, name) == getattr(b, name), name
        assert type(getattr(a, name)) is type(getattr(b, name)), name
    assert len(a.layers) == len(b.layers)
    for one, two in zip(a.layers, b.layers, strict=True):
        for name in VALUES:
            assert getattr(one, name) == getattr(two, name), name
            assert type(getattr(one, name)) is type(getattr(two, name)), name
        for name in (*PROJECTIONS, *ARRAYS):
            x, y = getattr(one, name), getattr(two, name)
            assert (x is None) == (y is None), name
            if x is not None:
                assert x.dtype == y.dtype == np.int32, name
                assert x.shape == y.shape, name
                assert np.array_equal(x, y), name


#: Declared fields of a layer for which random networks have values that suit each other.
_CHOSEN = ("theta_high", "theta_low", "leak", "bias", "mode", "reset", "weight_bits", "unit_weights", "leak_bits")


def other_fields(integer: Callable[[int, int], int]) -> dict[str, Any]:
    """A value for each other declared field of a layer, so that a new one is tried without a word about it.

    ``integer`` draws a number from a smallest to a largest.
    """
    found: dict[str, Any] = {}
    for name, about in LAYER_FIELDS.items():
        if name in _CHOSEN:
            continue
        if about.choices is not None:
            found[name] = list(about.choices)[integer(0, len(about.choices) - 1)]
        else:
            low, high = (0, 1) if about.flag else about.limits
            found[name] = (bool if about.flag else int)(integer(low, high))
    return found


# -- random networks for property tests: every part shrinks and prints -----------------------------------------


@st.composite
def weight_arrays(draw: st.DrawFn, bits: int, unit: bool, shape: tuple[int, int]) -> np.ndarray:
    """Weights of a format."""
    low, high = weight_range(bits, unit)
    values = st.sampled_from((-1, 1)) if bits == 1 and not unit else st.integers(low, high)
    return draw(arrays(np.int32, shape, elements=values))


@st.composite
def networks(draw: st.DrawFn, encoded: bool = False) -> Network:
    """Small networks with every feature; thresholds and biases are near what the weights can reach."""
    potential = Potential(draw(st.sampled_from((8, 8, 9, 12, 16, 23, 24))), draw(st.booleans()))
    m = draw(st.integers(1, 8))
    n_in = draw(st.integers(1, 5))
    layers = []
    for _ in range(draw(st.integers(1, 3))):
        n_out = draw(st.integers(1, 4))
        bits = draw(st.sampled_from((1, 2, 4, 8)))
        unit = bits == 1 and draw(st.booleans())
        reach = max(4, (1 << bits - 1) * n_in)
        recurrent = draw(weight_arrays(bits, unit, (n_out, n_out))) if draw(st.booleans()) else None
        codes = st.integers(0, 1 << m)
        biases = st.integers(-reach, reach) | st.sampled_from((potential.low, potential.high, 0))
        theta_high = min(draw(st.integers(0, reach) | st.integers(0, potential.high)), potential.high)
        low_end = max(potential.low, -reach)
        theta_low = draw(st.integers(low_end, theta_high) | st.integers(max(low_end, theta_high - 4), theta_high))
        layers.append(
            Layer(
                weights=draw(weight_arrays(bits, unit, (n_in, n_out))),
                theta_high=theta_high,
                theta_low=theta_low,
                leak=draw(st.none() | codes | arrays(np.int32, n_out, elements=codes)),
                bias=draw(st.just(0) | biases | arrays(np.int32, n_out, elements=biases)),
                recurrent=recurrent,
                mode=draw(st.sampled_from(Mode)),
                reset=draw(st.sampled_from(Reset)),
                weight_bits=bits,
                unit_weights=unit,
                leak_bits=m,
                **other_fields(lambda low, high: draw(st.integers(low, high))),
            )
        )
        n_in = n_out
    return Network(
        layers=tuple(layers),
        potential=potential,
        encoder=draw(encoders()) if encoded else None,
        readout=draw(st.sampled_from(Readout)),
        readout_every_step=draw(st.booleans()),
    )


@st.composite
def encoders(draw: st.DrawFn) -> Encoder:
    """Encoders of all codings over a few steps."""
    coding = draw(st.sampled_from(Coding))
    steps = draw(st.integers(1, 5))
    thresholds: tuple[int, ...] = ()
    if coding is Coding.LEVEL:
        thresholds = tuple(draw(st.lists(st.integers(0, 255), min_size=steps, max_size=steps)))
    elif coding is Coding.LATENCY:
        drawn = draw(st.lists(st.integers(0, 255), min_size=steps, max_size=steps, unique=True))
        thresholds = tuple(sorted(drawn, reverse=True))
    return Encoder(coding, steps, thresholds, draw(st.integers(0, (1 << 64) - 1)) if coding is Coding.RATE else 0)


# -- random networks from a seed: larger ones, of chosen shape -------------------------------------------------


def random_weights(rng: np.random.Generator, bits: int, unit: bool, shape: tuple[int, int]) -> np.ndarray:
    """Weights of a format, its ends included."""
    if bits == 1 and not unit:
        return rng.choice([-1, 1], shape)
    low, high = weight_range(bits, unit)
    return rng.integers(low, high, shape, endpoint=True)


def random_network(rng: np.random.Generator, sizes: tuple[int, ...], **fixed: object) -> Network:
    """A network of ``sizes`` (inputs first). ``fixed`` may set ``bits``, ``unit``, ``mode``, ``reset``, ``m``,
    ``potential``, ``recurrent``, ``bias`` (the largest), ``encoder``, ``readout``, ``every_step`` and ``others``
    (whether fields that are not named here have values besides their defaults).
    """

    def pick(name: str, *choices: object) -> object:
        return fixed[name] if name in fixed else choices[rng.integers(len(choices))]

    potential = pick("potential", Potential(8), Potential(11), Potential(8, False), Potential(16), Potential(24))
    m = int(pick("m", 1, 2, 3, 5, 8))
    layers = []
    # Numbers of their own: a new field leaves the others as they were.
    others = rng.spawn(1)[0]

    def small(low: int, high: int) -> int:
        """Mostly near the lower end, so that thresholds and weights still suit each other."""
        return int(others.integers(low, high, 12, endpoint=True).min())

    for n_in, n_out in itertools.pairwise(sizes):
        bits = int(pick("bits", 1, 2, 4, 8))
        unit = bool(pick("unit", True, False)) if bits == 1 else False
        reach = max(2, int((1 << bits) * np.sqrt(n_in)))
        top = min(potential.high, 3 * reach)
        theta_high = int(rng.integers(0, top, endpoint=True))
        bias = min(int(fixed.get("bias", reach)), reach)
        recurrent = random_weights(rng, bits, unit, (n_out, n_out)) if pick("recurrent", True, False) else None
        layers.append(
            Layer(
                weights=random_weights(rng, bits, unit, (n_in, n_out)),
                theta_high=theta_high,
                theta_low=int(rng.integers(max(potential.low, -reach), theta_high, endpoint=True)),
                leak=rng.integers(0, 1 << m, n_out, endpoint=True),
                bias=rng.integers(-bias, bias, n_out, endpoint=True),
                recurrent=recurrent,
                mode=pick("mode", *Mode),
                reset=pick("reset", *Reset),
                weight_bits=bits,
                unit_weights=unit,
                leak_bits=m,
                **(other_fields(small) if fixed.get("others", True) else {}),
            )
        )
    return Network(
        layers=tuple(layers),
        potential=potential,
        encoder=pick("encoder", None),
        readout=pick("readout", *Readout),
        readout_every_step=bool(pick("every_step", True, False)),
        name=f"random {rng.integers(1000)}",
        notes={"seed": str(rng.integers(1000)), "text": "a µ “quoted” \\ text\nof two lines"},
    )
