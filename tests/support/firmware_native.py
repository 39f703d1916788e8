# SPDX-License-Identifier: Apache-2.0
"""``link.c`` compiled for this machine, between a fake of the hardware and the loop of ``main.c``."""

from __future__ import annotations

import ctypes
import os
import subprocess
import zlib
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hysteron_firmware.build import SOURCES, headers
from hysteron_host.frames import Frame
from hysteron_spec.machine import FRAME_SLOTS, MachineConfig
from hysteron_spec.protocol import (
    CONTENT_BYTES,
    HEADER_BYTES,
    LINK_FIGURES,
    MACHINE_FIGURES,
    MAGIC,
    PAYLOAD_WORDS,
    VERSION,
    Kind,
    named,
    payload,
    words,
)
from support.firmware_core import ADDRESS, CONSTANTS, RESET, Core

HERE = Path(__file__).parent
WORD, FLAG, POINTER = ctypes.c_uint32, ctypes.c_bool, ctypes.c_void_p
#: Of struct machine in fake.c: result and arguments.
CALLS: dict[str, tuple[Any, ...]] = {
    "cycle": (WORD,),
    "core_write": (None, WORD, WORD),
    "core_read": (WORD, WORD),
    "copy": (None, POINTER, WORD, FLAG, WORD),
    "copy_left": (WORD,),
    "copy_stop": (None,),
    "check_clear": (None,),
    "check": (WORD,),
    "take": (WORD, POINTER, WORD),
    "sender_busy": (FLAG,),
    "send": (None, POINTER, WORD),
    "status": (WORD, POINTER),
    "identity": (WORD, POINTER),
    "restart": (None,),
}
#: What a fake machine says of itself, before the core's constants: versions, reset cause, clock, divisor.
IDENTITY = (VERSION, 0x0001_0000, 0x0001_0000, 0x0201, 100_000_000, 4)
#: What it adds to STATUS.
STATUS = tuple(range(0xA0, 0xA0 + len(MACHINE_FIGURES)))


def compile_link(folder: Path) -> ctypes.CDLL:
    """The library; anything the compiler has to say is an error.

    With ``$HYSTERON_COVERAGE`` it counts there, when the process ends, how often each line was carried out.
    """
    counted = os.environ.get("HYSTERON_COVERAGE")
    if counted:
        folder = Path(counted)
    for name, text in headers(MachineConfig()).items():
        (folder / name).write_text(text)
    library = folder / "link.so"
    command = ["g++", "-std=c17", "-O0" if counted else "-O1", "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror"]
    command += [f"-I{folder}", f"-I{SOURCES}"]
    command += ["--coverage"] if counted else []
    for source in (SOURCES / "link.c", HERE / "fake.c"):
        command += ["-x", "c", str(source)]  # each: the option holds for one file
    command += ["-x", "none", "-o", str(library)]
    subprocess.run(command, check=True)
    return ctypes.CDLL(str(library))


