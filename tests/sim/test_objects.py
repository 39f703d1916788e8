# SPDX-License-Identifier: Apache-2.0
"""Verilator's own sources are compiled once, and nothing else is taken from there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hysteron_sim import build, objects

SCRIPT = Path(objects.__file__)


class Bench:
    """A stand-in for Verilator's folder and a compiler that counts how often it runs."""

    def __init__(self, place: Path) -> None:
        self.root = place / "verilator"
        self.kept = place / "kept"
        self.runs = place / "runs"
        self.model = place / "model"
        for folder in (self.root / "include", self.model):
            folder.mkdir(parents=True)
        for name in ("verilated.cpp", "verilated_config.h"):
            (self.root / "include" / name).write_text("int f() { return 1; }\n")
        self.compiler = place / "c++"
        self.compiler.write_text(f'#!/bin/sh\necho run >> {self.runs}\nexec g++ "$@"\n')
        self.compiler.chmod(0o755)

    def make(self, source: Path, *flags: str) -> tuple[int, int, bytes]:
        """Exit status, how often the compiler has run by now, and the object."""
        made = self.model / f"{source.stem}.o"
        made.unlink(missing_ok=True)
        words = [str(self.compiler), *flags, "-MMD", "-c", "-o", made.name, str(source)]
        done = subprocess.run(
            [sys.executable, "-I", "-S", str(SCRIPT), str(self.kept), *words],
            cwd=self.model,
            env=os.environ | {"VERILATOR_ROOT": str(self.root)},
            capture_output=True,
        )
        return done.returncode, len(self.runs.read_text().split()), made.read_bytes() if made.exists() else b""


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_the_same_command_compiles_once(bench: Bench) -> None:
    source = bench.root / "include" / "verilated.cpp"
    status, runs, first = bench.make(source)
    assert (status, runs) == (0, 1)
    (bench.model / "verilated.d").unlink()
    assert bench.make(source) == (0, 1, first)
    assert (bench.model / "verilated.d").read_text().startswith("verilated.o:")


def test_whatever_changes_the_object_compiles_again(bench: Bench) -> None:
    source = bench.root / "include" / "verilated.cpp"
    bench.make(source)
    assert bench.make(source, "-O1")[:2] == (0, 2)
    source.write_text("int f() { return 2; }\n")
    assert bench.make(source)[:2] == (0, 3)
    (bench.root / "include" / "verilated_config.h").write_text("// another version\n")
    assert bench.make(source)[:2] == (0, 4)
    bench.compiler.write_text(bench.compiler.read_text() + "# another compiler\n")
    assert bench.make(source)[:2] == (0, 5)


def test_a_model_s_own_sources_are_not_kept(bench: Bench) -> None:
    source = bench.model / "Vtop.cpp"
    source.write_text("int g() { return 1; }\n")
    assert [bench.make(source)[1] for _ in range(2)] == [1, 2]
    # Nor what includes something of the model.
    (bench.model / "Vtop.h").write_text("int h();\n")
    source = bench.root / "include" / "verilated.cpp"
    source.write_text('#include "Vtop.h"\n')
    assert [bench.make(source, "-I.")[1] for _ in range(2)] == [3, 4]
    assert not bench.kept.exists()


def test_what_does_not_compile_fails_and_is_not_kept(bench: Bench) -> None:
    source = bench.root / "include" / "verilated.cpp"
    source.write_text("not C++\n")
    assert [bench.make(source)[0] for _ in range(2)] == [1, 1]
    assert not bench.kept.exists()


@pytest.mark.parametrize("own", ["", "ccache --some 'flag with spaces'"])
def test_make_calls_it(own: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBJCACHE", own)
    monkeypatch.setenv("HYSTERON_BUILD", str(tmp_path / "it's $here"))
    (tmp_path / "Makefile").write_text('export OBJCACHE\nall:\n\t@printf %s "$$OBJCACHE"\n')
    with build.verilator_environment():
        done = subprocess.run(["make", "-s"], cwd=tmp_path, capture_output=True, text=True, check=True)
    if own:
        assert done.stdout == own
    else:
        assert str(SCRIPT) in done.stdout
        assert "$here" in done.stdout
