# SPDX-License-Identifier: Apache-2.0
"""How LibreLane is found, run and gone on with; the flow itself is run by ``make gds``."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hysteron_base.errors import HysteronError
from hysteron_base.progress import Progress, quiet
from hysteron_openlane.flow import librelane
from hysteron_openlane.flow.librelane import Way
from hysteron_openlane.pdk import SKY130

STEPS = ("Verilator.Lint", "Yosys.Synthesis", "OpenROAD.CheckSDCFiles", "OpenROAD.Floorplan")

#: Stands in for LibreLane: a folder for every step from --from to --to, and what it was called with.
FAKE = """
import json, pathlib, sys
steps = {steps!r}
words = sys.argv[1:]
def option(name, default): return words[words.index(name) + 1] if name in words else default
first, last = option("--from", steps[0]), option("--to", steps[-1])
project = pathlib.Path(words[-1]).parent
folder = project / "runs" / option("--run-tag", "")
with (project / "calls").open("a") as file: file.write(json.dumps(words) + "\\n")
for number, step in enumerate(steps, 1):
    if steps.index(first) + 1 <= number <= steps.index(last) + 1:
        place = folder / f"{{number:02}}-{{step.lower().replace('.', '-')}}"
        place.mkdir(parents=True)
        if (project / "fail").exists() and step == (project / "fail").read_text():
            print("[12:00:00] [E] it went wrong      step.py:1")
            sys.exit(2)
        (place / "state_out.json").write_text("{{}}")
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, build: Path) -> Path:
    """A project, and a LibreLane that is none."""
    monkeypatch.setattr(librelane, "steps", lambda: STEPS)
    monkeypatch.setattr(librelane, "pdk_for_librelane", lambda _: tmp_path / "pdk")
    monkeypatch.setattr(librelane, "_PERIOD", 0.02)
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "config.yaml").write_text("a: 1\n")
    (tmp_path / "fake.py").write_text(FAKE.format(steps=STEPS))
    return folder


@pytest.fixture
def run(project: Path) -> Callable[[str], librelane.Ran]:
    """Run the fake flow up to a step."""
    way = Way("fake", (sys.executable, str(project.parent / "fake.py")))
    return lambda last: librelane.run(SKY130, project / "config.yaml", way, last, quiet)


def calls(project: Path) -> list[list[str]]:
    return [json.loads(line) for line in (project / "calls").read_text().splitlines()]


def test_a_run_up_to_a_step(project: Path, run: Callable[[str], librelane.Ran]) -> None:
    ran = run(STEPS[1])
    assert (ran.status, ran.errors, ran.failure, ran.done) == (0, (), "", STEPS[:2])
    (words,) = calls(project)
    assert words[words.index("--to") + 1] == STEPS[1]
    assert "--overwrite" in words
    assert "--manual-pdk" in words


def test_its_steps_are_told(project: Path) -> None:
    told: list[Progress] = []
    way = Way("fake", (sys.executable, str(project.parent / "fake.py")))
    librelane.run(SKY130, project / "config.yaml", way, STEPS[1], told.append)
    assert {(message.what, message.total) for message in told} == {("LibreLane, fake", len(STEPS))}
    assert [message.finished for message in told].count(True) == 1
    assert told[-1].finished


def test_it_goes_on_where_it_was(project: Path, run: Callable[[str], librelane.Ran]) -> None:
    run(STEPS[1])
    assert run(STEPS[3]).done == STEPS
    words = calls(project)[1]
    assert words[words.index("--from") + 1] == STEPS[2]
    assert "--overwrite" not in words


def test_what_is_done_is_not_done_again(project: Path, run: Callable[[str], librelane.Ran]) -> None:
    run(STEPS[3])
    assert run(STEPS[3]).done == run(STEPS[1]).done == STEPS
    assert len(calls(project)) == 1


@pytest.mark.parametrize("name", ["config.yaml", "chip.v", "macros/a.lib"])
def test_a_change_begins_again(project: Path, run: Callable[[str], librelane.Ran], name: str) -> None:
    run(STEPS[1])
    (project / name).parent.mkdir(exist_ok=True)
    (project / name).write_text("b: 2\n")
    (project / "runs" / "hysteron" / "01-verilator-lint" / "state_out.json").unlink()
    (project / "runs" / "hysteron" / "01-verilator-lint").rmdir()
    (project / "runs" / "hysteron" / "02-yosys-synthesis" / "state_out.json").unlink()
    (project / "runs" / "hysteron" / "02-yosys-synthesis").rmdir()
    run(STEPS[1])
    assert "--overwrite" in calls(project)[1]


