# SPDX-License-Identifier: Apache-2.0
"""LibreLane's flow ``Classic``: which of its tools are there, running it, going on where it stopped."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from hysteron_base.errors import HysteronError, require
from hysteron_base.files import build_root, write_file
from hysteron_base.progress import Step, Tell, stage
from hysteron_sim.build import digest, verilator_environment

from ..pdk import Pdk
from .tools import configured, pdk_for_librelane

#: The version that the project's configuration is for.
VERSION = "3.0.17"
#: What the steps after synthesis start, besides what comes from PyPI.
TOOLS = ("openroad", "magic", "klayout", "netgen")
#: The last step that needs none of them.
NETLIST = "OpenROAD.CheckSDCFiles"
#: Name of the run in the project's folder ``runs``.
TAG = "hysteron"
#: Seconds between looks at how far it is.
_PERIOD = 0.5


@dataclass(frozen=True)
class Way:
    """How LibreLane's tools are reached.

    Attributes
    ----------
    name
        The way's name for people.
    command
        The command that starts LibreLane, without its options.
    missing
        What stops it after the netlist, and the remedy; empty if nothing does.
    """

    name: str
    command: tuple[str, ...]
    missing: str = ""


def way(pdk: Pdk, dockerized: bool = False) -> Way:
    """How LibreLane can be run here: in a container if asked, with tools on ``PATH``, by Nix, or only up to synthesis.

    ``$HYSTERON_LIBRELANE`` is a command to take instead: a LibreLane of one's own.

    Raises
    ------
    HysteronError
        If LibreLane itself is missing, or a container is asked for and there is nothing that runs one.
    """
    if own := os.environ.get("HYSTERON_LIBRELANE"):
        return Way(f"{own} (HYSTERON_LIBRELANE)", tuple(own.split()), _missing_pdk(pdk))
    for package in ("librelane", "pyosys"):
        require(importlib.util.find_spec(package) is not None, f"{package} is missing; run 'make gds-setup'")
    require(
        importlib.util.find_spec("tkinter") is not None,
        "LibreLane needs Python's tkinter; on Debian run 'apt install python3-tk'",
    )
    command = (sys.executable, "-m", "librelane")
    if dockerized:
        engine = os.environ.get("LIBRELANE_CONTAINER_ENGINE", "docker")
        require(
            shutil.which(engine) is not None or shutil.which("podman") is not None,
            f"--dockerized needs a container engine, and {engine!r} is not there; install docker or podman",
        )
        mounts = ("--docker-mount", str(build_root()), "--docker-mount", str(pdk.root().parent))
        return Way("a container", (*command, "--docker-no-tty", *mounts, "--dockerized"), _missing_pdk(pdk))
    absent = [tool for tool in TOOLS if shutil.which(tool) is None]
    if not absent:
        return Way("tools on PATH", command, _missing_pdk(pdk))
    if shutil.which("nix") is not None:
        flake = ("nix", "run", f"github:librelane/librelane/{VERSION}", "--")
        return Way("Nix", flake, _missing_pdk(pdk))
    return Way(
        "synthesis only",
        command,
        f"{', '.join(absent)} {'is' if len(absent) == 1 else 'are'} not on PATH; "
        "run it with --dockerized, or install Nix, which brings them (docs/silicon.md)",
    )


def _missing_pdk(pdk: Pdk) -> str:
    if configured(pdk):
        return ""
    return (
        f"the PDK in {str(pdk.root())!r} has no configuration of tools; "
        f"add that of open_pdks {pdk.version} (docs/silicon.md says what else differs there)"
    )


@cache
def steps() -> tuple[str, ...]:
    """The names of the flow's steps, in their order."""
    from librelane.flows import Flow

    flow = Flow.factory.get("Classic")
    require(flow is not None, "this LibreLane has no flow Classic; run 'make gds-setup'")
    return tuple(step.id for step in flow.Steps)


@dataclass(frozen=True)
class Ran:
    """What LibreLane did.

    Attributes
    ----------
    folder
        The run's folder.
    status
        LibreLane's exit status; not 0 if a step failed.
    errors
        What it said then.
    done
        Names of the steps that have been run, in their order; not those that were skipped.
    """

    folder: Path
    status: int
    errors: tuple[str, ...]
    done: tuple[str, ...]

    @property
    def log(self) -> Path:
        """File with what LibreLane said."""
        return self.folder.with_suffix(".log")

    @property
    def failure(self) -> str:
        """One line about what went wrong; empty if nothing did."""
        if self.status == 0:
            return ""
        return f"LibreLane ended with status {self.status}: {'; '.join(self.errors[:3])}; see {self.log}"


