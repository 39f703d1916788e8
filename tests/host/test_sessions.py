# SPDX-License-Identifier: Apache-2.0
"""How the host begins a session, and notices that it has lost one."""

from __future__ import annotations

import pytest

from hysteron_host.frames import Frame
from hysteron_host.link import TRIES, Identity, Link, RefusedError, SessionLostError
from hysteron_spec.protocol import MAGIC, MEANING, REPLY, VERSION, Kind, Refusal, payload, words
from support.device import IDENTITY, READ, Harm, Wire, all_replies, damage, fill, lose, one_line


def test_identity(wire: Wire) -> None:
    link = Link(wire)
    wire.device.loaded = 77
    identity = link.connect()
    assert identity == Identity(77, *IDENTITY[:3], 3, *IDENTITY[4:6], IDENTITY[6:])
    (hello,) = wire.log
    assert (hello.kind, hello.sequence, words(hello.payload)) == (Kind.HELLO, 0, (MAGIC, VERSION))
    assert hello.session != 0


def test_half_a_frame_of_another_host_does_no_harm(wire: Wire) -> None:
    wire.half = b"\x05half"
    Link(wire).connect()
    assert len(wire.log) == 1


def test_every_session_has_another_number(wire: Wire) -> None:
    link = Link(wire, _session=253)
    for expected in (254, 255, 1, 2):
        link.connect()
        assert wire.log[-1].session == expected
    wire.log.clear()
    for _ in range(50):
        Link(wire).connect()
    first = {frame.session for frame in wire.log}
    assert len(first) > 20 and min(first) > 0, "other hosts begin anywhere"


@pytest.mark.parametrize("harm", [lose, damage])
@pytest.mark.parametrize("way", ["out", "back"])
@pytest.mark.parametrize("times", [1, TRIES - 1])
def test_hello_is_sent_until_it_is_answered(wire: Wire, harm: Harm, way: str, times: int) -> None:
    setattr(wire, way, dict.fromkeys(range(times), harm))
    Link(wire).connect()
    assert len(wire.log) == times + 1
    assert wire.now == pytest.approx(times * wire.patience, abs=0.1)


def test_nobody_answers(wire: Wire) -> None:
    wire.out = dict.fromkeys(range(100), lose)
    message = one_line(Link(wire).connect)
    assert message.startswith("no machine answers on wire; ")
    assert len(wire.log) == TRIES
    assert wire.now == pytest.approx(TRIES * wire.patience, abs=0.1)


def test_a_device_that_has_just_started_is_asked_again_at_once(wire: Wire) -> None:
    wire.out[0] = lose
    wire.inbox = wire.device.restart().encode()
    Link(wire).connect()
    assert len(wire.log) == 2 and wire.now < 0.1


def test_another_version_is_refused(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hysteron_host.link.VERSION", VERSION + 1)
    message = one_line(Link(wire).connect, RefusedError)
    assert MEANING[Refusal.VERSION] in message


def test_frames_of_others_are_no_reply_to_hello(wire: Wire) -> None:
    link = Link(wire, _session=9)
    reply = payload(0, VERSION, 0xBAD, *IDENTITY[2:])
    strange = [Frame(Kind.HELLO | REPLY, 9, 0, reply), Frame(Kind.ERROR, 9, 0, payload(1, 0))]
    strange += [Frame(Kind.READ | REPLY, 10, 0, reply), Frame(Kind.GAP, 10, 0)]
    wire.inbox = b"rubbish\0" + b"".join(frame.encode() for frame in strange)
    assert link.connect().firmware == IDENTITY[1]
    assert link.figures.damaged == 1


def test_a_second_reply_to_hello_is_no_reply_to_a_request(link: Link, wire: Wire) -> None:
    second = Frame(Kind.HELLO | REPLY, link._session, 0, payload(0, *IDENTITY))
    wire.quiet = True
    link.send(Kind.READ, READ)
    wire.inbox = second.encode()
    wire.quiet = False
    wire.release()
    (reply,) = all_replies(link)
    assert reply.kind == Kind.READ | REPLY
    assert len(words(reply.payload)) == 3


def test_boot_in_mid_stream(link: Link, wire: Wire) -> None:
    fill(link)
    wire.inbox = wire.inbox[: len(wire.inbox) // 2] + b"\0" + wire.device.restart().encode()
    assert "was restarted" in one_line(lambda: all_replies(link), SessionLostError)
    link.connect()
    assert link.pending == 0
    assert link.ask(Kind.READ, READ) == payload(0, 1, 2)


def test_a_lost_boot_is_noticed(link: Link, wire: Wire) -> None:
    wire.device.restart()
    assert "lost this session" in one_line(lambda: link.ask(Kind.READ, READ), SessionLostError)


def test_refusals_of_other_sessions_are_not_ours(link: Link, wire: Wire) -> None:
    wire.inbox = Frame(Kind.ERROR, link._session ^ 1, 0, payload(Refusal.SESSION, 1)).encode()
    assert link.ask(Kind.READ, READ) == payload(0, 1, 2)
