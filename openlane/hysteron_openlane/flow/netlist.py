# SPDX-License-Identifier: Apache-2.0
"""Reading a netlist of cells, by yosys."""

import json
import subprocess
from pathlib import Path
from typing import Any

from hysteron_base.errors import HysteronError, require
from hysteron_base.files import write_file

from .librelane import yosys


def read_netlist(netlist: Path, top: str, folder: Path) -> dict[str, Any]:
    """Module ``top`` of a Verilog file as yosys's JSON has it: ``ports``, ``cells``, ``netnames``.

    Parameters
    ----------
    netlist, top
        The file and its module.
    folder
        Folder for what yosys writes.

    Raises
    ------
    HysteronError
        If yosys cannot read it, or there is no such module.
    """
    folder.mkdir(parents=True, exist_ok=True)
    made = folder / f"{netlist.name}.json"
    command = [str(yosys()), "-p", f"read_verilog {netlist}; write_json {made}"]
    done = subprocess.run(command, capture_output=True, text=True)
    log = made.with_suffix(".log")
    write_file(log, (done.stdout + done.stderr).encode())
    if done.returncode:
        raise HysteronError(f"yosys cannot read {str(netlist)!r}; see {log}")
    modules = json.loads(made.read_text())["modules"]
    require(top in modules, f"{str(netlist)!r} has no module {top}")
    return modules[top]
