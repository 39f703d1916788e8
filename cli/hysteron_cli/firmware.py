# SPDX-License-Identifier: Apache-2.0
"""``hysteron firmware``: compile the machine's firmware and say how large it is."""

from pathlib import Path

import click

from hysteron_base.doors import check_doors
from hysteron_base.files import write_file
from hysteron_spec.machine import MachineConfig

from .machine import small_option
from .output import console, table


@click.command(short_help="Compile the firmware; say how large it is.")
@small_option
@click.option("--out", type=click.Path(path_type=Path), help="Image of the ROM  [build/firmware/firmware.bin]")
def firmware(small: bool, out: Path | None) -> None:
    """Compile the machine's firmware, and print what it takes of ROM and RAM.

    Headers and linker script, made from the register maps and the protocol, are in build/firmware; those of a small
    machine in build/firmware-small.

    Example: hysteron firmware
    """
    check_doors(writes={"--out": out})

    from hysteron_firmware.build import build, build_folder

    machine = MachineConfig(small=small)
    made = build(machine)
    if out is not None:
        write_file(out, made.words.tobytes())
    rows = table("Firmware", "<part", "bytes", "of")
    rows.add_row("code and constants", f"{made.sizes['text'] + made.sizes['data']:,}", f"{machine.rom_bytes:,} ROM")
    rows.add_row("variables", f"{made.sizes['data'] + made.sizes['bss']:,}", f"{machine.ram_bytes:,} RAM")
    rows.add_row("left for the stack", f"{made.sizes['stack']:,}", f"{machine.ram_bytes:,} RAM")
    console.print(rows)
    console.print("how much of the stack was used a running machine tells: 'stack_free' of hysteron run's report")
    image = out or build_folder(machine) / "firmware.bin"
    console.print(f"image: {image}", soft_wrap=True)
    console.result({"image": str(image), **made.sizes})
