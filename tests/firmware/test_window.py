# SPDX-License-Identifier: Apache-2.0
"""Sequence numbers, sessions and buffers of the firmware: what is lost, repeated, early, late or too fast."""

from __future__ import annotations

import pytest

from hysteron_host.frames import Frame
from hysteron_spec.protocol import MAGIC, REPLY, STUCK_CYCLES, VERSION, WINDOW, Kind, Refusal, payload, words
from support.firmware_core import ADDRESS, ask
from support.firmware_native import Device, Session, figures

SEED0 = ADDRESS["SEED0"]


def read_id(session: Session) -> Frame:
    """A small request that needs no network."""
    return session.frame(Kind.READ, payload(1 << 16))


def numbers(replies: list[Frame]) -> list[int]:
    return [reply.sequence for reply in replies]


def kinds(replies: list[Frame]) -> list[int]:
    return [reply.kind for reply in replies]


def pause(device: Device) -> None:
    """Loops in which the line moves nothing on."""
    device.machine.send_takes = 1 << 30


def go_on(device: Device) -> list[Frame]:
    """Let the line go on, and what then comes."""
    device.machine.send_takes = device.machine.send_left = 1
    return device.run(steps=200)


def settle(device: Device, *frames: Frame | bytes, steps: int = 30) -> None:
    """Some loops, whether or not something is under way."""
    device.waiting.extend(one.content if isinstance(one, Frame) else one for one in frames)
    for _ in range(steps):
        device.step()


@pytest.mark.parametrize("length", range(4))
def test_frames_without_a_header_are_dropped(session: Session, length: int) -> None:
    assert session.device.run(read_id(session).content[:length]) == []
    session.sequence = 0
    assert session.ask(Kind.READ, payload(1 << 16)).kind == Kind.READ | REPLY


@pytest.mark.parametrize("content", [b"\x06", b"\x06\x2a\0"])
def test_they_are_dropped_before_hello_too(device: Device, content: bytes) -> None:
    assert device.run(content) == []
    assert not device.waiting


def test_the_header_alone_is_a_frame(session: Session) -> None:
    assert session.ask(Kind.LOAD_BEGIN).kind == Kind.LOAD_BEGIN | REPLY


@pytest.mark.parametrize("number", [0, 1, 0x2A, 0xFF])
def test_without_a_session_nothing_is_carried_out(device: Device, number: int) -> None:
    device.machine.core.writes.clear()
    (reply,) = device.run(Frame(Kind.LOAD_BEGIN, number, 3))
    assert (reply.kind, reply.session, reply.sequence) == (Kind.ERROR, number, 3)
    assert words(reply.payload) == (Refusal.SESSION, 0)
    assert not device.machine.core.writes


@pytest.mark.parametrize("number", [0, 0x2B, 0xFF])
def test_other_sessions_are_refused(session: Session, number: int) -> None:
    (reply,) = session.device.run(Frame(Kind.LOAD_BEGIN, number, 0))
    assert (reply.kind, reply.session, reply.sequence) == (Kind.ERROR, number, 0)
    assert words(reply.payload) == (Refusal.SESSION, session.number)
    assert session.ask(Kind.READ, payload(1 << 16)).kind == Kind.READ | REPLY
    assert figures(session)["refused"] == 1


def test_a_new_session_forgets_the_old_one(loaded: Session) -> None:
    device = loaded.device
    device.machine.holds_answers = True
    for _ in range(3):
        assert device.run(loaded.frame(Kind.DATA, payload(2, ask(2)))) == []
    assert kinds(device.run(Frame(Kind.READ, loaded.number, 9))) == [Kind.GAP]
    device.machine.holds_answers = False
    again = Session(device, loaded.number)
    assert words(again.hello.payload)[0] == 1
    assert not device.machine.core.answers, "they were for the old one"
    assert device.run(Frame(Kind.READ, loaded.number, 9)) == [Frame(Kind.GAP, loaded.number, 0)], "told anew"
    reply = again.ask(Kind.DATA, payload(3, ask(3, 1)))
    device.machine.core.write(ADDRESS["COMMAND"], 1)
    device.machine.core.stream(ask(3, 1))
    assert words(reply.payload) == tuple(device.machine.core.answers), "of a core that was reset"


def test_every_reply_waits_for_the_line(session: Session) -> None:
    device = session.device
    pause(device)
    for kind, content in ((Kind.STATUS, b""), (Kind.LOAD_BEGIN, b""), (Kind.LOAD, payload(1 << 16 | SEED0, 1))):
        settle(device, session.frame(kind, content))
    assert not device.waiting, "they are carried out meanwhile"
    replies = go_on(device)
    assert kinds(replies) == [kind | REPLY for kind in (Kind.STATUS, Kind.LOAD_BEGIN, Kind.LOAD)]
    assert numbers(replies) == [0, 1, 2]


