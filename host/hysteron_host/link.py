# SPDX-License-Identifier: Apache-2.0
"""The host's end of the link: requests in a window, each sent until it is answered, replies in order.

Specified in docs/specification.md, §9.
"""

import math
import secrets
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from hysteron_base.errors import DeviceError, require_of_device
from hysteron_spec.machine import MACHINE_REGISTERS
from hysteron_spec.packets import WORD_BYTES
from hysteron_spec.protocol import (
    CONTENT_BYTES,
    ERROR_WORDS,
    HEADER_BYTES,
    HELLO_REPLY_WORDS,
    MAGIC,
    MEANING,
    REPLY,
    VERSION,
    WINDOW,
    Kind,
    Refusal,
    named,
    payload,
    words,
)
from hysteron_spec.registers import REGISTERS

from .frames import DamagedError, Frame, decode
from .transports import Transport

#: Times that HELLO is sent.
TRIES = 12
#: Times that requests are sent again without any new reply; by how much patience grows with each but the first, and how
#: often at most: a device that is slow, and not deaf, must not be buried under repeats. One that gives no new reply is
#: given up after less than 30 times the patience.
REPEATS = 7
_GROWTH, _GROWTHS = 1.5, 5
#: Bytes without a 0 after which what has come is thrown away: more than any frame.
_LONGEST = 2 * CONTENT_BYTES


class SessionLostError(DeviceError):
    """The device was restarted, or another host has taken it; what was loaded and asked is to be done again."""


class RefusedError(DeviceError):
    """The device refused a request; :attr:`code` says why."""

    def __init__(self, refusal: bytes) -> None:
        told = named(ERROR_WORDS, (*words(refusal), 0, 0))
        self.code, self.detail = code, detail = told["code"], told["detail"]
        known = code in Refusal.__members__.values()
        meaning = MEANING[Refusal(code)] if known else f"unknown reason {code}; update the host"
        super().__init__(f"the device refused a request (detail {detail:#x}): {meaning}")


@dataclass(frozen=True)
class Identity:
    """What a machine says of itself.

    Attributes
    ----------
    check
        CRC-32 of the words of the network that is loaded and verified, or 1 if that is 0; 0: there is none.
    protocol, firmware, machine
        Versions; the high half of the latter two is the major one.
    restarts
        How often its watchdog has restarted it since power came.
    clock_hz, divisor
        Its clock, and clock cycles of a bit.
    core
        The core's constant registers, in order of address. A later machine may have more than this host knows.
    """

    check: int
    protocol: int
    firmware: int
    machine: int
    restarts: int
    clock_hz: int
    divisor: int
    core: tuple[int, ...]

    @property
    def constants(self) -> dict[str, int]:
        """The core's constant registers by name, as far as this host knows them."""
        known = [name for name, register in REGISTERS.items() if register.address < REGISTERS["CONTROL"].address]
        return dict(zip(known, self.core, strict=False))

    @classmethod
    def parse(cls, content: bytes) -> "Identity":
        """What a machine says of itself, from the payload of HELLO's reply.

        Raises
        ------
        DeviceError
            If it is none.
        """
        least = WORD_BYTES * (len(HELLO_REPLY_WORDS) + 1)  # and a register of the core at least
        require_of_device(
            len(content) >= least,
            f"the device tells {len(content)} bytes about itself, not {least}; update its firmware",
        )
        values = words(content)
        told = named(HELLO_REPLY_WORDS, values)
        return cls(
            check=told["check"],
            protocol=told["protocol"],
            firmware=told["firmware"],
            machine=told["machine"],
            restarts=MACHINE_REGISTERS["RESET_CAUSE"].unpack(told["reset_cause"])["COUNT"],
            clock_hz=told["clock"],
            divisor=told["uart"],
            core=values[len(HELLO_REPLY_WORDS) :],
        )


@dataclass
class LinkFigures:
    """Figures of what the link had to do in a session or several."""

    sessions: int = 0
    requests: int = 0
    sent_again: int = 0
    damaged: int = 0
    gaps: int = 0
    bytes_out: int = 0
    bytes_in: int = 0
    payload_out: int = 0


@dataclass
class _Waiting:
    kind: Kind
    frame: bytes
    reply: Frame | None = None
    order: int = 0  # among all that was sent
    sent: float = 0.0  # when; what a GAP asks for keeps its time, or a device that asks for ever would never be late
    asked: bool = False  # by a GAP, since then

    def answered_by(self, frame: Frame) -> bool:
        """Whether ``frame`` is the reply; late second replies to HELLO also carry the number of a request."""
        return self.reply is None and frame.kind in (self.kind | REPLY, Kind.ERROR)


