# SPDX-License-Identifier: Apache-2.0
"""The firmware as it is compiled for the machine's processor."""

from __future__ import annotations

import importlib.metadata
import shutil
from pathlib import Path

import numpy as np
import pytest

from hysteron_base.errors import HysteronError
from hysteron_base.files import build_root
from hysteron_firmware import build as module
from hysteron_firmware.build import Firmware, build
from hysteron_firmware.headers import STACK_BYTES
from hysteron_spec.machine import FRAME_BYTES, FRAME_SLOTS, RAM_BASE, MachineConfig


@pytest.fixture(scope="module")
def firmware() -> Firmware:
    return build(MachineConfig())


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Another build folder, for copied sources, with the compiler's own libraries so that it need not make them."""
    cache = build_root() / "zig"
    cache.mkdir(parents=True, exist_ok=True)
    folder = tmp_path / "somewhere else"
    folder.mkdir()
    (folder / "zig").symlink_to(cache)
    shutil.copytree(module.SOURCES, tmp_path / "sources")
    monkeypatch.setattr(module, "SOURCES", tmp_path / "sources")
    monkeypatch.setenv("HYSTERON_BUILD", str(folder))
    return folder


def test_it_is_the_same_everywhere(firmware: Firmware, elsewhere: Path) -> None:
    again = build(MachineConfig())
    assert np.array_equal(again.words, firmware.words)
    assert again.sizes == firmware.sizes
    assert (elsewhere / "firmware/firmware.bin").read_bytes() == firmware.words.tobytes()


def test_sizes(firmware: Firmware) -> None:
    machine, sizes = MachineConfig(), firmware.sizes
    assert 0 < 4 * len(firmware.words) <= machine.rom_bytes
    assert 4 * len(firmware.words) >= sizes["text"] + sizes["data"]
    assert sizes["bss"] > 2 * FRAME_SLOTS * FRAME_BYTES, "buffers of frames and replies"
    assert sizes["stack"] == machine.ram_bytes - sizes["data"] - sizes["bss"] >= STACK_BYTES


def test_it_begins_with_the_start_code(firmware: Firmware) -> None:
    word = int(firmware.words[0])
    # auipc or lui, into the stack pointer
    assert word & 0x7F in (0x17, 0x37) and word >> 7 & 31 == 2
    assert STACK_BYTES < MachineConfig().ram_bytes < RAM_BASE


def test_memory_that_is_too_small_is_refused(elsewhere: Path) -> None:
    with pytest.raises(HysteronError) as caught:
        build(MachineConfig(ram_bytes=16384))
    assert "too little RAM" in str(caught.value) or "'ram'" in str(caught.value)
    with (module.SOURCES / "start.S").open("a") as start:
        start.write("    .space 8192\n")
    build(MachineConfig(rom_bytes=16384))
    with pytest.raises(HysteronError) as caught:
        build(MachineConfig())
    assert "'rom'" in str(caught.value) and "\n" not in str(caught.value)


def test_what_the_compiler_says_is_told(elsewhere: Path) -> None:
    (module.SOURCES / "link.c").write_text("int broken(;\n")
    with pytest.raises(HysteronError, match=r"the firmware does not compile: .*link\.c:1") as caught:
        build(MachineConfig())
    assert "\n" not in str(caught.value)


def test_a_missing_compiler_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    with pytest.raises(HysteronError, match=r"pip install 'hyn\[machine\]'"):
        build(MachineConfig())
