# SPDX-License-Identifier: Apache-2.0
"""The host's end of the link against a device in Python, and a line that does what each test says."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pytest

from hysteron_host.frames import Frame, decode
from hysteron_host.link import REPEATS, Link, RefusedError
from hysteron_spec.protocol import (
    CONTENT_BYTES,
    MEANING,
    PAYLOAD_WORDS,
    REPLY,
    STATUS_WORDS,
    WINDOW,
    Kind,
    Refusal,
    payload,
    words,
)
from support.device import READ, Harm, Wire, all_replies, cut, damage, fill, lose, numbers, one_line, twice


def test_ask(link: Link, wire: Wire) -> None:
    assert link.ask(Kind.READ, READ) == payload(0, 1, 2)
    assert link.ask(Kind.STATUS) == payload(*range(len(STATUS_WORDS)))
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


def test_what_has_come_is_given_out_without_waiting_for_more(link: Link, wire: Wire) -> None:
    wire.quiet = True
    fill(link)
    wire.release(3)
    before = wire.now
    assert numbers(list(link.replies(wait=True))) == [0, 1, 2]
    assert wire.now - before < 0.01


def test_all_that_has_come_is_given_out(link: Link, wire: Wire) -> None:
    wire.back[1] = lose
    fill(link)
    wire.chunk = len(wire.inbox) // (WINDOW - 1)  # one reply
    assert numbers(list(link.replies(wait=False))) == list(range(WINDOW))


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


def test_what_is_before_a_gap_is_not_sent_again(link: Link, wire: Wire) -> None:
    wire.quiet = True
    fill(link)
    wire.inbox = Frame(Kind.GAP, link._session, 5).encode()
    assert list(link.replies(wait=False)) == []
    assert numbers(wire.log[1 + WINDOW :]) == [5, 6, 7]


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
    assert 2 * REPEATS * wire.patience < wire.now - before < 30 * wire.patience, "ever more slowly"
    assert len(wire.log) == 1 + WINDOW * (1 + REPEATS)


def test_patience_is_as_before_when_the_device_keeps_pace_again(link: Link, wire: Wire) -> None:
    wire.out = dict.fromkeys(range(1, 1 + 6 * WINDOW), lose)
    fill(link)
    all_replies(link)
    assert wire.now > 6 * wire.patience
    fill(link)
    all_replies(link)
    before, sent = wire.now, len(wire.log)
    wire.out[sent] = lose
    link.ask(Kind.READ, READ)
    assert wire.now - before < 1.1 * wire.patience


def test_a_lost_reply_is_asked_for_once(link: Link, wire: Wire) -> None:
    wire.back[1] = lose
    before = link.figures.sent_again
    fill(link)
    all_replies(link)
    assert link.figures.sent_again - before == 1


@pytest.mark.parametrize("order", [range(WINDOW), (*range(1, WINDOW), 0)])
def test_a_slow_device_is_not_given_up(link: Link, wire: Wire, order: Sequence[int]) -> None:
    """Each reply begins the patience anew."""
    wire.quiet = True
    fill(link)
    frames = wire.held.split(b"\0")
    replies = [frames[k] + b"\0" for k in order]
    read, due = wire.read, 2 * REPEATS * wire.patience

    def slowly(seconds: float) -> bytes:
        if replies and wire.now > (WINDOW - len(replies) + 1) * due:
            wire.inbox += replies.pop(0)
        return read(seconds)

    wire.read = slowly  # type: ignore[method-assign]
    assert numbers(all_replies(link)) == list(range(WINDOW))
    assert wire.now > WINDOW * due


def of(link: Link, kind: int, sequence: int) -> bytes:
    return Frame(kind, link._session, sequence).encode()


#: What a device says to each request, and never an answer: its frames' types and sequence numbers, of which None is the
#: request's.
NONSENSE: dict[str, list[tuple[int, int | None]]] = {
    "asks for it again": [(Kind.GAP, None)],
    "asks for the first again": [(Kind.GAP, 0)],
    "asks for all again": [(Kind.GAP, k) for k in range(WINDOW)],
    "asks for what was not sent": [(Kind.GAP, 1000)],
    "greets": [(Kind.HELLO | REPLY, None)],
    "answers something else": [(Kind.STATUS | REPLY, None)],
    "answers what was not asked": [(Kind.READ | REPLY, WINDOW)],
    "refuses what was not asked": [(Kind.ERROR, 0xFFFF)],
    "repeats": [(Kind.READ, None)],
    "says nothing of this protocol": [(0x33, None)],
}


@pytest.mark.parametrize("nonsense", NONSENSE.values(), ids=NONSENSE)
@pytest.mark.parametrize("by_itself", [False, True])
def test_a_device_that_never_answers_is_given_up(
    link: Link, wire: Wire, nonsense: list[tuple[int, int | None]], by_itself: bool
) -> None:
    """Whatever it says, and however often: the number of repeats and the time have bounds."""

    def say(request: int) -> bytes:
        return b"".join(of(link, kind, request if number is None else number) for kind, number in nonsense)

    written = 0
    read = wire.read

    def write(data: bytes) -> None:
        nonlocal written
        written += 1
        assert written <= WINDOW * (1 + WINDOW) * (1 + REPEATS)
        wire.inbox += say(decode(data[:-1]).sequence)

    def reading(seconds: float) -> bytes:
        wire.now += 1e-3
        return (wire.inbox and read(seconds)) or (say(0) if by_itself else read(seconds))

    wire.write, wire.read = write, reading  # type: ignore[method-assign]
    fill(link)
    before = wire.now
    assert "stopped answering" in one_line(lambda: all_replies(link))
    assert wire.now - before < 30 * wire.patience


def test_a_device_that_asks_again_slowly_is_given_up(link: Link, wire: Wire) -> None:
    """What it asks for, just before the patience is over, does not begin the patience anew."""
    wire.quiet = True
    fill(link)
    before, said = wire.now, 0
    read = wire.read

    def asking(seconds: float) -> bytes:
        nonlocal said
        if wire.now - before > 0.9 * said * wire.patience:
            said += 1
            return of(link, Kind.GAP, said % WINDOW)
        return read(min(seconds, 0.1))

    wire.read = asking  # type: ignore[method-assign]
    assert "stopped answering" in one_line(lambda: all_replies(link))
    assert wire.now - before < 30 * wire.patience


def test_a_device_that_only_repeats_an_answer_is_given_up(link: Link, wire: Wire) -> None:
    wire.quiet = True
    fill(link)
    again = wire.held.split(b"\0")[1] + b"\0"
    read = wire.read

    def repeating(seconds: float) -> bytes:
        assert wire.now < 30 * wire.patience
        return read(seconds) or again

    wire.read = repeating  # type: ignore[method-assign]
    assert "stopped answering" in one_line(lambda: all_replies(link))


def test_looking_without_waiting_counts_too(link: Link, wire: Wire) -> None:
    """Who only looks now and then learns of a dead device as well."""
    wire.out = dict.fromkeys(range(1, 1000), lose)
    fill(link)

    def look() -> None:
        for _ in range(REPEATS + 1):
            wire.now += 10 * wire.patience
            assert list(link.replies(wait=False)) == []

    assert "stopped answering" in one_line(look)


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
