# SPDX-License-Identifier: Apache-2.0
"""The sequencer against its rules, cycle for cycle, with the rest of the core played at random speeds."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import Any

import numpy as np
import pytest

from hysteron_rtl.sequencer import Sequencer
from hysteron_spec.core import CoreConfig
from hysteron_spec.encoder import Coding, Encoder
from hysteron_spec.layouts import row_stride
from hysteron_spec.network import Layer, Network
from hysteron_spec.program import Program, compile_network
from hysteron_spec.registers import REGIONS
from support.bench import TINY, core, load_image, plain, simulate


@dataclass(frozen=True)
class Step:
    """A time step of the stimulus."""

    slot: int  # number of the slot that holds its input, counted from the start
    start: bool
    last: bool
    frees: bool  # the slot's last step


def program(config: CoreConfig, shape: tuple[int, ...], recurrent: tuple[int, ...] = (), **changes: Any) -> Program:
    """A network of ones; the sequencer does not look at the weights."""
    layers = tuple(
        Layer(
            np.ones((n_in, n_out), int),
            theta_high=3,
            recurrent=np.ones((n_out, n_out), int) if index in recurrent else None,
            weight_bits=config.weight_bits,
            unit_weights=config.weight_bits == 1 and index % 2 == 1,
        )
        for index, (n_in, n_out) in enumerate(pairwise(shape))
    )
    return compile_network(Network(layers, config.potential, **changes), config)


def stimulus(rng: Random, samples: int, direct_steps: int) -> list[Step]:
    """Steps of some samples; in direct coding all steps of an image use one slot."""
    steps: list[Step] = []
    slot = 0
    for _ in range(samples):
        count = direct_steps or rng.choice((1, 2, rng.randint(1, 6)))
        for t in range(count):
            last = t == count - 1
            frees = last or not direct_steps
            steps.append(Step(slot, t == 0, last, frees))
            slot += frees
    return steps


class Bench:
    """The rules of :class:`Sequencer`, and the blocks around it.

    Parameters
    ----------
    fill, take, finish
        Probability, in a cycle, that a free slot is filled, that a segment is accepted, and that the oldest job is
        scanned, is stored, is answered.
    """

    def __init__(self, work: Program, steps: list[Step], rng: Random, fill: float, take: float, finish: float) -> None:
        self.work, self.steps, self.rng = work, steps, rng
        self.fill, self.take, self.finish = fill, take, finish
        self.dut = Sequencer(work.config)
        self.depth = len(work.network.layers)
        self.every = work.network.readout_every_step
        encoder = work.network.encoder
        self.direct = encoder is not None and encoder.coding is Coding.DIRECT
        self.issued, self.scanned, self.stored = ([0] * self.depth for _ in range(3))
        self.places = 2
        self.filled = self.freed = 0  # slots
        self.order: list[tuple[int, int]] = []  # jobs as they were issued
        self.waits = 0  # cycles in which a recurrent segment waited

    def ready(self, layer: int) -> bool:
        job = self.issued[layer]
        if job == len(self.steps):
            return False
        there = self.steps[job].slot < self.filled if layer == 0 else self.stored[layer - 1] > job
        if layer == self.depth - 1:
            return there and self.places > 0
        return there and job - self.scanned[layer + 1] < 2

    def answers(self, layer: int, step: Step) -> bool:
        return layer == self.depth - 1 and (step.last or self.every)

    def segments(self, layer: int, job: int) -> list[tuple[bool, dict[str, Any]]]:
        """A job's segments: whether it is a recurrent one, and the fields that matter."""
        shape, step = self.work.network.layers[layer], self.steps[job]
        tiles, parity = self.work.tiles[layer], job % 2
        back = shape.recurrent is not None and not step.start
        stride = shape.n_in + (shape.n_out if shape.recurrent is not None else 0)
        if layer:
            hidden = {"hidden": 1, "layer": layer - 1, "parity": parity, "tile": self.work.tile_base[layer - 1]}
            sources = [hidden]
        else:
            planes = range(7, -1, -1) if self.direct else (0,)
            sources = [{"hidden": 0, "slot": step.slot % 2, "plane": plane} for plane in planes]
        forward = len(sources)
        if back:
            own = {"hidden": 1, "layer": layer, "parity": 1 - parity, "tile": self.work.tile_base[layer]}
            sources = [*sources, own]
        result = []
        for tile in range(tiles):
            row = self.work.weight_base[layer] + tile * stride
            for index, source in enumerate(sources):
                last = index == len(sources) - 1
                ends = last and tile == tiles - 1
                record = {
                    "source": source,
                    "row": row + (shape.n_in if index == forward else 0),
                    "first": int(index == 0),
                    "last": int(last),
                    "double": int(0 < index < forward),
                    "scan_last": int(ends),
                    **({"frees": int(layer == 0 and step.frees)} if ends else {}),
                    "pass_": {
                        "layer": layer,
                        "tile": self.work.tile_base[layer] + tile,
                        "parity": parity,
                        "start": int(step.start),
                        "output": int(layer == self.depth - 1),
                        "answer": int(self.answers(layer, step)),
                        "final": int(step.last),
                        "job_last": int(tile == tiles - 1),
                        "unit": int(shape.unit_weights),
                    },
                }
                result.append((index == forward, record))
        return result

    async def run(self, ctx: Any) -> None:
        dut, rng, work = self.dut, self.rng, self.work
        stride = row_stride(work.widths["JOBS"])
        await load_image(ctx, dut.load, REGIONS["JOBS"], work.images["JOBS"], stride)
        ctx.set(dut.layers, self.depth)
        ctx.set(dut.every_step, self.every)
        ctx.set(dut.steps, work.network.encoder.steps if self.direct else rng.getrandbits(8))
        slots = {step.slot: step for step in reversed(self.steps)}  # the first step of each
        current: deque[tuple[bool, dict[str, Any]]] = deque()
        accepted, to_store = deque[tuple[int, int]](), deque[tuple[int, int]]()
        answers_due = 0
        for cycle in range(20000):
            fills = self.filled < len(slots) and self.filled - self.freed < 2 and rng.random() < self.fill
            scans = bool(accepted) and rng.random() < self.finish
            stores = bool(to_store) and rng.random() < self.finish
            answered = answers_due > 0 and rng.random() < self.finish
            ctx.set(dut.filled, fills)
            ctx.set(dut.scanned, scans)
            ctx.set(dut.scanned_layer, accepted[0][0] if scans else rng.getrandbits(len(dut.scanned_layer)))
            ctx.set(dut.stored, stores)
            ctx.set(dut.stored_layer, to_store[0][0] if stores else rng.getrandbits(len(dut.stored_layer)))
            ctx.set(dut.answered, answered)
            takes = rng.random() < self.take
            ctx.set(dut.o.ready, takes)

            # What the sequencer does in this cycle follows from what was known before it.
            picked: int | None = None
            if current:
                back, record = current[0]
                layer = record["pass_"]["layer"]
                valid = not back or self.stored[layer] >= self.issued[layer] - 1
                self.waits += not valid
                assert ctx.get(dut.o.valid) == valid, f"cycle {cycle}"
                if valid:
                    got = plain(ctx.get(dut.o.payload))
                    got = {key: got[key] for key in record}
                    got["source"] = {key: got["source"][key] for key in record["source"]}
                    assert got == record, f"cycle {cycle}"
                    if takes:
                        current.popleft()
                        if record["scan_last"]:
                            accepted.append((layer, self.issued[layer] - 1))
            else:
                assert not ctx.get(dut.o.valid), f"cycle {cycle}"
                able = [layer for layer in range(self.depth) if self.ready(layer)]
                if able:
                    picked = able[-1]
                    job = self.issued[picked]
                    current.extend(self.segments(picked, job))
                    self.order.append((picked, job))
                    self.issued[picked] += 1
                    self.places -= self.answers(picked, self.steps[job])
            assert ctx.get(dut.issued_first) == (picked == 0), f"cycle {cycle}"

            if scans:
                layer, job = accepted.popleft()
                self.scanned[layer] += 1
                self.freed += layer == 0 and self.steps[job].frees
                to_store.append((layer, job))
            if stores:
                layer, job = to_store.popleft()
                self.stored[layer] += 1
                answers_due += self.answers(layer, self.steps[job])
            if answered:
                answers_due -= 1
                self.places += 1
            await ctx.tick()
            if fills:
                first = slots[self.filled]
                # In direct coding a slot is a whole image.
                flags = {"start": first.start, "last": first.last or self.direct, "direct": self.direct}
                ctx.set(dut.slots[self.filled % 2], flags)
                self.filled += 1
            if min(self.issued) == len(self.steps) and not current and not answers_due and not to_store:
                return
        raise AssertionError(f"stuck: issued {self.issued} of {len(self.steps)}")


