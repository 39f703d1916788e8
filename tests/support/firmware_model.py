# SPDX-License-Identifier: Apache-2.0
"""The device's end of the link, written from docs/specification.md, §9: what is answered to each frame, in no time."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field

from hysteron_host.frames import Frame
from hysteron_spec.protocol import (
    LINK_FIGURES,
    MAGIC,
    PAYLOAD_WORDS,
    REPLY,
    VERSION,
    WINDOW,
    Kind,
    Refusal,
    payload,
    words,
)
from support.firmware_core import ADDRESS, CONSTANTS, END, FAULT, RESET, RUN, Core
from support.firmware_native import IDENTITY, STATUS


@dataclass
class RefusedError(Exception):
    """A request is answered with ERROR."""

    code: Refusal
    detail: int


@dataclass
class Asked:
    """A DATA request and the answers it has so far."""

    frame: Frame
    missing: int
    answers: list[int] = field(default_factory=list)


def check(condition: bool, code: Refusal, detail: int) -> None:
    if not condition:
        raise RefusedError(code, detail)


class Model:
    """A device that has just started.

    Attributes
    ----------
    core
        Its core.
    replies
        By sequence number, all complete replies of the session.
    open
        DATA requests that miss answers, in order.
    """

    def __init__(self) -> None:
        self.core = Core()
        self.session = 0
        self.loaded, self.loading = 0, False
        self.check = 0
        self.figures = dict.fromkeys((word.name for word in LINK_FIGURES), 0)
        self._begin(0)

    def _begin(self, session: int) -> None:
        self.session, self.expected, self.gap_told = session, 0, False
        self.replies: dict[int, Frame] = {}
        self.open: list[Asked] = []

    @property
    def identity(self) -> bytes:
        return payload(*IDENTITY, *(self.core.read(4 * k) for k in range(CONSTANTS)))

    def take(self, frame: Frame) -> list[Frame]:
        """What is answered to a frame."""
        if frame.kind == Kind.HELLO:
            return [self._hello(frame)]
        if self.session == 0 or frame.session != self.session:
            return [self._error(frame, Refusal.SESSION, self.session)]
        ahead = (frame.sequence - self.expected) & 0xFFFF
        if ahead >= 1 << 15:
            self.figures["repeated"] += 1
            recent = ahead >= (1 << 16) - WINDOW
            return [self.replies[frame.sequence]] if recent and frame.sequence in self.replies else []
        if ahead > 0:
            self.figures["gaps"] += 1
            told, self.gap_told = self.gap_told, True
            return [] if told else [Frame(Kind.GAP, self.session, self.expected)]
        if any(one.frame.sequence == (self.expected - WINDOW) & 0xFFFF for one in self.open):
            return [self._error(frame, Refusal.WINDOW, WINDOW)]
        self.expected = (self.expected + 1) & 0xFFFF
        self.gap_told = False
        self.figures["accepted"] += 1
        return self._carry_out(frame)

    def _hello(self, frame: Frame) -> Frame:
        content = words(frame.payload)
        if len(frame.payload) != 8 or content[0] != MAGIC or frame.session == 0:
            return self._error(frame, Refusal.LENGTH, len(frame.payload))
        if content[1] & 0xFFFF != VERSION:
            return self._error(frame, Refusal.VERSION, VERSION)
        self._reset_core()
        self.loading = False
        self._begin(frame.session)
        return Frame(Kind.HELLO | REPLY, frame.session, frame.sequence, payload(self.loaded) + self.identity)

    def _error(self, frame: Frame, code: int, detail: int) -> Frame:
        self.figures["refused"] += 1
        return Frame(Kind.ERROR, frame.session, frame.sequence, payload(code, detail))

    def _reset_core(self) -> None:
        self.core.write(ADDRESS["COMMAND"], RESET)
        self.core.answers.clear()

    def _carry_out(self, frame: Frame) -> list[Frame]:
        """Replies in order of their requests: a DATA request may bring the answers that earlier ones miss."""
        begun = list(self.open)
        try:
            content = self._reply(frame)
        except RefusedError as refused:
            done = [self._error(frame, refused.code, refused.detail)]
        else:
            done = [] if content is None else [Frame(frame.kind | REPLY, frame.session, frame.sequence, content)]
        if frame.kind == Kind.LOAD_BEGIN and self.loading:
            done = [*self._refuse(begun, frame, Refusal.STATE, 0), *done]
        elif self.open and self.core.read(ADDRESS["STATUS"]) & FAULT:
            done = [*self._refuse(self.open, frame, Refusal.CORE, self.core.read(ADDRESS["ERROR"])), *done]
            self._reset_core()
        done = [*self._answered(), *done]
        self.replies.update({reply.sequence: reply for reply in done})
        return done

    def _refuse(self, asked: list[Asked], now: Frame, code: Refusal, detail: int) -> list[Frame]:
        """Refuse requests whose answers will not come, and the one under way; the others get their turn."""
        self.open = []
        bad = [one.missing > 0 or one.frame is now for one in asked]
        return [
            self._error(one.frame, code, detail) if wrong else self._data_reply(one)
            for one, wrong in zip(asked, bad, strict=True)
        ]

    def _answered(self) -> list[Frame]:
        done = []
        while self.open:
            asked = self.open[0]
            while asked.missing > len(asked.answers) and self.core.answers:
                asked.answers.append(self.core.answers.popleft())
            if asked.missing > len(asked.answers):
                break
            done.append(self._data_reply(self.open.pop(0)))
        return done

    def _data_reply(self, asked: Asked) -> Frame:
        self.figures["answered"] += 1
        frame = asked.frame
        return Frame(frame.kind | REPLY, frame.session, frame.sequence, payload(*asked.answers))

    def _reply(self, frame: Frame) -> bytes | None:
        """Payload of the reply; None of a request that waits for answers."""
        content, size = words(frame.payload), len(frame.payload)
        core = self.core
        match frame.kind:
            case Kind.LOAD_BEGIN:
                check(size == 0, Refusal.LENGTH, size)
                self.loaded, self.loading, self.check = 0, True, 0
                core.write(ADDRESS["ERROR"], core.read(ADDRESS["ERROR"]))
                core.write(ADDRESS["CONTROL"], 0)
                self._reset_core()
            case Kind.LOAD:
                self._load(content, size)
            case Kind.LOAD_END:
                loading, self.loading = self.loading, False
                check(loading, Refusal.STATE, size)
                check(size == 4, Refusal.LENGTH, size)
                check(self.check == content[0], Refusal.CHECK, self.check)
                error = core.read(ADDRESS["ERROR"])
                if error:
                    core.write(ADDRESS["ERROR"], error)
                    raise RefusedError(Refusal.CORE, error)
                core.write(ADDRESS["CONTROL"], RUN)
                self.loaded = self.check or 1
            case Kind.DATA:
                check(size % 4 == 0 and size > 0 and content[0] & 0xFFFF <= PAYLOAD_WORDS, Refusal.LENGTH, size)
                check(self.loaded, Refusal.STATE, 0)
                check(not core.read(ADDRESS["STATUS"]) & FAULT, Refusal.CORE, core.read(ADDRESS["ERROR"]))
                self.open.append(Asked(frame, content[0] & 0xFFFF))
                for word in content[1:]:
                    core.stream(word)
                return None
            case Kind.READ:
                check(size == 4 and content[0] >> 16 <= PAYLOAD_WORDS, Refusal.LENGTH, size)
                address, count = content[0] & 0xFFFF, content[0] >> 16
                there = address % 4 == 0 and address < END and address + 4 * count <= END
                check(there, Refusal.ADDRESS, address)
                return payload(*(core.read(address + 4 * k) for k in range(count)))
            case Kind.STATUS:
                check(size == 0, Refusal.LENGTH, size)
                return payload(*self.figures.values(), *STATUS)
            case _:
                raise RefusedError(Refusal.TYPE, frame.kind)
        return b""

    def _load(self, content: tuple[int, ...], size: int) -> None:
        loading, self.loading = self.loading, False
        check(loading, Refusal.STATE, size)
        check(size > 0 and size % 4 == 0, Refusal.LENGTH, size)
        records, at = [], 0
        while at < len(content):
            address, count = content[at] & 0xFFFF, content[at] >> 16
            check(0 < count < len(content) - at, Refusal.LENGTH, size)
            check(address < END and address % 4 == 0, Refusal.ADDRESS, size)
            records.append((address, content[at + 1 : at + 1 + count]))
            at += 1 + count
        self.loading = True
        for address, values in records:
            for value in values:
                self.core.write(address, value)
                self.check = zlib.crc32(payload(value), self.check)
