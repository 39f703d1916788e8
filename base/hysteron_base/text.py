# SPDX-License-Identifier: Apache-2.0
"""Texts that come from elsewhere (a name, a note, the path of a file) on a terminal and in a message.

Such a text may hold escape sequences, which a terminal would obey, or line ends, which would look like lines of ours;
or it is a megabyte long.
"""

import codecs
import unicodedata

#: Most characters of a message.
_MESSAGE = 1000
#: What stands for our own signs where the terminal has only ASCII.
_ASCII = {"×": "x", "µ": "u", "…": "~", "–": "-", "−": "-", "±": "+-", "→": "->", "✗": "!", "²": "^2", "°": "deg "}


def harmless(text: str) -> str:
    """``text`` with all that is no printable character as an escape: ``\\x1b``, ``\\n``, ``\\u202e``."""
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() or unicodedata.category(each) == "Zs" else ascii(each)[1:-1] for each in text
    )


def shortened(text: str, most: int = _MESSAGE) -> str:
    """``text`` with its middle left out if it is longer than ``most`` characters."""
    if len(text) <= most:
        return text
    left_out = f" … ({len(text):,} characters) … "
    kept = max(0, most - len(left_out))
    return text[: kept - kept // 4] + left_out + text[len(text) - kept // 4 :]


def one_line(text: str, most: int = _MESSAGE) -> str:
    """``text`` as one harmless line of at most ``most`` characters, for a message."""
    return shortened(harmless(shortened(" ".join(text.split("\n")).strip(), most)), most)


def _in_ascii(error: UnicodeError) -> tuple[str, int]:
    """Replace what the encoding of an output lacks: by a sign that looks alike, else by an escape."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    return "".join(_ASCII.get(each, ascii(each)[1:-1]) for each in text), error.end


#: The error handler of :func:`codecs.lookup_error` that writes any text in any encoding.
ANY_ENCODING = "hysteron-any-encoding"
codecs.register_error(ANY_ENCODING, _in_ascii)
