# SPDX-License-Identifier: Apache-2.0
"""The stream that enters a core, word for word, and the one that leaves it.

Every packet is a header word followed by ``count`` payload words (events: ``ceil(count / 2)``)::

    31   28 27   26          16 15            0
    [ kind ][last][ 0 … 0      ][    count     ]

=========  ====  =============================================================================
BITMAP     1     one time step; bit *i* of word *w* is input ``32 w + i``; missing words are 0
EVENTS     2     one time step; input numbers in any order, two a word, the first in the low half
PIXELS     3     one image, four pixels a word, the first in the low byte; always a whole sample
=========  ====  =============================================================================

``last`` marks a sample's last step. An image must not come in the middle of a sample of bitmaps or events. A header
that breaks these rules is an error, and everything after it is dropped until reset. What a bitmap or an image
leaves open of its last word counts as 0.

An answer is the ``n_out`` read-out values (with READOUT.VECTOR), two's complement, and then the trailer: the winner
in the low half and the number of the answer since the last reset, modulo 2**16, in the high half.

Specified in docs/specification.md, §6.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from hysteron_base.errors import integer_in, require

Words = NDArray[np.uint32]

#: Bits of a word of the bus, of the streams and of the input spike memory.
WORD = 32
#: Bytes of a word.
WORD_BYTES = WORD // 8
#: Bits of a bit's place in a word.
WORD_LOG2 = WORD.bit_length() - 1
#: Bits of a header's count, of an event's input number, and of the two halves of an answer's last word.
COUNT_BITS = WORD // 2


class Kind(IntEnum):
    """The kinds of packets; the hardware uses the same codes."""

    BITMAP = 1
    EVENTS = 2
    PIXELS = 3


@dataclass(frozen=True)
class Header:
    """The fields of a packet's header word."""

    kind: Kind
    count: int
    last: bool

    @classmethod
    def parse(cls, word: int) -> "Header":
        """Take a header word apart."""
        return cls(Kind(int(word) >> 28), int(word) & 0xFFFF, bool(int(word) >> 27 & 1))


def header(kind: Kind, count: int, last: bool) -> int:
    """Return the header word of a packet of ``count`` payload words, or of that many events."""
    require(0 <= count < 1 << 16, f"a packet holds 0 to 65535 items, not {count}")
    return kind << 28 | int(last) << 27 | count


def bitmap_packet(spikes: NDArray[np.integer | np.bool_], last: bool) -> Words:
    """Return the packet of one step as a bitmap; empty words at the end are left out."""
    n = len(spikes)
    bits = np.zeros(-(-n // WORD) * WORD, np.uint8)
    bits[:n] = spikes
    words = np.packbits(bits, bitorder="little").view("<u4").astype(np.uint32)
    used = int(np.flatnonzero(words)[-1]) + 1 if words.any() else 0
    return np.concatenate([np.array([header(Kind.BITMAP, used, last)], np.uint32), words[:used]])


def event_packet(events: Sequence[int] | NDArray[np.integer], last: bool) -> Words:
    """Return the packet of one step as a list of inputs, each from 0 to 65535."""
    for event in events:
        integer_in("event", event, 0, 0xFFFF)
    padded = np.zeros(-(-len(events) // 2) * 2, np.uint32)
    padded[: len(events)] = events
    words = padded[0::2] | padded[1::2] << np.uint32(16)
    return np.concatenate([np.array([header(Kind.EVENTS, len(events), last)], np.uint32), words])


def pixel_packet(pixels: NDArray[np.uint8]) -> Words:
    """Return the packet of one image: ``(n_in,)`` pixels."""
    padded = np.zeros(-(-len(pixels) // WORD_BYTES) * WORD_BYTES, np.uint8)
    padded[: len(pixels)] = pixels
    words = padded.view("<u4").astype(np.uint32)
    return np.concatenate([np.array([header(Kind.PIXELS, len(words), True)], np.uint32), words])


def step_packet(spikes: NDArray[np.integer | np.bool_], last: bool) -> Words:
    """Return the packet of one step in the form that takes fewer cycles: a bitmap one a word, events one each."""
    bitmap = bitmap_packet(spikes, last)
    events = np.flatnonzero(spikes)
    return event_packet(events, last) if len(events) < len(bitmap) - 1 else bitmap


def sample_packets(sample: NDArray[np.uint8]) -> list[Words]:
    """Return the packets of one sample: ``(n_in,)`` pixels or ``(steps, n_in)`` spikes."""
    if sample.ndim == 1:
        return [pixel_packet(sample)]
    return [step_packet(step, t == len(sample) - 1) for t, step in enumerate(sample)]


def answer_words(values: NDArray[np.int32], winner: int, number: int, vector: bool) -> Words:
    """Return the words of one answer: ``(n_out,)`` values if ``vector``, and the trailer."""
    body = values.astype(np.int64) & 0xFFFFFFFF if vector else np.zeros(0, np.int64)
    return np.concatenate([body, [(number & 0xFFFF) << 16 | winner]]).astype(np.uint32)
