# SPDX-License-Identifier: Apache-2.0
"""The conversation of docs/link.md, with the firmware in the part of the device."""

from __future__ import annotations

import ctypes

import pytest

from hysteron_spec.protocol import HEADER_BYTES, REPLY, Kind, words
from support import firmware_native as native
from support.firmware_core import CONSTANTS
from support.firmware_native import Device
from support.vectors import VECTORS

#: What the device of the page says of itself.
IDENTITY = words(VECTORS[0].content[HEADER_BYTES:])[1:]


def test_the_firmware_answers_as_the_page_says(library: ctypes.CDLL, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "IDENTITY", IDENTITY[:-CONSTANTS])
    device = Device(library)
    machine = device.machine
    for k, value in enumerate(IDENTITY[-CONSTANTS:]):
        machine.core.values[4 * k] = value
    device.library.link_start(device.link)
    said = iter(device.run())
    senders = [vector.sender for vector in VECTORS]
    assert set(senders) == {"host", "device"}
    kinds = set()
    for vector in VECTORS:
        if vector.sender == "host":
            assert next(said, None) is None, vector.name
            said = iter(device.run(vector.content))
        else:
            reply = next(said)
            assert reply.content == vector.content, vector.name
            kinds.add(reply.kind)
    assert next(said, None) is None
    assert kinds > {Kind.BOOT, Kind.GAP, Kind.ERROR, Kind.HELLO | REPLY, Kind.LOAD_END | REPLY}
