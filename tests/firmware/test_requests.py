# SPDX-License-Identifier: Apache-2.0
"""What the firmware answers to each request, and to each that it refuses; loading has a file of its own."""

from __future__ import annotations

import pytest

from hysteron_host.frames import Frame
from hysteron_spec.protocol import MAGIC, PAYLOAD_WORDS, REPLY, STUCK_CYCLES, VERSION, Kind, Refusal, payload, words
from support.firmware_core import ADDRESS, BAD_WORD, CONSTANTS, END, HEADER_ERROR, RESET, ask
from support.firmware_native import IDENTITY, STATUS, Device, Session, error, figures, record

CONSTANT_WORDS = tuple(0x1000 + 4 * k for k in range(CONSTANTS))
SEED0 = ADDRESS["SEED0"]


def test_a_start_is_told(device: Device) -> None:
    device.start()
    (boot,) = device.run()
    assert boot == Frame(Kind.BOOT, 0, 0, payload(MAGIC, *IDENTITY, *CONSTANT_WORDS))


def test_hello(device: Device) -> None:
    hello = Frame(Kind.HELLO, 7, 0xBEEF, payload(MAGIC, VERSION))
    (reply,) = device.run(hello)
    assert reply == Frame(Kind.HELLO | REPLY, 7, 0xBEEF, payload(0, *IDENTITY, *CONSTANT_WORDS))
    assert (ADDRESS["COMMAND"], RESET) in device.machine.core.writes
    # The high half of the version is not looked at.
    (reply,) = device.run(Frame(Kind.HELLO, 7, 0, payload(MAGIC, VERSION | 0xABCD_0000)))
    assert reply.kind == Kind.HELLO | REPLY


@pytest.mark.parametrize(
    ("number", "content", "code", "detail"),
    [
        (9, b"", Refusal.LENGTH, 0),
        (9, payload(MAGIC), Refusal.LENGTH, 4),
        (9, payload(MAGIC, VERSION)[:7], Refusal.LENGTH, 7),
        (9, payload(MAGIC, VERSION, 0), Refusal.LENGTH, 12),
        (9, payload(MAGIC ^ 1, VERSION), Refusal.LENGTH, 8),
        (0, payload(MAGIC, VERSION), Refusal.LENGTH, 8),
        (0, payload(MAGIC, VERSION + 1), Refusal.LENGTH, 8),
        (9, payload(MAGIC, VERSION + 1), Refusal.VERSION, VERSION),
        (9, payload(MAGIC, 0), Refusal.VERSION, VERSION),
    ],
)
def test_a_wrong_hello_changes_nothing(
    loaded: Session, number: int, content: bytes, code: Refusal, detail: int
) -> None:
    loaded.device.run()
    loaded.device.machine.core.writes.clear()
    (reply,) = loaded.device.run(Frame(Kind.HELLO, number, 5, content))
    assert (reply.session, reply.sequence, error(reply)) == (number, 5, (code, detail))
    assert not loaded.device.machine.core.writes
    assert figures(loaded)["refused"] == 1


def test_hello_tells_whether_a_network_is_loaded(loaded: Session) -> None:
    assert words(loaded.hello.payload)[0] == 0
    again = Session(loaded.device)
    assert words(again.hello.payload)[0] == 1
    assert words(again.ask(Kind.DATA, payload(2, ask(2))).payload), "it may be used"
    again.ask(Kind.LOAD_BEGIN)
    halfway = Session(loaded.device)
    assert words(halfway.hello.payload)[0] == 0
    assert halfway.refused(Kind.LOAD, payload(*record(SEED0, 1)))[0] == Refusal.STATE
    assert halfway.refused(Kind.DATA, payload(2, ask(2))) == (Refusal.STATE, 0)


