# SPDX-License-Identifier: Apache-2.0
"""Figures of time: each notion against the schedule it comes from."""

import numpy as np
import pytest

from hysteron_golden.schedule import activities, schedule, sent_inputs
from hysteron_measure import timing
from hysteron_spec.core import CoreConfig
from support.runs import ENCODERS, make


@pytest.mark.parametrize("recurrent", [False, True])
@pytest.mark.parametrize("coding", list(ENCODERS))
def test_layer_events_add_up_to_the_bound(coding: str, recurrent: bool) -> None:
    arguments = make(coding=coding, recurrent=recurrent)
    figures = timing.layer_events(arguments["program"], arguments["result"])
    assert sum(lane_cycles for _, lane_cycles in figures) == arguments["schedule"].bound
    tiles = arguments["program"].tiles
    events = sum(events * count for (events, _), count in zip(figures, tiles, strict=True))
    assert events * 9 == pytest.approx(arguments["schedule"].counters["EVENTS"])


@pytest.mark.parametrize("recurrent", [False, True])
@pytest.mark.parametrize(
    ("coding", "config"),
    [*((coding, CoreConfig.preset("tiny")) for coding in ENCODERS), ("level", CoreConfig.preset("icebreaker"))],
)
def test_passes_hold_every_lane_cycle_once(coding: str, config: CoreConfig, recurrent: bool) -> None:
    arguments = make(coding=coding, recurrent=recurrent, config=config)
    plan = arguments["schedule"]
    passes = timing.passes(arguments["program"], plan)
    assert (passes.begin < passes.end).all()
    assert (passes.end[:-1] <= passes.begin[1:]).all()
    inside = np.diff(np.searchsorted(plan.busy_cycles, np.stack([passes.begin, passes.end], axis=1)))
    assert inside.sum() == len(plan.busy_cycles)
    assert np.isin(passes.begin, plan.busy_cycles).all()
    assert np.isin(passes.end - 1, plan.busy_cycles).all()
    few = passes.within(int(passes.begin[3]), int(passes.end[4]))
    assert {3, 4} <= set(np.searchsorted(passes.begin, few.begin).tolist())


def test_lanes_at_work_add_up() -> None:
    plan = make()["schedule"]
    finish = int(plan.sample_cycles[-1, 1]) + 1
    edges, percent = timing.busy_share(plan, 0, finish, 10)
    assert (edges[0], edges[-1]) == (0, finish)
    assert percent @ np.diff(edges) / 100 == pytest.approx(len(plan.busy_cycles))
    assert 0 <= percent.min() <= percent.max() <= 100


def test_the_cycles_of_an_image_begin_with_the_answer_before() -> None:
    plan = make()["schedule"]
    cycles, before = timing.image_cycles(plan), int(plan.sample_cycles[0, 0])
    for taken, (_, answered) in zip(cycles, plan.sample_cycles, strict=True):
        assert taken == answered - before
        before = answered
    assert cycles.sum() == plan.sample_cycles[-1, 1] - plan.sample_cycles[0, 0]
    assert len(timing.image_cycles(make(samples=1)["schedule"])) == 1


def test_no_two_notions_of_time_are_the_same() -> None:
    arguments = make()
    program, result, plan = (arguments[name] for name in ("program", "result", "schedule"))
    activity = activities(result, sent_inputs(program, result, arguments["images"]))
    cycles, waiting = timing.image_cycles(plan), timing.stream_latencies(plan)
    alone = timing.lone_latencies(program, activity)
    assert cycles[0] == waiting[0]
    # Images overlap: in a stream one costs less than it takes alone, but takes longer among the others.
    assert (cycles[1:] < alone[1:]).all() and (alone < waiting).all()
    assert timing.mean_cycles(plan) == plan.counters["CYCLES"] / 9 == pytest.approx(cycles.mean())
    for k in (0, 5):
        assert alone[k] == schedule(program, [activity[k]]).counters["CYCLES"]
    one = make(samples=1)["schedule"]
    assert timing.image_cycles(one).tolist() == timing.stream_latencies(one).tolist() == [one.counters["CYCLES"]]


def test_synaptic_operations_are_events_times_neurons() -> None:
    arguments = make(recurrent=True)
    program, result = arguments["program"], arguments["result"]
    own = [layer[:, :-1].sum() for layer in result.spikes]
    into = [result.inputs.sum(), result.spikes[0].sum()]
    expected = sum(
        (events + back) * layer.n_out for events, back, layer in zip(into, own, program.network.layers, strict=True)
    )
    assert timing.operations(program, result) == pytest.approx(expected / 9)
