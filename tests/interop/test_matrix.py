# SPDX-License-Identifier: Apache-2.0
"""What other frameworks compute, and what is imported of it: every spike is equal, or the network is refused, or the
table in docs/import.md says why it differs. The table is written by this test and compared with the page."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip("torch", reason="torch is not installed (extra 'train')")
nir = pytest.importorskip("nir", reason="nir is not installed (extra 'convert')")

from hysteron_base.errors import HysteronError
from hysteron_convert import from_nir, from_snntorch
from hysteron_convert.model import FloatNetwork
from hysteron_convert.nir import read_nir

from .frameworks import ROWS, Made, Row

#: Networks of each row.
EACH = 40
SAMPLES, STEPS = 3, 12
PACKAGES = {
    "snnTorch": "snntorch",
    "Norse": "norse.torch",
    "Sinabs": "sinabs",
    "SpikingJelly": "spikingjelly",
    "Rockpool": "rockpool",
}


def imported(row: Row, made: Made, folder: Path) -> FloatNetwork:
    """As a user imports it: graphs through a file, if the package nir can write what the exporter made."""
    if not isinstance(made.source, nir.NIRGraph):
        return from_snntorch(made.source, input_shape=made.shape, **row.options)
    try:
        nir.write(folder / "network.nir", made.source)
    except TypeError:  # single numbers, and convolutions without the size of their input
        return from_nir(made.source, **row.options)
    return from_nir(read_nir(folder / "network.nir"), **row.options)


def label(row: Row) -> str:
    return f"{row.framework}: {row.what}{' (file)' if row.framework == 'snnTorch' and row.way != 'the module' else ''}"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("row", ROWS, ids=label)
def test_every_spike_or_a_word(row: Row, tmp_path_factory: pytest.TempPathFactory) -> None:
    importlib.import_module(PACKAGES[row.framework])
    folder = tmp_path_factory.mktemp("matrix")
    fired = differed = 0

    @settings(
        max_examples=EACH, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(seed=st.integers(0, 2**32 - 1))
    def check(seed: int) -> None:
        nonlocal fired, differed
        rng = np.random.default_rng(seed)
        made = row.make(rng)
        if row.refused:
            with pytest.raises(HysteronError, match=row.refused):
                imported(row, made, folder)
            return
        network = imported(row, made, folder)
        inputs = (rng.random((SAMPLES, STEPS, *made.shape)) < rng.choice((0.2, 0.5, 0.9))).astype(np.uint8)
        wanted = made.run(inputs)
        got = network.run(inputs.reshape(SAMPLES, STEPS, -1), trace=True).spikes
        assert got is not None
        assert len(got) == len(wanted)
        fired += sum(int(layer.sum()) for layer in got)
        for layer, mine, theirs in zip(network.layers, got, wanted, strict=True):
            if not layer.spiking:
                continue  # a last one that never resets: its potential is read
            if row.differs:
                differed += int((mine != theirs).sum())
            else:
                assert np.array_equal(mine, theirs)

    check()
    assert row.refused or fired > 0
    # What a row says of a difference goes when there is none any more.
    assert bool(row.differs) == bool(differed)