def test_data(loaded: Session) -> None:
    for speed in (1, 300):
        loaded.device.machine.copy_speed = speed
        for count in (0, 1, 5, PAYLOAD_WORDS):
            # The high half of the first word means nothing.
            reply = loaded.ask(Kind.DATA, payload(count | 0xFFFF_0000, 77, ask(count // 2), ask(count - count // 2, 1)))
            assert reply.kind == Kind.DATA | REPLY
            assert len(words(reply.payload)) == count
    assert not loaded.device.machine.core.answers
    longest = loaded.ask(Kind.DATA, payload(1, *range(PAYLOAD_WORDS - 2), ask(1)))
    assert len(words(longest.payload)) == 1
    assert figures(loaded)["answered"] == 9


def test_answers_are_those_of_the_core(loaded: Session) -> None:
    core = loaded.device.machine.core
    loaded.device.machine.holds_answers = True
    frame = loaded.frame(Kind.DATA, payload(3, ask(3)))
    assert loaded.device.run(frame) == []
    expected = list(core.answers)
    loaded.device.machine.holds_answers = False
    (reply,) = loaded.device.run()
    assert reply == Frame(Kind.DATA | REPLY, loaded.number, frame.sequence, payload(*expected))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        payload(0)[:3],
        payload(1, ask(1))[:7],
        payload(1, ask(1)) + b"\1",
        payload(PAYLOAD_WORDS + 1, ask(1)),
        payload(0xFFFF, ask(1)),
    ],
)
def test_wrong_data(loaded: Session, content: bytes) -> None:
    assert loaded.refused(Kind.DATA, content) == (Refusal.LENGTH, len(content))
    assert not loaded.device.machine.core.answers
    assert len(words(loaded.ask(Kind.DATA, payload(1, ask(1))).payload)) == 1


def test_data_needs_a_network(session: Session) -> None:
    assert session.refused(Kind.DATA, payload(1, ask(1))) == (Refusal.STATE, 0)
    session.ask(Kind.LOAD_BEGIN)
    assert session.refused(Kind.DATA, payload(1, ask(1))) == (Refusal.STATE, 0)


def test_answers_may_be_asked_for_without_input(loaded: Session) -> None:
    assert loaded.ask(Kind.DATA, payload(0)).payload == b""
    assert len(words(loaded.ask(Kind.DATA, payload(100, ask(100), ask(100, 1), ask(54, 2))).payload)) == 100
    assert len(words(loaded.ask(Kind.DATA, payload(154)).payload)) == 154
    assert not loaded.device.machine.core.answers


@pytest.mark.parametrize("due", [0, 1, 3])
def test_input_that_the_core_drops_is_refused_at_once(loaded: Session, due: int) -> None:
    device, core = loaded.device, loaded.device.machine.core
    device.machine.holds_answers = True
    waiting = [loaded.frame(Kind.DATA, payload(2, ask(2, k))) for k in range(2)]
    assert device.run(*waiting) == []
    device.machine.holds_answers = False
    core.answers.clear()  # still in the core
    core.writes.clear()
    bad = loaded.frame(Kind.DATA, payload(due, ask(1), BAD_WORD, ask(2)))
    replies = device.run(bad)
    assert [reply.sequence for reply in replies] == [frame.sequence for frame in (*waiting, bad)]
    assert all(error(reply) == (Refusal.CORE, HEADER_ERROR) for reply in replies)
    assert core.writes == [(ADDRESS["COMMAND"], RESET)]
    assert not core.answers
    # The core was reset and may be used, and nobody gets what was meant for another.
    reply = loaded.ask(Kind.DATA, payload(1, ask(1)))
    assert len(words(reply.payload)) == 1 and not core.answers


def test_input_that_the_core_drops_later_ends_what_waits(loaded: Session) -> None:
    device, core = loaded.device, loaded.device.machine.core
    waiting = loaded.frame(Kind.DATA, payload(2, ask(1)))
    assert device.run(waiting) == []
    core.stream(BAD_WORD)
    (reply,) = device.run()
    assert (reply.sequence, error(reply)) == (waiting.sequence, (Refusal.CORE, HEADER_ERROR))
    assert len(words(loaded.ask(Kind.DATA, payload(1, ask(1))).payload)) == 1


def test_a_core_that_dropped_input_before_is_told(loaded: Session) -> None:
    core = loaded.device.machine.core
    core.stream(BAD_WORD)
    for _ in range(2):
        assert loaded.refused(Kind.DATA, payload(1, ask(1))) == (Refusal.CORE, HEADER_ERROR)
    again = Session(loaded.device)
    assert words(again.hello.payload)[0] != 0
    assert len(words(again.ask(Kind.DATA, payload(1, ask(1))).payload)) == 1


def test_read(session: Session) -> None:
    core = session.device.machine.core
    for first, count in ((0, 1), (0, END // 4), (SEED0, 4), (END - 4, 1), (END - 8, 2), (SEED0, 0)):
        reply = session.ask(Kind.READ, payload(count << 16 | first))
        assert reply.kind == Kind.READ | REPLY
        assert words(reply.payload) == tuple(core.read(first + 4 * k) for k in range(count))


@pytest.mark.parametrize(
    ("content", "code", "detail"),
    [
        (b"", Refusal.LENGTH, 0),
        (payload(1 << 16)[:3], Refusal.LENGTH, 3),
        (payload(1 << 16, 0), Refusal.LENGTH, 8),
        (payload((PAYLOAD_WORDS + 1) << 16), Refusal.LENGTH, 4),
        (payload(1 << 16 | 2), Refusal.ADDRESS, 2),
        (payload(1 << 16 | 5), Refusal.ADDRESS, 5),
        (payload(1 << 16 | END), Refusal.ADDRESS, END),
        (payload(END), Refusal.ADDRESS, END),
        (payload(2 << 16 | END - 4), Refusal.ADDRESS, END - 4),
        (payload((END // 4 + 1) << 16), Refusal.ADDRESS, 0),
        (payload(PAYLOAD_WORDS << 16 | 0xFFFC), Refusal.ADDRESS, 0xFFFC),
    ],
)
def test_wrong_read(session: Session, content: bytes, code: Refusal, detail: int) -> None:
    assert session.refused(Kind.READ, content) == (code, detail)


def test_status(loaded: Session) -> None:
    for _ in range(3):
        loaded.ask(Kind.DATA, payload(1, ask(1)))
    loaded.refused(Kind.READ, b"")
    first = loaded.frame(Kind.STATUS)
    device = loaded.device
    late = Frame(Kind.STATUS, loaded.number, first.sequence + 5)
    device.run(late)
    device.run(late)
    (reply,) = device.run(first)
    assert words(reply.payload) == (0, 2 + 3 + 1 + 1, 0, 2, 1, 3, *STATUS)
    (again,) = device.run(first)
    assert again == reply, "a repeat is answered with what was said the first time"
    later = figures(loaded)
    assert (later["accepted"], later["repeated"], later["gaps"]) == (8, 1, 2)
    assert loaded.refused(Kind.STATUS, b"\0") == (Refusal.LENGTH, 1)


def test_restart(session: Session) -> None:
    assert session.device.run(session.frame(Kind.RESTART, b"ignored")) == []
    assert session.device.machine.restarted
    session.device.start()
    (boot,) = session.device.run()
    assert boot.kind == Kind.BOOT
    assert session.refused(Kind.STATUS, b"") == (Refusal.SESSION, 0)


@pytest.mark.parametrize("kind", [0, 9, 0x6F, Kind.GAP, Kind.BOOT, Kind.ERROR, Kind.READ | REPLY, 0xFF])
def test_unknown_requests(session: Session, kind: int) -> None:
    assert session.refused(kind, b"whatever") == (Refusal.TYPE, kind)


@pytest.mark.parametrize("kind", [Kind.DATA, Kind.LOAD])
def test_a_core_that_takes_nothing_more(loaded: Session, kind: Kind) -> None:
    device, machine = loaded.device, loaded.device.machine
    if kind == Kind.LOAD:
        loaded.ask(Kind.LOAD_BEGIN)
    machine.copy_speed, machine.stop_takes = 0, 3
    machine.core.answers.extend([1, 2])
    content = payload(0, ask(1)) if kind == Kind.DATA else payload(*record(SEED0, 1), *record(SEED0, 2))
    machine.now = 0xFFFF_FFF0  # the cycle counter wraps meanwhile
    frame = loaded.frame(kind, content)
    assert device.run(frame) == []
    machine.now = 0xFFFF_FFF0 + STUCK_CYCLES - 1
    assert device.run() == []
    machine.core.writes.clear()
    machine.core.values[ADDRESS["ERROR"]] = 2
    machine.now = 0xFFFF_FFF0 + STUCK_CYCLES + 1
    (reply,) = device.run()
    assert (reply.sequence, error(reply)) == (frame.sequence, (Refusal.STUCK, 2))
    assert machine.core.writes == [(ADDRESS["COMMAND"], RESET)]
    assert not machine.core.answers
    machine.copy_speed = 300
    machine.core.values[ADDRESS["ERROR"]] = 0
    loaded.load()
    assert len(words(loaded.ask(Kind.DATA, payload(1, ask(1))).payload)) == 1


@pytest.mark.parametrize("kind", [Kind.DATA, Kind.LOAD])
def test_a_slow_core_is_not_given_up(loaded: Session, kind: Kind) -> None:
    machine = loaded.device.machine
    if kind == Kind.LOAD:
        loaded.ask(Kind.LOAD_BEGIN)
    content = payload(1, 1, 2, 3, ask(1)) if kind == Kind.DATA else payload(*record(SEED0, 1, 2, 3))
    machine.copy_speed = 0
    replies = loaded.device.run(loaded.frame(kind, content))
    for _ in range(6):
        machine.now += STUCK_CYCLES // 2
        replies += loaded.device.run()
        machine.copy_speed = 1
        loaded.device.step()
        machine.copy_speed = 0
    replies += loaded.device.run()
    assert [reply.kind for reply in replies] == [kind | REPLY]
