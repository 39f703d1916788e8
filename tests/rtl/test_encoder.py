# SPDX-License-Identifier: Apache-2.0
"""The on-chip encoder against :mod:`hysteron_spec.encoder`, bitmaps and cycles."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import Any

import numpy as np
import pytest

from hysteron_rtl.encoder import Encoder
from hysteron_spec.core import CoreConfig, ceil_div
from hysteron_spec.encoder import GROUP, Coding, encode
from hysteron_spec.encoder import Encoder as Settings
from hysteron_spec.packets import WORD, pixel_packet
from hysteron_spec.registers import REGIONS
from support.bench import TINY, core, load_word, plain, simulate


@dataclass(frozen=True)
class Slot:
    """What the encoder handed over: its bitmaps by plane, the flags, and when it was complete."""

    planes: dict[int, list[int]]
    flags: dict[str, int]
    cycle: int


def expected(settings: Settings, image: np.ndarray) -> list[Slot]:
    """The slots of one image (without cycles)."""
    if settings.coding is Coding.DIRECT:
        planes = {plane: to_words(image >> plane & 1) for plane in range(7, -1, -1)}
        return [Slot(planes, {"start": 1, "last": 1, "direct": 1}, 0)]
    return [
        Slot({0: to_words(step)}, {"start": int(t == 0), "last": int(t == settings.steps - 1), "direct": 0}, 0)
        for t, step in enumerate(encode(settings, image[None])[0])
    ]


def to_words(bits: np.ndarray) -> list[int]:
    padded = np.zeros(ceil_div(len(bits), WORD) * WORD, np.uint8)
    padded[: len(bits)] = bits
    return np.packbits(padded, bitorder="little").view("<u4").tolist()


def run(
    config: CoreConfig, batches: list[tuple[Settings, list[np.ndarray]]], rng: Random, slot_free: float = 1.0
) -> list[list[Slot]]:
    """Encode batches of images; within a batch an image is sent as soon as a bank is free."""
    dut = Encoder(config)
    answers: list[list[Slot]] = []

    async def batch(ctx: Any, settings: Settings, images: list[np.ndarray]) -> list[Slot]:
        for t, threshold in enumerate(settings.thresholds):
            await load_word(ctx, dut.load, REGIONS["LEVELS"], t, threshold)
        ctx.set(dut.inputs, len(images[0]))
        ctx.set(dut.steps, settings.steps)
        ctx.set(dut.coding, settings.coding)
        # Register SEED3 has a bit more than the shift register.
        ctx.set(dut.seed, settings.lfsr_state() | rng.getrandbits(1) << 127)
        assert ctx.get(dut.idle)
        assert ctx.get(dut.bank_free)
        packets = [pixel_packet(image)[1:].tolist() for image in images]
        wanted = sum(len(expected(settings, image)) for image in images)
        slots: list[Slot] = []
        planes: dict[int, list[int]] = {}
        words: dict[int, int] = {}
        sending: list[int] = []
        cycle = 0
        while len(slots) < wanted:
            if not sending and packets and ctx.get(dut.bank_free):
                sending = packets.pop(0)
            sends = bool(sending) and (slot_free == 1 or rng.random() < 0.7)
            ctx.set(dut.pixels_en, sends)
            ctx.set(dut.pixels, sending[0] if sends else rng.getrandbits(32))
            ctx.set(dut.pixels_last, len(sending) == 1 if sends else rng.getrandbits(1))
            if sends:
                sending = sending[1:]
            ctx.set(dut.slot_free, rng.random() < slot_free)
            if ctx.get(dut.write):
                number = ctx.get(dut.word)
                assert number not in words, "a word of a bitmap is written once"
                words[number] = ctx.get(dut.bits)
                plane = ctx.get(dut.plane)
            if ctx.get(dut.finish):
                assert ctx.get(dut.plane) == plane
                assert plane not in planes
                assert sorted(words) == list(range(ceil_div(len(images[0]), WORD)))
                planes[plane] = [words[k] for k in sorted(words)]
                assert ctx.get(dut.found) == sum(1 << k for k, word in words.items() if word)
                words = {}
            if ctx.get(dut.filled):
                assert ctx.get(dut.finish)
                slots.append(Slot(planes, plain(ctx.get(dut.flags)), cycle))
                planes = {}
            await ctx.tick()
            cycle += 1
        ctx.set(dut.slot_free, 1)
        for _ in range(5):
            assert ctx.get(dut.idle)
            assert not ctx.get(dut.write) and not ctx.get(dut.finish)
            await ctx.tick()
        return slots

    async def bench(ctx: Any) -> None:
        for settings, images in batches:
            answers.append(await batch(ctx, settings, images))

    simulate(dut, bench)
    return answers


def random_settings(rng: Random, coding: Coding, steps: int) -> Settings:
    if coding is Coding.LATENCY:
        return Settings(coding, steps, tuple(sorted(rng.sample(range(256), steps), reverse=True)))
    if coding is Coding.LEVEL:
        return Settings(coding, steps, tuple(rng.choice((0, 255, rng.randrange(256))) for _ in range(steps)))
    return Settings(coding, steps, seed=rng.getrandbits(64) if coding is Coding.RATE else 0)


def random_image(rng: Random, size: int) -> np.ndarray:
    kind = rng.randrange(6)
    if kind < 2:
        return np.full(size, 255 * kind, np.uint8)
    if kind == 2:  # one bright pixel: most words are empty
        image = np.zeros(size, np.uint8)
        image[rng.randrange(size)] = 255
        return image
    return np.frombuffer(rng.randbytes(size), np.uint8)


def check(
    config: CoreConfig, batches: list[tuple[Settings, list[np.ndarray]]], rng: Random, slot_free: float = 1.0
) -> list[list[Slot]]:
    answers = run(config, batches, rng, slot_free)
    for (settings, images), slots in zip(batches, answers, strict=True):
        want = [slot for image in images for slot in expected(settings, image)]
        for got, wanted in zip(slots, want, strict=True):
            assert (got.planes, got.flags) == (wanted.planes, wanted.flags), (settings, len(images[0]))
            assert list(got.planes) == list(wanted.planes), "planes come from the highest down"
    return answers


@pytest.mark.parametrize("coding", Coding)
def test_every_size(coding: Coding) -> None:
    rng = Random(coding)
    sizes = rng.sample(range(1, TINY.max_inputs + 1), TINY.max_inputs)  # large ones leave their pixels behind
    batches = [(random_settings(rng, coding, rng.randint(1, 2)), [random_image(rng, size)]) for size in sizes]
    check(TINY, batches, rng)


@pytest.mark.parametrize("coding", Coding)
def test_images_follow_one_another_and_slots_come_late(coding: Coding) -> None:
    rng = Random(10 + coding)
    batches = []
    for size in (70, 9, 33):
        images = [random_image(rng, size) for _ in range(4)]
        batches.append((random_settings(rng, coding, rng.randint(2, 5)), images))
    check(TINY, batches, rng, slot_free=0.3)


@pytest.mark.parametrize("direct", [True, False])
def test_codings_alternate(direct: bool) -> None:
    rng = Random(direct)
    config = core(direct=direct)
    codings = [coding for coding in Coding if direct or coding is not Coding.DIRECT]
    batches = [
        (random_settings(rng, coding, rng.randint(1, 3)), [random_image(rng, 40), random_image(rng, 40)])
        for coding in rng.choices(codings, k=8)
    ]
    check(config, batches, rng)


@pytest.mark.parametrize("size", [1, 8, 9, 64, 70])
def test_a_step_of_n_groups_takes_n_plus_3_cycles(size: int) -> None:
    rng = Random(size)
    groups = ceil_div(size, GROUP)
    image = random_image(rng, size)
    (steps,), (direct,) = (
        check(TINY, [(settings, images)], rng)
        for settings, images in (
            (random_settings(rng, Coding.RATE, 6), [image]),
            (Settings(Coding.DIRECT, 1), [image, image]),
        )
    )
    assert {b.cycle - a.cycle for a, b in pairwise(steps)} == {groups + 3}
    # From one image to the next there is one cycle more, in which the second is picked up.
    assert direct[1].cycle - direct[0].cycle == 8 * (groups + 2) + 1 + 1


def test_the_longest_image() -> None:
    rng = Random(255)
    image = np.frombuffer(rng.randbytes(5), np.uint8)
    (slots,) = check(TINY, [(random_settings(rng, Coding.LEVEL, 255), [image])], rng)
    assert [slot.flags["last"] for slot in slots] == [0] * 254 + [1]
