# SPDX-License-Identifier: Apache-2.0
"""What other frameworks compute, and what is imported of it.

Every spike is the same, or the network is refused, or the table in docs/import.md says why it differs. This test writes
that table.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hysteron_base.errors import HysteronError
from hysteron_base.files import build_root, write_file
from hysteron_convert import from_nir, from_snntorch
from hysteron_convert.model import FloatNetwork
from hysteron_convert.nir import read_nir
from support.convert import NEEDS_NIR

from .frameworks import ROWS, Made, Row, table

nir = pytest.importorskip("nir", reason=NEEDS_NIR)

#: Networks of each row.
EACH = 40
SAMPLES, STEPS = 3, 12
PACKAGES = {
    "snnTorch": "snntorch",
    "Norse": "norse",
    "Sinabs": "sinabs",
    "SpikingJelly": "spikingjelly",
    "Rockpool": "rockpool",
}
PAGE = Path(__file__).parents[2] / "docs/import.md"


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
    return f"{row.framework}: {row.what}{' (file)' if row.framework == 'snnTorch' and row.options else ''}"


def test_the_table_of_the_page() -> None:
    """What is promised is what is tested below."""
    wanted = table()
    if wanted not in PAGE.read_text():
        write_file(build_root() / "tests/frameworks.md", wanted.encode())
        pytest.fail("docs/import.md has another table of frameworks than build/tests/frameworks.md; put that in")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("row", ROWS, ids=label)
def test_every_spike_or_a_word(row: Row, tmp_path_factory: pytest.TempPathFactory) -> None:
    package = PACKAGES[row.framework]
    pytest.importorskip(package, reason=f"{package} is not installed (extra 'interop')")
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
