"""What the firmware is told by Python: the machine's registers, the core's, the protocol, and the memory map."""

from collections.abc import Iterable, Mapping

from hysteron_wire import protocol
from hysteron_wire.machine import (
    CORE_BASE,
    FRAME_BYTES,
    FRAME_SLOTS,
    MACHINE_BASE,
    MACHINE_REGISTERS,
    MACHINE_VERSION,
    RAM_BASE,
    ROM_BASE,
    MachineConfig,
)
from hysteron_wire.registers import REGISTERS, Register

_MADE = "/* Made by `hysteron firmware --write`; do not edit. */"
#: What start.S fills the stack with, to see later how much of it was used.
STACK_PAINT = 0x57AC57AC
STACK_BYTES = 2048


def machine_header() -> str:
    """``machine.h``: registers and the map of memory."""
    lines = [
        _MADE,
        "#ifndef MACHINE_H",
        "#define MACHINE_H",
        "",
        "#include <stdint.h>",
        "",
        f"#define CORE_BASE {CORE_BASE:#010x}u",
        f"#define FRAME_BYTES {FRAME_BYTES}u",
        f"#define FRAME_SLOTS {FRAME_SLOTS}u",
        f"#define STACK_PAINT {STACK_PAINT:#010x}u",
        f"#define MACHINE_MAP_VERSION {MACHINE_VERSION:#010x}u",
        "",
        "/* Registers of the machine. */",
    ]
    for register in MACHINE_REGISTERS.values():
        address = MACHINE_BASE + register.address
        lines.append(f"#define {_prefixed('MACHINE', register.name)} (*(volatile uint32_t *){address:#010x}u)")
    lines += ["", "/* Their fields. */", *_fields("MACHINE", MACHINE_REGISTERS), "", "#endif"]
    return "\n".join(lines) + "\n"


def core_header() -> str:
    """``core.h``: addresses in the core's register map."""
    constants = next(r.address for r in REGISTERS.values() if r.access != "ro")
    lines = [_MADE, "#ifndef CORE_H", "#define CORE_H", ""]
    lines += [f"#define CORE_{r.name} {r.address:#04x}u" for r in REGISTERS.values()]
    lines += [
        "/* Registers before this one never change; after the last there are none. */",
        f"#define CORE_CONSTANTS {constants:#04x}u",
        f"#define CORE_END {4 * len(REGISTERS):#04x}u",
        "",
        *_fields("CORE", REGISTERS),
        "",
        "#endif",
    ]
    return "\n".join(lines) + "\n"


def protocol_header() -> str:
    """``protocol.h``: the link."""
    lines = [
        _MADE,
        "#ifndef PROTOCOL_H",
        "#define PROTOCOL_H",
        "",
        f"#define LINK_VERSION {protocol.VERSION}u",
        f"#define LINK_MAGIC {protocol.MAGIC:#010x}u",
        f"#define LINK_WINDOW {protocol.WINDOW}",
        f"#define LINK_PAYLOAD_WORDS {protocol.PAYLOAD_WORDS}u",
        f"#define LINK_STUCK_CYCLES {protocol.STUCK_CYCLES}u",
        f"#define LINK_REPLY {protocol.REPLY:#04x}u",
        "",
        *(f"#define LINK_{kind.name} {kind.value:#04x}u" for kind in protocol.Kind),
        "",
        *(f"#define LINK_E_{code.name} {code.value}u" for code in protocol.Refusal),
        "",
        "#endif",
    ]
    return "\n".join(lines) + "\n"


def linker_script(machine: MachineConfig) -> str:
    """``machine.ld``."""
    return f"""{_MADE}
ENTRY(_start)
MEMORY
{{
    rom (rx) : ORIGIN = {ROM_BASE:#010x}, LENGTH = {machine.rom_bytes}
    ram (rw) : ORIGIN = {RAM_BASE:#010x}, LENGTH = {machine.ram_bytes}
}}
SECTIONS
{{
    .text : {{ KEEP(*(.start)) *(.text*) *(.rodata*) *(.srodata*) . = ALIGN(4); }} > rom
    data_image = LOADADDR(.data);
    .data : {{ data_begin = .; *(.data*) *(.sdata*) . = ALIGN(4); data_end = .; }} > ram AT > rom
    .bss (NOLOAD) : ALIGN({FRAME_BYTES})
    {{ bss_begin = .; *(.bss*) *(.sbss*) *(COMMON) . = ALIGN(4); bss_end = .; }} > ram
    stack_high = ORIGIN(ram) + LENGTH(ram);
    stack_low = stack_high - {STACK_BYTES};
    ASSERT(bss_end <= stack_low, "too little RAM is left for the stack")
    /DISCARD/ : {{ *(.eh_frame*) *(.comment) *(.riscv.attributes) *(.note*) }}
}}
"""


def _prefixed(prefix: str, name: str) -> str:
    return name if name.startswith(f"{prefix}_") else f"{prefix}_{name}"


def _fields(prefix: str, registers: Mapping[str, Register]) -> Iterable[str]:
    for register in registers.values():
        for field in register.fields:
            name = f"{_prefixed(prefix, register.name)}_{field.name}"
            if field.width == 1:
                yield f"#define {name} {1 << field.lsb:#x}u"
            else:
                yield f"#define {name}_LSB {field.lsb}"
                yield f"#define {name}_BITS {field.width}"
