# SPDX-License-Identifier: Apache-2.0
"""Encoders against the scalar reference, the shift register bit by bit, statistics and refusals."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hysteron_spec.encoder import (
    GROUP,
    LFSR_BITS,
    MAX_STEPS,
    Coding,
    Encoder,
    check_inputs,
    check_pixels,
    check_spikes,
    encode,
    random_bytes,
)
from support import scalar
from support.networks import encoders, examples
from support.refusal import refusal


def all_bytes():
    """One image with every byte, in order."""
    return np.arange(256, dtype=np.uint8)[None]


# -- the shift register ----------------------------------------------------------------------------------------


def as_bits(data):
    """Bits of bytes, the lowest of each byte first."""
    return [int(byte) >> b & 1 for byte in data for b in range(8)]


@examples(40)
@given(st.integers(1, (1 << 127) - 1), st.integers(1, 70))
def test_bytes_are_those_of_a_naive_shift_register(state, count):
    got = random_bytes(state, count)
    assert got.dtype == np.uint8 and got.shape == (count,)
    assert as_bits(got) == scalar.shift_register(state, 8 * count)


@pytest.mark.parametrize("count", [0, 1, 15, 16, 17, 31, 32, 100, 1000])
def test_every_length_is_a_beginning_of_the_same_sequence(count):
    state = Encoder(Coding.RATE, 1, seed=99).lfsr_state()
    assert np.array_equal(random_bytes(state, count), random_bytes(state, 1000)[:count])


def test_recurrence():
    """x[i] = x[i-64] ^ x[i-127], the state's highest bit being the oldest."""
    state = Encoder(Coding.RATE, 1, seed=5).lfsr_state()
    bits = [state >> (126 - i) & 1 for i in range(127)] + as_bits(random_bytes(state, 500))
    assert all(bits[i] == bits[i - 64] ^ bits[i - 127] for i in range(127, len(bits)))


def test_the_sequence_can_be_continued():
    """The last 127 bits are the state from which the rest follows."""
    state = Encoder(Coding.RATE, 1, seed=6).lfsr_state()
    data = random_bytes(state, 300)
    later = 0
    for bit in as_bits(data[:100])[-127:]:
        later = later << 1 | bit
    assert np.array_equal(random_bytes(later, 200), data[100:])


def test_the_period_is_the_longest():
    """z**127 = z**63 + 1 is primitive: it has no root and divides z**(2**127) - z, and 2**127 - 1 is prime (Lucas)."""

    def reduce(value):
        while value >> 127:
            high = value >> 127
            value = value & ((1 << 127) - 1) ^ high ^ high << 63
        return value

    def square(value):
        return reduce(int(bin(value)[2:], 4) if value else 0)  # read base 4: a 0 between all bits

    power = 2  # z
    orders = []
    for exponent in range(1, 128):
        power = square(power)
        if power == 2:
            orders.append(exponent)
    assert orders == [127]
    # The same algebra steps the real sequence: bit n + k follows from z**n as the recurrence says.
    bits = [int(b) for b in np.unpackbits(random_bytes(1, 64), bitorder="little")]
    sequence = [1 >> (126 - i) & 1 for i in range(127)] + bits
    z_to_n = 1
    for n in range(400):
        taps = [i for i in range(127) if z_to_n >> i & 1]
        assert sequence[n] == sum(sequence[i] for i in taps) % 2
        z_to_n = reduce(z_to_n << 1)


def test_no_state_returns_early():
    bits = as_bits(random_bytes(Encoder(Coding.RATE, 1).lfsr_state(), 4000))
    windows = {tuple(bits[i : i + 127]) for i in range(len(bits) - 126)}
    assert len(windows) == len(bits) - 126


@pytest.mark.parametrize("seed", [0, 1, 2, 255, 2**32, 2**64 - 1])
def test_the_start_state_is_never_0(seed):
    state = Encoder(Coding.RATE, 1, seed=seed).lfsr_state()
    assert 0 < state < 1 << LFSR_BITS
    assert state == Encoder(Coding.RATE, 9, seed=seed).lfsr_state(), "it depends on the seed alone"


def test_seeds_give_different_states():
    assert len({Encoder(Coding.RATE, 1, seed=seed).lfsr_state() for seed in range(1000)}) == 1000


def test_start_state_of_seed_0():
    """Low 127 bits of SHA-256 of eight zero bytes, which begins af5570f5 a1810b7a f78caf4b c70a660f, lowest first."""
    digest = bytes.fromhex("af5570f5a1810b7af78caf4bc70a660f")
    assert Encoder(Coding.RATE, 1).lfsr_state() == (int.from_bytes(digest, "little") & (1 << 127) - 1) | 1