def run(pdk: Pdk, config: Path, how: Way, last: str, tell: Tell) -> Ran:
    """Run the flow up to step ``last``, or go on with it if nothing has changed since.

    Parameters
    ----------
    pdk
        The PDK that the project is for.
    config
        LibreLane's configuration file, in the project's folder.
    how
        How LibreLane is run, from :func:`way`.
    last
        Name of a step.
    tell
        Takes the number of the step that is being run, how many there are, and its name.

    Raises
    ------
    HysteronError
        If the PDK lacks a file.
    """
    project = config.parent
    folder = project / "runs" / TAG
    order = steps()
    wanted = order[: order.index(last) + 1]
    sources = [path.read_bytes() for path in sorted(project.rglob("*")) if _is_source(path, project)]
    state = digest(how.name, VERSION, *sources)
    kept = project / "runs" / f"{TAG}.json"
    log = project / "runs" / f"{TAG}.log"
    before = json.loads(kept.read_text()) if kept.exists() else {}
    finished = finished_steps(folder) if before.get("sources") == state else []
    ahead = wanted[wanted.index(finished[-1]) + 1 :] if finished and finished[-1] in wanted else wanted
    if finished and (finished[-1] not in wanted or not ahead):
        return Ran(folder, before["status"], _errors(log), tuple(finished))
    options = ["--manual-pdk", "--pdk-root", str(pdk_for_librelane(pdk)), "--pdk", pdk.name, "--run-tag", TAG]
    options += ["--hide-progress-bar", "--condensed", "--to", last]
    options += ["--from", ahead[0]] if finished else ["--overwrite"]
    write_file(kept, json.dumps({"sources": state, "status": None}).encode())
    with verilator_environment():
        environment = os.environ | {"PATH": f"{yosys().parent}{os.pathsep}{os.environ['PATH']}"}
        with stage(tell, f"LibreLane, {how.name}", len(order)) as step:
            status = _watched([*how.command, *options, str(config)], folder, environment, order, step)
    write_file(kept, json.dumps({"sources": state, "status": status}).encode())
    return Ran(folder, status, _errors(log), tuple(finished_steps(folder)))


def _is_source(path: Path, project: Path) -> bool:
    return (
        path.is_file()
        and path.relative_to(project).parts[0] != "runs"
        and path.suffix in (".v", ".yaml", ".lib", ".sdc")
    )


def yosys() -> Path:
    """The executable that LibreLane calls for synthesis."""
    place = build_root() / "tools" / "yosys"
    text = Path(__file__).with_name("yosys.py").read_text()
    write_file(place, f"#!{sys.executable}\n{text}".encode())
    place.chmod(0o755)
    return place


def _watched(
    command: list[str],
    folder: Path,
    environment: dict[str, str],
    order: tuple[str, ...],
    tell: Step,
) -> int:
    folder.parent.mkdir(parents=True, exist_ok=True)
    slugs = {_slug(step): number for number, step in enumerate(order, 1)}
    with (folder.parent / f"{TAG}.log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=environment)
        try:
            while process.poll() is None:
                begun = _step_folders(folder)
                if begun:
                    name = begun[-1].name.split("-", 1)[1]
                    tell(slugs.get(name, len(begun)), name)
                time.sleep(_PERIOD)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
    return process.returncode


def _slug(step: str) -> str:
    return step.lower().replace(".", "-")


def _step_folders(folder: Path) -> list[Path]:
    found = [path for path in folder.glob("[0-9]*-*") if path.is_dir()]
    return sorted(found, key=lambda path: int(path.name.split("-")[0]))


def finished_steps(folder: Path) -> list[str]:
    """Names of the steps of a run that have an end."""
    names = {_slug(step): step for step in steps()}
    found = (path.name.split("-", 1)[1] for path in _step_folders(folder) if (path / "state_out.json").exists())
    return [names[name] for name in found if name in names]


def folder_of_step(folder: Path, step: str) -> Path:
    """The newest folder of a step in a run.

    Raises
    ------
    HysteronError
        If there is none: what did not run has no result.
    """
    found = [path for path in _step_folders(folder) if path.name.split("-", 1)[1] == _slug(step)]
    if not found:
        raise HysteronError(f"step {step} has not run in {str(folder)!r}; see the log beside it")
    return found[-1]


def _errors(log: Path) -> tuple[str, ...]:
    """LibreLane's own errors, the first line of each."""
    lines = log.read_text(errors="replace").splitlines()
    return tuple(match[1].strip() for line in lines if (match := re.search(r"\[E\] (.*?)(?: {2,}|$)", line)))
