# SPDX-License-Identifier: Apache-2.0
"""What the generator writes for the firmware."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from hysteron_firmware.build import SOURCES, headers
from hysteron_firmware.headers import STACK_BYTES
from hysteron_spec import machine as wire
from hysteron_spec import protocol
from hysteron_spec.machine import MACHINE_REGISTERS, MachineConfig
from hysteron_spec.packets import WORD_BYTES
from hysteron_spec.registers import REGISTERS, Register

FILES = headers(MachineConfig())


def defines(name: str) -> dict[str, str]:
    """Names and values of a header; each name once."""
    found = re.findall(r"^#define (\w+) (.+)$", FILES[name], re.MULTILINE)
    assert len(dict(found)) == len(found)
    return dict(found)


def number(text: str) -> int:
    return int(text.partition(" /*")[0].rstrip("u"), 0)


def expected_fields(prefix: str, registers: dict[str, Register]) -> dict[str, int]:
    found = {}
    for register in registers.values():
        name = register.name if register.name.startswith(f"{prefix}_") else f"{prefix}_{register.name}"
        for field in register.fields:
            if field.width == 1:
                found[f"{name}_{field.name}"] = 1 << field.lsb
            else:
                found |= {f"{name}_{field.name}_LSB": field.lsb, f"{name}_{field.name}_BITS": field.width}
    return found


def test_names_are_unique_over_all_headers() -> None:
    names = [name for file in ("machine.h", "core.h", "protocol.h") for name in defines(file)]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch("(MACHINE|CORE|LINK|FRAME|STACK)_[A-Z0-9_]+", name) for name in names)


def test_registers_of_the_machine() -> None:
    found = defines("machine.h")
    for register in MACHINE_REGISTERS.values():
        name = register.name if register.name.startswith("MACHINE_") else f"MACHINE_{register.name}"
        address = wire.MACHINE_BASE + register.address
        assert found.pop(name) == f"(*(volatile uint32_t *){address:#010x}u)"
    for name, value in expected_fields("MACHINE", MACHINE_REGISTERS).items():
        assert number(found.pop(name)) == value, name
    constants = {name: number(value) for name, value in found.items()}
    assert constants == {
        "CORE_BASE": wire.CORE_BASE,
        "FRAME_BYTES": wire.FRAME_BYTES,
        "FRAME_SLOTS": wire.FRAME_SLOTS,
        "STACK_PAINT": 0x57AC57AC,
        "MACHINE_MAP_VERSION": wire.MACHINE_VERSION,
    }


def test_registers_of_the_core() -> None:
    found = {name: number(value) for name, value in defines("core.h").items()}
    for register in REGISTERS.values():
        assert found.pop(f"CORE_{register.name}") == register.address
    for name, value in expected_fields("CORE", REGISTERS).items():
        assert found.pop(name) == value, name
    constant = [r.address for r in REGISTERS.values() if r.access == "ro" and r.address < found["CORE_CONSTANTS"]]
    assert constant == list(range(0, found.pop("CORE_CONSTANTS"), 4))
    assert found == {"CORE_END": max(r.address for r in REGISTERS.values()) + 4}


def test_protocol() -> None:
    found = {name: number(value) for name, value in defines("protocol.h").items()}
    for kind in protocol.Kind:
        assert found.pop(f"LINK_{kind.name}") == kind
    for code in protocol.Refusal:
        assert found.pop(f"LINK_E_{code.name}") == code
    for prefix, declared in (
        ("HELLO", protocol.HELLO_WORDS),
        ("REFUSAL", protocol.ERROR_WORDS),
        ("IDENTITY", protocol.IDENTITY_WORDS),
        ("TELLS", protocol.MACHINE_FIGURES),
    ):
        assert found.pop(f"LINK_{prefix}_WORDS") == len(declared)
        for place, word in enumerate(declared):
            assert found.pop(f"LINK_{prefix}_{word.name.upper()}") == place
    names = ("VERSION", "MAGIC", "WINDOW", "HEADER_BYTES", "CHECK_BYTES", "PAYLOAD_WORDS", "STUCK_CYCLES", "REPLY")
    assert found.pop("LINK_WORD_BYTES") == WORD_BYTES
    assert found == {f"LINK_{name}": getattr(protocol, name) for name in names}


def test_the_figures_of_the_link_are_a_structure_of_words_in_order() -> None:
    (body,) = re.findall(r"^struct figures \{\n(.*?)^\};", FILES["protocol.h"], re.MULTILINE | re.DOTALL)
    assert re.findall(r"^    uint32_t (\w+);", body, re.MULTILINE) == [word.name for word in protocol.LINK_FIGURES]


def test_the_words_before_records(tmp_path: Path) -> None:
    """The header's macros undo what the driver does."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    head = protocol.head(0xFFFC, 254)
    (tmp_path / "check.c").write_text(
        '#include "protocol.h"\n'
        f'_Static_assert(LINK_HEAD_ADDRESS({head}u) == 0xFFFC && LINK_HEAD_COUNT({head}u) == 254, "");\n'
        f'_Static_assert(LINK_DATA_DUE({head}u) == 0xFFFC, "");\n'
        '_Static_assert(sizeof(struct figures) == LINK_WORD_BYTES * %du, "");\n' % len(protocol.LINK_FIGURES)
    )
    subprocess.run(["g++", "-x", "c", "-std=c17", "-Werror", "-fsyntax-only", str(tmp_path / "check.c")], check=True)


def test_a_frame_fits_its_buffer() -> None:
    assert protocol.HEADER_BYTES + WORD_BYTES * protocol.PAYLOAD_WORDS + protocol.CHECK_BYTES <= wire.FRAME_BYTES
    assert protocol.WINDOW <= wire.FRAME_SLOTS, "the receiver can hold a whole window"
    assert (1 << 16) % protocol.WINDOW == 0, "buffers follow sequence numbers, also where these wrap"


def test_start_paints_what_is_looked_for() -> None:
    paint = defines("machine.h")["STACK_PAINT"].rstrip("u")
    assert f"li t1, {paint}" in (SOURCES / "start.S").read_text()


@pytest.mark.parametrize("rom, ram", [(8192, 32768), (1 << 16, 1 << 16)])
def test_linker_script(rom: int, ram: int) -> None:
    text = headers(MachineConfig(rom_bytes=rom, ram_bytes=ram))["machine.ld"]
    assert f"rom (rx) : ORIGIN = {wire.ROM_BASE:#010x}, LENGTH = {rom}" in text
    assert f"ram (rw) : ORIGIN = {wire.RAM_BASE:#010x}, LENGTH = {ram}" in text
    assert f"stack_low = stack_high - {STACK_BYTES};" in text and "ASSERT(bss_end <= stack_low" in text


def test_the_headers_are_c(tmp_path: Path) -> None:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    source = tmp_path / "all.c"
    source.write_text("".join(f'#include "{name}"\n' * 2 for name in FILES if name.endswith(".h")) + "int all;\n")
    command = ["g++", "-x", "c", "-std=c17", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", str(source)]
    subprocess.run(command, check=True)
