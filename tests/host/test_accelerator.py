# SPDX-License-Identifier: Apache-2.0
"""The driver: how it cuts networks and samples into requests, and what it gives out for the replies."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from random import Random
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hysteron_base.errors import DeviceError
from hysteron_host.accelerator import Accelerator
from hysteron_host.frames import Frame
from hysteron_host.image import Image, _pieces
from hysteron_host.link import Link, RefusedError
from hysteron_host.samples import requests_of
from hysteron_spec.answers import Answer
from hysteron_spec.packets import sample_packets
from hysteron_spec.protocol import PAYLOAD_WORDS, STATUS_WORDS, WINDOW, Kind, Refusal, payload, words
from support.device import Wire, damage, lose
from support.driver import check, machine
from support.refusal import refusal

#: Registers 0x38 and 0x4C, with more words than fit a request.
RECORDS = ((0x38, (1, 2, 3)), (0x4C, tuple(range(1000))), (0x38, (4,)))


def image(n_in: int = 20, n_out: int = 130, *, pixels: bool = True, every_step: bool = False, steps: int = 0) -> Image:
    """A network; with so many outputs every sample has a request of its own."""
    return Image("net", RECORDS, n_in, n_out, pixels, every_step, steps)


def spikes(steps: int, n_in: int, rate: float = 0.5, seed: int = 0) -> NDArray[np.uint8]:
    return (np.random.default_rng(seed).random((steps, n_in)) < rate).astype(np.uint8)


def images(count: int, n_in: int = 20) -> NDArray[np.uint8]:
    return np.random.default_rng(count).integers(0, 256, (count, n_in), dtype=np.uint8)


# -- requests --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(30))
def test_pieces_of_a_network(seed: int) -> None:
    rng = Random(seed)
    sizes = [0, 1, 2, 100, PAYLOAD_WORDS - 3, PAYLOAD_WORDS - 2, PAYLOAD_WORDS - 1, PAYLOAD_WORDS, 600]
    records = [(4 * k, tuple(range(rng.choice(sizes)))) for k in range(rng.randrange(1, 12))]
    written: list[tuple[int, int]] = []
    for piece, plain in _pieces(records):
        content = words(piece)
        assert 2 <= len(content) <= PAYLOAD_WORDS
        copied: list[int] = []
        at = 0
        while at < len(content):
            count = content[at] >> 16
            assert 0 < count < len(content) - at
            copied += content[at + 1 : at + 1 + count]
            written += [(content[at] & 0xFFFF, word) for word in content[at + 1 : at + 1 + count]]
            at += 1 + count
        assert plain == payload(*copied)
    assert written == [(address, value) for address, values in records for value in values]


@pytest.mark.parametrize("n_out", [1, 3, 10, 83, 84, 126, 252, 253, 254, 600])
@pytest.mark.parametrize(("steps", "n_in", "rate"), [(1, 20, 0.5), (300, 20, 0.5), (40, 3000, 0.01), (7, 20_000, 0.5)])
@pytest.mark.parametrize("every_step", [False, True])
def test_requests_of_a_sample(n_out: int, steps: int, n_in: int, rate: float, every_step: bool) -> None:
    picture = image(n_in, n_out, pixels=False, every_step=every_step)
    packets = sample_packets(spikes(steps, n_in, rate))
    check_requests(requests_of(picture, spikes(steps, n_in, rate), 0), packets, every_step, n_out + 1)


@pytest.mark.parametrize("n_in", [1, 4, 64, 4 * 252, 4 * 253, 4 * 254 + 1, 5000])
@pytest.mark.parametrize(("steps", "n_out"), [(0, 3), (0, 600), (16, 3), (16, 15), (255, 600)])
def test_requests_of_an_image(n_in: int, steps: int, n_out: int) -> None:
    picture = image(n_in, n_out, every_step=steps > 0, steps=steps)
    sample = images(1, n_in)[0]
    check_requests(requests_of(picture, sample, 0), sample_packets(sample), False, max(steps, 1) * (n_out + 1))


def check_requests(found: list[bytes], packets: list[NDArray[np.uint32]], every_packet: bool, words_each: int) -> None:
    """Together they hold the packets; none is too long, asks too much, or asks before the answer can be there."""
    stream = [int(word) for packet in packets for word in packet]
    complete = np.cumsum([len(packet) for packet in packets])
    due, sent = 0, 0
    for content in found:
        asked, *rest = words(content)
        assert asked <= PAYLOAD_WORDS and len(rest) < PAYLOAD_WORDS
        assert rest == stream[sent : sent + len(rest)] and (rest or asked)
        sent += len(rest)
        due += asked
        done = int((complete <= sent).sum())
        assert due <= (done if every_packet else int(done == len(packets))) * words_each
    assert sent == len(stream)
    assert due == (len(packets) if every_packet else 1) * words_each
    # Nearly full: samples of small packets do not go out packet by packet.
    assert len(found) <= 2 + 2 * (len(stream) + due) / PAYLOAD_WORDS


@pytest.mark.parametrize(
    ("sample", "says"),
    [
        (np.zeros(19, np.uint8), "must have 20 pixels as the network has inputs, not 19"),
        (np.zeros((4, 6), np.uint8), "must have 20 pixels as the network has inputs, not 24 (4, 6)"),
        (np.zeros(0, np.uint8), "not 0"),
        (np.full(20, 256), "pixel 0 of image 1 must be a whole number from 0 to 255, not 256"),
        (np.full(20, 0.5), "not 0.5; pixels that go from 0 to 1 become bytes with np.rint(255 * inputs)"),
        (np.zeros(20, complex), "must be numbers, not complex128"),
        ("text", "must have shape (samples, pixels…)"),
        ([[1, 2], [3]], "must be a rectangular array, but its rows differ in shape"),
    ],
)
def test_wrong_images(wire: Wire, sample: NDArray[np.uint8], says: str) -> None:
    accelerator = machine(wire, image())
    good = images(1)[0]
    message = refusal(lambda: list(accelerator.infer([good, sample])))
    assert message.startswith("sample 1") and says in message


@pytest.mark.parametrize(
    ("sample", "says"),
    [
        (np.zeros(20, np.uint8), "must have shape (samples, steps, 20), not (1, 20)"),
        (np.zeros((3, 19), np.uint8), "must have 20 inputs as the network has, not 19"),
        (np.zeros((0, 20), np.uint8), "needs at least one time step"),
        (np.zeros((2, 3, 20), np.uint8), "not 60"),
        (np.full((3, 20), 2), "spike[0, 0, 0] (sample, step, input) must be 0 or 1, not 2"),
        (np.full((3, 20), 0.5), "values between 0 and 1 are no spikes"),
        (np.full((3, 20), np.nan), "must be 0 or 1, not nan"),
        (np.full((3, 20), -1), "give negative spikes inputs of their own"),
    ],
)
def test_wrong_spikes(wire: Wire, sample: NDArray[np.uint8], says: str) -> None:
    accelerator = machine(wire, image(pixels=False))
    message = refusal(lambda: list(accelerator.infer([sample])))
    assert message.startswith("sample 0") and says in message


@pytest.mark.parametrize("dtype", [np.int64, np.float32, np.uint16])
def test_any_whole_numbers_are_sent_as_bytes(wire: Wire, dtype: type) -> None:
    """What golden takes, a machine takes: NumPy's own integers are 64 bits wide."""
    accelerator = machine(wire, image())
    samples = list(images(3))
    check(list(accelerator.infer([one.astype(dtype) for one in samples])), samples, image())


