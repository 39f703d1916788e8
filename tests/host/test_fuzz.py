# SPDX-License-Identifier: Apache-2.0
"""A device that answers rubbish, in frames that are in order: the host says so in a line, and never hangs."""

from __future__ import annotations

import contextlib
from random import Random

import numpy as np
import pytest

from hysteron_base.errors import DeviceError
from hysteron_host.accelerator import Accelerator
from hysteron_host.frames import DamagedError, Frame, decode
from hysteron_host.image import Image
from hysteron_spec.protocol import CONTENT_BYTES, HEADER_BYTES, MAGIC, REPLY, STATUS_WORDS, VERSION, Kind, payload
from support.device import IDENTITY

IMAGE = Image("fuzz", ((0x100, (1, 2, 3)),), n_in=8, n_out=130, pixels=True, every_step=False, steps=4)
SAMPLES = [np.zeros(8, np.uint8)] * 20
KINDS = (*(kind | REPLY for kind in Kind if kind < REPLY), Kind.ERROR, Kind.GAP, Kind.BOOT, Kind.HELLO)


class Babble:
    """A line to a device whose replies are well framed; each is right, or of a wrong kind, number, length or content.

    ``sense``: probability that a request gets its right reply.
    """

    name, patience = "babble", 1e-4

    def __init__(self, rng: Random, sense: float) -> None:
        self.rng, self.sense = rng, sense
        self._inbox = b""
        self._half = b""

    def write(self, data: bytes) -> None:
        *frames, self._half = (self._half + data).split(b"\0")
        for stuffed in frames:
            with contextlib.suppress(DamagedError):
                self._inbox += self._answer(decode(stuffed))

    def _answer(self, frame: Frame) -> bytes:
        rng = self.rng
        if rng.random() < self.sense:
            content = {
                Kind.HELLO: payload(1, *IDENTITY),
                Kind.DATA: payload(*range(131)),
                Kind.STATUS: payload(*range(len(STATUS_WORDS))),
                Kind.READ: payload(*range(11)),
            }.get(Kind(frame.kind), b"")
            return Frame(frame.kind | REPLY, frame.session, frame.sequence, content).encode()
        kind = rng.choice((frame.kind | REPLY, *KINDS, rng.randrange(256)))
        number = rng.choice((frame.sequence, frame.sequence, rng.randrange(1 << 16)))
        session = rng.choice((frame.session, frame.session, frame.session, rng.randrange(256)))
        length = rng.choice((0, 1, 4, 8, 12, 60, 64, CONTENT_BYTES - HEADER_BYTES))
        content = rng.choice((rng.randbytes(length), bytes(length), payload(MAGIC, VERSION)))
        return Frame(kind, session, number, content).encode() + rng.choice((b"", b"\0", rng.randbytes(3)))

    def read(self, _seconds: float) -> bytes:
        found, self._inbox = self._inbox, b""
        return found

    def close(self) -> None:
        pass


@pytest.mark.parametrize("sense", [0.0, 0.5, 0.9, 0.99])
def test_whatever_the_device_says_is_an_error_of_one_line_or_a_result(sense: float) -> None:
    ended: dict[str, int] = {}
    for seed in range(300):
        line = Babble(Random(seed), sense)
        try:
            with Accelerator(line) as machine:
                machine.load(IMAGE)
                results = list(machine.infer(SAMPLES))
                machine.stats()
            assert [result.index for result in results] == list(range(len(SAMPLES)))
            end = "results"
        except DeviceError as error:
            assert str(error) and "\n" not in str(error)
            end = type(error).__name__
        ended[end] = ended.get(end, 0) + 1
    assert len(ended) > 1
    assert ("results" in ended) == (sense > 0)
