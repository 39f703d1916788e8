# SPDX-License-Identifier: Apache-2.0
"""Data sets that a test needs: it is skipped where they are missing."""

import pytest

from hysteron_data.sources import Presence, presence


def need_data(*names: str) -> None:
    """Skip the running test unless all files of the named data sets are on this machine."""
    for name in names:
        if presence(name) not in (Presence.NEEDLESS, Presence.WHOLE):
            pytest.skip(f"needs data set {name}: set HYSTERON_DATA or run 'hysteron data fetch {name}'")