# -- results ---------------------------------------------------------------------------------------------------


def test_loading(wire: Wire) -> None:
    shares: list[float] = []
    accelerator = Accelerator(wire)
    accelerator.load(image(), progress=shares.append)
    assert wire.device.loaded
    assert wire.device.written == [(address, value) for address, values in RECORDS for value in values]
    assert shares == sorted(shares) and shares[0] > 0 and shares[-1] == 1.0


@pytest.mark.parametrize("shape", [(20,), (4, 5)])
def test_images(wire: Wire, shape: tuple[int, ...]) -> None:
    accelerator = machine(wire, image())
    samples = list(images(50).reshape(50, *shape))
    check(list(accelerator.infer(samples)), samples, image())
    assert list(accelerator.infer([])) == []
    check(list(accelerator.infer(samples[:3])), samples[:3], image())
    assert accelerator.link.pending == 0


@pytest.mark.parametrize("every_step", [False, True])
@pytest.mark.parametrize("harm", [False, True])
def test_spikes(wire: Wire, every_step: bool, harm: bool) -> None:
    picture = image(n_in=300, n_out=40, pixels=False, every_step=every_step)
    accelerator = machine(wire, picture)
    if harm:
        wire.out = dict.fromkeys(range(20, 400, 7), lose)
        wire.back = dict.fromkeys(range(20, 400, 11), damage)
    samples = [spikes(1 + 9 * (k % 5), 300, (0.004, 0.05, 0.5)[k % 3], seed=k) for k in range(30)]
    given = [sample.astype((bool, int)[k % 2]) for k, sample in enumerate(samples)]
    check(list(accelerator.infer(given)), samples, picture)


