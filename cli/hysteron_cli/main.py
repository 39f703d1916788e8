# SPDX-License-Identifier: Apache-2.0
"""Entry point of the command ``hysteron``."""

import sys

import click

from hysteron_base.errors import DeviceError, HysteronError, ToolError
from hysteron_base.extras import DISTRIBUTION

from .ablate import ablate
from .bench import bench
from .compile import compile_, info, parameters, registers
from .data import data
from .export import export
from .figures import figures
from .firmware import firmware
from .fpga import flash, fpga, netlist
from .gds import gds, memories, openram
from .group import Sections
from .import_ import import_
from .layout import layout
from .machine import machine_, soc_sim
from .results import results
from .run import run
from .sim import sim
from .stopping import ended_by_signals
from .train import train


@click.group(cls=Sections, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name=DISTRIBUTION)
def cli() -> None:
    """Spiking-neural-network accelerators: training, import, golden model, Verilog, simulation."""


assert isinstance(cli, Sections)
#: The commands by section, each with the extra that brings all it may need.
cli.add_sections(
    {
        "Try": {sim: "sim", run: "machine", info: ""},
        "Networks": {
            train: "train",
            import_: "convert",
            export: "convert",
            data: "data",
            results: "sim",
            ablate: "train",
        },
        "Hardware": {compile_: "sim", machine_: "machine", soc_sim: "machine", firmware: "machine", bench: "sim"},
        "FPGA": {fpga: "fpga", netlist: "fpga", flash: "fpga"},
        "Silicon": {gds: "gds", layout: "gds", memories: "silicon", openram: "silicon"},
        "Documentation": {registers: "", parameters: "", figures: "report"},
    }
)


@ended_by_signals
def main() -> None:
    """Run a command; a user's mistake is one line and exit status 2."""
    try:
        status = cli.main(standalone_mode=False)
    except HysteronError as error:
        click.echo(f"error: {error}", err=True)
        status = 2
    except (DeviceError, ToolError) as error:
        click.echo(f"error: {error}", err=True)
        status = 1
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help() if error.ctx else "")
        status = 0
    except click.ClickException as error:
        click.echo(f"error: {error.format_message()}", err=True)
        status = 2
    except OSError as error:
        click.echo(f"error: {error.filename or ''}: {error.strerror or error}", err=True)
        status = 2
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        status = 130
    sys.exit(status if isinstance(status, int) else 0)


if __name__ == "__main__":
    main()
