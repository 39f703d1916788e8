# SPDX-License-Identifier: Apache-2.0
"""The tools that make bitstreams: from PyPI as WebAssembly, place and route natively where it is installed."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from hysteron_base.errors import HysteronError, ToolError
from hysteron_base.extras import remedy

from .families.family import Family

#: Seconds that a tool may take to tell its version.
_PATIENCE = 60


def find(tool: str, family: Family) -> str:
    """Path of a tool of a family.

    Synthesis always is the pinned package's, since its version decides what comes out; place and route a native one if
    there is one on PATH, which is several times as fast.

    Raises
    ------
    HysteronError
        If it is missing.
    """
    beside = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    path = _native(tool) or shutil.which(f"yowasp-{tool}", path=beside)
    if path is None:
        raise HysteronError(f"{tool} is missing; {remedy(family.tools[tool])}")
    return path


def _native(tool: str) -> str | None:
    return shutil.which(tool) if tool != "yosys" else None


def told_version(tool: str, family: Family) -> str:
    """The version of the tool that :func:`find` gives, for people; "not told" if a native one does not say."""
    native = _native(tool)
    if native is None:
        package = family.tools[tool].replace("_", "-")
        try:
            return f"{package} {version(package)}"
        except PackageNotFoundError:
            return "not told"
    try:
        done = subprocess.run(
            [native, "--version"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=_PATIENCE,
        )
    except (OSError, subprocess.TimeoutExpired):
        return "not told"
    lines = done.stdout.split("\n")
    return lines[0].strip() if done.returncode == 0 and lines[0].strip() else "not told"


def run(command: Sequence[str], family: Family, folder: Path, log: str) -> None:
    """Run a tool of a family.

    Parameters
    ----------
    command
        The tool and its words.
    family
        The family that it is for.
    folder
        Where it runs.
    log
        The file there that what it says goes to.

    Raises
    ------
    HysteronError
        If the tool is missing.
    ToolError
        If it fails, with the first error it tells.
    """
    tool, *words = command
    with (folder / log).open("w") as file:
        done = subprocess.run([find(tool, family), *words], cwd=folder, stdout=file, stderr=subprocess.STDOUT)
    if done.returncode:
        lines = [line.strip() for line in (folder / log).read_text(errors="replace").splitlines() if line.strip()]
        last = lines[-1] if lines else f"status {done.returncode}"
        first = next((line for line in lines if "ERROR" in line), last)
        raise ToolError(f"{tool} failed: {first}; see {folder / log}")