@dataclass
class Link:
    """A session with a machine.

    Requests go out in order, at most :data:`WINDOW` without a reply; :meth:`replies` gives the replies in the same
    order, each once, whatever the line does to the bytes.

    Parameters
    ----------
    transport
        The line.
    """

    transport: Transport
    figures: LinkFigures = field(default_factory=LinkFigures)
    _session: int = 0
    _next: int = 0
    _sends: int = 0
    _silent: int = 0  # repeats since the last new reply, because none came in time
    _waiting: "deque[_Waiting]" = field(default_factory=deque)
    _received: bytearray = field(default_factory=bytearray)

    def connect(self) -> Identity:
        """Begin a session: nothing of earlier ones is left on the line or in the device, but the network.

        Raises
        ------
        DeviceError
            If nobody answers, or the device speaks another version.
        HysteronError
            If the package ``cobs`` is missing.
        """
        self._session = self._session % 255 + 1 if self._session else secrets.randbelow(255) + 1
        self._next = self._silent = 0
        self._waiting.clear()
        # The 0 in front ends whatever half a frame is on the line.
        hello = b"\0" + Frame(Kind.HELLO, self._session, 0, payload(MAGIC, VERSION)).encode()
        for _ in range(TRIES):
            self._write(hello)
            until = time.monotonic() + self.transport.patience
            while (left := until - time.monotonic()) > 0:
                for frame in self._frames(left):
                    if frame.kind == Kind.BOOT:
                        until = 0.0  # it has just started and may have missed what was sent before
                    if frame.session != self._session:
                        continue
                    if frame.kind == Kind.HELLO | REPLY:
                        self.figures.sessions += 1
                        return Identity.parse(frame.payload)
                    if frame.kind == Kind.ERROR:
                        raise RefusedError(frame.payload)
        raise DeviceError(
            f"no machine answers on {self.transport.name}; check power, cable and speed, and that its firmware runs"
        )

    @property
    def room(self) -> int:
        """Number of requests that may be sent now."""
        return WINDOW - len(self._waiting)

    @property
    def pending(self) -> int:
        """Number of requests whose reply was not given out yet."""
        return len(self._waiting)

    def send(self, kind: Kind, content: bytes = b"") -> None:
        """Send a request; there must be :attr:`room`."""
        assert self.room > 0 and len(content) <= CONTENT_BYTES - HEADER_BYTES
        frame = Frame(kind, self._session, self._next & 0xFFFF, content).encode()
        self._next += 1
        self.figures.requests += 1
        self.figures.payload_out += len(content)
        self._waiting.append(_Waiting(kind, frame))
        self._emit(self._waiting[-1])

    def replies(self, *, wait: bool) -> Iterator[Frame]:
        """Give the replies that are due, oldest first.

        Parameters
        ----------
        wait
            Wait for the oldest request's reply; else only for what has come.

        Raises
        ------
        SessionLostError, RefusedError, DeviceError
            If the device was restarted, refused the request, or no longer answers.
        """
        while self._waiting:
            while self._waiting and self._waiting[0].reply is not None:
                reply = self._waiting.popleft().reply
                assert reply is not None
                wait = False
                if reply.kind == Kind.ERROR:
                    raise RefusedError(reply.payload)
                yield reply
            if not self._waiting:
                return
            patience = self.transport.patience * _GROWTH ** min(max(self._silent - 1, 0), _GROWTHS)
            heard = self._listen(self._waiting[0].sent + patience - time.monotonic() if wait else 0)
            if self._waiting[0].reply is None:
                if time.monotonic() - self._waiting[0].sent > patience:
                    self._silent += 1
                    require_of_device(
                        self._silent <= REPEATS,
                        f"the machine on {self.transport.name} stopped answering; check it and begin again",
                    )
                    self._send_again(0)
                elif not wait and not heard:
                    return

    def ask(self, kind: Kind, content: bytes = b"") -> bytes:
        """Send a request alone and return its reply's payload."""
        assert not self._waiting
        self.send(kind, content)
        return next(self.replies(wait=True)).payload

    def _listen(self, seconds: float) -> bool:
        """Take in what has come; whether a request got its reply."""
        heard = False
        for frame in self._frames(seconds):
            if frame.kind == Kind.BOOT:
                raise SessionLostError(f"the machine on {self.transport.name} was restarted")
            if frame.session != self._session:
                continue
            oldest = self._next - len(self._waiting)
            place = (frame.sequence - oldest) & 0xFFFF
            if frame.kind == Kind.ERROR and words(frame.payload)[:1] == (Refusal.SESSION,):
                raise SessionLostError(f"the machine on {self.transport.name} has lost this session")
            if frame.kind == Kind.GAP:
                self.figures.gaps += 1
                # A device says it once. One that goes on is waited for like one that is silent.
                if place < len(self._waiting) and not self._waiting[place].asked:
                    self._waiting[place].asked = True
                    self._send_again(place, late=False)
            elif place < len(self._waiting) and self._waiting[place].answered_by(frame):
                answered = self._waiting[place]
                answered.reply = frame
                heard = True
                self._silent = 0
                # Replies come in order, so those to requests that were sent before this one were lost on their way.
                self._send_again(0, place, before=answered.order)
        return heard

    def _send_again(self, first: int, end: int | None = None, before: float = math.inf, *, late: bool = True) -> None:
        """Send what has no reply yet, and was last sent before frame ``before``, once more, in order."""
        for one in list(self._waiting)[first:end]:
            if one.reply is None and one.order < before:
                self.figures.sent_again += 1
                self._emit(one, late=late)

    def _emit(self, one: _Waiting, *, late: bool = True) -> None:
        """Send a frame; ``late``: whether it is late only when the patience has passed from now on."""
        self._sends += 1
        one.order = self._sends
        if late:
            one.sent, one.asked = time.monotonic(), False
        self._write(one.frame)

    def _write(self, data: bytes) -> None:
        self.figures.bytes_out += len(data)
        self.transport.write(data)

    def _frames(self, seconds: float) -> Iterator[Frame]:
        """Whole frames that come within so long."""
        data = self.transport.read(seconds)
        self.figures.bytes_in += len(data)
        self._received += data
        *whole, rest = bytes(self._received).split(b"\0")
        self._received = bytearray(rest[-_LONGEST:])
        for stuffed in whole:
            if stuffed:
                try:
                    yield decode(stuffed)
                except DamagedError:
                    self.figures.damaged += 1
