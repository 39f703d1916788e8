# SPDX-License-Identifier: Apache-2.0
"""Contents of frames, and what a frame is on the line."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from random import Random

from cobs import cobs

from hysteron_spec.machine import FRAME_BYTES

#: Bytes of the check, which every frame has behind its content.
CHECK_BYTES = 4
#: Bytes of the longest content.
LONGEST = FRAME_BYTES - CHECK_BYTES
#: Where the tests keep frames in memory.
BASE = 0x1000


def check_of(content: bytes) -> bytes:
    """The check behind a content."""
    return zlib.crc32(content).to_bytes(CHECK_BYTES, "little")


def line_of(content: bytes) -> bytes:
    """What is on the line for a frame."""
    return bytes(cobs.encode(content + check_of(content))) + b"\0"


def without_zeros(rng: Random, length: int) -> bytes:
    """Bytes that are not 0, nor is one of their check."""
    while True:
        content = bytes(rng.randrange(1, 256) for _ in range(length))
        if 0 not in check_of(content):
            return content


def short_contents() -> Iterator[bytes]:
    """Every length from 1 to 20: zeros, none, and some."""
    rng = Random(1)
    for length in range(1, 21):
        yield bytes(length)
        yield without_zeros(rng, length)
        yield bytes(rng.choice((0, 0, rng.randrange(256))) for _ in range(length))


def long_contents() -> Iterator[bytes]:
    """Around the lengths at which a block is full, with the check and without, and the longest."""
    rng = Random(2)
    for length in (250, *range(252, 257), 504, *range(506, 513), LONGEST):
        yield without_zeros(rng, length)
    yield rng.randbytes(300)


def runs() -> Iterator[bytes]:
    """Runs that fill a block, or nearly so, and what follows them."""
    rng = Random(3)
    yield bytes(260)
    for length in (253, 254, 255):
        run = without_zeros(rng, length)
        yield run + b"\0"
        yield b"\0" + run + b"\0\0\1"
    yield without_zeros(rng, 254) + without_zeros(rng, 254) + b"\0" + without_zeros(rng, 3)