def test_a_failure_is_told_now_and_later(project: Path, run: Callable[[str], librelane.Ran]) -> None:
    (project / "fail").write_text(STEPS[2])
    ran = run(STEPS[3])
    assert (ran.status, ran.errors, ran.done) == (2, ("it went wrong",), STEPS[:2])
    assert ran.failure == f"LibreLane ended with status 2: it went wrong; see {project / 'runs' / 'hysteron.log'}"


def test_the_folder_of_a_step_is_its_newest(project: Path) -> None:
    folder = project / "runs" / "x"
    for name in ("03-openroad-floorplan", "12-openroad-floorplan"):
        (folder / name).mkdir(parents=True)
    assert librelane.folder_of_step(folder, "OpenROAD.Floorplan").name == "12-openroad-floorplan"
    with pytest.raises(HysteronError, match=r"step Yosys\.Synthesis has not run"):
        librelane.folder_of_step(folder, "Yosys.Synthesis")


def bin_with(folder: Path, *tools: str) -> str:
    folder.mkdir()
    for tool in tools:
        (folder / tool).write_text("#!/bin/sh\n")
        (folder / tool).chmod(0o755)
    return str(folder)


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything from PyPI is there, the PDK is a whole one, and no command of one's own."""
    monkeypatch.setattr(librelane.importlib.util, "find_spec", lambda _: object())
    monkeypatch.setattr(librelane, "configured", lambda _: True)
    monkeypatch.delenv("HYSTERON_LIBRELANE", raising=False)


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("tools", "name", "missing"),
    [
        (librelane.TOOLS, "tools on PATH", ""),
        (("nix",), "Nix", ""),
        ((*librelane.TOOLS, "nix"), "tools on PATH", ""),
        (librelane.TOOLS[1:], "synthesis only", "openroad is not on PATH; run it with --dockerized"),
        ((), "synthesis only", "openroad, magic, klayout, netgen are not on PATH; run it with --dockerized"),
    ],
)
def test_what_is_there_decides_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tools: tuple[str, ...], name: str, missing: str
) -> None:
    monkeypatch.setenv("PATH", bin_with(tmp_path / "bin", *tools))
    way = librelane.way(SKY130)
    assert way.name == name
    assert way.missing.startswith(missing)
    assert bool(way.missing) == bool(missing)
    if name == "Nix":
        assert way.command[:3] == ("nix", "run", f"github:librelane/librelane/{librelane.VERSION}")


@pytest.mark.usefixtures("installed", "pdk")
def test_data_without_configuration_make_no_layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(librelane, "configured", lambda _: False)
    monkeypatch.setenv("PATH", bin_with(tmp_path / "bin", *librelane.TOOLS))
    assert f"add that of open_pdks {SKY130.version}" in librelane.way(SKY130).missing


@pytest.mark.usefixtures("installed", "pdk", "build")
def test_a_container(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", bin_with(tmp_path / "empty"))
    with pytest.raises(HysteronError, match="needs a container engine"):
        librelane.way(SKY130, dockerized=True)
    monkeypatch.setenv("PATH", bin_with(tmp_path / "bin", "docker"))
    command = librelane.way(SKY130, dockerized=True).command
    assert command[-1] == "--dockerized"
    assert command.index("--docker-no-tty") < command.index("--dockerized")


@pytest.mark.usefixtures("installed")
def test_a_command_of_one_s_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYSTERON_LIBRELANE", "my librelane")
    assert librelane.way(SKY130).command == ("my", "librelane")


def test_what_is_not_installed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HYSTERON_LIBRELANE", raising=False)
    monkeypatch.setattr(librelane.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(HysteronError, match="librelane is missing; run 'make gds-setup'"):
        librelane.way(SKY130)
    monkeypatch.setattr(librelane.importlib.util, "find_spec", lambda name: None if name == "tkinter" else object())
    with pytest.raises(HysteronError, match="apt install python3-tk"):
        librelane.way(SKY130)
