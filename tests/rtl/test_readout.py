# SPDX-License-Identifier: Apache-2.0
"""The read-out unit against the golden read-out, values, winners, answers and cycles."""

from __future__ import annotations

from collections import deque
from random import Random
from typing import Any

import numpy as np
import pytest

from hysteron_golden.run import _read, winner
from hysteron_rtl.layouts import pass_layout
from hysteron_rtl.readout import ReadoutUnit
from hysteron_spec.core import STATE_LOOP, CoreConfig, ceil_div
from hysteron_spec.neuron import NEVER, Readout
from hysteron_spec.packets import answer_words
from support.bench import TINY, core, random_record, scramble, simulate

CORES = {
    "three_tiles": TINY,
    "four_tiles": core(max_outputs=14),
    "more_lanes_than_outputs": core(lanes=8, max_outputs=3),
    "one_output": core(max_outputs=1),
    "wide_unsigned": core(lanes=2, potential_bits=24, potential_signed=False, max_outputs=5),
}


class Driver:
    """Plays the lanes: fires tiles, stores them a cycle later; collects the answers.

    A step's tiles are fired back to back if ``gap`` is 0; a tile is fired again STATE_LOOP cycles later at the
    earliest, and a step begins only if there is a place for its answer, as the sequencer sees to it.
    """

    def __init__(self, ctx: Any, dut: ReadoutUnit, config: CoreConfig, rng: Random, outputs: int) -> None:
        self.ctx, self.dut, self.config, self.rng, self.outputs = ctx, dut, config, rng, outputs
        self.ready = self.gap = 0.0
        self.cycle = 0
        self.due = 0  # answers begun or under way
        self.words: list[tuple[int, int]] = []  # (cycle, word)
        self.ends: list[tuple[int, int]] = []  # (cycle, last of its sample)
        self.stored = [0]  # cycles in which a step's last tile was stored
        self.store: tuple[dict[str, int], list[int], list[int]] | None = None
        self.fired: dict[int, int] = {}
        ctx.set(dut.outputs, outputs)

    async def tick(self, fire: dict[str, int] | None = None, spikes: Any = (), potentials: Any = ()) -> None:
        """One cycle, with a tile fired in it or not."""
        ctx, dut, rng = self.ctx, self.dut, self.rng
        other = random_record(rng, pass_layout(self.config), output=0)  # another layer's tile, or nothing
        ctx.set(dut.fired, fire is not None or rng.getrandbits(1))
        ctx.set(dut.fired_pass, other if fire is None else fire)
        ctx.set(dut.stored, self.store is not None or rng.getrandbits(1))
        for port in (dut.spikes, dut.potentials):
            scramble(ctx, port, rng)
        if self.store is None:
            ctx.set(dut.stored_pass, other)
        else:
            record, fired, values = self.store
            ctx.set(dut.stored_pass, record)
            ctx.set(dut.spikes, sum(bit << k for k, bit in enumerate(fired)))
            ctx.set(dut.potentials, values)
            if record["job_last"]:
                self.stored.append(self.cycle)
        self.store = None if fire is None else (fire, list(spikes), list(potentials))
        ready = rng.random() < self.ready
        ctx.set(dut.o.ready, ready)
        if ready and ctx.get(dut.o.valid):
            self.words.append((self.cycle, ctx.get(dut.o.payload)))
        if ctx.get(dut.answered):
            self.ends.append((self.cycle, ctx.get(dut.sample)))
            assert self.words[-1][0] == self.cycle, "answered with the trailer"
            self.due -= 1
        await ctx.tick()
        self.cycle += 1

    async def step(self, spikes: np.ndarray, u: np.ndarray, *, start: bool, answer: bool, final: bool) -> None:
        """One time step of the last layer."""
        while self.due == 2:
            await self.tick()
        self.due += answer
        lanes, config = self.config.lanes, self.config
        tiles = ceil_div(self.outputs, lanes)
        low, high = config.potential.low, config.potential.high
        for tile in range(tiles):
            while self.cycle - self.fired.get(tile, -STATE_LOOP) < STATE_LOOP or self.rng.random() < self.gap:
                await self.tick()
            self.fired[tile] = self.cycle
            record = random_record(
                self.rng,
                pass_layout(config),
                output=1,
                start=int(start),
                answer=int(answer),
                final=int(final),
                job_last=int(tile == tiles - 1),
            )
            # Lanes beyond the outputs do anything.
            fired = [self.rng.getrandbits(1) for _ in range(lanes)]
            potentials = [self.rng.randint(low, high) for _ in range(lanes)]
            part = slice(tile * lanes, min((tile + 1) * lanes, self.outputs))
            fired[: part.stop - part.start] = spikes[part].tolist()
            potentials[: part.stop - part.start] = u[part].tolist()
            await self.tick(record, fired, potentials)

    async def sample(self, kind: Readout, every: bool, steps: int, density: float) -> list[np.ndarray]:
        """A sample; returns the values of each answer."""
        values = np.zeros(self.outputs, np.int32)
        answers = []
        low, high = self.config.potential.low, self.config.potential.high
        few = self.rng.random() < 0.5  # potentials with ties
        for t in range(steps):
            spikes = np.array([int(self.rng.random() < density) for _ in range(self.outputs)])
            choices = (low, -1 if low else 1, high) if few else range(low, high + 1)
            u = np.array([self.rng.choice(choices) for _ in range(self.outputs)])
            values = _read(kind, values, spikes.astype(bool), u, t)
            final = t == steps - 1
            await self.step(spikes, u, start=t == 0, answer=every or final, final=final)
            if every or final:
                answers.append(values)
        return answers

    async def drain(self) -> None:
        """Wait for all answers."""
        for _ in range(2000):
            if not self.due and self.store is None:
                break
            await self.tick()
        assert not self.due
        await self.tick()


