# SPDX-License-Identifier: Apache-2.0
"""Texts of others: no terminal obeys them, none is longer than a line, every encoding takes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hysteron_base.html import printable, table_of
from hysteron_base.text import ANY_ENCODING, harmless, one_line, shortened


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("digits", "digits"),
        ("a µ–× 日本語 é b", "a µ–× 日本語 é b"),
        ("no break\u202fspace", "no break\u202fspace"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("\x9b31m", "\\x9b31m"),
        ("two\nlines\r\t", "two\\nlines\\r\\t"),
        ("\u202eright to left", "\\u202eright to left"),
        ("\u2028", "\\u2028"),
        ("not UTF-8: \udcff", "not UTF-8: \\udcff"),
        ("\x00\x7f", "\\x00\\x7f"),
        ("\U000e0001", "\\U000e0001"),
    ],
)
def test_harmless(text: str, shown: str) -> None:
    assert harmless(text) == shown


@given(st.text())
def test_whatever_it_is_a_terminal_has_nothing_to_obey(text: str) -> None:
    shown = harmless(text)
    assert not any(ord(each) < 32 or 0x7F <= ord(each) < 0xA0 for each in shown)
    assert harmless(shown) == shown


@given(st.text(max_size=300), st.integers(60, 120))
def test_shortened(text: str, most: int) -> None:
    short = shortened(text, most)
    assert len(short) <= most
    assert short == text if len(text) <= most else f"({len(text)} characters)" in short
    assert one_line(text, most).isprintable() or "\xa0" in text or any(each.isspace() for each in text)
    assert len(one_line(text, most)) <= most and "\n" not in one_line(text, most)


def test_both_ends_of_a_long_text_are_kept() -> None:
    short = shortened("begin" + "x" * 100_000 + "end", 200)
    assert short.startswith("begin") and short.endswith("end") and len(short) == 200 and "100,008" in short


@pytest.mark.parametrize(
    ("encoding", "text", "written"),
    [
        ("ascii", "12 µs ± 1, 64×8 → 3 … –", b"12 us +- 1, 64x8 -> 3 ~ -"),
        ("ascii", "\u65e5\udcff", b"\\u65e5\\udcff"),
        ("latin-1", "µ×→é", "µ×->é".encode("latin-1")),
        ("utf-8", "µ\udcff", "µ".encode() + b"\\udcff"),
    ],
)
def test_every_encoding_takes_every_text(encoding: str, text: str, written: bytes) -> None:
    assert text.encode(encoding, ANY_ENCODING) == written


def test_it_does_not_decode() -> None:
    with pytest.raises(UnicodeDecodeError):
        b"\xff".decode("ascii", ANY_ENCODING)


def test_pages() -> None:
    assert printable("\x1b[1m<b>") == "\\x1b[1m<b>" and printable(5) == 5
    markup = type("Markup", (str,), {})("a\nb")
    assert printable(markup) is markup, "markup has lines of its own"
    page = table_of("\x1b]0;title", {"na\x07me": "val\x9bue<i>"})
    assert page.isprintable() and "\\x1b]0;title" in page and "val\\x9bue&lt;i&gt;" in page
