# SPDX-License-Identifier: Apache-2.0
"""The executable ``yosys`` as LibreLane calls it, of the PyPI package ``pyosys``, which brings none.

This file is copied to where that executable is wanted: it needs the package and nothing else.
"""

import runpy
import sys
from pathlib import Path


def main(arguments: list[str]) -> None:
    """``-V`` prints the version, ``-p COMMANDS`` runs commands, ``-y SCRIPT … -- ARGUMENTS`` a Python script."""
    from pyosys import libyosys

    if arguments == ["-V"]:
        print(libyosys.Globals.yosys_version_str)
        return
    if len(arguments) == 2 and arguments[0] == "-p":
        design = libyosys.Design()
        for command in filter(None, map(str.strip, arguments[1].split(";"))):
            libyosys.run_pass(command, design)
        return
    if len(arguments) < 2 or arguments[0] != "-y":
        sys.exit(f"error: this yosys takes -V, -p COMMANDS or -y SCRIPT, not {' '.join(arguments)!r}")
    _, script, *rest = arguments
    sys.argv = [script, *rest[rest.index("--") + 1 :]] if "--" in rest else [script]
    sys.path.insert(0, str(Path(script).resolve().parent))
    runpy.run_path(script, run_name="__main__")


if __name__ == "__main__":
    main(sys.argv[1:])
