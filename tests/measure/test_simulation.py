# SPDX-License-Identifier: Apache-2.0
"""A network on the generated hardware, by one call."""

from dataclasses import replace

import numpy as np
import pytest

from hysteron_base.errors import HysteronError
from hysteron_base.progress import Progress
from hysteron_data.sets import DataSet
from hysteron_golden import run
from hysteron_measure.simulation import figures_of, simulate_network
from hysteron_measure.timing import image_cycles
from hysteron_spec import CoreConfig, Network
from support.runs import ENCODERS, make

TINY = CoreConfig.preset("tiny")


def problem() -> tuple[Network, DataSet]:
    arguments = make()
    network = replace(arguments["program"].network, encoder=ENCODERS["level"])
    labels = run(network, arguments["images"]).predictions
    labels[4] += 1
    return network, DataSet("toy", arguments["images"], labels)


@pytest.mark.parametrize(
    ("trace", "detail"), [("auto", True), ("full", True), ("answers", False)], ids=["auto", "full", "answers"]
)
def test_a_run_and_its_figures(trace: str, detail: bool, capfd: pytest.CaptureFixture[str]) -> None:
    network, data = problem()
    told: list[Progress] = []
    found = simulate_network(network, data, TINY, images=6, trace=trace, tell=told.append)
    assert (found.detail, found.summary["compared"]) == (detail, "everything" if detail else "answers")
    assert found.comparison.mismatches == () and found.summary["mismatches"] == 0
    assert found.summary["images"] == len(found.data.inputs) == len(found.sent) == 6
    assert found.summary["accuracy"] == 5 / 6
    cycles = image_cycles(found.comparison.schedule)
    assert found.summary["cycles_per_image_median"] == np.median(cycles)
    assert found.summary["cycles_per_image_max"] == cycles.max()
    stages = [message.what for message in told if message.finished]
    assert stages[0] == "golden model: 6 samples of toy" and stages[-1] == "tiny RTL"
    assert capfd.readouterr() == ("", "")


def test_a_run_shows_itself() -> None:
    network, data = problem()
    found = simulate_network(replace(network, name="<net>"), data, TINY, images=3)
    for name, value, unit in figures_of(found.summary):
        assert f"{name}: {value} {unit}".strip() in repr(found)
        assert f">{value} {unit}".strip() in found._repr_html_()
    assert "all equal" in repr(found)
    assert "&lt;net&gt;" in found._repr_html_() and "<net>" not in found._repr_html_()


def test_what_cannot_be_run_is_refused() -> None:
    network, data = problem()
    with pytest.raises(HysteronError, match="trace must be one of auto, full, answers, not 'all'"):
        simulate_network(network, data, TINY, trace="all")
    with pytest.raises(HysteronError, match="images must be from 1 to 2147483648, not 0"):
        simulate_network(network, data, TINY, images=0)
    with pytest.raises(HysteronError, match="16 inputs"):
        simulate_network(network, data, TINY.override({"max_inputs": "9"}))
