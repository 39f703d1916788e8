# SPDX-License-Identifier: Apache-2.0
"""Which core a network fits, and what to change where it does not."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from hysteron_base.errors import HysteronError
from hysteron_base.settings import changes_of
from hysteron_spec import CoreConfig, Encoder, Layer, Network, Potential, compile_network
from hysteron_spec.encoder import Coding
from hysteron_spec.fit import Fit, choose_core, fit, needed, title_of
from support.networks import random_network
from support.refusal import refusal


def network(n_in: int = 64, n_hidden: int = 64, n_out: int = 10, **changes: Any) -> Network:
    layers = tuple(Layer(np.ones(size, int), 4, **changes) for size in ((n_in, n_hidden), (n_hidden, n_out)))
    return Network(layers, Potential(16))


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (network(), Fit("digits", {})),
        (network(bias=511), Fit("digits", {})),
        (network(bias=512), Fit("mnist", {})),
        (network(bias=-512), Fit("digits", {})),
        (network(bias=-513), Fit("mnist", {})),
        (network(bias=2048), Fit("digits", {"bias_bits": 13})),
        (network(leak_bits=5, bias=1000), Fit("mnist", {"leak_bits": 5})),
        (network(leak_bits=5), Fit("digits", {"leak_bits": 5})),
        (network(weight_bits=8), Fit("digits", {"weight_bits": 8})),
        (network(784, 256), Fit("mnist", {})),
        (network(784, 600), Fit("ulx3s", {"max_neurons": 600})),
        (network(784, 800), Fit("mnist", {"max_neurons": 800, "weight_rows": 3936})),
        (network(16, 16, 40), Fit("digits", {"max_outputs": 40})),
        (network(9000), None),
    ],
)
def test_fit(made: Network, expected: Fit | None) -> None:
    assert fit(made) == expected


def test_pixels_need_the_encoder() -> None:
    direct = Network(network(784, 256).layers, Potential(16), Encoder(Coding.DIRECT, 4))
    assert fit(direct) == Fit("mnist", {"direct": True})
    assert needed(direct, CoreConfig.preset("openspike"))["encoder"] is True


def test_a_core_without_an_encoder_takes_pixels_that_the_host_encodes() -> None:
    level = Network(network(784, 256).layers, Potential(12), Encoder(Coding.LEVEL, 4, (40, 80, 120, 160)))
    assert "encoder" not in needed(level, CoreConfig.preset("icebreaker"))


def test_tiles_of_a_serial_core_are_whole_words_of_neurons() -> None:
    core = replace(CoreConfig.preset("icebreaker"), tiles=2)
    assert needed(network(20, 9, 9), core)["tiles"] == 16
    assert needed(network(20, 32, 32), core)["tiles"] == 16


@pytest.mark.parametrize(("bits", "expected"), [(15, {}), (16, {"potential_bits": 17})])
def test_unsigned_potentials_need_a_bit_more_where_they_are_signed(bits: int, expected: dict[str, int]) -> None:
    made = Network(network().layers, Potential(bits, signed=False))
    assert needed(made, CoreConfig.preset("digits")) == expected


@pytest.mark.parametrize("seed", range(40))
def test_what_is_needed_is_enough(seed: int) -> None:
    rng = np.random.default_rng(seed)
    made = random_network(rng, tuple(int(n) for n in rng.integers(1, 300, rng.integers(2, 7))))
    for name in ("tiny", "digits", "mnist", "openspike"):
        config = CoreConfig.preset(name)
        changes = needed(made, config)
        if config.override({key: str(value).lower() for key, value in changes.items()}).weight_bits > 1 and any(
            layer.unit_weights for layer in made.layers
        ):
            continue  # 0/1 weights are for cores of 1 bit
        compile_network(made, config.override({key: str(value).lower() for key, value in changes.items()}))
        for key in changes:
            fewer = {k: str(v).lower() for k, v in changes.items() if k != key}
            with pytest.raises(ValueError, match=r"."):
                compile_network(made, config.override(fewer))


def test_as_options() -> None:
    chosen = Fit("digits", {"bias_bits": 12, "direct": True})
    assert chosen.options == "--preset digits --set bias_bits=12 --set direct=true"
    assert chosen.narrower == ""
    assert Fit("digits", {"bias_bits": 12, "leak_bits": 5}).narrower == "--leak-bits 3 --bias-bits 10"
    assert Fit("digits", {}).narrower == ""


# -- which core is chosen, and what is said if there is none ---------------------------------------------------


def test_the_core_that_is_asked_for() -> None:
    assert choose_core(None, None, {}).name == "digits"
    assert choose_core(None, "mnist", {}).name == "mnist"
    assert choose_core(network(), "ulx3s", {"lanes": "64"}).lanes == 64
    assert choose_core(network(), None, {}).name == "digits"
    assert choose_core(network(784, 256), None, {}).name == "mnist"
    assert choose_core(network(leak_bits=5), None, {"leak_bits": "5"}).name == "digits*"


@pytest.mark.parametrize(
    ("made", "settings", "name", "clock"),
    [
        (network(), {"lanes": "64"}, "digits*", 100_000_000),
        (network(784, 256), {"counters": "false"}, "mnist*", CoreConfig.preset("mnist").clock_hz),
        (network(leak_bits=5), {"leak_bits": "5"}, "digits*", 100_000_000),
    ],
)
def test_what_is_set_changes_the_preset_that_would_be_taken(
    made: Network, settings: dict[str, str], name: str, clock: int
) -> None:
    config = choose_core(made, None, settings)
    assert (config.name, config.clock_hz) == (name, clock)


def test_what_is_set_never_takes_another_preset_in_silence() -> None:
    """Fewer tiles than the network needs: another preset would hold it so, at another clock."""
    made = network()
    said = refusal(lambda: choose_core(made, None, {"tiles": "2", "lanes": "16"}))
    assert said.startswith(f"preset digits holds the network {made.shape}, but not with tiles=2, lanes=16: ")
    options = said.partition("; use ")[2].split(" or ")
    assert options
    for option in options:
        preset, *settings = re.findall(r"(?:--preset|--set) (\S+)", option)
        compile_network(made, choose_core(made, preset, changes_of(settings)))


def test_a_core_in_a_line() -> None:
    assert title_of(CoreConfig.preset("digits")) == "core digits, 100 MHz"
    changed = CoreConfig.preset("digits").override({"lanes": "64", "clock_hz": "25000000"})
    assert title_of(changed) == "core digits with lanes=64, clock_hz=25000000, 25 MHz"
    assert title_of(replace(changed, name="mine")) == "core mine, 25 MHz"


def test_a_preset_that_cannot_be_set_so_is_passed_over() -> None:
    """The first preset cannot have so many outputs, the next one can."""
    with pytest.raises(HysteronError):
        CoreConfig.preset("digits").override({"max_outputs": "300"})
    assert choose_core(network(64, 64, 300), None, {"max_outputs": "300"}).name == "mnist*"


@pytest.mark.parametrize(
    ("made", "settings", "reason"),
    [
        (network(bias=2048), {}, "layer 0 has biases from 2048 to 2048"),
        (network(leak_bits=5), {}, "5 fractional bits"),
        (network(weight_bits=8), {}, None),
        (network(16, 16, 40), {}, "40 outputs"),
        (network(784, 600), {"max_neurons": "500"}, "600"),
        (network(20), {"max_inputs": "9"}, "20 inputs"),
        (network(bias=2048), {"lanes": "64"}, "biases"),
        (network(bias=2048), {"bias_bits": "4", "leak_bits": "4"}, None),
        (Network(network(784, 256).layers, Potential(16), Encoder(Coding.DIRECT, 4)), {}, "pixels directly"),
        (Network(network().layers, Potential(24)), {}, "potentials"),
    ],
)
def test_one_reason_and_a_remedy_that_works(made: Network, settings: dict[str, str], reason: str | None) -> None:
    """What is told to be used holds the network: typed instead of the options before, or behind them."""
    try:
        choose_core(made, None, settings)
    except HysteronError as error:
        message = str(error)
    else:
        assert reason is None
        return
    heads = f"no preset fits the network {made.shape}: ", f"preset digits holds the network {made.shape}, but not with "
    assert message.startswith(heads) and "\n" not in message
    assert reason is None or reason in message
    told, semicolon, remedy = message.rpartition("; use ")
    assert semicolon and ";" not in told
    match = re.fullmatch(r"--preset (\S+)((?: --set \w+=\S+)*)", remedy)
    assert match
    changes = changes_of(re.findall(r"--set (\S+)", match[2]))
    compile_network(made, choose_core(made, match[1], changes))
    compile_network(made, choose_core(made, match[1], {**settings, **changes}))


def test_a_network_that_no_core_can_hold() -> None:
    said = refusal(lambda: choose_core(network(9000), None, {}))
    assert said.startswith("no preset fits the network 9000-64-10: the network needs 9000 inputs")
    assert said.endswith("; make the network smaller")


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"lines": "4"}, "no parameter 'lines'"), ({"lanes": "3"}, "power of two"), ({"lanes": "x"}, "'x'")],
)
def test_a_wrong_setting_is_told_before_anything_else(settings: dict[str, str], words: str) -> None:
    for made in (network(), network(9000), None):
        assert words in refusal(lambda made=made: choose_core(made, None, settings))
    assert "did you mean 'lanes'?" in refusal(lambda: choose_core(network(), None, {"lines": "4"}))
    assert "did you mean 'digits'?" in refusal(lambda: choose_core(network(), "digit", {}))
