# SPDX-License-Identifier: Apache-2.0
"""A link to a device in Python."""

from __future__ import annotations

import pytest

from hysteron_host.link import Link
from support.device import Device, Wire


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    return Wire(Device(), monkeypatch)


@pytest.fixture
def link(wire: Wire) -> Link:
    """Connected; HELLO and its reply were frame 0 of the wire."""
    made = Link(wire)
    made.connect()
    return made
