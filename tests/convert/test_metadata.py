# SPDX-License-Identifier: Apache-2.0
"""Metadata of files of Hysteron's own: what is no value of its field is refused, in one line."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from hysteron_convert import KEY, from_nir, to_nir
from hysteron_spec import Layer, Network
from support.convert import NEEDS_NIR
from support.refusal import refusal

pytest.importorskip("nir", reason=NEEDS_NIR)


def exported() -> Any:
    return to_nir(Network((Layer(np.ones((2, 3), np.int32), theta_high=2),)))


def spoilt(where: str, change: Callable[[dict[str, Any]], None]) -> Any:
    made = exported()
    metadata = made.metadata if where == "graph" else made.nodes["neurons0"].metadata
    values = json.loads(metadata[KEY])
    change(values)
    metadata[KEY] = json.dumps(values)
    return made


@pytest.mark.parametrize(
    ("where", "values", "says"),
    [
        ("graph", {"readout_every_step": "no"}, "readout_every_step must be true or false, not 'no'"),
        ("graph", {"readout_every_step": 0}, "readout_every_step must be true or false, not '0'"),
        ("graph", {"dt": -1}, "dt must be a positive number of seconds, not '-1'"),
        ("graph", {"dt": True}, "dt must be a positive number of seconds, not 'True'"),
        ("graph", {"dt": "1e-4"}, "dt must be a positive number of seconds, not '1e-4'"),
        ("graph", {"name": 7}, "name must be text, not 7"),
        ("graph", {"notes": {"a": [1]}}, "note 'a' must be text, not [1]"),
        ("node", {"leak_bits": -5}, "leak_bits must be from 1 to 8, not -5"),
        ("node", {"leak_bits": 10**9}, "leak_bits must be from 1 to 8, not 1000000000"),
        ("node", {"weight_bits": 99}, "weight_bits must be from 1 to 8, not 99"),
        ("node", {"theta_high": 10**300}, "theta_high must be from 0 to 16777215, not 1000"),
        ("node", {"leak": [10**300] * 3}, "must be from -2147483648 to 2147483647"),
        ("node", {"unit_weights": "no"}, "is no flag"),
        ("node", {"theta_low": 3}, "theta_low 3 lies above theta_high 2"),
    ],
)
def test_values_that_are_none_of_their_field_are_refused(where: str, values: dict[str, Any], says: str) -> None:
    assert says in refusal(lambda: from_nir(spoilt(where, lambda stored: stored.update(values))))


def test_metadata_that_are_nested_deeply_are_refused() -> None:
    made = exported()
    made.metadata[KEY] = "[" * 100_000 + "]" * 100_000
    assert "metadata 'hysteron' of the graph cannot be read (RecursionError" in refusal(lambda: from_nir(made))
    made = exported()
    made.nodes["neurons0"].metadata[KEY] = '{"version":' * 100_000 + "1" + "}" * 100_000
    assert "cannot be read (RecursionError" in refusal(lambda: from_nir(made))
