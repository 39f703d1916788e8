# SPDX-License-Identifier: Apache-2.0
"""Random networks have values of fields that nobody thought of yet."""

from __future__ import annotations

import numpy as np
import pytest

from hysteron_spec.neuron import Mode
from support import networks


def test_a_field_that_is_not_named_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(networks, "_CHOSEN", ("theta_high", "theta_low", "leak", "weight_bits", "reset"))
    drawn = networks.other_fields(max)
    assert drawn == {"bias": (1 << 31) - 1, "mode": list(Mode)[-1], "unit_weights": True, "leak_bits": 8}
    assert networks.other_fields(min)["mode"] is next(iter(Mode))


def test_their_draws_leave_the_others_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new field does not change what the seeds of tests make of the other fields."""

    def made(**fixed: object) -> list[object]:
        one = networks.random_network(np.random.default_rng(5), (4, 6, 3), **fixed)
        return [
            one.notes,
            *(layer.weights.tolist() for layer in one.layers),
            *(layer.theta_low for layer in one.layers),
        ]

    before = made()
    monkeypatch.setattr(networks, "other_fields", lambda integer: {} if integer(0, 15) < 16 else {"never": 0})
    assert made() == before == made(others=False)
