# SPDX-License-Identifier: Apache-2.0
"""Stages of a flow: what they leave, what they tell, and what stops them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from hysteron_base.errors import HysteronError, SimulationError
from hysteron_base.progress import Progress
from hysteron_openlane.figures import Line
from hysteron_openlane.flow import librelane
from hysteron_openlane.flow.chips import chip
from hysteron_openlane.flow.librelane import Way
from hysteron_openlane.flow.run import take_to_layout

pytestmark = pytest.mark.usefixtures("pdk", "build")


def test_the_plan_is_told_and_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    told: list[Progress] = []
    flow = take_to_layout(chip("sky130-small"), "plan", tell=told.append)
    assert [(message.what, message.finished) for message in told] == [
        ("generating sky130-small", False),
        ("generating sky130-small", True),
    ]
    assert (flow.figures["weight_bits"], flow.figures["macro_count"], flow.undone) == (16384, 1, {})
    assert flow.project.config.exists()
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("error", [HysteronError("a tool is missing"), SimulationError("a tool is missing")])
def test_what_stops_a_stage_stops_no_other(error: Exception) -> None:
    def fail() -> list[Line]:
        raise error

    flow = take_to_layout(chip("sky130-small"), "plan")
    flow.attempt("first", fail)
    flow.attempt("second", lambda: [Line("a", "a", 1)])
    assert flow.undone == {"first": "a tool is missing"}
    assert flow.stages[-1] == ("second", [Line("a", "a", 1)])


@pytest.fixture
def synthesised(build: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """A LibreLane that leaves a folder for each step of synthesis, and the netlist that is given."""

    def leave(text: str) -> None:
        folder = build / "gds" / "sky130-small" / "runs" / librelane.TAG
        for number, step in ((6, "yosys-synthesis"), (10, "openroad-checksdcfiles")):
            (folder / f"{number:02}-{step}").mkdir(parents=True)
            (folder / f"{number:02}-{step}" / "state_out.json").write_text('{"metrics": {}}')
        (folder / "06-yosys-synthesis" / "hysteron_core.nl.v").write_text(text)

    monkeypatch.setattr(librelane, "way", lambda *_: Way("fake", ("true",)))
    monkeypatch.setattr(librelane, "steps", lambda: ("Yosys.Synthesis", librelane.NETLIST))
    monkeypatch.setattr(librelane, "_PERIOD", 0.01)
    return leave


def test_figures_of_a_netlist_that_says_nothing_are_absent(synthesised: Callable[[str], None]) -> None:
    synthesised("module hysteron_core;\nendmodule\n")
    flow = take_to_layout(chip("sky130-small"), "netlist")
    assert flow.figures["cells"] is None
    assert flow.figures["missing_macros"] == 1
    assert "timing" in flow.undone