class Machine:
    """The hardware's functions. It takes time only when :meth:`advance` says so.

    Attributes
    ----------
    copy_speed, stop_takes, send_takes
        Words copied in a step (0: the core takes nothing), looks at the copier until it has stopped, and steps that a
        frame is on the line.
    send_left
        Steps that the frame on the line still needs.
    sent
        Frames that left, in order.
    holds_answers
        Answers stay in the core, where a reset forgets them.
    """

    def __init__(self) -> None:
        self.core = Core()
        self.now = 0
        self.copy_speed, self.stop_takes, self.send_takes = 300, 0, 1
        self.sent: list[Frame] = []
        self.holds_answers = False
        self.restarted = False
        self._check = 0
        self._copy_at, self._copy_left, self._copy_to = 0, 0, -1
        self._stopping: int | None = None
        self._sending: tuple[int, bytes] | None = None
        self.send_left = 0

    def advance(self) -> None:
        """Let a step pass."""
        self.now += 1
        for _ in range(min(self.copy_speed, self._copy_left)):
            word = ctypes.string_at(self._copy_at, 4)
            self._check = zlib.crc32(word, self._check)
            self._copy_at += 4
            self._copy_left -= 1
            value = int.from_bytes(word, "little")
            if self._copy_to < 0:
                self.core.stream(value)
            else:
                self.core.write(self._copy_to, value)
        if self._sending is not None:
            self.send_left -= 1
            if self.send_left <= 0:
                at, content = self._sending
                assert ctypes.string_at(at, len(content)) == content, "the frame changed while it was sent"
                self._sending = None
                self.sent.append(Frame(content[0], content[1], int.from_bytes(content[2:4], "little"), content[4:]))

    @property
    def idle(self) -> bool:
        """Nothing happens by itself."""
        return self._sending is None and (self._copy_left == 0 or self.copy_speed == 0)

    def cycle(self) -> int:
        return self.now & 0xFFFF_FFFF

    def core_write(self, address: int, value: int) -> None:
        self.core.write(address, value)
        if (address, value) == (ADDRESS["COMMAND"], RESET) and self.holds_answers:
            self.core.answers.clear()

    def core_read(self, address: int) -> int:
        return self.core.read(address)

    def copy(self, words: int, count: int, to_stream: bool, address: int) -> None:
        assert self._copy_left == 0, "the copier is busy"
        self._copy_at, self._copy_left, self._copy_to = words, count, -1 if to_stream else address

    def copy_left(self) -> int:
        if self._stopping is not None:
            self._stopping -= 1
            if self._stopping < 0:
                self._copy_left, self._stopping = 0, None
        return self._copy_left

    def copy_stop(self) -> None:
        if self._copy_left:
            self._stopping = self.stop_takes

    def check_clear(self) -> None:
        self._check = 0

    def check(self) -> int:
        return self._check

    def take(self, words: int, most: int) -> int:
        count = 0 if self.holds_answers else min(len(self.core.answers), most)
        ctypes.memmove(words, payload(*(self.core.answers.popleft() for _ in range(count))), 4 * count)
        return count

    def sender_busy(self) -> bool:
        return self._sending is not None

    def send(self, frame: int, count: int) -> None:
        assert self._sending is None, "the line is busy"
        assert HEADER_BYTES <= count <= CONTENT_BYTES
        self._sending, self.send_left = (frame, ctypes.string_at(frame, count)), self.send_takes

    def status(self, words: int) -> int:
        ctypes.memmove(words, payload(*STATUS), 4 * len(STATUS))
        return len(STATUS)

    def identity(self, words: int) -> int:
        values = IDENTITY + tuple(self.core.read(4 * k) for k in range(CONSTANTS))
        ctypes.memmove(words, payload(*values), 4 * len(values))
        return len(values)

    def restart(self) -> None:
        self.restarted = True


