# SPDX-License-Identifier: Apache-2.0
"""Frames as docs/link.md shows them, and bytes that are none."""

from __future__ import annotations

from random import Random

import pytest
from cobs import cobs

from hysteron_host.frames import DamagedError, Frame, decode
from hysteron_spec.protocol import CONTENT_BYTES, HEADER_BYTES, Kind
from support.vectors import DAMAGED, VECTORS, Vector


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_vectors(vector: Vector) -> None:
    assert vector.line.endswith(b"\0")
    frame = decode(vector.line[:-1])
    assert frame.content == vector.content
    assert frame.encode() == vector.line


@pytest.mark.parametrize("line", DAMAGED.values(), ids=DAMAGED.keys())
def test_damaged_frames(line: bytes) -> None:
    assert 0 not in line
    with pytest.raises(DamagedError) as caught:
        decode(line)
    assert "\n" not in str(caught.value)


def test_every_length_goes_through() -> None:
    rng = Random(1)
    for length in range(CONTENT_BYTES - HEADER_BYTES + 1):
        for few in (False, True):
            content = bytes(rng.choice((0, 0, 7)) for _ in range(length)) if few else rng.randbytes(length)
            frame = Frame(rng.randrange(256), rng.randrange(256), rng.randrange(1 << 16), content)
            line = frame.encode()
            assert 0 not in line[:-1] and line[-1] == 0
            assert decode(line[:-1]) == frame


def test_too_long_a_frame_is_not_made() -> None:
    with pytest.raises(AssertionError):
        Frame(1, 1, 1, bytes(CONTENT_BYTES - HEADER_BYTES + 1)).encode()


def test_rubbish_is_damaged_and_nothing_else() -> None:
    rng = Random(2)
    for k in range(10_000):
        length = rng.choice((0, 1, 5, 9, 20, 300, 2000))
        line = rng.randbytes(rng.randrange(length + 1))
        if k % 3 == 0:  # stuffed well
            line = bytes(cobs.encode(line))
        with pytest.raises(DamagedError):
            decode(line)


def test_every_wrong_bit_and_every_missing_byte_is_noticed() -> None:
    line = Frame(Kind.DATA, 3, 500, bytes(range(40)) + bytes(5)).encode()[:-1]
    for at in range(len(line)):
        for bit in range(8):
            wrong = bytearray(line)
            wrong[at] ^= 1 << bit
            for part in bytes(wrong).split(b"\0"):
                with pytest.raises(DamagedError):
                    decode(part)
        with pytest.raises(DamagedError):
            decode(line[:at] + line[at + 1 :])
