# SPDX-License-Identifier: Apache-2.0
"""All commands of ``hysteron``, and how it ends: each kind of error is one line and a status."""

import errno

import click

from hysteron_base.errors import DeviceError, HysteronError, ToolError
from hysteron_base.extras import DISTRIBUTION
from hysteron_base.files import build_root, told, usable_home
from hysteron_base.text import one_line

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
from .output import console
from .results import results
from .run import run
from .sim import sim
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


#: Statuses of a program that Ctrl-C ended, and of one whose reader has gone, as shells give them.
INTERRUPTED, READER_GONE = 130, 141


def execute() -> int:
    """Run the command of the command line; returns its exit status, which is 2 for a user's mistake."""
    usable_home()
    with console.every_encoding():
        status = _execute()
        return console.finish(status, READER_GONE)


def _execute() -> int:
    try:
        status = cli.main(prog_name="hysteron", standalone_mode=False)
    except HysteronError as error:
        console.error(f"error: {one_line(str(error))}")
        return 2
    except (DeviceError, ToolError) as error:
        console.error(f"error: {error}")
        return 1
    except MemoryError as error:
        console.error(f"error: out of memory{f': {one_line(str(error))}' if str(error) else ''}; give it less to do")
        return 1
    except click.exceptions.NoArgsIsHelpError as error:
        console.text(error.ctx.get_help() if error.ctx else "")
        return 0
    except click.ClickException as error:
        console.error(f"error: {one_line(error.format_message())}")
        return 2
    except OSError as error:
        if error.filename is None and error.errno in (errno.ENOSPC, errno.EDQUOT):
            # The system names no file where one that is open cannot grow.
            error.filename = f"{build_root()} or the folder for temporary files"
        console.error(f"error: {told(error)}")
        return 2
    except (click.Abort, KeyboardInterrupt):
        console.error("interrupted")
        return INTERRUPTED
    except SystemExit as end:
        # Click and Rich end so where a reader has gone: of standard output, or of a named pipe that was to be written.
        if isinstance(broken := end.__context__, BrokenPipeError):
            if broken.filename is None:
                return READER_GONE
            console.error(f"error: {told(broken)}")
            return 2
        return end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    return status if isinstance(status, int) else 0