class Device:
    """A machine with firmware: frames in, frames out.

    Attributes
    ----------
    machine
        Its hardware.
    waiting
        Contents of frames that were received and not taken yet.
    library, link
        The code, and its struct link.
    """

    def __init__(self, library: ctypes.CDLL) -> None:
        self.library = library
        self.waiting: deque[bytes] = deque()
        self._errors: list[BaseException] = []
        types = [ctypes.CFUNCTYPE(*kinds) for kinds in CALLS.values()]
        self._calls = [kind(self._guarded(name)) for name, kind in zip(CALLS, types, strict=True)]
        table = (POINTER * len(CALLS)).in_dll(library, "machine")
        for k, call in enumerate(self._calls):
            table[k] = ctypes.cast(call, POINTER).value
        self.link = ctypes.create_string_buffer(ctypes.c_size_t.in_dll(library, "link_bytes").value)
        self._slots = [(WORD * (PAYLOAD_WORDS + 2))() for _ in range(FRAME_SLOTS)]
        self._slot, self._held = 0, False
        for name in ("link_take", "link_work", "link_send", "holds"):
            getattr(library, name).restype = FLAG
        self.start()

    def start(self) -> None:
        """Reset, and what main() does first."""
        self.machine = Machine()
        self.waiting.clear()
        self._held = False
        self._checked(self.library.link_start, self.link)

    def _guarded(self, name: str) -> Callable[..., Any]:
        """A call from C; what is raised in it is kept, as C cannot hand it on."""

        def call(*values: Any) -> Any:
            try:
                return getattr(self.machine, name)(*values)
            except BaseException as error:
                self._errors.append(error)
                return 0

        return call

    def _checked(self, function: Any, *values: Any) -> Any:
        result = function(*values)
        if self._errors:
            raise self._errors[0]
        return result

    def take(self, content: bytes) -> bool:
        """Offer a frame that lies in the next buffer, as main.c does; whether it was taken."""
        buffer = self._slots[self._slot]
        ctypes.memmove(buffer, content, len(content))
        return bool(self._checked(self.library.link_take, self.link, buffer, len(content)))

    def work(self) -> bool:
        """Let the link go on with what is under way."""
        return bool(self._checked(self.library.link_work, self.link, self._slots[self._slot]))

    def step(self) -> bool:
        """Once around the loop of main.c, then a step of the hardware; whether anything was done."""
        done = False
        if self.waiting and not self._held and self.take(self.waiting[0]):
            self._held = done = True
            if self.machine.restarted:
                return False  # the call never came back
        done |= self.work()
        if self._held and not self.library.holds(self.link):
            self.waiting.popleft()
            # The receiver may write there now.
            ctypes.memset(self._slots[self._slot], 0xA5, CONTENT_BYTES)
            self._slot = (self._slot + 1) % FRAME_SLOTS
            self._held, done = False, True
        done |= bool(self._checked(self.library.link_send, self.link))
        busy = not self.machine.idle
        self.machine.advance()
        return done or busy

    def run(self, *contents: bytes | Frame, steps: int = 5000) -> list[Frame]:
        """Receive frames and go on until nothing happens any more; what was sent."""
        self.waiting.extend(one.content if isinstance(one, Frame) else one for one in contents)
        before = len(self.machine.sent)
        for _ in range(steps):
            if not self.step():
                return self.machine.sent[before:]
        raise AssertionError("the link does not come to rest")


def error(reply: Frame) -> tuple[int, ...]:
    """The words of a refusal."""
    assert reply.kind == Kind.ERROR
    return words(reply.payload)


def figures(session: Session) -> dict[str, int]:
    """What the link counts, as STATUS tells it."""
    return named(LINK_FIGURES, words(session.ask(Kind.STATUS).payload))


def record(address: int, *values: int) -> tuple[int, ...]:
    """Words of a record of LOAD."""
    return (len(values) << 16 | address, *values)


class Session:
    """A host that numbers its requests and does nothing else."""

    def __init__(self, device: Device, number: int = 0x2A) -> None:
        self.device, self.number, self.sequence = device, number, 0
        (self.hello,) = device.run(Frame(Kind.HELLO, number, 0, payload(MAGIC, VERSION)))

    def frame(self, kind: int, content: bytes = b"") -> Frame:
        """The next request."""
        made = Frame(kind, self.number, self.sequence & 0xFFFF, content)
        self.sequence += 1
        return made

    def ask(self, kind: int, content: bytes = b"") -> Frame:
        """Its one reply."""
        frame = self.frame(kind, content)
        replies = self.device.run(frame)
        assert len(replies) == 1
        reply = replies[0]
        assert (reply.session, reply.sequence) == (frame.session, frame.sequence)
        return reply

    def refused(self, kind: int, content: bytes) -> tuple[int, ...]:
        """The words with which a request is refused."""
        return error(self.ask(kind, content))

    def load(self) -> None:
        """Get through with loading, without anything to load."""
        self.ask(Kind.LOAD_BEGIN)
        assert self.ask(Kind.LOAD_END, payload(0)).kind != Kind.ERROR
