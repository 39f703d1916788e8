# SPDX-License-Identifier: Apache-2.0
"""A small network with samples, and the check that no call prints anything."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import hyn


@pytest.fixture(autouse=True)
def nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """A library call writes neither to standard output nor to standard error."""
    yield
    assert capfd.readouterr() == ("", "")


@pytest.fixture
def network() -> hyn.Network:
    """10 inputs, 6 and 3 neurons, one layer of which is recurrent; its name is markup."""
    rng = np.random.default_rng(1)
    hidden = hyn.Layer(rng.integers(-3, 8, (10, 6)), 9, 3, leak=6, recurrent=rng.integers(-4, 2, (6, 6)))
    return hyn.Network((hidden, hyn.Layer(rng.integers(-3, 8, (6, 3)), 5, 1)), hyn.Potential(12), name="a <b> & c")


@pytest.fixture
def samples() -> hyn.DataSet:
    """Six samples of five steps, with labels."""
    rng = np.random.default_rng(2)
    spikes = (rng.random((6, 5, 10)) < 0.4).astype(np.uint8)
    return hyn.DataSet("six <i>", spikes, np.array([0, 1, 2, 0, 1, 2]))