def test_a_full_window(session: Session) -> None:
    device = session.device
    pause(device)
    frames = [read_id(session) for _ in range(WINDOW)]
    settle(device, *frames)
    assert not device.waiting
    replies = go_on(device)
    assert numbers(replies) == list(range(WINDOW))


@pytest.mark.parametrize("start", [0, 3, 7])
def test_a_buffer_on_the_line_is_not_overwritten(session: Session, start: int) -> None:
    device = session.device
    for _ in range(start):
        device.run(read_id(session))
    pause(device)
    settle(device, *(session.frame(Kind.READ, payload(1 << 16 | 4 * k)) for k in range(WINDOW)))
    # The first reply is on the line; one that wants its buffer has to wait, and all behind it.
    settle(device, session.frame(Kind.READ, payload(1 << 16 | 4 * WINDOW)), session.frame(Kind.READ, payload(0)))
    assert len(device.waiting) == 2
    replies = go_on(device)
    assert numbers(replies) == list(range(start, start + WINDOW + 2))
    assert [words(reply.payload) for reply in replies] == [(0x1000 + 4 * k,) for k in range(6)] + [
        tuple(device.machine.core.read(4 * k) for k in (n,)) for n in (6, 7, 8)
    ] + [()]


def test_a_repeat_that_waits_gives_way(session: Session) -> None:
    device = session.device
    first = [read_id(session) for _ in range(WINDOW)]
    device.run(*first)
    pause(device)
    settle(device, first[1], first[0])
    # The reply to 1 is on the line, that to 0 waits. The host has it, or it would not send request 8.
    settle(device, session.frame(Kind.READ, payload(2 << 16)))
    assert not device.waiting
    replies = go_on(device)
    assert numbers(replies) == [1, 8]
    assert len(words(replies[1].payload)) == 2


def test_repeats_are_answered_from_the_cache(loaded: Session) -> None:
    device = loaded.device
    machine = device.machine
    sequence = loaded.sequence
    frames = [loaded.frame(Kind.DATA, payload(2, ask(2, k))) for k in range(WINDOW - 2)]
    frames += [loaded.frame(Kind.READ, payload(1 << 16 | SEED0)), loaded.frame(Kind.LOAD, b"")]
    replies = device.run(*frames)
    machine.core.values[SEED0] = 5
    machine.core.writes.clear()
    for frame, reply in reversed(list(zip(frames, replies, strict=True))):
        assert device.run(frame) == [reply]
        assert device.run(frame) == [reply]
    assert not machine.core.answers and not machine.core.writes
    # Whatever a repeat holds, its number counts.
    assert device.run(Frame(Kind.LOAD_BEGIN, loaded.number, sequence)) == [replies[0]]
    assert replies[-1].kind == Kind.ERROR
    status = figures(loaded)
    assert status["repeated"] == 2 * WINDOW + 1
    assert status["accepted"] == loaded.sequence


def test_repeats_are_sent_in_order(session: Session) -> None:
    device = session.device
    frames = [read_id(session) for _ in range(WINDOW)]
    device.run(*frames)
    pause(device)
    settle(device, frames[7], frames[5], frames[2], frames[6], frames[5])
    assert numbers(go_on(device)) == [7, 2, 5, 6]


def test_repeats_of_what_is_under_way_are_dropped(loaded: Session) -> None:
    device = loaded.device
    device.machine.holds_answers = True
    frame = loaded.frame(Kind.DATA, payload(2, ask(2)))
    assert device.run(frame, frame, frame) == []
    device.machine.holds_answers = False
    assert numbers(device.run()) == [frame.sequence]
    assert not device.machine.core.answers


def test_a_repeat_while_the_reply_is_on_the_line(session: Session) -> None:
    device = session.device
    frame = read_id(session)
    pause(device)
    settle(device, frame, frame)
    replies = go_on(device)
    assert replies == [replies[0]] * 2 and replies[0].kind == Kind.READ | REPLY


def test_older_repeats_are_dropped(session: Session) -> None:
    device = session.device
    frames = [read_id(session) for _ in range(WINDOW + 2)]
    device.run(*frames)
    for frame in frames[:2]:
        assert device.run(frame) == []
    for frame in frames[2:]:
        assert numbers(device.run(frame)) == [frame.sequence]
    assert device.run(Frame(Kind.READ, session.number, (session.sequence - (1 << 15)) & 0xFFFF)) == []


