# SPDX-License-Identifier: Apache-2.0
"""The link of the firmware, compiled once."""

from __future__ import annotations

import ctypes

import pytest

from support.firmware_native import Device, Session, compile_link


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    return compile_link(tmp_path_factory.mktemp("link"))


@pytest.fixture
def device(library: ctypes.CDLL) -> Device:
    """A device that has just told that it started."""
    made = Device(library)
    made.run()
    return made


@pytest.fixture
def session(device: Device) -> Session:
    """A session with it, without a network."""
    return Session(device)


@pytest.fixture
def loaded(session: Session) -> Session:
    """A session with a device that holds a network."""
    session.load()
    return session
