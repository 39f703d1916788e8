# SPDX-License-Identifier: Apache-2.0
"""Core configurations: presets, refusals, and widths that really suffice."""

import dataclasses

import numpy as np
import pytest

from hysteron_base.errors import HysteronError
from hysteron_spec.core import CoreConfig, bits_for, ceil_div
from hysteron_spec.layouts import job_layout
from hysteron_spec.neuron import Potential, weight_range
from hysteron_spec.presets import PRESETS
from support.refusal import refusal

TINY = CoreConfig.preset("tiny")


def core(**changes):
    """The tiny preset with some fields changed."""
    return dataclasses.replace(TINY, **changes)


@pytest.mark.parametrize(
    ("count", "bits"), [(1, 1), (2, 1), (3, 2), (4, 2), (5, 3), (8, 3), (9, 4), (1024, 10), (1025, 11)]
)
def test_bits_for(count, bits):
    assert bits_for(count) == bits


@pytest.mark.parametrize(("a", "b", "expected"), [(0, 4, 0), (1, 4, 1), (4, 4, 1), (5, 4, 2), (8, 4, 2), (9, 1, 9)])
def test_ceil_div(a, b, expected):
    assert ceil_div(a, b) == expected


# -- presets ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_found_by_name(name):
    assert CoreConfig.preset(name) is PRESETS[name] and PRESETS[name].name == name


def test_the_presets_of_the_design_are_there():
    assert {"tiny", "digits", "mnist", "openspike"} <= set(PRESETS)


@pytest.mark.parametrize("name", ["", "huge", "Tiny", None])
def test_an_unknown_preset_is_refused(name):
    message = refusal(lambda: CoreConfig.preset(name))
    assert f"not {name!r}" in message and all(known in message for known in PRESETS)


def test_openspike_is_openspike():
    config = CoreConfig.preset("openspike")
    assert (config.lanes, config.weight_bits, config.leak_bits) == (1024, 1, 3)
    assert config.potential == Potential(8, signed=False)
    assert config.max_inputs == config.max_neurons == config.max_outputs == 1024
    assert config.lanes * config.weight_rows * config.weight_bits >= 10**6, "a million synapses and more"


@pytest.mark.parametrize("config", PRESETS.values(), ids=lambda c: c.name)
def test_presets_hold_the_largest_layers_they_promise(config):
    """One layer of all inputs and neurons fits the weight memory and the tiles."""
    tiles = ceil_div(config.max_neurons, config.lanes)
    assert tiles <= config.tiles
    assert config.max_inputs * ceil_div(config.max_outputs, config.lanes) <= config.weight_rows


# -- refusals --------------------------------------------------------------------------------------------------

RANGES = {
    "lanes": (2, 1024),
    "potential_bits": (8, 24),
    "leak_bits": (1, 8),
    "bias_bits": (0, 24),
    "max_inputs": (1, 8192),
    "max_neurons": (1, 8192),
    "max_layers": (1, 16),
    "weight_rows": (1, 1 << 20),
    "tiles": (1, 1 << 12),
    "weight_latency": (1, 4),
    "clock_hz": (1, 10**10),
}


@pytest.mark.parametrize("field", RANGES)
def test_ranges(field):
    low, high = RANGES[field]
    for value in (low, high):
        assert getattr(core(**{field: value, "max_outputs": 1}), field) == value
    for value in (low - 1, high + 1):
        message = refusal(lambda value=value: core(**{field: value, "max_outputs": 1}))
        assert message == f"{field} must be from {low} to {high}, not {value}"
    for value in (None, "8", low + 0.5, True):
        message = refusal(lambda value=value: core(**{field: value}))
        assert message == f"{field} must be an integer from {low} to {high}, not {value!r}"


@pytest.mark.parametrize("number", [np.int64, np.uint8, float])
@pytest.mark.parametrize(
    "field", ["lanes", "weight_bits", "potential_bits", "leak_bits", "bias_bits", "max_inputs", "max_neurons", "tiles"]
)
def test_a_whole_number_of_any_type_serves_as_the_int(field, number):
    """It is either refused like any mistake or gives the same widths."""
    try:
        config = core(**{field: number(getattr(TINY, field))})
    except HysteronError:
        assert number is float, f"{field} refuses an integer"
        return
    names = [name for name, value in vars(CoreConfig).items() if isinstance(value, property)]
    assert {name: getattr(config, name) for name in names} == {name: getattr(TINY, name) for name in names}
    assert job_layout(config) == job_layout(TINY)


@pytest.mark.parametrize("lanes", [3, 6, 12, 100, 1023])
def test_lanes_are_a_power_of_two(lanes):
    assert refusal(lambda: core(lanes=lanes)) == f"lanes must be a power of two, not {lanes}"


@pytest.mark.parametrize("lanes", [2**k for k in range(1, 11)])
def test_every_power_of_two_of_lanes(lanes):
    assert core(lanes=lanes).lanes == lanes


