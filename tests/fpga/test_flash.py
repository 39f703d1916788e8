# SPDX-License-Identifier: Apache-2.0
"""Loading a bitstream into a board, with a loader that only pretends."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("amaranth_boards", reason="boards are not installed (extra 'fpga')")

from hysteron_base.errors import HysteronError
from hysteron_fpga.board import board
from hysteron_fpga.build import folder_of
from hysteron_fpga.flash import flash


@pytest.fixture
def bitstream(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of an iCEBreaker, which only has flash memory; and a loader on PATH."""
    monkeypatch.setenv("HYSTERON_BUILD", str(tmp_path / "build"))
    monkeypatch.setenv("PATH", str(tmp_path))
    loader = tmp_path / "openFPGALoader"
    loader.write_text('#!/bin/sh\necho "50 % of $*"\n')
    loader.chmod(0o755)
    path = folder_of(board("icebreaker")) / "top.bin"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"bits")
    return path


def test_what_the_loader_says_is_no_result(bitstream: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert flash(board("icebreaker"), keep=True) == bitstream
    output, errors = capfd.readouterr()
    assert output == ""
    assert errors == f"50 % of --board ice40_generic --write-flash {bitstream}\n"


def test_a_board_that_has_only_flash_memory(bitstream: Path) -> None:
    with pytest.raises(HysteronError, match=r"^iCEBreaker 1\.0 loads itself from its flash memory only; .* --keep$"):
        flash(board("icebreaker"))