ENCODER = Encoder(Coding.DIRECT, 3)
PROGRAMS = {
    "three_layers": program(TINY, (20, 9, 5, 3)),
    "all_layers_recurrent": program(core(max_layers=3), (10, 9, 13, 5), recurrent=(0, 1, 2)),
    "one_layer": program(core(max_layers=1), (6, 5), recurrent=(0,), readout_every_step=True),
    "unit_weights": program(core(weight_bits=1), (6, 5, 5, 2, 2), recurrent=(1,), readout_every_step=True),
    "direct": program(TINY, (9, 6, 11, 4), recurrent=(0, 2), encoder=ENCODER),
    "direct_one_step": program(TINY, (9, 6), encoder=Encoder(Coding.DIRECT, 1)),
}


@pytest.mark.parametrize(
    ("fill", "take", "finish"),
    [(1.0, 1.0, 1.0), (1.0, 0.7, 0.1), (0.1, 0.9, 0.5), (0.5, 0.5, 0.5)],
    ids=["fast", "slow_lanes", "slow_input", "mixed"],
)
@pytest.mark.parametrize("name", PROGRAMS)
def test_segments_follow_the_rules(name: str, fill: float, take: float, finish: float) -> None:
    rng = Random(f"{name} {fill} {take} {finish}")
    work = PROGRAMS[name]
    encoder = work.network.encoder
    steps = stimulus(rng, 6, encoder.steps if encoder is not None else 0)
    bench = Bench(work, steps, rng, fill, take, finish)
    simulate(bench.dut, bench.run)
    # The buffer between two layers holds two steps.
    ahead = [0] * bench.depth
    for layer, _ in bench.order:
        ahead[layer] += 1
        assert all(0 <= above - below <= 2 for above, below in pairwise(ahead))
    assert sorted(bench.order) == [(layer, job) for layer in range(bench.depth) for job in range(len(steps))]
    recurrent = any(layer.recurrent is not None for layer in work.network.layers)
    if recurrent and finish == 0.1:
        assert bench.waits > 0, "the wait for a layer's own spikes was exercised"
