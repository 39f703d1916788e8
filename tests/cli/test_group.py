# SPDX-License-Identifier: Apache-2.0
"""What all commands share: sections, hints at what was meant, completion, and the exit status of each kind of error."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete

import hysteron_networks
from hysteron_base.errors import DeviceError, SimulationError, ToolError
from hysteron_cli.commands import cli
from hysteron_cli.group import Sections
from hysteron_cli.names import Named
from hysteron_data.sets import NAMES
from hysteron_spec import PRESETS
from support.command import DIGITS, one_line

from .conftest import Run


def test_every_command_is_in_one_section(hysteron: Run) -> None:
    assert isinstance(cli, Sections)
    listed = [name for names in cli.sections.values() for name in names]
    assert sorted(listed) == sorted(cli.commands)
    text = hysteron("--help")[1]
    for title in cli.sections:
        assert f"\n{title}:\n" in text
    assert [line.split()[0] for line in text.splitlines() if re.match(r"  [a-z][a-z-]+  ", line)] == listed


def leaves() -> dict[str, click.Command]:
    found: dict[str, click.Command] = {}
    for name, command in cli.commands.items():
        inner = command.commands if isinstance(command, click.Group) else {"": command}
        found |= {f"{name} {leaf}".strip(): each for leaf, each in inner.items()}
    return found


@pytest.mark.parametrize("name", leaves())
def test_every_command_has_json_once(name: str) -> None:
    assert sum("--json" in param.opts for param in leaves()[name].params) == 1


# -- what was meant --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["smi"], ["no command 'smi'", "did you mean 'sim'?"]),
        (["expotr"], ["no command 'expotr'", "did you mean 'export'?"]),
        (["zzzzz"], ["no command 'zzzzz'", "'hysteron --help' lists them"]),
        (["sim", "digits", "--dta", "digits"], ["--dta", "--data"]),
        (["info", "digts"], ["'digts'", "did you mean 'digits'?"]),
        (["info", "networks/digits.hyn"], ["does not exist", "the shipped network is called 'digits'"]),
        (["info", "digits", "--preset", "mnits"], ["'mnits'", "did you mean 'mnist'?"]),
        (["info", "digits", "--set", "lane=4"], ["'lane'", "did you mean 'lanes'?"]),
        (["sim", "digits", "--data", "digit"], ["'digit'", "did you mean 'digits'?"]),
        (["data", "fetch", "mnits"], ["'mnits'", "did you mean 'mnist'?"]),
        (["fpga", "icebraker"], ["'icebraker'", "did you mean 'icebreaker'?"]),
        (["flash", "icebraker"], ["'icebraker'", "did you mean 'icebreaker'?"]),
        (["layout", "sky130-smal"], ["'sky130-smal'", "did you mean 'sky130-small'?"]),
    ],
    ids=lambda value: " ".join(value)[:40],
)
def test_hints(hysteron: Run, words: list[str], told: list[str]) -> None:
    status, text, errors = hysteron(*words)
    assert (status, text) == (2, "")
    one_line(errors, *told)


@pytest.mark.parametrize(
    ("error", "status"),
    [(ToolError("broke"), 1), (SimulationError("broke"), 1), (DeviceError("broke"), 1), (ValueError("broke"), None)],
    ids=lambda value: type(value).__name__,
)
def test_the_exit_status_of_each_kind_of_error(
    hysteron: Run, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int | None
) -> None:
    """What is nobody's known fault keeps its traceback."""

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("hysteron_cli.compile._show_network", fail)
    if status is None:
        with pytest.raises(ValueError, match="broke"):
            hysteron("info", DIGITS)
        return
    assert hysteron("info", DIGITS) == (status, "", "error: broke\n")


# -- completion ------------------------------------------------------------------------------------------------


def completions(*words: str) -> list[str]:
    """What the shell offers for the last word."""
    *args, incomplete = words
    return [item.value for item in ShellComplete(cli, {}, "hysteron", "_X").get_completions(args, incomplete)]


SIM_DATA = ["sim", "digits", "--data"]


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ([""], sorted(cli.commands)),
        (["inf"], ["info"]),
        (["info", "digi"], ["digits", "digits-32"]),
        (["sim", ""], hysteron_networks.names()),
        (["run", "mnist-f"], ["mnist-fast"]),
        (["compile", "yin"], ["yin-yang"]),
        (["export", "yin"], ["yin-yang"]),
        (["info", "--preset", ""], list(PRESETS)),
        (["sim", "digits", "--preset", "sky"], ["sky130-small", "sky130"]),
        (["machine", "--preset", "mni"], ["mnist"]),
        ([*SIM_DATA, ""], list(NAMES)),
        ([*SIM_DATA, "mnist-l"], ["mnist-levels"]),
        (["run", "digits", "--data", "yin"], ["yin-yang"]),
        (["import", "x.nir", "--data", "yin"], ["yin-yang"]),
        (["import", "x.nir", "--calibrate", "yin"], ["yin-yang"]),
        (["data", ""], ["fetch", "list"]),
        (["data", "fetch", "nm"], ["nmnist"]),
        (["fpga", "ice"], ["icebreaker"]),
        (["flash", "ice"], ["icebreaker"]),
        (["layout", "sky"], ["sky130-small", "sky130"]),
        (["gds", "sky"], ["sky130-small", "sky130"]),
        (["train", "yin"], ["yin-yang"]),
    ],
    ids=lambda value: " ".join(value)[:30],
)
def test_completion(words: list[str], offered: list[str]) -> None:
    found = completions(*words)
    # Where a file may be meant, the shell is told to list files behind the names.
    assert sorted(item for item in found if item != words[-1]) == sorted(offered)


def test_files_are_offered_where_one_may_be_meant() -> None:
    complete = ShellComplete(cli, {}, "hysteron", "_X").get_completions
    for args, files in ((["info"], True), (SIM_DATA, True), (["info", "--preset"], False)):
        assert any(item.type == "file" for item in complete(args, "di")) == files


def test_names_that_an_extra_knows_are_left_out_without_it() -> None:
    def absent() -> list[str]:
        raise ModuleNotFoundError("No module named 'amaranth'", name="amaranth")

    kind = Named("chip", absent)
    context = click.Context(cli)
    assert kind.shell_complete(context, click.Option(["--chip"]), "sky") == []


def test_a_name_is_a_file_s_path_before_it_is_a_network_s(hysteron: Run, tmp_path: Path) -> None:
    path = tmp_path / "mine.hyn"
    path.write_bytes(DIGITS.read_bytes())
    assert "64-128-10" in hysteron("info", path)[1]