# -- all codings -----------------------------------------------------------------------------------------------


@examples(60)
@given(st.data())
def test_codings_equal_the_scalar_reference(data):
    encoder = data.draw(encoders().filter(lambda e: e.coding is not Coding.DIRECT))
    n_in = data.draw(st.integers(1, 20))
    images = data.draw(st.lists(st.lists(st.integers(0, 255), min_size=n_in, max_size=n_in), min_size=1, max_size=3))
    spikes = encode(encoder, np.array(images, np.uint8))
    assert spikes.dtype == np.uint8 and spikes.shape == (len(images), encoder.steps, n_in)
    for image, got in zip(images, spikes.tolist(), strict=True):
        assert got == scalar.encode(encoder.coding.name, encoder.steps, encoder.thresholds, encoder.lfsr_state(), image)


@pytest.mark.parametrize(
    "encoder",
    [Encoder(Coding.RATE, 6, seed=3), Encoder(Coding.LEVEL, 3, (9, 200, 77)), Encoder.latency(9)],
    ids=lambda e: e.coding.name,
)
def test_images_are_independent(encoder):
    rng = np.random.default_rng(1)
    pixels = rng.integers(0, 256, (5, 13), np.uint8)
    together = encode(encoder, pixels)
    for n in (4, 0, 2):
        assert np.array_equal(encode(encoder, pixels[n : n + 1])[0], together[n])
    assert np.array_equal(encode(encoder, pixels[::-1]), together[::-1])


def test_direct_coding_makes_no_spikes():
    assert "direct coding makes no spikes" in refusal(lambda: encode(Encoder(Coding.DIRECT, 3), all_bytes()))


# -- rate ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pixel", [0, 1, 3, 16, 64, 127, 128, 129, 192, 250, 254, 255])
def test_rate_is_pixel_over_256(pixel):
    """Over n fresh bytes the count of spikes has mean n p / 256 and variance n p (256 - p) / 256**2."""
    seeds, width = range(20), 256
    image = np.full((1, width), pixel, np.uint8)
    count = sum(int(encode(Encoder(Coding.RATE, MAX_STEPS, seed=seed), image).sum()) for seed in seeds)
    n = len(seeds) * MAX_STEPS * width
    sigma = (n * pixel * (256 - pixel)) ** 0.5 / 256
    assert abs(count - n * pixel / 256) <= 6 * sigma, f"{count} spikes of {n}"


@pytest.mark.parametrize("pixel", [1, 4, 16, 128, 224])
def test_rate_of_two_inputs_is_independent(pixel):
    """Two inputs of probability P both spike in n P**2 of n cases, however far apart they are."""
    p = pixel / 256
    seeds, width = range(8), 784
    image = np.full((1, width), pixel, np.uint8)
    spikes = np.concatenate([encode(Encoder(Coding.RATE, 32, seed=seed), image)[0] for seed in seeds]).astype(bool)
    surprising = {}
    for distance in range(1, 130):
        pairs = spikes[:, distance:] & spikes[:, :-distance]
        expected = pairs.size * p * p
        if abs(int(pairs.sum()) - expected) > 8 * expected**0.5:
            surprising[distance] = f"{int(pairs.sum())} pairs, expected {expected:.0f}"
    assert not surprising


def test_rate_is_even_over_inputs_and_steps():
    spikes = encode(Encoder(Coding.RATE, MAX_STEPS, seed=8), np.full((1, 256), 128, np.uint8))[0]
    for axis, n in ((0, MAX_STEPS), (1, 256)):
        assert np.abs(spikes.sum(axis, dtype=int) - n / 2).max() <= 5 * (n / 4) ** 0.5


def test_rate_of_black_and_nearly_white():
    spikes = encode(Encoder(Coding.RATE, MAX_STEPS), np.array([[0, 255]], np.uint8))[0]
    assert spikes[:, 0].sum() == 0
    assert spikes[:, 1].sum() >= MAX_STEPS - 8


def test_a_brighter_pixel_spikes_whenever_a_darker_one_would():
    spikes = [encode(Encoder(Coding.RATE, 50, seed=4), np.full((1, 3), p, np.uint8)) for p in range(0, 256, 15)]
    assert all(np.all(dark <= bright) for dark, bright in itertools.pairwise(spikes))