def test_results_come_as_soon_as_the_window_is_full(wire: Wire) -> None:
    accelerator = machine(wire, image())
    taken = 0

    def source() -> Iterator[NDArray[np.uint8]]:
        nonlocal taken
        for sample in images(30):
            taken += 1
            yield sample

    for given, result in enumerate(accelerator.infer(source())):
        assert result.index == given
        assert taken <= given + WINDOW + 1, "and no more samples are taken than fit, and one that might"


@pytest.mark.parametrize(
    ("picture", "together"),
    [
        (image(64, 10), 14),  # 17 words of 253 that a request holds
        (image(4 * 22, 1), 11),  # 253 of 253
        (image(20, 30), 8),  # 31 answer words of 254
        (image(4 * 125, 1), 2),
        (image(4 * 126, 1), 1),
        (image(20, 126), 2),
        (image(20, 127), 1),
    ],
)
def test_small_samples_share_a_request(wire: Wire, picture: Image, together: int) -> None:
    accelerator = machine(wire, picture)
    before = accelerator.link.figures.requests
    samples = list(images(66, picture.n_in))
    check(list(accelerator.infer(samples)), samples, picture)
    assert accelerator.link.figures.requests - before == -(-66 // together)


def test_samples_of_different_lengths_share_requests(wire: Wire) -> None:
    picture = image(30, 2, pixels=False, every_step=True)
    accelerator = machine(wire, picture)
    wire.back = dict.fromkeys(range(8, 60, 5), lose)
    # Some need several requests by themselves, before and behind some that share one.
    samples = [spikes((1, 2, 1, 30, 1, 300, 3)[k % 7], 30, 0.1, seed=k) for k in range(40)]
    before = accelerator.link.figures.requests
    check(list(accelerator.infer(samples)), samples, picture)
    assert accelerator.link.figures.requests - before < 6 * 40


def test_a_restart_loses_and_doubles_nothing(wire: Wire) -> None:
    picture = image(n_in=300, n_out=40, pixels=False, every_step=True)
    accelerator = machine(wire, picture)
    samples = [spikes(5 + k % 13, 300, seed=k) for k in range(30)]  # one to three requests each
    found: list[Answer] = []
    for result in accelerator.infer(samples):
        found.append(result)
        if result.index in (3, 4, 9, 20):
            wire.say(wire.device.restart())
    check(found, samples, picture)
    assert wire.device.loaded


def test_a_restart_without_boot(wire: Wire) -> None:
    accelerator = machine(wire, image())
    wire.device.restart()
    samples = list(images(20))
    check(list(accelerator.infer(samples)), samples, image())
    wire.device.restart()
    accelerator.load(image())
    check(list(accelerator.infer(samples)), samples, image())


def test_restarts_without_end_are_told(wire: Wire) -> None:
    accelerator = machine(wire, image())

    take = wire.device.take

    def restarts(frame: Frame) -> list[Frame]:
        return [wire.device.restart()] if frame.kind == Kind.DATA else take(frame)

    wire.device.take = restarts  # type: ignore[method-assign]
    assert "restarted 6 times" in refusal(lambda: list(accelerator.infer(images(1000))), DeviceError)


def test_a_restart_in_each_loading_is_told(wire: Wire) -> None:
    accelerator = Accelerator(wire)
    take = wire.device.take
    boots = 0

    def restless(frame: object) -> list[object]:
        nonlocal boots
        if getattr(frame, "kind", 0) == Kind.LOAD and wire.device.session:
            boots += 1
            return [wire.device.restart()]
        return list(take(frame))  # type: ignore[arg-type]

    wire.device.take = restless  # type: ignore[method-assign, assignment]
    assert "was restarted" in refusal(lambda: accelerator.load(image()), DeviceError)
    assert boots == 5
    assert "no network is loaded" in refusal(lambda: next(accelerator.infer(images(1))))


def test_a_refused_sample_is_told(wire: Wire) -> None:
    accelerator = machine(wire, image())
    wire.device.refuses[wire.device.expected + 2] = (Refusal.CORE, 1)
    found: list[Answer] = []
    with pytest.raises(RefusedError):
        found.extend(accelerator.infer(images(3)))
    assert accelerator.link.pending == 0


def test_a_network_is_needed(wire: Wire) -> None:
    accelerator = Accelerator(wire)
    assert "no network is loaded; call load() first" in refusal(lambda: next(accelerator.infer(images(1))))


def test_a_failed_load_leaves_no_network(wire: Wire) -> None:
    accelerator = machine(wire, image())
    wire.device.refuses[wire.device.expected] = (Refusal.CHECK, 0)
    refusal(lambda: accelerator.load(image()), DeviceError)
    assert "no network is loaded" in refusal(lambda: next(accelerator.infer(images(1))))


def test_stats(wire: Wire) -> None:
    accelerator = machine(wire, image())
    stats = accelerator.stats()
    assert stats["machine"] == {word.name: k for k, word in enumerate(STATUS_WORDS)}
    assert list(stats["core"].values()) == list(range(11)) and "events" in stats["core"]
    assert stats["link"]["requests"] > 3
    running = accelerator.infer(images(20))
    next(running)
    assert "finish infer() first" in refusal(accelerator.stats)
    assert len(list(running)) == 19


def test_closing(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    with Accelerator(wire):
        pass
    assert wire.name == "closed"
    wire.name = "wire"
    wire.out = dict.fromkeys(range(1000), lose)
    with pytest.raises(DeviceError):
        Accelerator(wire)
    assert wire.name == "closed", "if nobody answers, too"


@pytest.mark.parametrize("end", ["break", "wrong sample", "refused", "restart"])
def test_after_an_unfinished_run_a_new_one_begins(wire: Wire, end: str) -> None:
    accelerator = machine(wire, image())
    samples = list(images(20))
    unfinished(accelerator, wire, samples, end)
    check(list(accelerator.infer(samples[::-1])), samples[::-1], image())


@pytest.mark.parametrize("end", ["break", "wrong sample", "refused"])
def test_after_an_unfinished_run_another_network_may_be_loaded(wire: Wire, end: str) -> None:
    accelerator = machine(wire, image())
    unfinished(accelerator, wire, list(images(20)), end)
    accelerator.load(image())


@pytest.mark.parametrize("other", ["run", "half a run", "load"])
def test_a_run_ends_when_something_else_begins(wire: Wire, other: str) -> None:
    accelerator = machine(wire, image())
    samples = list(images(20))
    running = accelerator.infer(samples)
    next(running)
    if other == "run":
        check(list(accelerator.infer(samples[:3])), samples[:3], image())
    elif other == "half a run":
        half = accelerator.infer(samples)
        assert next(half).index == 0
        assert next(half).index == 1
    else:
        accelerator.load(image())
    refusal(lambda: next(running))


Call = Callable[[Accelerator], object]
#: What a program may ask of a machine, from whichever thread.
CALLS: dict[str, Call] = {
    "load": lambda accelerator: accelerator.load(image()),
    "infer": lambda accelerator: list(accelerator.infer(images(3))),
    "stats": lambda accelerator: accelerator.stats(),
}


def in_a_thread(act: Callable[[], object]) -> None:
    """Do it there, wait for its end, and raise here what it raised."""
    failures: list[BaseException] = []

    def work() -> None:
        try:
            act()
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    if failures:
        raise failures[0]


def while_it_waits(wire: Wire, act: Callable[[], object]) -> None:
    """Do something when the machine is next waited for, in the middle of a call."""
    read = wire.read

    def reading(seconds: float) -> bytes:
        wire.read = read  # type: ignore[method-assign]
        act()
        return read(seconds)

    wire.read = reading  # type: ignore[method-assign]


@pytest.mark.parametrize("first", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("second", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("threads", [True, False])
def test_a_call_during_another_is_refused_at_once(wire: Wire, first: Call, second: Call, threads: bool) -> None:
    """From another thread, or from what the first one calls; the first one is not disturbed."""
    accelerator = machine(wire, image())
    told: list[str] = []

    def act() -> None:
        call = lambda: second(accelerator)  # noqa: E731
        told.append(refusal(lambda: in_a_thread(call) if threads else call()))

    while_it_waits(wire, act)
    first(accelerator)
    assert len(told) == 1 and "busy with another call" in told[0] and "one for each thread" in told[0]
    check(list(accelerator.infer(images(20))), images(20), image())


def test_two_threads_may_take_turns(wire: Wire) -> None:
    accelerator = machine(wire, image())
    samples = list(images(5))
    found: list[Answer] = []
    in_a_thread(lambda: found.extend(accelerator.infer(samples)))
    check(found, samples, image())
    check(list(accelerator.infer(samples)), samples, image())


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("threads", [True, False])
def test_closing_during_a_call_ends_it(wire: Wire, call: Call, threads: bool) -> None:
    accelerator = machine(wire, image())

    def act() -> None:
        in_a_thread(accelerator.close) if threads else accelerator.close()
        raise ValueError("file descriptor cannot be a negative integer (-1)")  # what a closed line may say

    while_it_waits(wire, act)
    assert "was closed during a call" in refusal(lambda: call(accelerator), DeviceError)
    assert "was closed; open it again" in refusal(lambda: call(accelerator))
    accelerator.close()


def test_closing_between_two_results_ends_the_run(wire: Wire) -> None:
    accelerator = machine(wire, image())
    running = accelerator.infer(images(20))
    next(running)
    accelerator.close()
    assert "was closed; open it again" in refusal(lambda: next(running))


@pytest.mark.parametrize("nothing", [None, 3, [], np.zeros(3)])
def test_what_is_no_network(wire: Wire, nothing: Any) -> None:
    accelerator = machine(wire, image())
    message = refusal(lambda: accelerator.load(nothing))
    assert "a network is the path of its file or the name of a shipped one, not" in message
    check(list(accelerator.infer(images(2))), images(2), image())


def unfinished(accelerator: Accelerator, wire: Wire, samples: list[NDArray[np.uint8]], end: str) -> None:
    """Let a run end in mid-stream."""
    if end == "wrong sample":
        refusal(lambda: list(accelerator.infer([*samples[:5], samples[0][:3]])))
    elif end == "refused":
        wire.device.refuses[wire.device.expected + 2] = (Refusal.CORE, 1)
        refusal(lambda: list(accelerator.infer(samples)), RefusedError)
        wire.device.refuses.clear()
    else:
        running = accelerator.infer(samples)
        next(running)
        del running
        if end == "restart":
            wire.device.restart()


@pytest.mark.parametrize("finished", [False, True])
def test_another_hosts_network_is_not_taken_for_ones_own(wire: Wire, finished: bool) -> None:
    accelerator = machine(wire, image())
    samples = list(images(20))
    running = accelerator.infer(samples)
    next(running)
    if finished:
        list(running)
    other = Image("other", ((0x38, (9, 9)),), 20, 130, pixels=True, every_step=False)
    Accelerator(wire).load(other)
    assert wire.device.loaded == other.check
    check(list(accelerator.infer(samples)), samples, image())
    assert wire.device.loaded == image().check


def test_ones_own_network_is_not_loaded_again(wire: Wire) -> None:
    accelerator = machine(wire, image())
    samples = list(images(20))
    next(accelerator.infer(samples))
    before = accelerator.link.figures.requests
    check(list(accelerator.infer(samples)), samples, image())
    assert accelerator.link.figures.requests - before == len(samples)


def test_stats_of_a_core_without_counters(wire: Wire) -> None:
    accelerator = machine(wire, image())
    identity = accelerator.identity
    accelerator.identity = replace(identity, core=(*identity.core[:-1], 0))
    stats = accelerator.stats()
    assert stats["core"] is None and stats["machine"] and stats["link"]


def test_stats_after_a_restart(wire: Wire) -> None:
    accelerator = machine(wire, image())
    samples = list(images(5))
    list(accelerator.infer(samples))
    wire.say(wire.device.restart())
    assert accelerator.stats()["core"]
    assert wire.device.loaded == image().check
    check(list(accelerator.infer(samples)), samples, image())


def test_restarts_long_apart_are_no_trouble(wire: Wire) -> None:
    accelerator = machine(wire, image())
    samples = list(images(10))
    for _ in range(20):
        wire.say(wire.device.restart())
        check(list(accelerator.infer(samples)), samples, image())


def test_the_index_of_the_first_sample(wire: Wire) -> None:
    accelerator = machine(wire, image())
    found = list(accelerator.infer(images(5), first=100))
    assert [result.index for result in found] == [100, 101, 102, 103, 104]
    assert refusal(lambda: list(accelerator.infer([images(1)[0], "text"], first=7))).startswith("sample 8: ")


# -- packages --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("module", ["hysteron_host", "hysteron_host.accelerator", "hysteron_host.campaign"])
def test_the_driver_needs_neither_generator_nor_model(module: str) -> None:
    """It runs on a small computer beside the machine."""
    code = f"import sys, {module}; print(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert "hysteron_host" in loaded
    others = {"hysteron_golden", "hysteron_rtl", "hysteron_sim", "hysteron_firmware"}
    others |= {"amaranth", "serial", "cobs", "click", "rich"}
    assert not others & set(loaded)


def test_an_image_is_loaded_without_them(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "hysteron_golden", None)
    samples = list(images(3))
    check(list(machine(wire, image()).infer(samples)), samples, image())
    assert isinstance(Accelerator(wire).link, Link)
