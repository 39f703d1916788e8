# SPDX-License-Identifier: Apache-2.0
"""``devices_small.c`` compiled for this machine: frames byte for byte, and words one by one."""

from __future__ import annotations

import ctypes
import re
import shutil
import subprocess
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from hysteron_firmware.build import SOURCES, headers
from hysteron_host.frames import Frame
from hysteron_spec.machine import MACHINE_BASE, MACHINE_REGISTERS, MachineConfig
from hysteron_spec.protocol import CONTENT_BYTES, HEADER_BYTES, payload
from support.contents import long_contents, runs, short_contents

WORD = ctypes.c_uint32
READ, WRITE = ctypes.CFUNCTYPE(WORD, WORD), ctypes.CFUNCTYPE(None, WORD, WORD)
NAMES = {MACHINE_BASE + register.address: name for name, register in MACHINE_REGISTERS.items()}
STOP = MACHINE_REGISTERS["COPY_COMMAND"].pack(STOP=1)
#: Where words are copied to.
TARGET = 0x4C
#: Compiled as C++, for which reading a register and writing it are two functions. Python is told of both.
SOURCE = """
#include <stdint.h>
extern "C" {
uint32_t (*on_read)(uint32_t address);
void (*on_write)(uint32_t address, uint32_t value);
void (*on_core_write)(uint32_t address, uint32_t value);
struct Port {
    uint32_t address;
    operator uint32_t() const { return on_read(address); }
    void operator=(uint32_t value) const { on_write(address, value); }
};
void machine_core_write(uint32_t address, uint32_t value) { on_core_write(address, value); }
#include "devices_small.c"
}
"""


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library; anything the compiler has to say is an error."""
    folder = tmp_path_factory.mktemp("small")
    for name, text in headers(MachineConfig(small=True)).items():
        (folder / name).write_text(re.sub(r"\(\*\(volatile uint32_t \*\)(\w+)\)", r"(Port{\1})", text))
    (folder / "small.cpp").write_text(SOURCE)
    command = ["g++", "-O1", "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror", f"-I{folder}", f"-I{SOURCES}"]
    subprocess.run([*command, str(folder / "small.cpp"), "-o", str(folder / "small.so")], check=True)
    return folder / "small.so"


class Small:
    """The devices of a small machine, and what the firmware does with them.

    Attributes
    ----------
    library
        Of the firmware, with its variables as after a reset.
    busy
        Says each time that LINE or STREAM is looked at whether what was written still waits.
    sent, taken, written
        Bytes on the line, words that the core took from the stream, and writes to its registers.
    waiting
        The word that is offered to the core.
    """

    def __init__(self, library: ctypes.CDLL) -> None:
        self.library = library
        self.busy: Callable[[], bool] = lambda: False
        self.sent = bytearray()
        self.taken: list[int] = []
        self.written: list[tuple[int, int]] = []
        self.waiting: int | None = None
        self.looks = 0
        self.stops = 0
        self._free = False
        self._watched = False
        self._errors: list[BaseException] = []
        self._calls = (READ(self._guarded(self._read)), WRITE(self._guarded(self._write)), WRITE(self._core_write))
        for name, call in zip(("on_read", "on_write", "on_core_write"), self._calls, strict=True):
            ctypes.c_void_p.in_dll(library, name).value = ctypes.cast(call, ctypes.c_void_p).value

    def _guarded(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A call from C; what is raised in it is kept, as C cannot hand it on."""

        def call(*values: int) -> Any:
            try:
                return function(*values)
            except BaseException as error:
                self._errors.append(error)
                return 0

        return call

    def call(self, name: str, *values: Any) -> int:
        """A function of the firmware."""
        result = int(getattr(self.library, name)(*values))
        if self._errors:
            raise self._errors[0]
        return result

    def _read(self, address: int) -> int:
        name = NAMES[address]
        assert name in ("LINE", "STREAM"), f"{name} was read"
        busy = self.busy()
        if name == "LINE":
            self._free = not busy
            return int(busy)
        self.looks += 1
        if self.waiting is not None and not busy:
            self.taken.append(self.waiting)
            self.waiting = None
        return int(self.waiting is not None)

    def _write(self, address: int, value: int) -> None:
        match NAMES[address]:
            case "LINE":
                assert self._free, "a byte was written before there was place for it"
                assert self._watched, "the watchdog was not set anew since the last byte"
                self._free = self._watched = False
                self.sent.append(value & 0xFF)
            case "STREAM":
                assert self.waiting is None, "a word was written before the last one was taken"
                self.waiting = value
            case "WATCHDOG":
                self._watched = True
            case "COPY_COMMAND":
                assert value == STOP
                self.stops += 1
                self.waiting = None
            case name:
                raise AssertionError(f"{name} was written")

    def _core_write(self, address: int, value: int) -> None:
        self.written.append((address, value))

    def send(self, content: bytes) -> bytes:
        """Send a frame; what came over the line."""
        self.sent.clear()
        self.call("machine_send", ctypes.create_string_buffer(content, CONTENT_BYTES), len(content))
        return bytes(self.sent)

    def copy(self, words: list[int], address: int | None) -> Any:
        """Start to copy to a register or, without one, to the stream; the words, which are to be kept."""
        held = (WORD * len(words))(*words)
        self.call("machine_copy", held, len(words), address is None, address or 0)
        return held


