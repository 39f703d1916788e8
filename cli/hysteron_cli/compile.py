"""``hysteron compile``, ``info`` and ``registers``: what a network and a core are, and their files."""

import json
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import click

from hysteron_base.errors import HysteronError, require
from hysteron_base.files import build_root, write_file
from hysteron_spec import PRESETS, CoreConfig, Network, compile_network, load
from hysteron_spec.machine import CORE_BASE, MACHINE_BASE, MACHINE_REGISTERS, RAM_BASE, ROM_BASE
from hysteron_spec.registers import REGIONS, REGISTERS
from hysteron_spec.registers import table as register_table

from .output import console, table, waiting

#: Cores that stand side by side in a terminal of 80 columns.
_CORES_WIDE = 4


def core_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options that choose a core."""
    command = click.option(
        "--set",
        "settings",
        multiple=True,
        metavar="NAME=VALUE",
        help="Change a parameter of the preset, e.g. lanes=64.",
    )(command)
    return click.option("--preset", help=f"Core: {', '.join(PRESETS)}.  [the first of these that the network fits]")(
        command
    )


def choose_core(network: Network | None, preset: str | None, settings: tuple[str, ...]) -> CoreConfig:
    """The preset asked for, or the first that ``network`` fits, with ``settings`` applied."""
    changes = {}
    for text in settings:
        name, equals, value = text.partition("=")
        require(bool(equals), f"--set takes NAME=VALUE, not {text!r}")
        changes[name] = value
    if preset is not None or network is None:
        return CoreConfig.preset(preset or "digits").override(changes)
    reasons = []
    for preset_config in PRESETS.values():
        if preset_config.name == "tiny":
            continue
        config = preset_config.override(changes)
        try:
            compile_network(network, config)
        except HysteronError as error:
            reasons.append(f"{config.name}: {str(error).partition(';')[0]}")
        else:
            return config
    raise HysteronError(f"no preset fits the network {network.shape} ({'; '.join(reasons)}); change one with --set")


@click.command(name="compile")
@click.argument("network", type=click.Path(path_type=Path), required=False)
@core_options
@click.option("--out", type=click.Path(path_type=Path), help="Folder  [build/compile/<core>]")
def compile_(network: Path | None, preset: str | None, settings: tuple[str, ...], out: Path | None) -> None:
    """Generate a core's Verilog and, for a NETWORK, the bus writes that load it.

    Writes core.v, core.json (the parameters) and, with a network, load.txt: a line "address word" in hex
    for each write.

    Example: hysteron compile networks/digits.hyn --preset digits
    """
    net = None if network is None else load(network)
    config = choose_core(net, preset, settings)
    program = None if net is None else compile_network(net, config)

    from hysteron_rtl.verilog import convert

    folder = out or build_root() / "compile" / config.name.rstrip("*")
    # A loader of an earlier call need not suit this core.
    (folder / "load.txt").unlink(missing_ok=True)
    with waiting(f"generating core {config.name}"):
        text = convert(config)
    write_file(folder / "core.v", text.encode())
    parameters = {field.name: getattr(config, field.name) for field in fields(config)}
    write_file(folder / "core.json", (json.dumps(parameters, indent=2) + "\n").encode())
    written = ["core.v", "core.json"]
    if program is not None:
        lines = [f"{address:02x} {word:08x}\n" for address, word in program.bus_writes()]
        write_file(folder / "load.txt", "".join(lines).encode())
        written.append("load.txt")
    console.print(f"{config.name}: {', '.join(written)} in {folder}", soft_wrap=True)


@click.command()
@click.argument("network", type=click.Path(path_type=Path), required=False)
@core_options
def info(network: Path | None, preset: str | None, settings: tuple[str, ...]) -> None:
    """Show a NETWORK and how it fits a core, or the presets.

    Example: hysteron info networks/digits.hyn
    """
    if network is None:
        chosen = [choose_core(None, preset, settings)] if preset or settings else list(PRESETS.values())
        for first in range(0, len(chosen), _CORES_WIDE):
            some = chosen[first : first + _CORES_WIDE]
            rows = table("Cores", "<parameter", *(config.name for config in some))
            for field in fields(CoreConfig)[1:]:
                rows.add_row(field.name, *(str(getattr(config, field.name)) for config in some))
            for label, value in (
                ("weight memory, bits", lambda c: f"{c.weight_rows * c.weight_row_bits:,}"),
                ("accumulator, bits", lambda c: str(c.accumulator_bits)),
            ):
                rows.add_row(label, *(value(config) for config in some))
            console.print(rows)
        return
    net = load(network)
    rows = table(
        f"{net.name}: {net.shape}",
        "layer",
        "inputs",
        "neurons",
        "<mode",
        "<reset",
        "low",
        "high",
        "leak",
        "bits",
        "<recurrent",
    )
    full = 1 << net.layers[0].leak_bits
    for index, layer in enumerate(net.layers):
        codes = sorted({int(code) for code in layer.leak_codes})
        leak = f"{codes[0] / full:g}" if len(codes) == 1 else f"{codes[0] / full:g}…{codes[-1] / full:g}"
        rows.add_row(
            str(index),
            str(layer.n_in),
            str(layer.n_out),
            layer.mode.name.lower(),
            layer.reset.name.lower(),
            str(layer.theta_low),
            str(layer.theta_high),
            leak,
            str(layer.weight_bits),
            "yes" if layer.recurrent is not None else "no",
        )
    console.print(rows)
    console.print(f"potential: {net.potential.bits} bits, {'signed' if net.potential.signed else 'unsigned'}")
    console.print(f"input: {net.encoder or 'spikes'}")
    console.print(f"read-out: {net.readout.name.lower()}{' after every step' if net.readout_every_step else ''}")
    for key, text in net.notes.items():
        console.print(f"{key}: {text}", soft_wrap=True)
    config = choose_core(net, preset, settings)
    program = compile_network(net, config)
    used = program.images["WEIGHTS"].shape[0]
    taken = sum(map(config.tiles_taken, program.tiles))
    console.print(f"core {config.name}: {taken} of {config.tiles} tiles, {used} of {config.weight_rows} weight rows")
    if program.network.encoder is None and net.encoder is not None:
        console.print(f"core {config.name} has no encoder: the host makes spikes of pixels")


@click.command()
@click.option(
    "--check", type=click.Path(path_type=Path), help="Compare with this file instead; status 1 if it differs."
)
@click.option("--write", type=click.Path(path_type=Path), help="Write to this file instead.")
def registers(check: Path | None, write: Path | None) -> None:
    """Print the register map as Markdown (docs/registers.md is made by it).

    Example: hysteron registers --write docs/registers.md
    """
    text = register_page()
    if check is not None and write is not None:
        raise click.UsageError("give --write FILE or --check FILE, not both")
    if write is not None:
        write_file(write, text.encode())
    elif check is not None:
        if not check.exists() or check.read_bytes() != text.encode():
            raise SystemExit(f"error: {check} is not what 'hysteron registers --write {check}' makes; run that")
    else:
        click.echo(text, nl=False)


def register_page() -> str:
    """``docs/registers.md``."""
    regions = "\n".join(f"| {number} | {name} | {_REGION_TEXT[name]} |" for name, number in REGIONS.items())
    data = REGISTERS["MEMORY_DATA"]
    return f"""# Registers

