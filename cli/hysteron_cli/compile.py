# SPDX-License-Identifier: Apache-2.0
"""``hysteron compile``, ``info`` and ``registers``: what a network and a core are, and their files."""

import json
from collections.abc import Callable
from dataclasses import asdict, fields
from functools import partial
from pathlib import Path
from typing import Any

import click

from hysteron_base.doors import check_doors
from hysteron_base.errors import HysteronError, require
from hysteron_base.files import build_root, holds, there, write_file
from hysteron_base.progress import stage
from hysteron_base.settings import changes_of, parameters_of
from hysteron_spec import PRESETS, CoreConfig, Network, compile_network, fit, load, pages
from hysteron_spec.describe import describe, facts, layer_rows
from hysteron_train.recipe import Recipe

from .names import NETWORK, PRESET
from .output import console, table, watching

#: Cores that stand side by side in a terminal of 80 columns.
_CORES_WIDE = 4
#: Which core is taken for a network if none is named.
_FITTING = "the first of these but tiny that the network fits"


def core_options(command: Callable[..., Any], *, default: str = _FITTING) -> Callable[..., Any]:
    """Options that choose a core; ``default`` says which one it is without them."""
    command = click.option(
        "--set",
        "settings",
        multiple=True,
        metavar="NAME=VALUE",
        help="Change a parameter of the preset, e.g. lanes=64.",
    )(command)
    return click.option("--preset", type=PRESET, help=f"Core: {', '.join(PRESETS)}.  [{default}]")(command)


def choose_core(network: Network | None, preset: str | None, settings: tuple[str, ...]) -> CoreConfig:
    """The core that the options of :func:`core_options` choose."""
    return fit.choose_core(network, preset, changes_of(settings))


@click.command(name="compile", short_help="Generate a core's Verilog and a network's loader.")
@click.argument("network", type=NETWORK, required=False)
@partial(core_options, default=f"{_FITTING}; digits without a network")
@click.option("--out", type=click.Path(path_type=Path), help="Folder  [build/compile/<core>]")
def compile_(network: Path | None, preset: str | None, settings: tuple[str, ...], out: Path | None) -> None:
    """Generate a core's Verilog and, for a NETWORK, the bus writes that load it.

    Writes core.v, core.json (the parameters) and, with a network, load.txt: a line "address word" in hex
    for each write. Without one, a load.txt that is there stays if it is for the same core; if not, nothing is
    written.

    Example: hysteron compile digits --preset digits
    """
    # The folder of no --out is called as the core, which the network chooses.
    check_doors(reads={"NETWORK": network}, writes={"--out": _files(out or build_root() / "compile")})
    net = None if network is None else load(network)
    config = choose_core(net, preset, settings)
    program = None if net is None else compile_network(net, config)
    console.print(fit.title_of(config), soft_wrap=True)

    from hysteron_rtl.verilog import convert

    folder = out or build_root() / "compile" / config.name.rstrip("*")
    check_doors(reads={"NETWORK": network}, writes={"--out": _files(folder)})
    with watching() as tell, stage(tell, f"generating core {config.name}"):
        text = convert(config)
    loader = folder / "load.txt"
    if program is not None:
        # That of an earlier call does not suit this core's Verilog, if the work ends before its own is written.
        loader.unlink(missing_ok=True)
    else:
        require(
            not there(loader) or holds(folder / "core.v", text.encode()),
            f"{str(loader)!r} loads a network into another core than {config.name}, whose Verilog would take the place "
            "of that one's; give another --out, or delete the folder",
        )
    write_file(folder / "core.v", text.encode())
    parameters = {field.name: getattr(config, field.name) for field in fields(config)}
    write_file(folder / "core.json", (json.dumps(parameters, indent=2) + "\n").encode())
    written = ["core.v", "core.json"]
    if program is not None:
        lines = [f"{address:02x} {word:08x}\n" for address, word in program.bus_writes()]
        write_file(loader, "".join(lines).encode())
        written.append("load.txt")
    console.print(f"{config.name}: {', '.join(written)} in {folder}", soft_wrap=True)
    console.result({"core": parameters, "folder": str(folder), "files": written})


def _files(folder: Path) -> list[Path]:
    return [folder / name for name in ("core.v", "core.json", "load.txt")]


