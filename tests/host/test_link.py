"""The host's end of the link against a device in Python, and a line that does what each test says."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from hysteron_host.link import TRIES, Identity, Link, RefusedError, SessionLostError
from hysteron_wire.errors import HysteronError
from hysteron_wire.protocol import (
    CONTENT_BYTES,
    MAGIC,
    MEANING,
    PAYLOAD_WORDS,
    REPLY,
    VERSION,
    WINDOW,
    Frame,
    Kind,
    Refusal,
    payload,
    words,
)

from .device import IDENTITY, Wire, cut, damage, lose, twice

READ = payload(3 << 16)
Harm = Callable[[bytes], bytes]


def numbers(frames: list[Frame]) -> list[int]:
    return [frame.sequence for frame in frames]


def all_replies(link: Link) -> list[Frame]:
    found: list[Frame] = []
    while link.pending:
        found += link.replies(wait=True)
    return found


def fill(link: Link) -> None:
    while link.room:
        link.send(Kind.READ, READ)


def one_line(act: Callable[[], object], kind: type[Exception] = HysteronError) -> str:
    with pytest.raises(kind) as caught:
        act()
    assert "\n" not in str(caught.value)
    return str(caught.value)


# -- sessions --------------------------------------------------------------------------------------------------


def test_identity(wire: Wire) -> None:
    link = Link(wire)
    wire.device.loaded = True
    identity = link.connect()
    assert identity == link.identity == Identity(True, *IDENTITY[:3], 3, *IDENTITY[4:6], IDENTITY[6:])
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
    reply = payload(0, *IDENTITY)
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


# -- requests and replies --------------------------------------------------------------------------------------


def test_ask(link: Link, wire: Wire) -> None:
    assert link.ask(Kind.READ, READ) == payload(0, 1, 2)
    assert link.ask(Kind.STATUS) == payload(*range(14))
    assert wire.log[1:] == [Frame(Kind.READ, link._session, 0, READ), Frame(Kind.STATUS, link._session, 1)]
    figures = link.figures
    assert (figures.requests, figures.sent_again, figures.damaged, figures.gaps) == (2, 0, 0, 0)
    assert figures.payload_out == len(READ)
    assert figures.bytes_out == 1 + sum(len(frame.encode()) for frame in wire.log)
    assert figures.bytes_in > 0


def test_the_longest_request(link: Link, wire: Wire) -> None:
    link.ask(Kind.LOAD_BEGIN, bytes(CONTENT_BYTES - 4))
    with pytest.raises(AssertionError):
        link.send(Kind.LOAD_BEGIN, bytes(CONTENT_BYTES - 3))


def test_the_window_is_never_exceeded(link: Link, wire: Wire) -> None:
    wire.quiet = True
    fill(link)
    assert link.pending == WINDOW
    with pytest.raises(AssertionError):
        link.send(Kind.READ, READ)
    assert list(link.replies(wait=False)) == []
    wire.release(3)
    assert numbers(list(link.replies(wait=False))) == [0, 1, 2]
    assert (link.room, link.pending) == (3, WINDOW - 3)
    fill(link)
    wire.quiet = False
    wire.release()
    assert numbers(all_replies(link)) == list(range(3, WINDOW + 3))


def test_without_waiting_no_time_passes(link: Link, wire: Wire) -> None:
    wire.quiet = True
    fill(link)
    before = wire.now
    for _ in range(10):
        assert list(link.replies(wait=False)) == []
    assert wire.now - before < 0.01
    assert link.figures.sent_again == 0


def test_bytes_may_come_one_by_one(link: Link, wire: Wire) -> None:
    wire.chunk = 1
    fill(link)
    assert numbers(all_replies(link)) == list(range(WINDOW))


def patiences(which: int, harm: Harm) -> float:
    """Seconds that a loss may cost."""
    if harm is twice or which not in (WINDOW, WINDOW - 1):
        return 0.1
    return 2.1 if harm is cut else 1.1


@pytest.mark.parametrize("harm", [lose, damage, cut, twice])
@pytest.mark.parametrize("which", [*range(1, WINDOW + 1), WINDOW + 3])
def test_harmed_requests(link: Link, wire: Wire, harm: Harm, which: int) -> None:
    wire.out[which] = harm
    got: list[Frame] = []
    for _ in range(3):
        fill(link)
        got += all_replies(link)
    assert numbers(got) == list(range(3 * WINDOW))
    assert all(words(reply.payload) == (0, 1, 2) for reply in got)
    # The end of a window comes to light only when time passes; a frame without an end takes the next one with it.
    assert wire.now < patiences(which, harm)


@pytest.mark.parametrize("harm", [lose, damage, cut, twice])
@pytest.mark.parametrize("which", [*range(1, WINDOW + 1), WINDOW + 3])
def test_harmed_replies(link: Link, wire: Wire, harm: Harm, which: int) -> None:
    wire.back[which] = harm
    got: list[Frame] = []
    for _ in range(3):
        fill(link)
        got += all_replies(link)
    assert numbers(got) == list(range(3 * WINDOW))
    assert wire.now < patiences(which, harm)
    assert wire.device.expected == 3 * WINDOW, "nothing was done twice"
    assert link.figures.damaged == (harm in (damage, cut))


def test_a_gap_is_filled_at_once_and_in_order(link: Link, wire: Wire) -> None:
    wire.out[3] = lose
    fill(link)
    all_replies(link)
    assert wire.now < 0.1
    again = numbers(wire.log[1 + WINDOW :])
    assert again[: WINDOW - 2] == list(range(2, WINDOW)), "from the lost one to the last"
    assert link.figures.gaps >= 1
    assert link.figures.sent_again == len(again)


def test_old_gaps_are_ignored(link: Link, wire: Wire) -> None:
    fill(link)
    wire.inbox += Frame(Kind.GAP, link._session, WINDOW).encode() + Frame(Kind.GAP, link._session, 0xFFFF).encode()
    all_replies(link)
    assert link.figures.sent_again == 0
    link.ask(Kind.READ, READ)
    assert len(wire.log) == 1 + WINDOW + 1


def test_replies_before_one_that_came_were_lost(link: Link, wire: Wire) -> None:
    wire.back[1] = wire.back[2] = lose
    fill(link)
    assert numbers(all_replies(link)) == list(range(WINDOW))
    assert numbers(wire.log[1 + WINDOW :])[:2] == [0, 1]
    assert set(numbers(wire.log[1 + WINDOW :])) == {0, 1}, "only those that miss a reply"
    assert wire.now < 0.1


def test_silence_is_one_clear_error(link: Link, wire: Wire) -> None:
    wire.out = dict.fromkeys(range(1, 1000), lose)
    fill(link)
    before = wire.now
    message = one_line(lambda: all_replies(link))
    assert message.startswith("the machine on wire stopped answering; ")
    assert wire.now - before == pytest.approx((TRIES + 1) * wire.patience, rel=0.1)
    assert len(wire.log) == 1 + WINDOW * (1 + TRIES)


def test_a_slow_device_is_not_given_up(link: Link, wire: Wire) -> None:
    """Each reply begins the patience anew."""
    wire.quiet = True
    fill(link)
    replies = wire.held.split(b"\0")[:WINDOW]
    read, due = wire.read, (TRIES - 1) * wire.patience

    def slowly(seconds: float) -> bytes:
        if replies and wire.now > (WINDOW - len(replies) + 1) * due:
            wire.inbox += replies.pop(0) + b"\0"
        return read(seconds)

    wire.read = slowly  # type: ignore[method-assign]
    assert numbers(all_replies(link)) == list(range(WINDOW))
    assert wire.now > WINDOW * due


def test_sequence_numbers_wrap(link: Link, wire: Wire) -> None:
    link._next = wire.device.expected = 65530
    wire.out[4], wire.out[6], wire.back[15] = lose, lose, damage
    got: list[Frame] = []
    for _ in range(4):
        fill(link)
        got += all_replies(link)
    assert numbers(got) == [k & 0xFFFF for k in range(65530, 65530 + 4 * WINDOW)]


@pytest.mark.parametrize("code", list(Refusal)[1:])
def test_refusals_say_what_they_mean(link: Link, wire: Wire, code: Refusal) -> None:
    wire.device.refuses[2] = (code, 0xABC)
    fill(link)
    got: list[Frame] = []

    def collect() -> None:
        for reply in link.replies(wait=True):
            got.append(reply)

    with pytest.raises(RefusedError) as caught:
        collect()
    assert (caught.value.code, caught.value.detail) == (code, 0xABC)
    assert str(caught.value) == f"the device refused a request (detail 0xabc): {MEANING[code]}"
    assert numbers(got) == [0, 1], "what came before is given out"
    assert numbers(all_replies(link)) == list(range(3, WINDOW)), "what comes after too"


def test_an_unknown_refusal(link: Link, wire: Wire) -> None:
    wire.device.refuses[0] = (99, 1)
    message = one_line(lambda: link.ask(Kind.READ, READ), RefusedError)
    assert message == "the device refused a request (detail 0x1): unknown reason 99; update the host"


def test_rubbish_without_an_end_does_not_pile_up(link: Link, wire: Wire) -> None:
    wire.inbox = b"\x55" * 200_000
    wire.chunk = 10_000
    list(link.replies(wait=False))
    for _ in range(20):
        link._listen(0)
    assert len(link._received) <= 2 * CONTENT_BYTES
    wire.inbox = b"\0"
    link._listen(0)
    assert link.ask(Kind.READ, READ) == payload(0, 1, 2)
    assert link.figures.damaged == 1


def test_the_longest_reply_in_small_pieces(link: Link, wire: Wire) -> None:
    wire.chunk = 100
    assert link.ask(Kind.READ, payload(PAYLOAD_WORDS << 16)) == payload(*range(PAYLOAD_WORDS))
    assert link.figures.damaged == 0


@pytest.mark.parametrize("seed", range(4))
def test_random_losses(link: Link, wire: Wire, seed: int) -> None:
    rng = Random(seed)

    def fate(data: bytes) -> bytes:
        return rng.choice([lose, damage, cut, twice])(data) if rng.random() < 0.1 else data

    wire.out = wire.back = dict.fromkeys(range(100_000), fate)
    got: list[Frame] = []
    for _ in range(600):
        for _ in range(rng.randrange(link.room + 1)):
            link.send(Kind.READ, payload(rng.randrange(200) << 16))
        assert link.pending <= WINDOW
        wire.chunk = rng.choice([7, 300, 5000])
        got += link.replies(wait=rng.random() < 0.8)
    got += all_replies(link)
    assert numbers(got) == list(range(len(got)))
    asked = {frame.sequence: words(frame.payload)[0] >> 16 for frame in wire.log[1:]}
    assert all(len(words(reply.payload)) == asked[reply.sequence] for reply in got)
    assert len(got) == wire.device.expected