@pytest.mark.parametrize("kind", Readout)
@pytest.mark.parametrize("name", CORES)
def test_random_samples(name: str, kind: Readout) -> None:
    config = CORES[name]
    rng = Random(f"{name} {kind}")

    async def bench(ctx: Any) -> None:
        number = 0
        for outputs in sorted({config.max_outputs, rng.randint(1, config.max_outputs)}):
            driver = Driver(ctx, dut, config, rng, outputs)
            for vector, every, ready, gap in (
                (1, False, 1.0, 0.0),
                (1, True, 1.0, 0.0),
                (0, True, 0.5, 0.0),
                (1, True, 0.7, 0.4),
                (0, False, 0.9, 0.2),
            ):
                driver.ready, driver.gap, driver.words, driver.ends = ready, gap, [], []
                ctx.set(dut.kind, kind)
                ctx.set(dut.vector, vector)
                answers, finals = [], []
                for _ in range(3):
                    got = await driver.sample(kind, every, rng.randint(1, 6), rng.choice((0.0, 0.1, 0.5, 1.0)))
                    answers += got
                    finals += [0] * (len(got) - 1) + [1]
                await driver.drain()
                words = []
                for values in answers:
                    words += answer_words(values, int(winner(kind, values)), number, bool(vector)).tolist()
                    number += 1
                assert [word for _, word in driver.words] == words, (outputs, vector, every)
                assert [last for _, last in driver.ends] == finals

    dut = ReadoutUnit(config)
    simulate(dut, bench)


@pytest.mark.parametrize("vector", [1, 0])
@pytest.mark.parametrize("outputs", [1, 4, 11])
def test_an_answer_takes_a_cycle_to_start_one_for_each_output_and_one_for_the_trailer(
    outputs: int, vector: int
) -> None:
    rng = Random(outputs)
    dut = ReadoutUnit(TINY)

    async def bench(ctx: Any) -> None:
        driver = Driver(ctx, dut, TINY, rng, outputs)
        driver.ready = 1.0
        ctx.set(dut.vector, vector)
        for _ in range(3):
            await driver.sample(Readout.COUNT, every=True, steps=1, density=0.5)
            await driver.drain()
        beats = deque(cycle for cycle, _ in driver.words)
        for stored in driver.stored[1:]:
            first = stored + 2
            wanted = [first + k for k in range(outputs + 1)] if vector else [first + outputs]
            assert [beats.popleft() for _ in wanted] == wanted

    simulate(dut, bench)


def test_two_answers_wait_in_order() -> None:
    """While the sink is blocked two answers are kept, each with its own values."""
    rng = Random(5)
    dut = ReadoutUnit(TINY)

    async def bench(ctx: Any) -> None:
        driver = Driver(ctx, dut, TINY, rng, 3)
        ctx.set(dut.kind, Readout.POTENTIAL)
        ctx.set(dut.vector, 1)
        vectors = [np.array([5, -7, 5]), np.array([-1, -1, -2048])]
        for u in vectors:
            await driver.step(np.zeros(3, int), u, start=True, answer=True, final=True)
        for _ in range(20):
            await driver.tick()
        assert not driver.words
        assert ctx.get(dut.o.valid)
        driver.ready = 1.0
        await driver.drain()
        want = [answer_words(u, 0, number, True).tolist() for number, u in enumerate(vectors)]
        assert [word for _, word in driver.words] == [*want[0], *want[1]]

    simulate(dut, bench)


def test_count_and_step_number_stop_at_their_ceilings() -> None:
    """Stored in every cycle, faster than lanes could: two interleaved counts, both at the ceiling in the end."""
    config = core(lanes=2, max_outputs=2, max_neurons=2)
    dut = ReadoutUnit(config)
    record = random_record(Random(0), pass_layout(config), output=1, start=0, answer=0, final=0, job_last=1)

    async def answer(ctx: Any, spikes: int) -> list[int]:
        """The answer after one more step."""
        words = []
        ctx.set(dut.stored, 0)
        await ctx.tick()
        ctx.set(dut.fired, 0)
        ctx.set(dut.stored, 1)
        ctx.set(dut.stored_pass, record | {"answer": 1})
        ctx.set(dut.spikes, spikes)
        await ctx.tick()
        ctx.set(dut.stored, 0)
        ctx.set(dut.o.ready, 1)
        while not words or not ctx.get(dut.answered):
            if ctx.get(dut.o.valid):
                words.append(ctx.get(dut.o.payload))
            await ctx.tick()
        await ctx.tick()
        return words

    async def bench(ctx: Any) -> None:
        ctx.set(dut.outputs, 2)
        ctx.set(dut.vector, 1)
        for port in (dut.fired, dut.stored):
            ctx.set(port, 1)
        for port in (dut.fired_pass, dut.stored_pass):
            ctx.set(port, record)
        ctx.set(dut.spikes, 0b01)
        await ctx.tick().repeat(2 * NEVER + 100)
        assert await answer(ctx, 0b01) == [NEVER, 0]
        ctx.set(dut.kind, Readout.FIRST)  # the ceiling of a count is a neuron that never fired
        ctx.set(dut.fired, 1)
        await ctx.tick()
        assert await answer(ctx, 0b01) == [NEVER - 1, 0]

    simulate(dut, bench)