@click.command(short_help="Show a network, the cores, or every parameter.")
@click.argument("network", type=NETWORK, required=False)
@core_options
@click.option("--parameters", is_flag=True, help="Explain every parameter of layers, cores and machines instead.")
def info(network: Path | None, preset: str | None, settings: tuple[str, ...], parameters: bool) -> None:
    """Show a NETWORK and how it fits a core, or the presets.

    Example: hysteron info digits
    """
    if parameters:
        _show_parameters()
    elif network is None:
        _show_cores([choose_core(None, preset, settings)] if preset or settings else list(PRESETS.values()))
    else:
        _show_network(load(network), preset, settings)


def _show_parameters() -> None:
    result = {}
    for kind, title, third, found in (
        ("layer", "A layer (Layer)", "of", pages.layer_parameters()),
        ("core", "A core (--set NAME=VALUE)", "default", pages.core_parameters()),
        ("machine", "A machine", "default", pages.machine_parameters()),
        ("recipe", "A recipe (hysteron train NAME --set NAME=VALUE)", "default", parameters_of(Recipe)),
    ):
        rows = table(title, "<parameter", "<type", f"<{third}", "<meaning")
        for row in found:
            rows.add_row(*row)
        console.print(rows)
        heads = ("type", third, "meaning")
        result[kind] = {name: dict(zip(heads, rest, strict=True)) for name, *rest in found}
    console.result(result)


def _show_cores(chosen: list[CoreConfig]) -> None:
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
    console.result({config.name: asdict(config) for config in chosen})


def _show_network(net: Network, preset: str | None, settings: tuple[str, ...]) -> None:
    program, why = None, ""
    try:
        program = compile_network(net, choose_core(net, preset, settings))
    except HysteronError as error:
        if preset is not None or settings:
            raise
        why = str(error)
    heads, lines = layer_rows(net)
    rows = table(f"{net.name}: {net.shape}", *heads)
    for line in lines:
        rows.add_row(*line)
    console.print(rows)
    for fact in facts(net):
        console.print(fact)
    for key, text in net.notes.items():
        console.print(f"{key}: {text}", soft_wrap=True)
    if program is None:
        console.print(why, soft_wrap=True)
        console.result(describe(net) | {"core": None, "why": why})
        return
    config = program.config
    used = program.images["WEIGHTS"].shape[0]
    taken = sum(map(config.tiles_taken, program.tiles))
    console.print(fit.title_of(config), soft_wrap=True)
    console.print(f"core {config.name}: {taken} of {config.tiles} tiles, {used} of {config.weight_rows} weight rows")
    if program.encodes_elsewhere:
        console.print(f"core {config.name} has no encoder: the host makes spikes of pixels")
    console.result(describe(net) | {"core": asdict(config), "tiles": taken, "weight_rows": used})


def _page(name: str, text: str, check: Path | None, write: Path | None) -> None:
    """Print a page of the documentation, write it, or compare a file with it."""
    if check is not None and write is not None:
        raise click.UsageError("give --write FILE or --check FILE, not both")
    if write is not None:
        check_doors(writes={"--write": write})
        write_file(write, text.encode())
    elif check is not None:
        if not holds(check, text.encode()):
            console.error(f"error: {check} is not what 'hysteron {name} --write {check}' makes; run that")
            raise SystemExit(1)
    elif not console.as_json:
        console.text(text)
    console.result({name: text})


def _page_options(command: Callable[..., Any]) -> Callable[..., Any]:
    command = click.option("--write", type=click.Path(path_type=Path), help="Write to this file instead.")(command)
    return click.option(
        "--check", type=click.Path(path_type=Path), help="Compare with this file instead; status 1 if it differs."
    )(command)


@click.command(short_help="Print the register map as Markdown.")
@_page_options
def registers(check: Path | None, write: Path | None) -> None:
    """Print the register map as Markdown (docs/registers.md is made by it).

    Example: hysteron registers --write docs/registers.md
    """
    _page("registers", pages.register_page(), check, write)


@click.command(short_help="Explain every parameter, as Markdown.")
@_page_options
def parameters(check: Path | None, write: Path | None) -> None:
    """Explain every parameter, as Markdown (docs/parameters.md is made by it).

    Example: hysteron parameters --write docs/parameters.md
    """
    _page("parameters", pages.parameter_page(parameters_of(Recipe)), check, write)
