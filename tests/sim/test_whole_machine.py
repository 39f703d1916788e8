# SPDX-License-Identifier: Apache-2.0
"""The whole machine under cocotb: every result is golden's, and every cycle has an owner."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pythondata_cpu_picorv32", reason="the processor is not installed (extra 'machine')")
pytest.importorskip("ziglang", reason="the compiler is not installed (extra 'machine')")

from hysteron_golden import run, schedule
from hysteron_golden.schedule import activities
from hysteron_host.frames import Frame, decode
from hysteron_host.image import image_for
from hysteron_host.link import Identity
from hysteron_host.samples import requests_of
from hysteron_sim.machine import Stage, play
from hysteron_spec import CoreConfig, Encoder, Layer, Mode, Network, Potential, Reset, compile_network
from hysteron_spec.encoder import Coding
from hysteron_spec.machine import MachineConfig
from hysteron_spec.protocol import MAGIC, REPLY, VERSION, Kind, payload, words
from hysteron_spec.registers import COUNTERS, REGISTERS

#: Has the figures of the first image.
PAGE = Path(__file__).parents[2] / "docs/machine.md"
SESSION = 9
#: Cycles that the copier keeps the core waiting between two words.
COPIER_GAP = 4
#: Cycles that the processor may take of its own for a lone image, from its last bit to its answer's first.
OVERHEAD = 3000
#: … and that nobody may be busy: the receiver hands a frame over, the sender fetches the answer's first words.
LINE = 100


def network() -> Network:
    rng = np.random.default_rng(3)
    hidden = Layer(rng.integers(-8, 8, (40, 19)), theta_high=60, theta_low=20, leak=4, mode=Mode.LATCH)
    last = Layer(rng.integers(-8, 8, (19, 5)), theta_high=2047, leak=8, mode=Mode.PLAIN, reset=Reset.NONE)
    return Network((hidden, last), Potential(12), Encoder(Coding.LEVEL, 4, (32, 96, 160, 224)), name="whole")


def frames(stage: Stage) -> list[tuple[Frame, int, int]]:
    """Frames of a stage, each with the cycles of its first and its last byte."""
    found = []
    taken: list[tuple[int, int]] = []
    for byte, cycle in stage.heard:
        if byte:
            taken.append((byte, cycle))
        elif taken:
            found.append((decode(bytes(byte for byte, _ in taken)), taken[0][1], cycle))
            taken = []
    return found


def test_load_and_infer_cycle_by_cycle(tmp_path: Path) -> None:
    config, machine = CoreConfig.preset("tiny"), MachineConfig()
    wanted = network()
    program = compile_network(wanted, config)
    images = np.random.default_rng(4).integers(0, 256, (6, 40)).astype(np.uint8)

    hello = Frame(Kind.HELLO, SESSION, 0, payload(MAGIC, VERSION)).encode()
    booted, greeted = play(config, machine, [(b"", 1), (hello, 1)], tmp_path / "a")
    ((boot, _, _),) = frames(booted)
    assert boot.kind == Kind.BOOT and words(boot.payload)[0] == MAGIC
    ((reply, _, _),) = frames(greeted)
    assert reply.kind == Kind.HELLO | REPLY
    image = image_for(wanted, Identity.parse(reply.payload))

    number = 0

    def request(kind: Kind, content: bytes = b"") -> bytes:
        nonlocal number
        number += 1
        return Frame(kind, SESSION, number - 1, content).encode()

    pieces = image.pieces
    load = request(Kind.LOAD_BEGIN) + b"".join(request(Kind.LOAD, piece) for piece, _ in pieces)
    load += request(Kind.LOAD_END, payload(image.check))
    counters = payload(len(COUNTERS) << 16 | REGISTERS["CYCLES"].address)
    stages = [(b"", 1), (hello, 1), (load, len(pieces) + 2)]
    lone = []
    for index in range(3):
        (content,) = requests_of(image, images[index], index)
        lone.append(len(stages))
        stages.append((request(Kind.DATA, content), 1))
    read = len(stages)
    stages.append((request(Kind.READ, counters), 1))
    stream = len(stages)
    stages.append((b"".join(request(Kind.DATA, requests_of(image, one, 0)[0]) for one in images), len(images)))
    seen = play(config, machine, stages, tmp_path / "b")

    replies = [(frame.kind, words(frame.payload)) for stage in seen[1:] for frame, _, _ in frames(stage)]
    assert [kind & REPLY for kind, _ in replies] == [REPLY] * len(replies), replies
    result = run(wanted, images, trace=True)
    table = ["image  cycles  core  processor  both  neither"]
    for place, index in zip(lone, range(3), strict=True):
        ((frame, _, _),) = frames(seen[place])
        answer = np.array(words(frame.payload), np.uint32)
        assert (answer[:-1].view(np.int32) == result.values[index]).all()
        assert answer[-1] & 0xFFFF == result.predictions[index]
        sample = images[index : index + 1]
        core = schedule(program, activities(run(wanted, sample, trace=True), sample), source_gaps=[COPIER_GAP] * 99)
        spent = seen[place].answered - seen[place].sent
        assert spent.core == core.counters["CYCLES"], "the core does what golden says, in the cycles that golden says"
        neither = spent.cycle - spent.core - spent.cpu + spent.both
        if index == 0:
            alone = spent.cpu - spent.both
            row = f"| {spent.cycle:,} | {spent.core:,} | {alone:,} | {neither:,} |"
            assert row in PAGE.read_text(), f"{PAGE} is to say {row}"
        table.append(f"{index:5}  {spent.cycle:6}  {spent.core:4}  {spent.cpu:9}  {spent.both:4}  {neither:7}")
        assert spent.cpu - spent.both < OVERHEAD
        assert neither < LINE
    print("\n".join(table))
    ((counted, _, _),) = frames(seen[read])
    values = dict(zip(COUNTERS, words(counted.payload), strict=True))
    assert values["SAMPLES"] == 3 and values["WORDS_OUT"] == 3 * 6
    assert values["CYCLES"] == sum((seen[place].answered - seen[place].sent).core for place in lone)
    for k, (frame, _, _) in enumerate(frames(seen[stream])):
        assert (np.array(words(frame.payload)[:-1], np.uint32).view(np.int32) == result.values[k]).all()
