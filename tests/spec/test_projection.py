# SPDX-License-Identifier: Apache-2.0
"""What turns spikes into weight rows."""

from __future__ import annotations

import numpy as np

from hysteron_spec.network import PROJECTIONS, Layer
from hysteron_spec.projection import Dense, Source

WEIGHTS = np.arange(12).reshape(4, 3)


def test_dense() -> None:
    one = Dense("weights", Source.BEFORE, WEIGHTS)
    assert (one.sources, one.rows, one.fan_out) == (4, 4, 3)
    assert one.read(np.array([0, 1, 0, 1])).tolist() == [1, 3]
    assert one.read(np.zeros(4, bool)).tolist() == []
    assert np.array_equal(one.matrix(), WEIGHTS)


def test_what_is_read_is_what_is_added() -> None:
    """The rows that spikes read add up to the product of spikes and weights."""
    rng = np.random.default_rng(1)
    one = Dense("weights", Source.BEFORE, rng.integers(-8, 8, (20, 7)))
    for _ in range(10):
        spikes = rng.random(20) < 0.4
        assert np.array_equal(one.matrix()[one.read(spikes)].sum(axis=0), spikes.astype(int) @ one.weights)
        assert len(one.read(spikes)) == spikes.sum()


def test_the_projections_of_a_layer() -> None:
    forward = Layer(np.ones((4, 3), int), 5)
    both = Layer(np.ones((4, 3), int), 5, recurrent=-np.ones((3, 3), int))
    assert [each.name for each in forward.projections] == list(PROJECTIONS[:1])
    assert [(each.name, each.source) for each in both.projections] == [
        ("weights", Source.BEFORE),
        ("recurrent", Source.OWN),
    ]
    assert [each.rows for each in both.projections] == [4, 3]
    assert both.projections[1].matrix() is both.recurrent
