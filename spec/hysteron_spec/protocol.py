# SPDX-License-Identifier: Apache-2.0
"""The link protocol: what a frame is, and what requests and replies hold. Specified in docs/specification.md, §9.

The firmware's header is made from what is here, so both ends have the same numbers, and the same words in one order.
:mod:`hysteron_host.frames` makes frames of it and reads them.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from .machine import FRAME_BYTES
from .packets import WORD_BYTES

#: Version of the protocol. Host and device speak with each other only if theirs are equal.
VERSION = 1
#: First word of HELLO and BOOT: "HYLK" as bytes from the highest down.
MAGIC = 0x48594C4B
#: Requests that may be on their way without an answer.
WINDOW = 8
#: The header of a frame: type, session and sequence number.
HEADER = struct.Struct("<BBH")
#: Bytes of a frame's header, of its check, and of its longest content, which is header and payload.
HEADER_BYTES, CHECK_BYTES = HEADER.size, 4
CONTENT_BYTES = FRAME_BYTES - CHECK_BYTES
#: Words of the longest payload.
PAYLOAD_WORDS = (CONTENT_BYTES - HEADER_BYTES) // WORD_BYTES
#: Cycles after which a core that takes no more input is given up.
STUCK_CYCLES = 1 << 23


class Kind(IntEnum):
    """The types of frames. A reply's is its request's with :data:`REPLY` added."""

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
    """The reasons to refuse a request: first word of an ERROR frame."""

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
class Word:
    """A word of a payload: its name and what it holds."""

    name: str
    doc: str


#: Words of HELLO's request.
HELLO_WORDS = (Word("magic", "MAGIC"), Word("version", "version of the protocol, in the low half"))
#: Words of an ERROR frame.
ERROR_WORDS = (Word("code", "a Refusal"), Word("detail", "what the refusal is about"))
#: What a machine says of itself, in BOOT and in HELLO's reply; behind it come the core's constant registers, in order
#: of address.
IDENTITY_WORDS = (
    Word("protocol", "version of the protocol"),
    Word("firmware", "version of the firmware: major 16 bits, minor 16 bits"),
    Word("machine", "the machine's register MACHINE_VERSION"),
    Word("reset_cause", "the machine's register RESET_CAUSE"),
    Word("clock", "the machine's register CLOCK"),
    Word("uart", "the machine's register UART"),
)
#: Words of BOOT before the core's constant registers.
BOOT_WORDS = (Word("magic", "MAGIC"), *IDENTITY_WORDS)
#: Words of HELLO's reply before the core's constant registers.
HELLO_REPLY_WORDS = (
    Word("check", "CRC-32 of the network that is loaded and verified, or 1 if that is 0; 0: there is none"),
    *IDENTITY_WORDS,
)
#: The first words of STATUS's reply: what the link counts since the machine started.
LINK_FIGURES = (
    Word("awake_cycles", "cycles the processor did not wait for an interrupt"),
    Word("accepted", "requests carried out"),
    Word("repeated", "requests that had been carried out before"),
    Word("gaps", "requests that came before their predecessors"),
    Word("refused", "requests answered with an error"),
    Word("answered", "DATA requests answered"),
)
#: The words of STATUS's reply behind them: what the machine tells.
MACHINE_FIGURES = (
    Word("cycle", "the machine's register CYCLE"),
    Word("received", "bytes received"),
    Word("bad_check", "frames dropped because of their check, modulo 2**16"),
    Word("bad_form", "frames dropped because of their form, modulo 2**16"),
    Word("bad_room", "frames dropped because no buffer was free, modulo 2**16"),
    Word("bad_stop", "bytes without a stop bit, modulo 2**16"),
    Word("reset_cause", "the machine's register RESET_CAUSE"),
    Word("stack_free", "bytes of the stack that were never used"),
)
#: All words of STATUS's reply.
STATUS_WORDS = LINK_FIGURES + MACHINE_FIGURES
#: Bits of the word before a record of LOAD, and of READ's one word: the low ones hold the address of a register of the
#: core, the others a number of words. DATA's first word holds the answer words due in as many low bits.
ADDRESS_BITS = 16


def head(address: int, count: int) -> int:
    """Return the word that asks for ``count`` words to or from the core's registers at byte ``address``."""
    return count << ADDRESS_BITS | address


def named(declared: Sequence[Word], values: Sequence[int]) -> dict[str, int]:
    """Return the words of a payload by name; words beyond those declared are left out."""
    return {word.name: value for word, value in zip(declared, values, strict=False)}


def words(payload: bytes) -> tuple[int, ...]:
    """Return a payload as 32-bit words; bytes that do not fill one are left out."""
    count = len(payload) // WORD_BYTES
    return struct.unpack_from(f"<{count}I", payload)


def payload(*values: int) -> bytes:
    """Return 32-bit words as a payload."""
    return struct.pack(f"<{len(values)}I", *values)
