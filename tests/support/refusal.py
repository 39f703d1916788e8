# SPDX-License-Identifier: Apache-2.0
"""How a user's mistake is told."""

from collections.abc import Callable

import pytest

from hysteron_base.errors import HysteronError


def refusal(act: Callable[[], object], kind: type[Exception] = HysteronError) -> str:
    """The message with which ``act`` is refused: one line of a :class:`HysteronError`, or of another ``kind``."""
    with pytest.raises(kind) as caught:
        act()
    message = str(caught.value)
    assert message and "\n" not in message
    return message