@pytest.fixture
def small(compiled: Path, tmp_path: Path) -> Small:
    """After a reset: a library of its own has variables of its own."""
    return Small(ctypes.CDLL(str(shutil.copy(compiled, tmp_path / "small.so"))))


def frames() -> Iterator[bytes]:
    """Contents of every kind, as the hardware's sender is tested with, and some at random."""
    for contents in (short_contents, long_contents, runs):
        for content in contents():
            if len(content) >= HEADER_BYTES:
                yield content
    rng = Random(7)
    for _ in range(200):
        zeros = rng.choice((0, 0.003, 0.1, 0.9))
        length = rng.randrange(HEADER_BYTES, CONTENT_BYTES + 1)
        yield bytes(0 if rng.random() < zeros else rng.randrange(1, 256) for _ in range(length))


def encoded(content: bytes) -> bytes:
    """What the driver puts on the line for a content."""
    return Frame(content[0], content[1], int.from_bytes(content[2:4], "little"), content[4:]).encode()


@pytest.mark.parametrize("slow", [False, True])
def test_frames_are_those_of_the_driver(small: Small, slow: bool) -> None:
    """Byte for byte, each when the line has place; before the first one after a reset comes a 0, and never again."""
    rng = Random(8)
    if slow:
        small.busy = lambda: rng.random() < 0.6
    lengths = set()
    before = b"\0"
    for content in frames():
        assert small.send(content) == before + encoded(content), content.hex()
        assert not small.call("machine_sender_busy")
        before = b""
        lengths.add(len(content))
    assert {HEADER_BYTES, CONTENT_BYTES} < lengths


def test_copies_to_a_register(small: Small) -> None:
    """Done at once, in order; the check goes on from copy to copy until it is cleared."""
    rng = Random(9)
    for _ in range(3):
        small.call("machine_check_clear")
        assert small.call("machine_check") & 0xFFFF_FFFF == 0
        check, small.written = 0, []
        expected = []
        for count in (1, 0, 253, 7):
            words = [rng.getrandbits(32) for _ in range(count)]
            small.copy(words, TARGET)
            assert small.call("machine_copy_left") == 0
            check = zlib.crc32(payload(*words), check)
            assert small.call("machine_check") & 0xFFFF_FFFF == check
            expected += [(TARGET, word) for word in words]
        assert small.written == expected
    assert not small.taken


@pytest.mark.parametrize("busy", [0.0, 0.5, 0.95])
def test_copies_to_the_stream(small: Small, busy: float) -> None:
    """Each word once, when the one before was taken; what is left counts the one that waits. The check stays."""
    rng = Random(10)
    small.call("machine_check_clear")
    small.copy([1, 2], TARGET)
    check = small.call("machine_check")
    small.busy = lambda: rng.random() < busy
    expected: list[int] = []
    seen = set()
    for count in (1, 0, 253, 30):
        words = [rng.getrandbits(32) for _ in range(count)]
        held = small.copy(words, None)
        expected += words
        while left := small.call("machine_copy_left"):
            assert left == len(expected) - len(small.taken)
            seen.add(left)
        assert small.taken == expected
        assert list(held) == words
    assert bool(seen) == bool(busy)
    assert small.call("machine_check") == check


def test_a_copy_that_is_stopped_midway(small: Small) -> None:
    """Nothing more of it goes to the core, and the next copy begins with its own first word."""
    rng = Random(11)
    words = [rng.getrandbits(32) for _ in range(50)]
    for taken in (0, 1, 20, 49, 50):
        small.taken.clear()
        small.busy = lambda taken=taken: len(small.taken) == taken  # type: ignore[misc]
        held = [small.copy(words, None)]
        assert small.call("machine_copy_left") == len(words) - taken
        small.call("machine_copy_stop")
        small.busy = lambda: False
        assert small.call("machine_copy_left") == 0
        assert small.taken == words[:taken]
        held.append(small.copy(words[::-1], None))
        assert small.call("machine_copy_left") == 0
        assert small.taken == words[:taken] + words[::-1]
    assert small.stops == 5