@pytest.mark.parametrize("n_in", [1, 7, 8, 9, 16, 20])
def test_rate_uses_whole_groups_of_bytes(n_in):
    """Pixel i at step t meets byte t * 8 * groups + i: bytes of a last, incomplete group are used up too."""
    encoder = Encoder(Coding.RATE, 40, seed=2)
    groups = -(-n_in // GROUP)
    noise = random_bytes(encoder.lfsr_state(), 40 * 8 * groups)
    spikes = encode(encoder, np.full((1, n_in), 100, np.uint8))[0]
    for t in range(40):
        for i in range(n_in):
            assert spikes[t, i] == (noise[t * 8 * groups + i] < 100)


def test_seeds_give_different_spikes():
    image = np.full((1, 64), 128, np.uint8)
    assert not np.array_equal(
        encode(Encoder(Coding.RATE, 4, seed=1), image), encode(Encoder(Coding.RATE, 4, seed=2), image)
    )


# -- level and latency -----------------------------------------------------------------------------------------


def test_level_is_strictly_above_its_threshold():
    spikes = encode(Encoder(Coding.LEVEL, 3, (0, 100, 255)), all_bytes())[0]
    for t, threshold in enumerate((0, 100, 255)):
        assert spikes[t].tolist() == [int(p > threshold) for p in range(256)]


def test_level_is_monotone():
    """A brighter pixel spikes at every step at which a darker one does; thresholds may come in any order."""
    spikes = encode(Encoder(Coding.LEVEL, 5, (30, 200, 30, 0, 90)), all_bytes())[0].astype(int)
    assert (np.diff(spikes, axis=1) >= 0).all()
    assert spikes.sum(axis=0).tolist() == [sum(p > h for h in (30, 200, 30, 0, 90)) for p in range(256)]


@pytest.mark.parametrize("steps", range(1, MAX_STEPS + 1))
def test_latency_for_every_number_of_steps(steps):
    encoder = Encoder.latency(steps)
    assert encoder.coding is Coding.LATENCY and encoder.steps == len(encoder.thresholds) == steps
    spikes = encode(encoder, all_bytes())[0]
    assert spikes.sum(axis=0).tolist() == [0] + [1] * 255, "one spike for each pixel but a black one"
    first = spikes.argmax(axis=0)[1:]
    assert (np.diff(first) <= 0).all(), "brighter is never later"
    assert first[-1] == 0 and first[0] == steps - 1
    # Even spacing: no step takes more than two brightnesses more than another.
    shares = np.bincount(first, minlength=steps)
    assert shares.max() - shares.min() <= 2


def test_latency_with_own_thresholds():
    spikes = encode(Encoder(Coding.LATENCY, 3, (200, 100, 50)), np.array([[255, 201, 200, 101, 100, 51, 50, 0]]))[0]
    assert spikes.tolist() == [
        [1, 1, 0, 0, 0, 0, 0, 0],
        [0, 0, 1, 1, 0, 0, 0, 0],
        [0, 0, 0, 0, 1, 1, 0, 0],
    ]


# -- refusals --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((4, 3), ["coding must be one of", "not 4"]),
        (("RATE", 3), ["coding must be one of", "not 'RATE'"]),
        ((None, 3), ["coding must be one of", "not None"]),
        ((Coding.RATE, 0), ["encoder steps must be from 1 to 255, not 0"]),
        ((Coding.RATE, 256), ["encoder steps must be from 1 to 255, not 256"]),
        ((Coding.RATE, 2.5), ["encoder steps must be an integer", "not 2.5"]),
        ((Coding.RATE, None), ["encoder steps must be an integer", "not None"]),
        ((Coding.RATE, 3, (), -1), ["encoder seed must be from 0", "not -1"]),
        ((Coding.RATE, 3, (), 2**64), ["encoder seed", f"not {2**64}"]),
        ((Coding.RATE, 3, (), "x"), ["encoder seed must be an integer", "not 'x'"]),
        ((Coding.RATE, 3, (1, 2, 3)), ["rate coding", "takes 0 thresholds, not 3"]),
        ((Coding.DIRECT, 3, (1,)), ["direct coding", "takes 0 thresholds, not 1"]),
        ((Coding.LEVEL, 3), ["level coding over 3 steps takes 3 thresholds, not 0"]),
        ((Coding.LEVEL, 3, (1, 2)), ["takes 3 thresholds, not 2"]),
        ((Coding.LATENCY, 2, (3, 2, 1)), ["latency coding over 2 steps takes 2 thresholds, not 3"]),
        ((Coding.LEVEL, 2, (1, 256)), ["thresholds[1] must be from 0 to 255, not 256"]),
        ((Coding.LEVEL, 2, (-1, 2)), ["thresholds[0] must be from 0 to 255, not -1"]),
        ((Coding.LEVEL, 1, (0.5,)), ["thresholds[0] must be an integer", "not 0.5"]),
        ((Coding.LEVEL, 1, (np.nan,)), ["thresholds[0] must be an integer", "not nan"]),
        ((Coding.LATENCY, 3, (9, 5, 5)), ["fall strictly", "thresholds[2] = 5 follows 5"]),
        ((Coding.LATENCY, 3, (9, 10, 5)), ["fall strictly", "thresholds[1] = 10 follows 9"]),
    ],
)
def test_a_bad_encoder_is_refused(arguments, words):
    message = refusal(lambda: Encoder(*arguments))
    assert all(word in message for word in words), message


