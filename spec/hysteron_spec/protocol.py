"""The link protocol: what a frame is, and what requests and replies hold. Specified in docs/specification.md, §9.

The firmware's header is made from the numbers here, so both ends have the same.
"""

import struct
import zlib
from dataclasses import dataclass
from enum import IntEnum

from cobs import cobs

#: Version of the protocol. Host and device speak with each other only if theirs are equal.
VERSION = 1
#: First word of HELLO and BOOT: "HYLK" as bytes from the highest down.
MAGIC = 0x48594C4B
#: Requests that may be on their way without an answer.
WINDOW = 8
#: Bytes of the longest content of a frame, header and payload, and of its check.
CONTENT_BYTES = 1020
CHECK_BYTES = 4
HEADER_BYTES = 4
#: Words of the longest payload.
PAYLOAD_WORDS = (CONTENT_BYTES - HEADER_BYTES) // 4
#: Cycles after which a core that takes no more input is given up.
STUCK_CYCLES = 1 << 23

_HEADER = struct.Struct("<BBH")


class Kind(IntEnum):
    """Frame types. A reply's is its request's with :data:`REPLY` added."""

    HELLO = 0x01
    LOAD_BEGIN = 0x02
    LOAD = 0x03
    LOAD_END = 0x04
    DATA = 0x05
    READ = 0x06
    STATUS = 0x07
    RESTART = 0x08
    GAP = 0x70
    BOOT = 0x71
    ERROR = 0x7F


#: Bit of a frame's type that marks a reply.
REPLY = 0x80


class Refusal(IntEnum):
    """Why a request was refused: first word of an ERROR frame."""

    SESSION = 1
    VERSION = 2
    TYPE = 3
    LENGTH = 4
    STATE = 5
    ADDRESS = 6
    CHECK = 7
    CORE = 8
    STUCK = 9
    WINDOW = 10


#: What each refusal means and what helps.
MEANING = {
    Refusal.SESSION: "the device knows no such session; it was restarted or another host has taken it",
    Refusal.VERSION: "the device speaks another version of the protocol; update the older of firmware and host",
    Refusal.TYPE: "the device does not know this request; update its firmware",
    Refusal.LENGTH: "the request has a wrong length",
    Refusal.STATE: "no network is loaded, or loading was not begun; load a network first",
    Refusal.ADDRESS: "the request names a register that is not there",
    Refusal.CHECK: "what the device received of the network is not what was sent; load it again",
    Refusal.CORE: "the core refused its input; the network and the data do not go together",
    Refusal.WINDOW: f"more than {WINDOW} requests were under way; the host must wait for replies",
    Refusal.STUCK: "the core took no more input and was reset; load the network again",
}


@dataclass(frozen=True)
class Frame:
    """A frame: type, session and sequence number, and the payload."""

    kind: int
    session: int
    sequence: int
    payload: bytes = b""

    @property
    def content(self) -> bytes:
        """Header and payload."""
        return _HEADER.pack(self.kind, self.session, self.sequence) + self.payload

    def encode(self) -> bytes:
        """What goes over the line, with the 0 at the end."""
        content = self.content
        assert len(content) <= CONTENT_BYTES
        return bytes(cobs.encode(content + zlib.crc32(content).to_bytes(CHECK_BYTES, "little"))) + b"\0"


class DamagedError(Exception):
    """Bytes between two 0s that are no frame."""


def decode(stuffed: bytes) -> Frame:
    """The frame that was on the line as ``stuffed``, without the 0.

    Raises
    ------
    DamagedError
        If it is none.
    """
    try:
        plain = bytes(cobs.decode(stuffed))
    except cobs.DecodeError as error:
        raise DamagedError(str(error)) from None
    content, check = plain[:-CHECK_BYTES], plain[-CHECK_BYTES:]
    if len(content) < HEADER_BYTES or len(content) > CONTENT_BYTES:
        raise DamagedError(f"{len(plain)} bytes")
    if zlib.crc32(content) != int.from_bytes(check, "little"):
        raise DamagedError("wrong check")
    kind, session, sequence = _HEADER.unpack_from(content)
    return Frame(kind, session, sequence, content[HEADER_BYTES:])


def words(payload: bytes) -> tuple[int, ...]:
    """A payload as 32-bit words; bytes that do not fill one are left out."""
    count = len(payload) // 4
    return struct.unpack_from(f"<{count}I", payload)


def payload(*values: int) -> bytes:
    """32-bit words as a payload."""
    return struct.pack(f"<{len(values)}I", *values)
