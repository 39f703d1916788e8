# SPDX-License-Identifier: Apache-2.0
"""Words of payloads; docs/specification.md tells the numbers, and tests/docs compares them."""

from __future__ import annotations

from hysteron_spec.protocol import (
    BOOT_WORDS,
    ERROR_WORDS,
    HEADER_BYTES,
    HELLO_REPLY_WORDS,
    HELLO_WORDS,
    IDENTITY_WORDS,
    MEANING,
    STATUS_WORDS,
    Refusal,
    head,
    named,
    payload,
    words,
)
from support.vectors import VECTORS


def test_every_refusal_has_a_meaning() -> None:
    assert set(MEANING) == set(Refusal)
    assert all(text and "\n" not in text for text in MEANING.values())


def test_payloads_are_as_long_as_in_the_vectors() -> None:
    """HELLO, a refusal, and what a machine with seven constant registers says of itself."""
    sizes = {vector.name: len(words(vector.content[HEADER_BYTES:])) for vector in VECTORS}
    constants = 7
    assert sizes["BOOT"] == len(BOOT_WORDS) + constants
    assert sizes["HELLO, session 0x2A"] == len(HELLO_WORDS)
    assert sizes["reply: not loaded, identity"] == len(HELLO_REPLY_WORDS) + constants
    assert sizes["ERROR STATE"] == len(ERROR_WORDS)
    assert BOOT_WORDS[1:] == HELLO_REPLY_WORDS[1:] == IDENTITY_WORDS


def test_names_of_words_tell_them_apart() -> None:
    for declared in (HELLO_WORDS, ERROR_WORDS, BOOT_WORDS, HELLO_REPLY_WORDS):
        assert len({word.name for word in declared}) == len(declared)
    assert len({word.name for word in STATUS_WORDS}) == len(STATUS_WORDS) == 14


def test_words_by_name() -> None:
    assert named(ERROR_WORDS, (3, 5, 7)) == {"code": 3, "detail": 5}
    assert named(ERROR_WORDS, (3,)) == {"code": 3}
    assert head(0x38, 2) == 0x0002_0038


def test_words() -> None:
    assert payload(1, 0xFFFFFFFF) == b"\1\0\0\0\xff\xff\xff\xff"
    assert words(payload(1, 2, 3)) == (1, 2, 3)
    assert words(b"") == () == words(b"abc")
    assert words(payload(7) + b"abc") == (7,)