@pytest.mark.parametrize("bits", [0, 3, 5, 16, "4", None])
def test_weight_bits(bits):
    assert refusal(lambda: core(weight_bits=bits)) == f"weight_bits must be one of (1, 2, 4, 8), not {bits!r}"


def test_outputs_are_neurons_of_a_layer():
    assert core(max_outputs=19).max_outputs == 19
    assert refusal(lambda: core(max_outputs=20)) == "max_outputs must be from 1 to 19, not 20"
    assert refusal(lambda: core(max_outputs=0)) == "max_outputs must be from 1 to 19, not 0"


def test_direct_input_needs_the_encoder():
    assert "encoder=true" in refusal(lambda: core(encoder=False, direct=True))
    assert core(encoder=False, direct=False).planes == 1


def test_a_core_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        TINY.lanes = 8


# -- settings from text ----------------------------------------------------------------------------------------


def test_override():
    config = TINY.override({"lanes": "64", "direct": "false", "potential_signed": "true", "clock_hz": "50000000"})
    assert config == core(name="tiny*", lanes=64, direct=False, clock_hz=50_000_000)
    assert type(config.lanes) is int and config.direct is False and config.potential_signed is True


def test_override_of_nothing():
    assert TINY.override({}) == TINY


def test_every_parameter_can_be_overridden_with_its_own_value():
    settings = {}
    for field in dataclasses.fields(CoreConfig):
        if field.name != "name":
            value = getattr(TINY, field.name)
            settings[field.name] = str(value).lower() if isinstance(value, bool) else str(value)
    assert TINY.override(settings) == core(name="tiny*")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"lane": "4"}, ["no parameter 'lane'", "lanes", "weight_rows"]),
        ({"name": "x"}, ["no parameter 'name'"]),
        ({"lanes": "four"}, ["lanes must be an integer", "'four'"]),
        ({"lanes": ""}, ["lanes must be an integer", "''"]),
        ({"lanes": "4.0"}, ["lanes must be an integer", "'4.0'"]),
        ({"direct": "yes"}, ["direct must be true or false", "'yes'"]),
        ({"encoder": "1"}, ["encoder must be true or false", "'1'"]),
        ({"direct": "True"}, ["direct must be true or false", "'True'"]),
        ({"lanes": "5"}, ["lanes must be a power of two, not 5"]),
        ({"potential_bits": "25"}, ["potential_bits must be from 8 to 24, not 25"]),
    ],
)
def test_bad_settings_are_refused(settings, words):
    message = refusal(lambda: TINY.override(settings))
    assert all(word in message for word in words), message


# -- widths ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("direct", [True, False])
@pytest.mark.parametrize("sizes", [(1, 1), (70, 19), (19, 70), (8192, 8192), (1, 8192), (8192, 1)])
def test_the_accumulator_holds_every_sum(bits, direct, sizes):
    """The most negative and the most positive sum of a first and of a later recurrent layer, and not a bit too many."""
    n_in, neurons = sizes
    config = core(weight_bits=bits, direct=direct, max_inputs=n_in, max_neurons=neurons, max_outputs=1)
    need = 0
    for unit in (True, False) if bits == 1 else (False,):
        low, high = weight_range(bits, unit)
        for fan_in in (n_in * (255 if direct else 1) + neurons, neurons + neurons):
            for total in (low * fan_in, high * fan_in):
                width = config.accumulator_bits
                assert -(1 << width - 1) <= total < 1 << width - 1
                need = max(need, (total if total >= 0 else ~total).bit_length() + 1)
    assert config.accumulator_bits <= need + 1


@pytest.mark.parametrize("lanes", [2, 4, 16, 32, 64, 1024])
def test_spike_words_cover_the_widest_layer(lanes):
    config = core(lanes=lanes, max_neurons=100, max_outputs=33, max_inputs=65)
    assert config.spike_word * config.words_per_tile == lanes
    assert config.spike_word <= 32
    assert config.tiles_per_layer == -(-100 // lanes)
    assert config.hidden_words * config.spike_word == config.tiles_per_layer * lanes >= 100
    assert config.output_tiles == -(-33 // lanes)
    assert config.input_words == 3


@pytest.mark.parametrize(
    ("bits", "signed", "expected"), [(8, True, 16), (16, True, 16), (16, False, 17), (24, True, 24), (24, False, 25)]
)
def test_a_readout_value_holds_counts_and_potentials(bits, signed, expected):
    config = core(potential_bits=bits, potential_signed=signed)
    assert config.readout_bits == expected
    half = 1 << config.readout_bits - 1
    assert half > 32767 and half > config.potential.high and -half <= config.potential.low


def test_row_widths():
    config = core(lanes=8, weight_bits=2, leak_bits=5, bias_bits=9)
    assert config.weight_row_bits == 16
    assert config.neuron_bits == 5 + 1 + 9, "a code of m fractional bits goes up to 2**m"
    assert core(direct=True).planes == 8 and core(direct=False).planes == 1
