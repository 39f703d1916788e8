# SPDX-License-Identifier: Apache-2.0
"""Compile the firmware: C to the words of the ROM, the same on every machine."""

import importlib.metadata
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hysteron_base.errors import HysteronError, require
from hysteron_base.extras import remedy
from hysteron_base.files import build_root, write_file
from hysteron_spec.machine import MachineConfig
from hysteron_spec.packets import WORD_BYTES

from .headers import core_header, linker_script, machine_header, protocol_header

#: The firmware's sources, which come with the package.
SOURCES = Path(str(files("hysteron_firmware"))) / "src"
#: Version of the firmware: major 16 bits, minor 16 bits.
FIRMWARE_VERSION = 0x0001_0000

_FLAGS = (
    "-target",
    "riscv32-freestanding-none",
    "-Os",
    "-std=c17",
    "-ffreestanding",
    "-fno-builtin",
    "-fno-stack-protector",
    "-fno-unwind-tables",
    "-fno-asynchronous-unwind-tables",
    "-fno-sanitize=all",
    "-ffunction-sections",
    "-nostdlib",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-Wconversion",
    "-Wl,--gc-sections",
    "-Wl,--build-id=none",
)


@dataclass(frozen=True, eq=False)
class Firmware:
    """The firmware as it goes into the ROM.

    Attributes
    ----------
    words
        ``(n,)`` uint32.
    sizes
        Sizes in bytes: code and constants (``text``), initialised and cleared variables (``data``, ``bss``), and the
        RAM that is left for the stack (``stack``).
    """

    words: NDArray[np.uint32]
    sizes: dict[str, int]


def build_folder(machine: MachineConfig) -> Path:
    """Return the folder in which the firmware and what it was made from are left for people to look at."""
    return build_root() / ("firmware-small" if machine.small else "firmware")


def build(machine: MachineConfig) -> Firmware:
    """Compile the firmware for ``machine``.

    Raises
    ------
    HysteronError
        If the compiler is missing, or the firmware does not fit.
    """
    folder = build_folder(machine)
    texts = headers(machine)
    with tempfile.TemporaryDirectory() as scratch:
        elf, image = Path(scratch) / "firmware.elf", Path(scratch) / "firmware.bin"
        for name, text in texts.items():
            (Path(scratch) / name).write_text(text)
        _zig(
            "cc",
            *_FLAGS,
            # A small machine's ROM is what is left of few block RAMs.
            *(["-mcpu=generic_rv32", "-fno-inline"] if machine.small else ["-mcpu=generic_rv32+c"]),
            f"-DFIRMWARE_VERSION={FIRMWARE_VERSION:#x}u",
            "-I.",
            f"-I{scratch}",
            f"-Wl,-T,{Path(scratch) / 'machine.ld'}",
            "start.S",
            "main.c",
            "link.c",
            "devices_small.c" if machine.small else "devices.c",
            "-o",
            str(elf),
        )
        _zig("objcopy", "-O", "binary", str(elf), str(image))
        content = image.read_bytes()
        sizes = _sizes(elf.read_bytes())
        write_file(folder / "firmware.elf", elf.read_bytes())
    require(len(content) <= machine.rom_bytes, f"the firmware has {len(content)} bytes, the ROM {machine.rom_bytes}")
    words = np.frombuffer(content + bytes(-len(content) % WORD_BYTES), "<u4")
    for name, text in texts.items():
        write_file(folder / name, text.encode())
    write_file(folder / "firmware.bin", content)
    sizes["stack"] = machine.ram_bytes - sizes["data"] - sizes["bss"]
    return Firmware(words, sizes)


def headers(machine: MachineConfig) -> dict[str, str]:
    """Return the texts of the generated files by name."""
    return {
        "machine.h": machine_header(),
        "core.h": core_header(),
        "protocol.h": protocol_header(),
        "machine.ld": linker_script(machine),
    }


def _zig(*words: str) -> None:
    try:
        importlib.metadata.version("ziglang")
    except importlib.metadata.PackageNotFoundError:
        raise HysteronError(f"the C compiler is missing; {remedy('ziglang')}") from None
    environment = dict(os.environ, ZIG_GLOBAL_CACHE_DIR=str(build_root() / "zig"), SOURCE_DATE_EPOCH="0")
    done = subprocess.run(
        [sys.executable, "-m", "ziglang", *words], cwd=SOURCES, env=environment, capture_output=True, text=True
    )
    if done.returncode:
        reason = re.sub(r"\s+", " ", done.stderr.strip())[-600:]
        raise HysteronError(f"the firmware does not compile: {reason}")


def _sizes(elf: bytes) -> dict[str, int]:
    """Bytes of the sections, from the file's headers (ELF, 32 bits, little-endian)."""
    word, half = np.dtype("<u4"), np.dtype("<u2")
    table = int(np.frombuffer(elf, word, 1, 32)[0])
    size, count, names = (int(n) for n in np.frombuffer(elf, half, 3, 46))
    sections = [np.frombuffer(elf, word, 10, table + size * k) for k in range(count)]
    text = elf[int(sections[names][4]) :]
    found = {}
    for section in sections:
        name = text[int(section[0]) :].split(b"\0", 1)[0].decode()
        found[name] = int(section[5])
    return {name: found.get(f".{name}", 0) for name in ("text", "data", "bss")}
