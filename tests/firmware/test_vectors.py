"""The conversation of docs/link.md, with the firmware in the part of the device."""

from __future__ import annotations

import ctypes
import runpy
from pathlib import Path
from typing import Any

import pytest

from hysteron_wire.protocol import HEADER_BYTES, REPLY, Kind, words

from . import native
from .core import CONSTANTS
from .native import Device

VECTORS: list[Any] = runpy.run_path(str(Path(__file__).parents[1] / "host/vectors.py"))["VECTORS"]
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
