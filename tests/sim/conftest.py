# SPDX-License-Identifier: Apache-2.0
"""A simulated ``tiny`` core for all tests of a module."""

from collections.abc import Iterator

import pytest

from hysteron_sim.simulator import Simulator
from support.cores import TINY


@pytest.fixture(scope="module")
def tiny() -> Iterator[Simulator]:
    with Simulator(TINY) as simulator:
        yield simulator
