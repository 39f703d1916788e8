# SPDX-License-Identifier: Apache-2.0
"""What is written for LibreLane, against the netlist's own text, the macros' LEF, and LibreLane's own variables."""

import re
from pathlib import Path

import pytest
import yaml

from hysteron_openlane.flow.chips import CHIPS, Chip, chip
from hysteron_openlane.flow.constraints import sdc
from hysteron_openlane.flow.project import Project, write_project
from hysteron_openlane.memory.macros import macros
from hysteron_openlane.pdk import SKY130
from support.silicon import need_pdk


@pytest.fixture(params=CHIPS, scope="module")
def project(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Generated once: a million weights take some seconds."""
    need_pdk()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HYSTERON_BUILD", str(tmp_path_factory.mktemp("build")))
        return write_project(chip(request.param))


def config(project: Project) -> dict[str, object]:
    found = yaml.safe_load(project.config.read_text())
    assert isinstance(found, dict)
    return found


def test_keys_are_librelane_s_own(project: Project) -> None:
    flows = pytest.importorskip("librelane.flows", reason="LibreLane comes with 'make gds-setup'")
    flow = flows.Flow.factory.get("Classic")
    known = {variable.name for variable in flow.config_vars}
    known |= {variable.name for step in flow.Steps for variable in step.config_vars}
    from librelane.config.flow import flow_common_variables

    known |= {variable.name for variable in flow_common_variables}
    assert len(known) > 300
    assert set(config(project)) - {"meta"} <= known


def test_every_macro_of_the_verilog_has_a_place(project: Project) -> None:
    made = project.made.verilog
    instances = sum(len(re.findall(rf"^  {macro.name} \w+ \(", made, re.M)) for macro in project.made.macros)
    placed = [name for macro in config(project)["MACROS"].values() for name in macro["instances"]]
    assert len(placed) == len(set(placed)) == instances == len(project.plan.places)


def test_every_supply_pin_of_every_macro_is_connected(project: Project) -> None:
    values = config(project)
    connections = [line.split() for line in values["PDN_MACRO_CONNECTIONS"]]
    known = macros(SKY130)
    for name, macro in values["MACROS"].items():
        for instance in macro["instances"]:
            found = [line for line in connections if re.fullmatch(line[0], instance)]
            assert [line[1:] for line in found] == [["VPWR", "VGND", known[name].power, known[name].ground]]


def test_files_of_macros_are_there(project: Project) -> None:
    for macro in config(project)["MACROS"].values():
        paths = [*macro["gds"], *macro["lef"], *macro["vh"], *(path for each in macro["lib"].values() for path in each)]
        assert len(paths) == 4
        for path in paths:
            assert Path(path.replace("dir::", f"{project.folder}/")).exists(), path
    views = config(project)["MAGIC_DRC_MAGLEFS"]
    assert views == [f"dir::macros/{name}.mag" for name in config(project)["MACROS"]]
    assert all(Path(path.replace("dir::", f"{project.folder}/")).exists() for path in views)


def test_the_die_holds_the_macros_and_the_clock_is_the_core_s(project: Project) -> None:
    values = config(project)
    assert values["DIE_AREA"] == [0, 0, project.plan.width, project.plan.height]
    assert values["CLOCK_PERIOD"] == 20.0
    header = next((project.folder / "macros").glob("*.v")).read_text()
    assert "`ifdef USE_POWER_PINS\n\tinout vccd1,\n\tinout vssd1,\n`endif" in header


def test_the_constraints_are_the_design_s_own(project: Project) -> None:
    """For place and route and for the last timing; the outside changes inputs neither at once nor too late."""
    values = config(project)
    assert values["PNR_SDC_FILE"] == values["SIGNOFF_SDC_FILE"] == "dir::chip.sdc"
    text = (project.folder / "chip.sdc").read_text()
    assert text.startswith(sdc(project_chip(project)))
    for line in (
        "create_clock -name clk -period 20 [get_ports clk]",
        "set_input_delay -min 1.5 -clock clk $inputs",
        "set_input_delay -max $outside -clock clk $inputs",
        "set_clock_uncertainty 0.25 [get_clocks clk]",
    ):
        assert line in text.splitlines()


def project_chip(project: Project) -> Chip:
    return chip(project.folder.name)
