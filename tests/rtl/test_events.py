# SPDX-License-Identifier: Apache-2.0
"""Word scanner and event finder against lists, cycle for cycle."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from hysteron_rtl.events import EventFinder, WordScanner
from hysteron_rtl.layouts import pass_layout, segment_layout, word_bits, word_layout
from hysteron_spec.core import STATE_LOOP, CoreConfig
from hysteron_spec.packets import WORD
from support.bench import TINY, core, plain, random_record, random_word, set_bits, simulate

Record = dict[str, Any]

# -- word scanner ----------------------------------------------------------------------------------------------


def words_of(segment: Record, summary: int) -> list[Record]:
    """The words that a segment yields."""
    numbers = set_bits(summary) or [0]
    return [
        {
            "hidden": segment["source"]["hidden"],
            "word": number,
            "row": segment["row"],
            "first": int(segment["first"] and k == 0),
            "last": int(segment["last"] and k == len(numbers) - 1),
            "double": int(segment["double"] and k == 0),
            "empty": int(summary == 0),
            "pass_": segment["pass_"],
        }
        for k, number in enumerate(numbers)
    ]


def scan(
    config: CoreConfig, segments: list[tuple[Record, int]], offers: Callable[[], bool], takes: Callable[[], bool]
) -> int:
    """Scan all ``(segment, summary)``; returns the cycles it took."""
    dut = WordScanner(config)
    cycles = 0

    async def bench(ctx: Any) -> None:
        nonlocal cycles
        waiting, current = deque(segments), deque[Record]()
        segment: Record = {}
        valid = False
        while waiting or current:
            valid = bool(waiting) and (valid or offers())
            ready = takes()
            ctx.set(dut.i.valid, valid)
            if valid:
                ctx.set(dut.i.payload, dict(zip(("request", "data"), waiting[0], strict=True)))
            ctx.set(dut.o.ready, ready)

            leaves = bool(current) and ready
            ends = leaves and len(current) == 1
            assert ctx.get(dut.o.valid) == bool(current), f"cycle {cycles}"
            assert ctx.get(dut.i.ready) == (not current or ends), f"cycle {cycles}"
            scanned = ends and segment["scan_last"]
            assert ctx.get(dut.scanned) == scanned, f"cycle {cycles}"
            assert ctx.get(dut.frees) == (scanned and segment["frees"]), f"cycle {cycles}"
            if current:
                assert plain(ctx.get(dut.o.payload)) == current[0], f"cycle {cycles}"
                assert plain(ctx.get(dut.source)) == segment["source"]
                assert ctx.get(dut.layer) == segment["pass_"]["layer"]
            if leaves:
                current.popleft()
            if valid and not current:
                segment, summary = waiting.popleft()
                current.extend(words_of(segment, summary))
                valid = False
            await ctx.tick()
            cycles += 1
        assert not ctx.get(dut.o.valid)

    simulate(dut, bench)
    return cycles


def random_segments(rng: Random, config: CoreConfig, count: int) -> list[tuple[Record, int]]:
    bits = max(config.input_words, config.hidden_words)
    return [(random_record(rng, segment_layout(config)), random_word(rng, bits)) for _ in range(count)]


@pytest.mark.parametrize(("offer", "take"), [(1.0, 1.0), (0.6, 1.0), (1.0, 0.5), (0.5, 0.5)])
@pytest.mark.parametrize(
    "config", [TINY, core(lanes=32, max_inputs=25), core(max_inputs=700)], ids=["tiny", "one_word", "many_words"]
)
def test_scanner_lists_non_empty_words(config: CoreConfig, offer: float, take: float) -> None:
    rng = Random(f"{config.max_inputs} {offer} {take}")
    segments = random_segments(rng, config, 40)
    cycles = scan(config, segments, lambda: rng.random() < offer, lambda: rng.random() < take)
    if offer == take == 1:
        assert cycles == 1 + sum(max(1, summary.bit_count()) for _, summary in segments)


# -- event finder ----------------------------------------------------------------------------------------------


def events_of(config: CoreConfig, word: Record, bits: int) -> list[Record]:
    """The events that a word yields."""
    size = config.spike_word if word["hidden"] else WORD
    rows = 1 << word_layout(config)["row"].width
    numbers = [] if word["empty"] else set_bits(bits)
    return [
        {
            "row": (word["row"] + size * word["word"] + (0 if number is None else number)) % rows,
            "first": int(word["first"] and k == 0),
            "last": int(word["last"] and k == max(len(numbers), 1) - 1),
            "double": int(word["double"] and k == 0),
            "empty": word["empty"],
            "pass_": word["pass_"],
        }
        for k, number in enumerate(numbers or [None])
    ]


def find(
    config: CoreConfig, words: list[tuple[Record, int]], offers: Callable[[], bool] = lambda: True
) -> list[tuple[int, Record]]:
    """Take all ``(word, bits)`` apart; returns the events with their cycles."""
    dut = EventFinder(config)
    found: list[tuple[int, Record]] = []

    async def bench(ctx: Any) -> None:
        waiting, current = deque(words), deque[Record]()
        ended: dict[int, int] = {}  # by tile, when its last event was picked
        picked: Record | None = None
        valid = False
        cycle = 0
        while waiting or current or picked:
            valid = bool(waiting) and (valid or offers())
            ctx.set(dut.i.valid, valid)
            if valid:
                ctx.set(dut.i.payload, dict(zip(("request", "data"), waiting[0], strict=True)))

            assert ctx.get(dut.valid) == (picked is not None), f"cycle {cycle}"
            if picked is not None:
                got = plain(ctx.get(dut.event))
                if picked["empty"]:
                    got["row"] = picked["row"]  # nothing is read
                assert got == picked, f"cycle {cycle}"
                found.append((cycle, got))
            picked = None
            clash = False
            if current:
                tile = current[0]["pass_"]["tile"]
                clash = bool(current[0]["last"]) and cycle - ended.get(tile, -STATE_LOOP) < STATE_LOOP
                if not clash:
                    picked = current.popleft()
                    if picked["last"]:
                        ended[tile] = cycle
            assert ctx.get(dut.stalled) == clash, f"cycle {cycle}"
            assert ctx.get(dut.i.ready) == (not current), f"cycle {cycle}"
            if valid and not current:
                current.extend(events_of(config, *waiting.popleft()))
                valid = False
            await ctx.tick()
            cycle += 1

    simulate(dut, bench)
    return found


def word_record(rng: Random, config: CoreConfig, tile: int, **fixed: int) -> Record:
    """A word of a pass on ``tile``."""
    return random_record(rng, word_layout(config), pass_=random_record(rng, pass_layout(config), tile=tile), **fixed)


def random_words(rng: Random, config: CoreConfig, count: int, tiles: int) -> list[tuple[Record, int]]:
    words = []
    for _ in range(count):
        hidden, empty = rng.getrandbits(1), int(rng.random() < 0.2)
        size = config.spike_word if hidden else WORD
        numbers = config.hidden_words if hidden else config.input_words
        word = word_record(
            rng,
            config,
            rng.randrange(tiles),
            hidden=hidden,
            empty=empty,
            word=rng.randrange(numbers),
            row=rng.randrange(config.weight_rows - 1 - size * numbers),
        )
        words.append((word, rng.getrandbits(WORD) if empty else random_word(rng, size) or 1))
    return words


@pytest.mark.parametrize("offer", [1.0, 0.4])
@pytest.mark.parametrize("lanes", [2, 4, 8, 32, 64])
def test_finder_takes_words_apart(lanes: int, offer: float) -> None:
    config = core(lanes=lanes, max_neurons=100)
    rng = Random(f"{lanes} {offer}")
    words = random_words(rng, config, 50, tiles=3)
    found = find(config, words, lambda: rng.random() < offer)
    assert len(found) == sum(1 if word["empty"] else bits.bit_count() for word, bits in words)


def test_words_of_one_event_follow_one_a_cycle() -> None:
    """Full rate from one word to the next, empty ones included, while no pass ends."""
    rng = Random(1)
    words = [(word_record(rng, TINY, 0, hidden=0, last=0, empty=int(k % 5 == 4)), 1 << k % WORD) for k in range(50)]
    assert [cycle for cycle, _ in find(TINY, words)] == list(range(2, 52))


@pytest.mark.parametrize("tiles", range(1, STATE_LOOP + 2))
def test_ends_on_one_tile_are_spaced_by_the_state_loop(tiles: int) -> None:
    """Passes of one event in turn on some tiles: each tile comes again after STATE_LOOP cycles at the earliest."""
    rng = Random(tiles)
    words = [(word_record(rng, TINY, k % tiles, first=1, last=1, empty=0), 1) for k in range(20)]
    cycles = [cycle for cycle, _ in find(TINY, words)]
    period = max(tiles, STATE_LOOP)
    assert cycles == [2 + period * (k // tiles) + k % tiles for k in range(20)]


def test_only_the_last_event_of_a_pass_waits() -> None:
    rng = Random(2)
    words = [(word_record(rng, TINY, 3, last=1, empty=0), 1), (word_record(rng, TINY, 3, last=1, empty=0), 0b111)]
    assert [cycle for cycle, _ in find(TINY, words)] == [2, 3, 4, 2 + STATE_LOOP]


def test_word_numbers_have_room_for_both_sources() -> None:
    """Input words are 32 wide, hidden ones as wide as the lanes: either may have the larger number."""
    for config in (core(max_inputs=700), core(lanes=2, max_neurons=100)):
        last = max(config.input_words, config.hidden_words) - 1
        assert last < 1 << word_bits(config)
        hidden = int(config.hidden_words > config.input_words)
        size = config.spike_word if hidden else WORD
        word = word_record(Random(3), config, 0, hidden=hidden, word=last, row=5, last=0, empty=0)
        ((_, event),) = find(config, [(word, 1 << size - 1)])
        assert event["row"] == 5 + size * (last + 1) - 1
