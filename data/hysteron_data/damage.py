# SPDX-License-Identifier: Apache-2.0
"""The words for a file that is not what it should be."""

from hysteron_base.errors import HysteronError


def reason(error: Exception) -> str:
    """Return the first line of what another library says, or what it calls the error if it says nothing."""
    text = str(error).strip()
    return text.splitlines()[0].rstrip(":") if text else type(error).__name__


def damaged(path: object, why: str | Exception) -> HysteronError:
    """Return the error to raise for a file that should be got again."""
    text = reason(why) if isinstance(why, Exception) else why
    return HysteronError(f"data file {str(path)!r} is damaged ({text}); get it again")