@pytest.mark.parametrize("steps", [0, -1, 256])
def test_evenly_spaced_latency_needs_steps(steps):
    assert refusal(lambda: Encoder.latency(steps)) == f"encoder steps must be from 1 to 255, not {steps}"


def test_encoders_accept_lists_and_arrays_and_numbers():
    expected = Encoder(Coding.LEVEL, 2, (7, 9))
    assert Encoder(1, 2, [7, 9]) == expected
    assert Encoder(Coding.LEVEL, 2, np.array([7, 9])) == expected
    assert all(type(value) is int for value in Encoder(Coding.LEVEL, 2, np.array([7, 9])).thresholds)


def test_codes_are_those_of_the_hardware():
    assert [(c.name, int(c)) for c in Coding] == [("RATE", 0), ("LEVEL", 1), ("LATENCY", 2), ("DIRECT", 3)]


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int64, np.uint64, np.float16, np.float64])
def test_pixels_of_every_number_type(dtype):
    checked = check_pixels(np.array([[0, 1], [100, 127]], dtype), 2)
    assert checked.dtype == np.uint8 and checked.tolist() == [[0, 1], [100, 127]]


def test_pixels_at_the_ends():
    assert check_pixels(np.array([[0, 255]]), 2).tolist() == [[0, 255]]
    assert "not 256" in refusal(lambda: check_pixels(np.array([[0, 256]]), 2))
    assert "not -1" in refusal(lambda: check_pixels(np.array([[-1, 255]]), 2))


def test_images_are_flattened_row_by_row():
    assert check_pixels(np.arange(12).reshape(2, 2, 3), 6).tolist() == [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 10, 11]]


# -- what samples are taken for --------------------------------------------------------------------------------


def test_frames_of_several_axes_are_laid_out_in_rows() -> None:
    """(samples, steps, channels, rows, columns), as event cameras give them."""
    frames = (np.random.default_rng(0).random((3, 5, 2, 3, 4)) < 0.3).astype(float)
    assert np.array_equal(check_spikes(frames, 24), frames.reshape(3, 5, 24))
    assert check_spikes(frames, 24).dtype == np.uint8


@pytest.mark.parametrize(
    ("inputs", "told"),
    [
        (np.zeros((5, 24)), "the network has no encoder"),
        (
            np.zeros((5, 24, 7)),
            "not 7; axis 1 has 24: axes are (samples, steps, inputs), see np.moveaxis(inputs, 1, -1)",
        ),
        (np.zeros((24, 5, 7)), "axis 0 has 24"),
        (np.zeros((5, 7, 2, 3)), "not 6, which axes 2 and up of shape (5, 7, 2, 3) make together"),
        (
            np.full((5, 7, 24), 3),
            "spike[2, 0, 0] (sample, step, input) must be 0 or 1, not 3; an input spikes once a step",
        ),
        (np.full((5, 7, 24), -1), "give negative spikes inputs of their own"),
        (np.full((5, 7, 24), 0.5), "values between 0 and 1 are no spikes"),
        (np.full((5, 7, 24), 1j), "must be numbers, not complex128"),
    ],
)
def test_what_cannot_be_spikes_is_told_with_a_remedy(inputs: np.ndarray, told: str) -> None:
    assert told in refusal(lambda: check_spikes(inputs, 24, first=2))


@pytest.mark.parametrize(
    ("images", "told"),
    [
        (
            np.full((5, 4), 0.5),
            "pixel 0 of image 7 must be a whole number from 0 to 255, not 0.5; pixels that go from 0 to 1",
        ),
        (np.full((5, 4), 1.5), "not 1.5"),
        (np.zeros((10, 5, 4)), "axis 1 seems to be time, but the network makes its own steps"),
        (np.zeros((5, 4), complex), "pixels must be numbers, not complex128"),
    ],
)
def test_what_cannot_be_pixels_is_told_with_a_remedy(images: np.ndarray, told: str) -> None:
    assert told in refusal(lambda: check_pixels(images, 4, first=7))


def test_pixels_or_spikes_by_the_encoder() -> None:
    assert check_inputs(Encoder.latency(3), np.ones((2, 2, 2)), 4).shape == (2, 4)
    assert check_inputs(None, np.ones((2, 2, 2)), 2).shape == (2, 2, 2)
