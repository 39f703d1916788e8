# SPDX-License-Identifier: Apache-2.0
"""How much memory one thing may take: sizes are checked before they are allocated."""

import os

from .errors import HysteronError, require

#: Environment variable that allows more, in GiB.
VARIABLE = "HYSTERON_MAX_GIB"
#: GiB that are allowed if it is not set.
DEFAULT = 2.0


def allowed() -> int:
    """Bytes that one thing may take.

    Raises
    ------
    HysteronError
        If the variable is no number above 0.
    """
    text = os.environ.get(VARIABLE, "") or str(DEFAULT)
    try:
        gib = float(text)
    except ValueError:
        gib = 0.0
    require(0 < gib < 1 << 30, f"{VARIABLE} must be a number of GiB above 0, not {text!r}")
    return int(gib * (1 << 30))


def check_size(what: str, size: int, remedy: str = "") -> None:
    """Refuse what would take more than :func:`allowed`.

    Parameters
    ----------
    what
        What takes the memory, for the message.
    size
        How many bytes it would take.
    remedy
        What to do instead of allowing more, if there is something.
    """
    most = allowed()
    if size > most:
        instead = f"{remedy}, or " if remedy else ""
        raise HysteronError(
            f"{what} takes {size / (1 << 30):,.1f} GiB of memory, more than {most / (1 << 30):g} GiB; "
            f"{instead}set {VARIABLE} to allow more"
        )