Made by `hysteron registers --write docs/registers.md` from `spec/hysteron_spec/registers.py` and
`spec/hysteron_spec/machine.py`; do not edit.

The bus is Wishbone B4 classic, 32 bits; addresses below are bytes. Access: `ro` read only, `rw` read and write, `set`
likewise but only while the core stands, `strobe` acts on 1s written and reads 0, `w1c` is set by the hardware and
cleared by writing 1s, `port` hands on what is written, `pop` is a queue of which a read takes the oldest word.

## The core

{register_table()}
## The core's memories

A word written to {data.name} ({data.address:#04x}) goes to the region and word address in MEMORY_ADDRESS, which
then counts up. A row of a memory takes as many words as its bits need; the next row begins at the next multiple of the
smallest power of two that holds a row. Memories may be written only while CONTROL.RUN and STATUS.BUSY are 0.

| region | name | a row |
|---|---|---|
{regions}

## The machine

| from | what |
|---|---|
| {ROM_BASE:#010x} | ROM with the firmware |
| {RAM_BASE:#010x} | RAM |
| {CORE_BASE:#010x} | the core's registers, above |
| {MACHINE_BASE:#010x} | the machine's registers, below |

{register_table(MACHINE_REGISTERS)}"""


_REGION_TEXT = {
    "WEIGHTS": "one weight for each lane, lane 0 in the lowest bits",
    "NEURONS": "leak code and bias for each lane, lane 0 in the lowest bits; of a small core those of one neuron",
    "JOBS": "a layer's sequencer descriptor (`hysteron_spec.layouts.job_layout`; of a small core a field a row, "
    "`descriptor_layout`)",
    "THRESHOLDS": "a layer's neuron descriptor (`hysteron_spec.layouts.threshold_layout`; not of a small core)",
    "LEVELS": "the encoder's threshold of a time step, 8 bits",
}
