# SPDX-License-Identifier: Apache-2.0
"""The gates of sky130-small, from LibreLane's synthesis: equal to golden, and not if a gate is another one."""

import importlib.util
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import hysteron_networks
from hysteron_base.errors import SimulationError
from hysteron_base.progress import quiet
from hysteron_data.sets import load_data_set
from hysteron_golden import run
from hysteron_openlane.flow import librelane
from hysteron_openlane.flow.chips import chip
from hysteron_openlane.flow.project import Project, write_project
from hysteron_openlane.gate import simulation
from hysteron_openlane.gate.activity import activity
from hysteron_openlane.gate.figures import OUTPUTS
from hysteron_openlane.gate.power import Design
from hysteron_spec import compile_network, load
from support.silicon import need_pdk

NETWORKS = hysteron_networks.FOLDER
CHIP = chip("sky130-small")

pytestmark = [
    pytest.mark.skipif(
        any(importlib.util.find_spec(name) is None for name in ("librelane", "pyosys", "sky130")),
        reason="LibreLane, its synthesis or the cells' models are missing; they come with 'make gds-setup'",
    ),
    pytest.mark.skipif(shutil.which("iverilog") is None, reason="iverilog is missing"),
]


@pytest.fixture(scope="module")
def netlist(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, str]:
    """A project and the text of its netlist."""
    need_pdk()
    folder = tmp_path_factory.mktemp("gds")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HYSTERON_BUILD", str(folder))
        project = write_project(CHIP)
        ran = librelane.run(CHIP.pdk, project.config, librelane.way(CHIP.pdk), librelane.NETLIST, quiet)
    assert ran.failure == ""
    return project, (librelane.folder_of_step(ran.folder, "Yosys.Synthesis") / f"{CHIP.top}.nl.v").read_text()


@pytest.fixture
def simulate(netlist: tuple[Project, str], tmp_path: Path) -> Callable[[str], simulation.Run]:
    """Two images through a netlist."""
    network, samples = load(NETWORKS / f"{CHIP.network}.hyn"), load_data_set("digits").inputs[:2]
    program, result = compile_network(network, CHIP.core), run(network, samples, trace=True)

    def simulated(text: str) -> simulation.Run:
        (tmp_path / "mutant.v").write_text(text)
        return simulation.simulate(
            CHIP, tmp_path / "mutant.v", netlist[0].made.macros, program, result, samples, tmp_path / "gates"
        )

    return simulated


def test_the_netlist_does_what_golden_says(
    netlist: tuple[Project, str], simulate: Callable[[str], simulation.Run]
) -> None:
    done = simulate(netlist[1])
    assert done.samples == 2
    assert done.mismatches == ()


@pytest.mark.parametrize(
    ("pattern", "replacement"),
    [
        ("maj3_1", "and3_1"),
        (r"(dlxtn_1 _\d+_ \(\s*\.D\([^;]*\.GATE_N\()clk(\),[^;]*latch_place)", r"\g<1>1'h1\2"),
        (r"(\.wmask0\([^;]*?)\\[^ ;]*latch_masks\S* ", r"\g<1>1'h0 "),
        (r"(\.addr0\([^;]*?)\\[^ ;]*latch_place\S* ", r"\g<1>1'h0 "),
    ],
    ids=["an adder's carry", "a latch that never opens", "a write mask", "a bit of an address"],
)
def test_another_gate_is_noticed(
    netlist: tuple[Project, str], simulate: Callable[[str], simulation.Run], pattern: str, replacement: str
) -> None:
    text, count = re.subn(pattern, replacement, netlist[1], count=1)
    assert count == 1
    try:
        done = simulate(text)
    except SimulationError as error:
        assert "unknown" in str(error)
    else:
        assert done.mismatches


def test_every_net_is_known_in_the_simulation_that_energy_comes_from(
    netlist: tuple[Project, str], tmp_path: Path
) -> None:
    """With an output of the macro that holds its value, and with one that falls to 0, which changes more."""
    network, samples = load(NETWORKS / f"{CHIP.network}.hyn"), load_data_set("digits").inputs[:1]
    program, result = compile_network(network, CHIP.core), run(network, samples, trace=True)
    (tmp_path / "netlist.v").write_text(netlist[1])
    macros = netlist[0].made.macros
    design = Design(CHIP.pdk, tmp_path / "netlist.v", CHIP.top, macros, tmp_path / "design")
    totals = []
    for output in OUTPUTS:
        done = simulation.simulate(
            CHIP, tmp_path / "netlist.v", macros, program, result, samples, tmp_path / output, output=output
        )
        assert done.mismatches == ()
        assert done.activity is not None
        found = activity(done.activity, simulation.SCOPE, done.windows, design.ports())
        assert [design.unknown(each) for each in found.values()] == [[], []]
        totals.append(sum(found["images"].rises.values()))
    assert totals[0] < totals[1]