@pytest.mark.parametrize("back", [1, WINDOW])
def test_what_was_never_asked_is_not_answered(session: Session, back: int) -> None:
    assert session.device.run(Frame(Kind.READ, session.number, -back & 0xFFFF)) == []


def test_a_gap_is_told_once(session: Session) -> None:
    device = session.device
    session.ask(Kind.STATUS)
    lost, *others = (read_id(session) for _ in range(WINDOW))
    assert device.run(*others) == [Frame(Kind.GAP, session.number, lost.sequence)]
    assert device.run(*others) == []
    assert numbers(device.run(lost)) == [lost.sequence]
    assert device.run(*others[1:]) == [Frame(Kind.GAP, session.number, others[0].sequence)], "another gap"
    assert numbers(device.run(*others)) == [frame.sequence for frame in others]
    assert figures(session)["gaps"] == 2 * len(others) + len(others) - 1


def test_a_gap_comes_before_waiting_replies(session: Session) -> None:
    device = session.device
    pause(device)
    settle(device, read_id(session), read_id(session))
    settle(device, Frame(Kind.READ, session.number, 7))
    replies = go_on(device)
    assert kinds(replies) == [Kind.READ | REPLY, Kind.GAP, Kind.READ | REPLY]
    assert numbers(replies) == [0, 2, 1]


def test_a_notice_on_the_line_is_not_overwritten(session: Session) -> None:
    device = session.device
    pause(device)
    foreign = [Frame(Kind.READ, 0x2B, k) for k in range(2)]
    early = Frame(Kind.READ, session.number, 5)
    hello = Frame(Kind.HELLO, session.number, 0, payload(MAGIC, VERSION))
    for first in (foreign[0], early):
        for second, kind in ((foreign[1], Kind.ERROR), (early, Kind.GAP), (hello, Kind.HELLO | REPLY)):
            settle(device, hello, steps=5)
            go_on(device)
            pause(device)
            settle(device, first)
            settle(device, second)
            blocked = not (first is early and second is early)  # that gap is known
            assert len(device.waiting) == blocked
            replies = go_on(device)
            pause(device)
            assert kinds(replies) == [Kind.GAP if first is early else Kind.ERROR] + [kind] * blocked


def test_hello_waits_until_the_line_is_free(session: Session) -> None:
    device = session.device
    pause(device)
    settle(device, read_id(session), read_id(session))
    settle(device, Frame(Kind.HELLO, 0x2B, 0, payload(MAGIC, VERSION)))
    assert len(device.waiting) == 1
    replies = go_on(device)
    assert kinds(replies)[0] == Kind.READ | REPLY and kinds(replies)[-1] == Kind.HELLO | REPLY


def test_hello_waits_for_a_copy(loaded: Session) -> None:
    device = loaded.device
    device.machine.copy_speed = 0
    settle(device, loaded.frame(Kind.DATA, payload(1, ask(1))))
    hello = Frame(Kind.HELLO, 0x2B, 0, payload(MAGIC, VERSION))
    settle(device, hello)
    assert len(device.waiting) == 2
    assert not device.take(hello.content)
    device.machine.now += STUCK_CYCLES
    device.machine.copy_speed = 300
    assert kinds(device.run())[-1] == Kind.HELLO | REPLY


def test_sequence_numbers_wrap(session: Session) -> None:
    device = session.device
    for _ in range(1 << 8):
        assert len(device.run(*(session.frame(Kind.LOAD_BEGIN) for _ in range(1 << 8)))) == 1 << 8
    assert numbers(device.run(Frame(Kind.READ, session.number, 65535))) == [65535]
    replies = device.run(read_id(session), read_id(session), Frame(Kind.READ, session.number, 65534))
    assert numbers(replies) == [0, 1, 65534]
    early = Frame(Kind.READ, session.number, 5)
    assert device.run(early) == [Frame(Kind.GAP, session.number, 2)]
    assert device.run(Frame(Kind.READ, session.number, 65529)) == []
    again = Session(device, session.number)
    assert device.run(Frame(Kind.READ, again.number, 65535)) == [], "that reply was the old session's"


