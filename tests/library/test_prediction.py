# SPDX-License-Identifier: Apache-2.0
"""What a prediction says, and what it rests on."""

from __future__ import annotations

import numpy as np
import pytest

import hyn
from hysteron_measure.own import SKY130
from support.refusal import refusal


def test_exact_figures(network: hyn.Network, samples: hyn.DataSet) -> None:
    found = hyn.predict(network, samples, core="tiny")
    result = hyn.run(network, samples, trace=True).result
    plan = found.schedule
    assert found.samples == 6 and found.core.name == "tiny" and found.network is network
    assert found.cycles == pytest.approx(int(plan.sample_cycles[-1, 1]) / 6, abs=1)
    assert found.microseconds == pytest.approx(found.cycles * 1e6 / found.core.clock_hz)
    assert found.events == plan.counters["EVENTS"] / 6
    # Every input spike reaches 6 neurons; every hidden one 3, and 6 of its own layer except in the last step.
    assert result.spikes is not None
    inputs, hidden = int(samples.inputs.sum()), int(result.spikes[0].sum())
    back = int(result.spikes[0][:, :-1].sum())
    assert found.operations == pytest.approx((inputs * 6 + hidden * 3 + back * 6) / 6)
    assert 0 < found.utilisation <= 1
    assert found.weight_bits == found.core.weight_rows * found.core.weight_row_bits


def test_rough_figures_are_bounds_by_lanes_and_operations(network: hyn.Network, samples: hyn.DataSet) -> None:
    one, two = (hyn.predict(network, samples, core="tiny", settings={"lanes": str(n)}) for n in (4, 8))
    assert one.basis == SKY130.basis
    for found in (one, two):
        assert 0 < found.cell_area_mm2[0] < found.cell_area_mm2[1]
        assert 0 < found.energy_nj[0] < found.energy_nj[1]
    assert two.cell_area_mm2 == pytest.approx([2 * area for area in one.cell_area_mm2])
    assert two.energy_nj == one.energy_nj


def test_only_the_first_samples(network: hyn.Network, samples: hyn.DataSet) -> None:
    few = hyn.predict(network, samples, core="tiny", images=2)
    every = hyn.predict(network, samples, core="tiny", images=None)
    assert (few.samples, every.samples) == (2, 6)
    assert np.array_equal(few.schedule.sample_cycles, every.schedule.sample_cycles[:2])


def test_what_it_looks_like(network: hyn.Network, samples: hyn.DataSet) -> None:
    found = hyn.predict(network, samples, core="tiny")
    text, page = repr(found), found._repr_html_()
    for value in (f"{found.cycles:,.1f}", f"{found.events:,.1f}", f"{100 * found.utilisation:.2f} %", found.basis):
        assert value in text and value in page
    assert text.startswith("Prediction(") and "a <b> & c (10-6-3) on core tiny" in text
    assert "a &lt;b&gt; &amp; c (10-6-3) on core tiny" in page and "a <b>" not in page


def test_what_no_core_holds() -> None:
    big = hyn.Network((hyn.Layer(np.zeros((9000, 3)), 5),))
    assert "make the network smaller" in refusal(lambda: hyn.predict(big, np.zeros((1, 2, 9000))))
