# SPDX-License-Identifier: Apache-2.0
"""Loading a network into the firmware: records, the check, and what ends it."""

from __future__ import annotations

import zlib

import pytest

from hysteron_spec.protocol import PAYLOAD_WORDS, REPLY, Kind, Refusal, payload, words
from support.firmware_core import ADDRESS, BAD_WORD, END, RESET, RUN, ask
from support.firmware_native import Session, record

SEED0, SEED1 = ADDRESS["SEED0"], ADDRESS["SEED1"]


def test_loading(session: Session) -> None:
    core, machine = session.device.machine.core, session.device.machine
    core.answers.extend([1, 2, 3])
    core.writes.clear()
    assert session.ask(Kind.LOAD_BEGIN).payload == b""
    assert core.writes[:2] == [(ADDRESS["CONTROL"], 0), (ADDRESS["COMMAND"], RESET)]
    assert {address for address, _ in core.writes[2:]} <= {ADDRESS["ERROR"]}
    assert not core.answers
    core.writes.clear()
    for speed in (1, 2, 300):
        machine.copy_speed = speed
        content = payload(*record(SEED0, 1, 2, 3), *record(SEED1, 4), *record(END - 4, 5, 6))
        assert session.ask(Kind.LOAD, content).payload == b""
    longest = tuple(range(PAYLOAD_WORDS - 1))
    assert session.ask(Kind.LOAD, payload(*record(0, *longest))).kind == Kind.LOAD | REPLY
    written = [(SEED0, 1), (SEED0, 2), (SEED0, 3), (SEED1, 4), (END - 4, 5), (END - 4, 6)] * 3
    written += [(0, value) for value in longest]
    assert core.writes == written
    check = zlib.crc32(payload(*(value for _, value in written)))
    assert session.ask(Kind.LOAD_END, payload(check)).payload == b""
    assert core.writes[len(written) :] == [(ADDRESS["CONTROL"], RUN)]
    assert words(Session(session.device).hello.payload)[0] == check


def test_the_check_begins_with_loading(session: Session) -> None:
    for _ in range(2):
        session.ask(Kind.LOAD_BEGIN)
        session.ask(Kind.LOAD, payload(*record(SEED0, 7)))
        assert session.ask(Kind.LOAD_END, payload(zlib.crc32(payload(7)))).kind == Kind.LOAD_END | REPLY


def test_a_core_without_a_network_may_say_what_it_likes(session: Session) -> None:
    session.ask(Kind.LOAD_BEGIN)
    session.device.machine.core.stream(BAD_WORD)
    session.device.machine.copy_speed = 1
    assert session.ask(Kind.LOAD, payload(*record(SEED0, 1, 2, 3))).kind == Kind.LOAD | REPLY


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", Refusal.LENGTH),
        (payload(*record(SEED0, 1)) + b"\0", Refusal.LENGTH),
        (payload(SEED0), Refusal.LENGTH),  # 0 words
        (payload(*record(SEED0, 1), SEED0), Refusal.LENGTH),
        (payload(1 << 16 | SEED0), Refusal.LENGTH),
        (payload(3 << 16 | SEED0, 1, 2), Refusal.LENGTH),
        (payload(*record(SEED0, 1), 2 << 16 | SEED0, 1), Refusal.LENGTH),
        (payload(0xFFFF << 16 | SEED0, *range(PAYLOAD_WORDS - 1)), Refusal.LENGTH),
        (payload(*record(END, 1)), Refusal.ADDRESS),
        (payload(*record(0xFFFC, 1)), Refusal.ADDRESS),
        (payload(*record(SEED0 + 2, 1)), Refusal.ADDRESS),
        (payload(*record(SEED0 + 1, 1)), Refusal.ADDRESS),
        (payload(*record(SEED0, 1), *record(END, 1)), Refusal.ADDRESS),
    ],
)
def test_a_wrong_load_writes_nothing_and_ends_loading(session: Session, content: bytes, code: Refusal) -> None:
    session.ask(Kind.LOAD_BEGIN)
    session.device.machine.core.writes.clear()
    assert session.refused(Kind.LOAD, content) == (code, len(content))
    assert not session.device.machine.core.writes
    assert session.refused(Kind.LOAD, payload(*record(SEED0, 1))) == (Refusal.STATE, 8)
    assert session.refused(Kind.LOAD_END, payload(0)) == (Refusal.STATE, 4)
    session.load()


def test_loading_must_be_begun(session: Session) -> None:
    session.device.machine.core.writes.clear()
    assert session.refused(Kind.LOAD, b"") == (Refusal.STATE, 0)
    assert session.refused(Kind.LOAD, payload(*record(SEED0, 1))) == (Refusal.STATE, 8)
    assert session.refused(Kind.LOAD_END, payload(0)) == (Refusal.STATE, 4)
    assert session.refused(Kind.LOAD_BEGIN, b"\0") == (Refusal.LENGTH, 1)
    assert session.refused(Kind.LOAD_END, payload(0)) == (Refusal.STATE, 4)
    assert not session.device.machine.core.writes
    session.load()
    assert session.refused(Kind.LOAD_END, payload(0)) == (Refusal.STATE, 4)


@pytest.mark.parametrize("content", [b"", payload(0)[:3], payload(0, 0)])
def test_the_end_of_loading_has_one_word(session: Session, content: bytes) -> None:
    session.ask(Kind.LOAD_BEGIN)
    assert session.refused(Kind.LOAD_END, content) == (Refusal.LENGTH, len(content))
    assert session.refused(Kind.LOAD_END, payload(0)) == (Refusal.STATE, 4)
    assert session.refused(Kind.DATA, payload(1, ask(1)))[0] == Refusal.STATE


def test_a_wrong_check_is_told(loaded: Session) -> None:
    loaded.ask(Kind.LOAD_BEGIN)
    loaded.ask(Kind.LOAD, payload(*record(SEED0, 7)))
    loaded.device.machine.core.writes.clear()
    check = zlib.crc32(payload(7))
    assert loaded.refused(Kind.LOAD_END, payload(check ^ 1)) == (Refusal.CHECK, check)
    assert not loaded.device.machine.core.writes, "the core stands"
    assert loaded.refused(Kind.DATA, payload(1, ask(1))) == (Refusal.STATE, 0)
    assert loaded.refused(Kind.LOAD_END, payload(check)) == (Refusal.STATE, 4)


def test_an_error_of_the_core_ends_loading(session: Session) -> None:
    core = session.device.machine.core
    session.ask(Kind.LOAD_BEGIN)
    core.values[ADDRESS["ERROR"]] = 4
    core.writes.clear()
    assert session.refused(Kind.LOAD_END, payload(0)) == (Refusal.CORE, 4)
    assert core.writes == [(ADDRESS["ERROR"], 4)], "it is cleared, and the core stands"
    assert session.refused(Kind.DATA, payload(1, ask(1))) == (Refusal.STATE, 0)
    session.load()


@pytest.mark.parametrize("old", [1, 2])
def test_old_errors_of_the_core_do_not_end_loading(loaded: Session, old: int) -> None:
    loaded.device.machine.core.values[ADDRESS["ERROR"]] = old
    loaded.load()
