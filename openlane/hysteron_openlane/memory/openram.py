# SPDX-License-Identifier: Apache-2.0
"""Running OpenRAM's generator on a configuration of the folder ``openram_configs``.

The package on PyPI brings the compiler and its rules of the process, but not the memory cells: these are a repository
of their own, and a latch comes with the models of the standard cells. OpenRAM wants them together, and files of other
tools to exist, be they empty.
"""

import os
import shutil
import subprocess
from importlib.resources import files
from pathlib import Path

from hysteron_base.errors import HysteronError, require
from hysteron_base.files import write_file

from ..pdk import Pdk

#: The version that the configurations are for.
VERSION = "1.2.48"
CONFIGURATIONS = Path(str(files("hysteron_openlane.memory") / "openram_configs"))
#: Folders of cells, by what OpenRAM calls them, and the endings of their files in the repository; the first that fits.
_NETLISTS: tuple[tuple[str, str | None], ...] = (
    (".lvs.klayout.spice", "klayout_lvs_lib"),
    (".lvs.calibre.spice", None),
    (".lvs.spice", "lvs_lib"),
    (".base.spice", "sp_lib"),
    (".spice", "sp_lib"),
)
_FOLDERS = ("gds_lib", "sp_lib", "lvs_lib", "klayout_lvs_lib", "mag_lib", "maglef_lib", "calibre_lvs_lib")


def configurations() -> list[str]:
    """Names of the macros that have a configuration."""
    return sorted(path.stem for path in CONFIGURATIONS.glob("*.py"))


def generate(pdk: Pdk, name: str, python: str, cells: Path, folder: Path) -> list[Path]:
    """Generate a macro.

    Parameters
    ----------
    pdk
        The PDK that it is for.
    name
        Name of a configuration.
    python
        A Python with the package ``openram`` and NumPy 1: not this one.
    cells
        A checkout of the repository of the memory cells.
    folder
        Folder that the macro is made in; emptied first.

    Returns
    -------
    list
        The macro's files: GDS, LEF, LIB with analytical timing, SPICE, Verilog. None of them has been checked.

    Raises
    ------
    HysteronError
        If something is missing, or the generator fails.
    """
    known, wanted = configurations(), pdk.openram
    require(name in known, f"there is no configuration {name!r}; take one of {', '.join(known)}")
    require((cells / "cells").is_dir(), f"{str(cells)!r} is no checkout of {wanted.cells} at {wanted.commit[:7]}")
    package = _package(python)
    shutil.rmtree(folder, ignore_errors=True)
    technology = folder / "technology" / wanted.technology
    shutil.copytree(package / "technology" / wanted.technology, technology)
    _put_cells(pdk, cells, technology)
    for file in wanted.empty:
        write_file(folder / "pdk" / pdk.name / "libs.tech" / file, b"")
    made = folder / name
    made.mkdir()
    (folder / "tmp").mkdir()
    environment = os.environ | {
        "PDK_ROOT": str(folder / "pdk"),
        "OPENRAM_HOME": str(package / "compiler"),
        "OPENRAM_TECH": f"{folder / 'technology'}:{package / 'technology'}",
        "OPENRAM_TMP": str(folder / "tmp"),
    }
    environment.pop("PYTHONPATH", None)
    command = [python, str(package / "sram_compiler.py"), str(CONFIGURATIONS / f"{name}.py")]
    done = subprocess.run(command, cwd=made, env=environment, capture_output=True, text=True)
    log = folder / "openram.log"
    write_file(log, (done.stdout + done.stderr).encode())
    found = sorted(path for path in made.iterdir() if path.stem.startswith(name))
    kinds = {path.suffix for path in found}
    if done.returncode or not {".gds", ".lef", ".lib", ".sp", ".v"} <= kinds:
        raise HysteronError(f"OpenRAM failed (status {done.returncode}) or left files out; see {log}")
    return found


def _package(python: str) -> Path:
    code = "import importlib.util as u; s = u.find_spec('openram'); print(s.submodule_search_locations[0] if s else '')"
    remedy = (
        f"python3 -m venv openram && openram/bin/pip install openram=={VERSION} 'numpy<2', "
        "and give --python openram/bin/python"
    )
    require(shutil.which(python) is not None, f"there is no Python {python!r}; {remedy}")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, env=environment)
    place = done.stdout.strip()
    require(bool(place), f"Python {python!r} has no OpenRAM; {remedy}")
    return Path(place)


def _put_cells(pdk: Pdk, cells: Path, technology: Path) -> None:
    for folder in _FOLDERS:
        (technology / folder).mkdir(exist_ok=True)
    latch = pdk.cell_models() / pdk.openram.latch
    for path in (*sorted(cells.glob("cells/*/*.gds")), latch.with_name(latch.name + ".gds")):
        shutil.copy(path, technology / "gds_lib")
    netlists = [*cells.glob("cells/*/*.spice"), latch.with_name(latch.name + ".spice")]
    # A base netlist replaces the plain one of the same cell.
    for path in sorted(netlists, key=lambda path: path.name.endswith(".base.spice")):
        ending, place = next((end, where) for end, where in _NETLISTS if path.name.endswith(end))
        if place is not None:
            shutil.copy(path, technology / place / f"{path.name.removesuffix(ending)}.sp")
