# SPDX-License-Identifier: Apache-2.0
"""Random networks on several cores: the RTL equals golden in spikes, potentials, cycles and counters."""

import os

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from hysteron_golden import run
from hysteron_sim.simulator import Simulator
from hysteron_sim.verify import simulate
from hysteron_spec import Coding, compile_network
from support.cores import CORES
from support.random_networks import Case, cases, codings

#: Every failure reproduces from this number: HYSTERON_SEED=… pytest …
SEED = int(os.environ.get("HYSTERON_SEED", "20261121"))
#: Networks for each core and input coding.
EXAMPLES = int(os.environ.get("HYSTERON_EXAMPLES", "30"))


#: Cores whose simulators take longest to build.
LARGE = {"wide", "slow-memory"}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.exhaustive] if name in LARGE else []) for name in CORES]
)
def test_random_networks(name: str) -> None:
    config = CORES[name]
    print(f"seed {SEED}, core {config}")
    with Simulator(config) as simulator:
        for coding in codings(config):
            assert play(simulator, coding) >= EXAMPLES


def play(simulator: Simulator, coding: Coding | None) -> int:
    """Play random networks and return how many."""
    config = simulator.config
    played = 0

    @seed(SEED)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        print_blob=True,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(cases(config, coding))
    def equal(case: Case) -> None:
        nonlocal played
        played += 1
        program = compile_network(case.network, config)
        result = run(case.network, case.inputs, trace=True)
        comparison = simulate(
            simulator, program, result, case.inputs, source_gaps=case.source_gaps, sink_gaps=case.sink_gaps
        )
        if comparison.mismatches:
            # The core may be stuck: the next case must start from a clean one.
            simulator.reset()
        assert not comparison.mismatches, f"{case!r}: {comparison.mismatches[0]}"

    equal()
    return played
