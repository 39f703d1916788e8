# SPDX-License-Identifier: Apache-2.0
"""Networks on a machine's core: what the core says of itself, and what the host encodes where the core cannot."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from hysteron_base.errors import DeviceError
from hysteron_host.image import Image, core_of, image_for
from hysteron_host.link import Identity
from hysteron_host.samples import requests_of
from hysteron_rtl.registers import constants
from hysteron_spec import PRESETS, Coding, CoreConfig, Encoder, Layer, Network, Potential, compile_network, save
from hysteron_spec.encoder import encode
from hysteron_spec.packets import sample_packets
from hysteron_spec.protocol import words
from hysteron_spec.registers import REGISTERS
from support import scalar
from support.device import Wire
from support.driver import check, machine
from support.refusal import refusal

#: It has an encoder, and takes pixels as they are; the other one has none.
TINY, ICEBREAKER = CoreConfig.preset("tiny"), CoreConfig.preset("icebreaker")
#: Inputs that fill neither words nor groups of pixels.
N_IN = 41
ENCODERS = [
    Encoder(Coding.RATE, 9, seed=77),
    Encoder(Coding.LEVEL, 4, (30, 200, 0, 254)),
    Encoder(Coding.LATENCY, 3, (190, 77, 3)),
    Encoder.latency(7),
]
each_encoder = pytest.mark.parametrize("encoder", ENCODERS, ids=lambda encoder: f"{encoder.coding.name}{encoder.steps}")


def identity(config: CoreConfig) -> Identity:
    """What a machine with this core says."""
    known = constants(config)
    core = tuple(known[name] for name in REGISTERS if REGISTERS[name].address < REGISTERS["CONTROL"].address)
    return Identity(0, 1, 1 << 16, 1 << 16, 0, config.clock_hz, 16, core)


def network(encoder: Encoder | None, n_out: int = 3, *, every_step: bool = False) -> Network:
    weights = np.random.default_rng(n_out).integers(-8, 8, (N_IN, n_out))
    return Network((Layer(weights, 12, 4),), Potential(12), encoder, readout_every_step=every_step)


def pixels(count: int) -> NDArray[np.uint8]:
    """Images, the first of them with the ends."""
    made = np.random.default_rng(count).integers(0, 256, (count, N_IN), dtype=np.uint8)
    made[0, :2] = 0, 255
    return made


def sent(picture: Image, sample: NDArray[np.uint8]) -> list[int]:
    """The words that go to the core."""
    return [word for request in requests_of(picture, sample, 0) for word in words(request)[1:]]


# -- the core --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("config", PRESETS.values(), ids=lambda config: config.name)
def test_the_core_is_the_one_that_was_generated(config: CoreConfig) -> None:
    assert core_of(identity(config)) == config
    other = replace(config, name="mine", max_inputs=config.max_inputs - 1)
    assert core_of(identity(other)) == replace(other, name="machine")


def test_other_registers_are_refused() -> None:
    said = identity(ICEBREAKER)
    short = refusal(lambda: core_of(replace(said, core=said.core[:-1])), DeviceError)
    assert short == "the machine tells 6 constants of its core, not 7"
    first, version, *rest = said.core
    later = replace(said, core=(first, version + (1 << 16), *rest))
    known = version >> 16
    assert f"have version {known + 1}, this host knows {known}; update it" in refusal(
        lambda: core_of(later), DeviceError
    )
    assert core_of(replace(said, core=(first, version + 1, *rest))) == core_of(said), "additions do no harm"
    longer = replace(said, core=(first, version + 1, *rest, 0xFFFF_FFFF, 7))
    assert longer.constants == said.constants | {"VERSION": version + 1}
    assert core_of(longer) == core_of(said), "constants that this host does not know neither"
    none = refusal(lambda: core_of(replace(said, core=(first, version, *(0 for _ in rest)))), DeviceError)
    assert "none this host knows" in none and "weight_bits" in none


@pytest.mark.parametrize("config", [TINY, ICEBREAKER], ids=lambda config: config.name)
def test_all_is_written_but_what_starts_and_stops_the_core(config: CoreConfig) -> None:
    net = network(ENCODERS[0])
    kept_back = [REGISTERS[name].address for name in ("CONTROL", "COMMAND")]
    expected = [write for write in compile_network(net, config).bus_writes() if write[0] not in kept_back]
    picture = image_for(net, identity(config))
    assert [(address, word) for address, values in picture.records for word in values] == expected
    assert (picture.name, picture.n_in, picture.n_out) == ("network", N_IN, 3)


def test_a_network_of_a_file_is_the_same(tmp_path: Path) -> None:
    net = network(ENCODERS[2])
    save(net, tmp_path / "net.hyn")
    expected, images = image_for(net, identity(ICEBREAKER)), pixels(3)
    for path in (tmp_path / "net.hyn", str(tmp_path / "net.hyn")):
        picture = image_for(path, identity(ICEBREAKER))
        assert picture.records == expected.records
        assert [sent(picture, image) for image in images] == [sent(expected, image) for image in images]


# -- encoding on the host --------------------------------------------------------------------------------------


@each_encoder
def test_pixels_become_the_spikes_of_the_encoder(encoder: Encoder) -> None:
    """Those of golden, and those of the scalar reference, whatever was encoded before."""
    picture = image_for(network(encoder), identity(ICEBREAKER))
    assert picture.encode is not None and not picture.pixels and picture.steps == encoder.steps
    images = pixels(6)
    expected = encode(encoder, images)
    assert expected.any() and not expected.all()
    for k in (3, 0, 5, 0, 1, 2, 4):
        spikes = picture.encode(images[k])
        assert spikes.dtype == np.uint8 and spikes.shape == (encoder.steps, N_IN)
        assert np.array_equal(spikes, expected[k])
        assert spikes.tolist() == scalar.encode(
            encoder.coding.name, encoder.steps, encoder.thresholds, encoder.lfsr_state(), images[k].tolist()
        )


def test_networks_keep_their_own_encoders() -> None:
    pictures = [image_for(network(encoder), identity(ICEBREAKER)) for encoder in ENCODERS]
    image = pixels(1)[0]
    for picture, encoder in zip(pictures, ENCODERS, strict=True):
        assert picture.encode is not None
        assert np.array_equal(picture.encode(image), encode(encoder, image[None])[0])


@each_encoder
@pytest.mark.parametrize("every_step", [False, True])
@pytest.mark.parametrize("shape", [(N_IN,), (1, N_IN), (N_IN, 1)])
def test_requests_hold_the_spikes(encoder: Encoder, every_step: bool, shape: tuple[int, ...]) -> None:
    picture = image_for(network(encoder, every_step=every_step), identity(ICEBREAKER))
    for image in pixels(5):
        steps = sample_packets(encode(encoder, image[None])[0])
        assert sent(picture, image.reshape(shape)) == [int(word) for packet in steps for word in packet]
        asked = sum(words(request)[0] for request in requests_of(picture, image.reshape(shape), 0))
        assert asked == (picture.n_out + 1) * (encoder.steps if every_step else 1)


@each_encoder
@pytest.mark.parametrize("every_step", [False, True])
def test_results_for_images_that_the_host_encodes(wire: Wire, encoder: Encoder, every_step: bool) -> None:
    picture = image_for(network(encoder, n_out=11, every_step=every_step), identity(ICEBREAKER))
    accelerator = machine(wire, picture)
    images = pixels(40)
    check(list(accelerator.infer(list(images))), list(encode(encoder, images)), picture)
    square = list(images[:5].reshape(5, N_IN, 1))
    check(list(accelerator.infer(square)), list(encode(encoder, images[:5])), picture)


@each_encoder
def test_a_core_with_an_encoder_is_sent_pixels(encoder: Encoder) -> None:
    picture = image_for(network(encoder), identity(TINY))
    assert picture.pixels and picture.encode is None and picture.steps == encoder.steps
    image = pixels(1)[0]
    (packet,) = sample_packets(image)
    assert sent(picture, image) == packet.tolist()


def test_direct_coding_needs_a_core_that_has_it() -> None:
    net = network(Encoder(Coding.DIRECT, 4))
    message = refusal(lambda: image_for(net, identity(ICEBREAKER)))
    assert "takes pixels directly" in message and message.endswith("a serial core never can, choose another preset")
    assert refusal(lambda: image_for(net, identity(replace(TINY, direct=False)))).endswith("set direct=true")
    picture = image_for(net, identity(TINY))
    assert picture.pixels and picture.encode is None and picture.steps == 4


@pytest.mark.parametrize("config", [TINY, ICEBREAKER], ids=lambda config: config.name)
def test_spikes_are_not_encoded(config: CoreConfig) -> None:
    picture = image_for(network(None), identity(config))
    assert not picture.pixels and picture.encode is None and picture.steps == 0
    given = (np.random.default_rng(1).random((4, N_IN)) < 0.3).astype(np.uint8)
    assert sent(picture, given) == [int(word) for packet in sample_packets(given) for word in packet]


# -- refusals --------------------------------------------------------------------------------------------------


@each_encoder
@pytest.mark.parametrize(
    ("sample", "says"),
    [
        (np.zeros(N_IN - 1, np.uint8), "images must have 41 pixels as the network has inputs, not 40"),
        (np.zeros((N_IN, 2), np.uint8), "images must have 41 pixels as the network has inputs, not 82"),
        (np.zeros(0, np.uint8), "images must have 41 pixels as the network has inputs, not 0"),
        (np.zeros((5, N_IN), np.uint8), "images must have 41 pixels as the network has inputs, not 205"),  # spikes
        (np.zeros(N_IN, bool), "pixels must be numbers, not bool"),
        (np.full(N_IN, np.nan), "pixel 0 of image 1 must be a whole number from 0 to 255, not nan"),
        (np.full(N_IN, 256), "pixel 0 of image 1 must be a whole number from 0 to 255, not 256"),
        (np.full(N_IN, -1), "pixel 0 of image 1 must be a whole number from 0 to 255, not -1"),
        (np.zeros(N_IN, complex), "pixels must be numbers, not complex128"),
        (np.array([None] * N_IN), "pixels must be numbers, not object"),
        (b"\0" * N_IN, "images must have shape (samples, pixels…), not (1,)"),
        (None, "images must have shape (samples, pixels…), not (1,)"),
    ],
)
def test_wrong_images_for_the_hosts_encoder(wire: Wire, encoder: Encoder, sample: NDArray[np.uint8], says: str) -> None:
    accelerator = machine(wire, image_for(network(encoder), identity(ICEBREAKER)))
    message = refusal(lambda: list(accelerator.infer([pixels(1)[0], sample])))
    assert message.startswith(f"sample 1: {says}"), message


def test_a_network_that_does_not_fit_is_refused() -> None:
    message = refusal(lambda: image_for(network(ENCODERS[0], n_out=17), identity(ICEBREAKER)))
    assert message.startswith("the network needs 17 outputs, core 'icebreaker' has 16;")
