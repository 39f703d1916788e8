# SPDX-License-Identifier: Apache-2.0
"""Kinds of machines: those that come with the project, those that other packages add, and those that are missing."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

import hysteron_networks
from hysteron_golden.machine import GoldenAccelerator
from hysteron_host import machines
from hysteron_host.accelerator import Accelerator
from hysteron_host.machines import GROUP, open_machine
from support.refusal import refusal

ROOT = Path(__file__).parents[2]
#: What a package of a user's opens.
OPENED: list[tuple[str, dict[str, Any]]] = []


def open_it(place: str, **options: Any) -> GoldenAccelerator:
    OPENED.append((place, options))
    return GoldenAccelerator()


def installed(monkeypatch: pytest.MonkeyPatch, **targets: str) -> None:
    """Let installed packages have these entry points, and no others."""

    def entry_points(*, group: str) -> list[EntryPoint]:
        assert group == GROUP
        return [EntryPoint(name, target, group) for name, target in targets.items()]

    monkeypatch.setattr(importlib.metadata, "entry_points", entry_points)


def test_a_package_adds_a_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    module = type(sys)("users_machine")
    module.open_it = open_it  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "users_machine", module)
    installed(monkeypatch, bench="users_machine:open_it")
    OPENED.clear()
    assert isinstance(Accelerator.open("bench:shelf:3", speed=7), GoldenAccelerator)
    assert OPENED == [("shelf:3", {"speed": 7})]
    message = refusal(lambda: open_machine("usb:3"))
    assert "golden: or bench:…" in message and "'usb:3'" in message


def test_an_entry_point_goes_before_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(machines._SHIPPED, "golden", machines._Kind("golden:", "nowhere:nothing", ""))
    installed(monkeypatch, golden="hysteron_golden.machine:open_machine")
    assert isinstance(open_machine("golden:"), GoldenAccelerator)


def test_metadata_may_be_older_than_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch)
    assert isinstance(open_machine("golden:", weight_errors=0.5), GoldenAccelerator)


def test_the_table_is_what_the_package_declares() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"][GROUP]
    assert declared == {name: kind.target for name, kind in machines._SHIPPED.items()}


@pytest.mark.parametrize("name, kind", machines._SHIPPED.items())
def test_the_targets_are_there(name: str, kind: machines._Kind) -> None:
    if name == "sim":
        pytest.importorskip("cocotb", reason="the simulator is not installed (extra 'sim')")
    assert callable(machines._load(kind.target))


@pytest.mark.parametrize("address", ["", "golden", "usb:3", ":", "Golden:"])
def test_unknown_kinds(address: str) -> None:
    message = refusal(lambda: open_machine(address))
    assert message == (f"a machine's address is serial:PORT, tcp:HOST:PORT, sim:PRESET or golden:, not {address!r}")


def test_golden_has_no_place() -> None:
    assert "'digits'" in refusal(lambda: open_machine("golden:digits"))


def test_a_shipped_kind_without_its_packages_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(target: str) -> Any:
        raise ModuleNotFoundError("No module named 'cocotb_tools'", name="cocotb_tools.runner")

    installed(monkeypatch)
    monkeypatch.setattr(machines, "_load", absent)
    message = refusal(lambda: open_machine("sim:digits"))
    assert message == "cocotb_tools is missing, which a machine sim: needs; pip install 'hyn[machine]'"


def test_a_users_kind_without_its_package_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, bench="package_that_is_not_there.machine:open_it")
    message = refusal(lambda: open_machine("bench:1"))
    assert message == (
        "package_that_is_not_there is missing, which a machine bench: needs; pip install package_that_is_not_there"
    )


def test_without_cobs_golden_works_and_others_name_the_extra() -> None:
    """As in an installation without extras."""
    code = """
import socket, sys
for name in ("cobs", "serial", "amaranth", "cocotb", "cocotb_tools", "filelock"):
    sys.modules[name] = None
import hysteron_cli.commands
from hysteron_base.errors import HysteronError
from hysteron_host import Accelerator
with Accelerator.open("golden:") as machine:
    machine.load(sys.argv[1])
with socket.create_server(("127.0.0.1", 0)) as server:
    for address in ("tcp:127.0.0.1:%d" % server.getsockname()[1], "serial:COM1", "sim:"):
        try:
            Accelerator.open(address)
        except HysteronError as error:
            print(error)
"""
    command = [sys.executable, "-c", code, str(hysteron_networks.path("digits"))]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    assert lines[0] == "cobs is missing, which this needs; pip install 'hyn[host]'"
    assert lines[1] == "serial ports need pySerial, which is missing; pip install 'hyn[host]'"
    assert lines[2].endswith("is missing, which a machine sim: needs; pip install 'hyn[machine]'")
    assert len(lines) == 3
