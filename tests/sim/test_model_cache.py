# SPDX-License-Identifier: Apache-2.0
"""Built simulators and generated Verilog: the ones used last stay, and those in use."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hysteron_base.errors import SimulationError
from hysteron_base.progress import Progress
from hysteron_sim import build, model_cache
from hysteron_sim.build import build_once, generated


def model(models: Path, name: str, used: int) -> Path:
    """A built model that no process has, used at a time in seconds."""
    folder = models / name
    folder.mkdir(parents=True)
    for file in ("complete", "used"):
        (folder / file).touch()
    os.utime(folder / "used", (used, used))
    return folder


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return tmp_path / "models"


def names(models: Path) -> set[str]:
    return {path.name for path in models.iterdir() if path.is_dir()}


def test_the_ones_used_last_stay(models: Path) -> None:
    for name, used in (("a", 400), ("b", 100), ("c", 300), ("d", 200)):
        model(models, name, used)
    assert model_cache.prune(models, keep=2) == [models / "b", models / "d"]
    assert names(models) == {"a", "c"}
    assert model_cache.prune(models, keep=2) == []


def test_one_of_an_earlier_version_has_the_time_of_its_build(models: Path) -> None:
    for name, used in (("old", 50), ("new", 100)):
        model(models, name, used)
    (models / "old/used").unlink()
    os.utime(models / "old/complete", (75, 75))
    assert model_cache.prune(models, keep=1) == [models / "old"]


def test_what_this_process_has_stays(models: Path) -> None:
    model_cache.claim(models / "mine")
    os.utime(models / "mine/used", (1, 1))
    model(models, "other", 100)
    assert model_cache.prune(models, keep=0) == [models / "other"]
    assert names(models) == {"mine"}


def test_what_another_process_has_stays_until_it_ends(models: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from hysteron_sim import model_cache\n"
        "model_cache.claim(Path(sys.argv[1])); print('claimed', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(models / "theirs")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None and other.stdout.readline() == "claimed\n"
        assert model_cache.prune(models, keep=0) == []
        other.communicate()
    assert model_cache.prune(models, keep=0) == [models / "theirs"]


def test_a_use_renews(models: Path) -> None:
    model(models, "a", 100)
    model(models, "b", 200)
    model_cache.claim(models / "a")
    assert model_cache.prune(models, keep=1) == [models / "b"]


def test_a_claim_survives_that_the_folder_is_deleted(models: Path) -> None:
    model_cache.claim(models / "a")
    for path in (models / "a").iterdir():
        path.unlink()
    (models / "a").rmdir()
    model_cache.claim(models / "a")
    assert model_cache.prune(models, keep=0) == []


def make(folder: Path) -> None:
    for name in ("Vtop.h.gch", "a.o", "a.a", "machine", "core.v"):
        (folder / name).write_text(name)


def test_a_build_leaves_what_is_run_and_removes_what_is_old(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_cache, "KEPT", 2)
    for name in ("a", "b", "c"):
        model(models, name, 100)
    done: list[int] = []

    def work(log: Path) -> None:
        make(log.parent)
        done.append(1)

    told: list[Progress] = []
    for _ in range(2):
        found = build_once(models / "new", {"core.v": "module"}, work, what="the simulator of core x", tell=told.append)
        assert found == models / "new"
    assert done == [1], "it is built once"
    assert [each.what for each in told if each.finished] == ["building the simulator of core x"], "and told of once"
    assert {path.name for path in (models / "new").iterdir()} == {"lock", "used", "complete", "machine", "core.v"}
    assert len(names(models)) == 2 and "new" in names(models)


def test_a_build_that_failed_begins_anew(models: Path) -> None:
    def fail(log: Path) -> None:
        make(log.parent)
        raise RuntimeError("no")

    with pytest.raises(SimulationError, match="building the simulator failed"):
        build_once(models / "new", {}, fail)
    seen: list[set[str]] = []
    build_once(models / "new", {}, lambda log: seen.append({path.name for path in log.parent.iterdir()}))
    assert seen == [{"lock", "used"}]


def test_verilog_is_kept_and_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYSTERON_BUILD", str(tmp_path))
    monkeypatch.setattr(build, "KEPT_TEXTS", 2)
    made: list[str] = []

    def verilog(state: str) -> str:
        def text() -> str:
            made.append(state)
            return f"module {state};"

        return generated("core", state, text)

    def age() -> None:
        """What is there was used long ago."""
        for path in (tmp_path / "verilog").iterdir():
            os.utime(path, ns=(0, path.stat().st_mtime_ns - 10**12))

    for state in ("a", "b", "a", "c"):
        assert verilog(state) == f"module {state};"
        age()
    assert made == ["a", "b", "c"]
    assert verilog("a") == "module a;" and made == ["a", "b", "c"], "it was used after b"
    assert verilog("b") == "module b;" and made == ["a", "b", "c", "b"]
