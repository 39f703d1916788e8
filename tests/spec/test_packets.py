# SPDX-License-Identifier: Apache-2.0
"""Packets, taken apart by a reader that is written from the format's description."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hysteron_spec.packets import (
    Kind,
    answer_words,
    bitmap_packet,
    event_packet,
    header,
    pixel_packet,
    sample_packets,
    step_packet,
)
from support.networks import examples
from support.refusal import refusal


def take_apart(words):
    """``(kind, last, count, payload)`` of one packet; the rest of the header must be 0."""
    assert words.dtype == np.uint32
    first, *payload = (int(word) for word in words)
    assert first >> 16 & 0x7FF == 0, "bits 16 to 26 of the header are not 0"
    return first >> 28, first >> 27 & 1, first & 0xFFFF, payload


def spikes_of(words, n):
    """``(spikes, last)`` of a step's packet."""
    kind, last, count, payload = take_apart(words)
    spikes = [0] * n
    if kind == 1:
        assert len(payload) == count
        for w, word in enumerate(payload):
            for b in range(32):
                if word >> b & 1:
                    spikes[32 * w + b] = 1
    else:
        assert kind == 2
        assert len(payload) == (count + 1) // 2
        halves = [half for word in payload for half in (word & 0xFFFF, word >> 16)]
        assert halves[count:] == [0] * (len(halves) - count), "the unused half is not 0"
        for event in halves[:count]:
            spikes[event] = 1
    return spikes, last


def test_kinds_are_those_of_the_hardware():
    assert [(kind.name, int(kind)) for kind in Kind] == [("BITMAP", 1), ("EVENTS", 2), ("PIXELS", 3)]


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ((Kind.BITMAP, 0, False), 0x10000000),
        ((Kind.BITMAP, 5, True), 0x18000005),
        ((Kind.EVENTS, 65535, False), 0x2000FFFF),
        ((Kind.PIXELS, 196, True), 0x380000C4),
    ],
)
def test_header(arguments, word):
    assert header(*arguments) == word


@pytest.mark.parametrize("count", [-1, 65536, 10**9])
def test_header_refuses_a_count(count):
    assert refusal(lambda: header(Kind.BITMAP, count, False)) == f"a packet holds 0 to 65535 items, not {count}"


@examples(150)
@given(st.lists(st.integers(0, 1), min_size=1, max_size=140), st.booleans())
def test_a_step_arrives_in_either_form(spikes, last):
    array = np.array(spikes, np.uint8)
    events = np.flatnonzero(array)
    for words in (
        bitmap_packet(array, last),
        bitmap_packet(array.astype(bool), last),
        event_packet(events, last),
        event_packet(events.tolist(), last),
        step_packet(array, last),
    ):
        assert spikes_of(words, len(spikes)) == (spikes, int(last))


@examples(100)
@given(st.lists(st.integers(0, 1), min_size=1, max_size=300))
def test_step_packet_takes_the_fewer_cycles(spikes):
    """A bitmap costs a cycle a word up to its last spike, an event list one an event; a tie goes to the bitmap."""
    array = np.array(spikes, np.uint8)
    last_spike = max((i for i, s in enumerate(spikes) if s), default=-1)
    bitmap_cycles = last_spike // 32 + 1
    kind, _, count, _ = take_apart(step_packet(array, False))
    assert (kind, count) == ((2, sum(spikes)) if sum(spikes) < bitmap_cycles else (1, bitmap_cycles))


def test_bitmap_words():
    spikes = np.zeros(100, np.uint8)
    spikes[[0, 31, 32, 66]] = 1
    assert bitmap_packet(spikes, True).tolist() == [0x18000003, 0x80000001, 0x00000001, 0x00000004]


def test_event_words():
    assert event_packet([7, 0, 65535], False).tolist() == [0x20000003, 0x00000007, 0x0000FFFF]
    assert event_packet([1, 65535], False).tolist() == [0x20000002, 0xFFFF0001]


@pytest.mark.parametrize("n", [1, 31, 32, 33, 64, 65])
def test_empty_and_full_steps(n):
    assert bitmap_packet(np.zeros(n, np.uint8), False).tolist() == [0x10000000]
    assert step_packet(np.zeros(n, np.uint8), True).tolist() == [0x18000000]
    assert event_packet([], False).tolist() == [0x20000000]
    assert spikes_of(step_packet(np.ones(n, np.uint8), False), n) == ([1] * n, 0)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 784])
def test_pixels(n):
    pixels = np.random.default_rng(n).integers(0, 256, n, np.uint8)
    kind, last, count, payload = take_apart(pixel_packet(pixels))
    assert (kind, last, count) == (3, 1, (n + 3) // 4) and count == len(payload)
    data = b"".join(word.to_bytes(4, "little") for word in payload)
    assert data == pixels.tobytes() + bytes(4 * count - n)


def test_pixels_of_a_part_of_a_larger_array():
    """The rows of an image need not be contiguous in memory."""
    pixels = np.arange(40, dtype=np.uint8)[::3]
    assert pixel_packet(pixels).tolist() == pixel_packet(pixels.copy()).tolist()


def test_a_sample_of_spikes():
    rng = np.random.default_rng(2)
    sample = (rng.random((5, 70)) < 0.2).astype(np.uint8)
    packets = sample_packets(sample)
    assert [spikes_of(words, 70) for words in packets] == [(row, int(t == 4)) for t, row in enumerate(sample.tolist())]


def test_a_sample_of_pixels():
    pixels = np.arange(9, dtype=np.uint8)
    packets = sample_packets(pixels)
    assert len(packets) == 1 and packets[0].tolist() == pixel_packet(pixels).tolist()


def test_answer():
    values = np.array([5, -1, -32768, 32767], np.int32)
    words = answer_words(values, winner=3, number=7, vector=True)
    assert words.dtype == np.uint32
    assert words.tolist() == [5, 0xFFFFFFFF, 0xFFFF8000, 0x7FFF, 7 << 16 | 3]
    assert answer_words(values, winner=3, number=7, vector=False).tolist() == [7 << 16 | 3]


def test_answers_are_counted_modulo_16_bits():
    values = np.array([1], np.int32)
    assert answer_words(values, 0, 0xFFFF, False).tolist() == [0xFFFF0000]
    assert answer_words(values, 2, 0x10000, False).tolist() == [2]
    assert answer_words(values, np.int64(2), 0x12345, False).tolist() == [0x23450002]
