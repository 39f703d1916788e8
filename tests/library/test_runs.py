# SPDX-License-Identifier: Apache-2.0
"""Golden runs, machines, data sets and the simulated hardware, each in a line."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import hyn
from support.refusal import refusal


def test_data(tmp_path: Path, samples: hyn.DataSet) -> None:
    np.savez(tmp_path / "six.npz", inputs=samples.inputs, labels=samples.labels)
    found = hyn.data(tmp_path / "six.npz")
    assert np.array_equal(found.inputs, samples.inputs) and np.array_equal(found.labels, samples.labels)
    assert "did you mean 'digits'?" in refusal(lambda: hyn.data("digit"))
    assert "train, test" in refusal(lambda: hyn.data("digits", "tset"))


def test_a_golden_run(network: hyn.Network, samples: hyn.DataSet) -> None:
    run = hyn.run(network, samples)
    assert isinstance(run, hyn.GoldenRun) and isinstance(run.result, hyn.Result)
    assert run.network is network and run.data is samples and run.result.spikes is None
    assert run.predictions.tolist() == run.result.predictions.tolist()
    assert run.accuracy == pytest.approx((run.predictions == samples.labels).mean())
    assert hyn.run(network, samples.inputs).accuracy is None
    traced = hyn.run(network, samples, trace=True).result
    assert traced.spikes is not None and [each.shape for each in traced.spikes] == [(6, 5, 6), (6, 5, 3)]


def test_what_a_run_looks_like(network: hyn.Network, samples: hyn.DataSet) -> None:
    run = hyn.run(network, samples)
    text, page = repr(run), run._repr_html_()
    assert run.accuracy is not None
    for value in ("6", f"{100 * run.accuracy:.2f} %", f"{run.result.events[:, 0].mean():,.1f}"):
        assert value in text and value in page
    assert text.startswith("GoldenRun(") and "a <b> & c (10-6-3)" in text
    assert "a &lt;b&gt; &amp; c (10-6-3)" in page and "a <b>" not in page
    assert "accuracy" not in repr(hyn.run(network, samples.inputs))


def test_samples_that_do_not_suit(network: hyn.Network, samples: hyn.DataSet) -> None:
    assert "10" in refusal(lambda: hyn.run(network, samples.inputs[:, :, :9]))
    assert "did you mean 'digits'?" in refusal(lambda: hyn.run(network, "digit"))
    assert "0 or 1" in refusal(lambda: hyn.run(network, samples.inputs * 2))


def test_golden_as_a_machine(network: hyn.Network, samples: hyn.DataSet) -> None:
    with hyn.open("golden:") as machine:
        machine.load(network)
        answers = list(machine.infer(samples.inputs))
    assert [answer.prediction for answer in answers] == hyn.run(network, samples).predictions.tolist()
    assert all(isinstance(answer, hyn.Answer) for answer in answers)
    with hyn.open("golden:", dropped=1.0) as machine:
        machine.load(network)
        silent = list(machine.infer(samples.inputs))
    assert [answer.prediction for answer in silent] == [0] * 6


def test_addresses_of_no_machine() -> None:
    assert "golden" in refusal(lambda: hyn.open("gold:"))
    assert "dropped" in refusal(lambda: hyn.open("golden:", dropped=2.0))


def test_cores_by_name(network: hyn.Network) -> None:
    assert "did you mean 'digits'?" in refusal(lambda: hyn.predict(network, np.zeros((1, 2, 10)), core="digit"))
    with pytest.raises(hyn.HysteronError, match="did you mean 'lanes'"):
        hyn.predict(network, np.zeros((1, 2, 10)), settings={"lines": "4"})
    core = hyn.PRESETS["tiny"]
    assert hyn.predict(network, np.zeros((1, 2, 10)), core=core).core == core
    assert hyn.predict(network, np.zeros((1, 2, 10)), core=core, settings={"lanes": "8"}).core.lanes == 8
    assert hyn.predict(network, np.zeros((1, 2, 10))).core.name == "digits"


def test_verilog() -> None:
    pytest.importorskip("amaranth", reason="the hardware is not installed (extra 'sim')")
    text = hyn.verilog("tiny")
    assert re.search(r"^module hysteron_core\b", text, re.MULTILINE)
    assert hyn.verilog(hyn.PRESETS["tiny"]) == text
    assert "did you mean 'tiny'?" in refusal(lambda: hyn.verilog("tinny"))


def test_the_prediction_is_what_the_hardware_does(network: hyn.Network, samples: hyn.DataSet) -> None:
    """Cycle for cycle, and every stage of the work is told."""
    pytest.importorskip("cocotb", reason="the simulator is not installed (extra 'sim')")
    told: list[hyn.Progress] = []
    hyn.simulate(network, samples, core="tiny", images=1)  # builds the simulator, where nobody has yet
    found = hyn.simulate(network, samples, core="tiny", tell=told.append)
    assert isinstance(found, hyn.Simulation) and found.comparison.mismatches == ()
    predicted = hyn.predict(network, samples, core="tiny").schedule
    assert np.array_equal(found.comparison.schedule.sample_cycles, predicted.sample_cycles)
    assert found.summary["counters"] == predicted.counters
    assert found.summary["mismatches"] == 0 and found.summary["images"] == 6
    assert found.summary["accuracy"] == hyn.run(network, samples).accuracy
    assert told[0].what == "golden model: 6 samples of six <i>" and told[-1].finished
    assert {each.what for each in told if each.finished} == {each.what for each in told}
    page = found._repr_html_()
    assert "all equal" in repr(found) and "all equal" in page
    assert "a &lt;b&gt; &amp; c (10-6-3) on six &lt;i&gt;" in page and "<i>" not in page


def test_the_bar_goes_to_standard_error(capfd: pytest.CaptureFixture[str]) -> None:
    with hyn.bar() as tell:
        tell(hyn.Progress("building", 0, 3))
        tell(hyn.Progress("building", 3, 3, finished=True))
    assert capfd.readouterr() == ("", "building\n")


def test_an_unknown_recipe() -> None:
    pytest.importorskip("torch", reason="PyTorch is not installed (extra 'train')")
    assert "did you mean 'digits'?" in refusal(lambda: hyn.train("digit"))
    with pytest.raises(hyn.HysteronError, match="epoch"):
        hyn.train("digits", epochz=3)
