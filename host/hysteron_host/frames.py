# SPDX-License-Identifier: Apache-2.0
"""Frames on the line: made of a request or a reply, and read from what came. ``docs/link.md`` shows their bytes."""

import zlib
from dataclasses import dataclass
from functools import cache
from typing import Any

from hysteron_base.extras import MissingPackageError
from hysteron_spec.protocol import CHECK_BYTES, CONTENT_BYTES, HEADER, HEADER_BYTES


@cache
def _cobs() -> Any:
    """The package that stuffs bytes: taken with the first frame, as a driver of ``golden:`` needs none."""
    try:
        from cobs import cobs
    except ModuleNotFoundError:
        raise MissingPackageError("cobs") from None
    return cobs


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
        return HEADER.pack(self.kind, self.session, self.sequence) + self.payload

    def encode(self) -> bytes:
        """What goes over the line, with the 0 at the end.

        Raises
        ------
        HysteronError
            If the package ``cobs`` is missing.
        """
        content = self.content
        assert len(content) <= CONTENT_BYTES
        return bytes(_cobs().encode(content + zlib.crc32(content).to_bytes(CHECK_BYTES, "little"))) + b"\0"


class DamagedError(Exception):
    """Bytes between two 0s that are no frame."""


def decode(stuffed: bytes) -> Frame:
    """Return the frame that was on the line as ``stuffed``, without the 0.

    Raises
    ------
    DamagedError
        If it is none.
    HysteronError
        If the package ``cobs`` is missing.
    """
    cobs = _cobs()
    try:
        plain = bytes(cobs.decode(stuffed))
    except cobs.DecodeError as error:
        raise DamagedError(str(error)) from None
    content, check = plain[:-CHECK_BYTES], plain[-CHECK_BYTES:]
    if len(content) < HEADER_BYTES or len(content) > CONTENT_BYTES:
        raise DamagedError(f"{len(plain)} bytes")
    if zlib.crc32(content) != int.from_bytes(check, "little"):
        raise DamagedError("wrong check")
    kind, session, sequence = HEADER.unpack_from(content)
    return Frame(kind, session, sequence, content[HEADER_BYTES:])