def test_answers_go_to_their_requests_in_order(loaded: Session) -> None:
    device, core = loaded.device, loaded.device.machine.core
    device.machine.holds_answers = True
    asked = (2, 0, 3, 1, 0)
    # The input of the first request brings answers to later ones, and the last brings what earlier ones miss.
    given = (4, 0, 0, 1, 1)
    frames = [loaded.frame(Kind.DATA, payload(a, ask(g, k))) for k, (a, g) in enumerate(zip(asked, given, strict=True))]
    overtaking = loaded.frame(Kind.READ, payload(0))
    assert numbers(device.run(*frames, overtaking)) == [overtaking.sequence], "what needs no answers does not wait"
    expected = list(core.answers)
    got: list[Frame] = []
    device.machine.holds_answers = False
    core.answers.clear()
    for k, word in enumerate(expected):
        core.answers.append(word)
        got += device.run()
        assert len(got) == (0, 2, 2, 2, 3, 5)[k]
    assert numbers(got) == [frame.sequence for frame in frames]
    split = [expected[:2], [], expected[2:5], expected[5:6], []]
    assert [list(words(reply.payload)) for reply in got] == split


def test_an_answer_may_come_before_its_request_is_copied(loaded: Session) -> None:
    device = loaded.device
    device.machine.copy_speed = 1
    frames = [loaded.frame(Kind.DATA, payload(1, ask(1, k), *[1] * 20)) for k in range(3)]
    replies = device.run(*frames)
    assert numbers(replies) == [frame.sequence for frame in frames]
    assert all(len(words(reply.payload)) == 1 for reply in replies)


def test_an_answer_does_not_wait_for_another_requests_copy(loaded: Session) -> None:
    device, core = loaded.device, loaded.device.machine.core
    device.machine.holds_answers = True
    asked = [loaded.frame(Kind.DATA, payload(1, ask(1, k))) for k in range(2)]
    device.run(asked[0])
    device.machine.copy_speed = 0
    device.run(asked[1])
    device.machine.holds_answers = False
    assert len(core.answers) == 1
    assert numbers(device.run()) == [asked[0].sequence]
    device.machine.copy_speed = 1
    assert numbers(device.run()) == [asked[1].sequence]


@pytest.mark.parametrize("cause", ["stuck", "load"])
def test_a_reset_of_the_core_ends_what_waits_for_answers(loaded: Session, cause: str) -> None:
    device, machine = loaded.device, loaded.device.machine
    machine.holds_answers = True
    waiting = [loaded.frame(Kind.DATA, payload(2, ask(2, k))) for k in range(3)]
    assert device.run(*waiting) == []
    machine.holds_answers = False
    machine.core.answers.clear()  # still in the core
    if cause == "stuck":
        machine.copy_speed = 0
        waiting.append(loaded.frame(Kind.DATA, payload(2, ask(2, 2))))
        assert device.run(waiting[-1]) == []
        machine.now += STUCK_CYCLES
        replies = device.run()
        machine.copy_speed = 300
        code = Refusal.STUCK
    else:
        *replies, begun, ended = device.run(loaded.frame(Kind.LOAD_BEGIN), loaded.frame(Kind.LOAD_END, payload(0)))
        assert kinds([begun, ended]) == [Kind.LOAD_BEGIN | REPLY, Kind.LOAD_END | REPLY]
        code = Refusal.STATE
    assert numbers(replies) == numbers(waiting)
    assert [words(reply.payload) for reply in replies] == [(code, 0)] * len(waiting)
    assert len(words(loaded.ask(Kind.DATA, payload(2, ask(2, 3))).payload)) == 2
    assert device.run(waiting[0]) == [replies[0]], "a repeat is told the same"


def test_more_than_the_window_is_refused_and_shuts_nobody_out(loaded: Session) -> None:
    device = loaded.device
    device.machine.holds_answers = True
    device.run(loaded.frame(Kind.DATA, payload(1, ask(1))))
    for _ in range(WINDOW - 1):
        device.run(read_id(loaded))
    ninth = read_id(loaded)
    refusal = Frame(Kind.ERROR, loaded.number, ninth.sequence, payload(Refusal.WINDOW, WINDOW))
    assert device.run(ninth) == [refusal]
    pause(device)
    settle(device, ninth)
    settle(device, ninth)
    assert len(device.waiting) == 1, "the first refusal is still on the line"
    assert go_on(device) == [refusal, refusal]
    device.machine.holds_answers = False
    assert numbers(device.run()) == [ninth.sequence - WINDOW]
    assert numbers(device.run(ninth)) == [ninth.sequence], "it was not used up"
    assert figures(loaded)["refused"] == 3
    device.machine.holds_answers = True
    device.run(loaded.frame(Kind.DATA, payload(1, ask(1))), *(read_id(loaded) for _ in range(WINDOW)))
    Session(device, 0x2B)
