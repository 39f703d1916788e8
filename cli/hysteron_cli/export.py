# SPDX-License-Identifier: Apache-2.0
"""``hysteron export``: a network file as a NIR file, for other simulators and hardware."""

from pathlib import Path

import click

from hysteron_base.doors import check_doors
from hysteron_base.files import build_root
from hysteron_convert import write_nir
from hysteron_convert.export import READERS
from hysteron_spec import load

from .names import NETWORK
from .output import console


@click.command(short_help="Write a network as a NIR file.")
@click.argument("network", type=NETWORK)
@click.option("--dt", type=float, default=1e-4, show_default=True, help="Time step in seconds.")
@click.option(
    "--reader",
    type=click.Choice(READERS),
    default="any",
    show_default=True,
    help="Who reads it: snntorch has nodes of the kinds that snnTorch's importer takes.",
)
@click.option("--out", type=click.Path(path_type=Path), help="NIR file  [build/export/<name>.nir]")
def export(network: Path, dt: float, reader: str, out: Path | None) -> None:
    """Write NETWORK as a NIR file.

    'hysteron import' makes the same network of it, bit for bit; other readers see the graph without what NIR has no
    word for: hysteresis, the reset, the rounding of the leak. With --reader snntorch what its importer would change is
    refused.

    Example: hysteron export digits --out build/digits.nir
    """
    path = out or build_root() / "export" / f"{network.stem}.nir"
    check_doors(reads={"NETWORK": network}, writes={"--out": path})
    net = load(network)
    write_nir(net, path, dt=dt, reader=reader)
    console.print(f"{net.name} ({net.shape}) with dt = {dt:g} s: {path}", soft_wrap=True)
    console.result({"network": net.name, "dt": dt, "file": str(path)})
