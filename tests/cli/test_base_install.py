# SPDX-License-Identifier: Apache-2.0
"""The command without any extra: optional packages cannot be imported in these processes."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hysteron_base.extras import EXTRAS

#: Runs the command in a Python in which no optional package can be found.
_PROGRAM = f"""
import sys

class Nothing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {sorted(EXTRAS)!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Nothing())
from hysteron_cli.main import main
main()
"""


@pytest.fixture
def images(tmp_path: Path) -> Path:
    path = tmp_path / "images.npz"
    np.savez(path, inputs=np.random.default_rng(0).integers(0, 256, (5, 64)).astype(np.uint8))
    return path


def call(folder: Path, *words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", _PROGRAM, *map(str, words)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


@pytest.mark.parametrize("words", [("--help",), ("info", "digits"), ("info", "--parameters"), ("registers",)])
def test_the_base_shows_what_there_is(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = call(tmp_path, *words)
    assert done.returncode == 0 and done.stdout, done.stderr


def test_the_base_runs_golden(tmp_path: Path, images: Path) -> None:
    done = call(tmp_path, "run", "digits", "--data", images, "--port", "golden:", "--out", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    assert len((tmp_path / "run" / "results.csv").read_text().splitlines()) == 6


@pytest.mark.parametrize(
    ("words", "extra"),
    [
        (("sim", "digits", "--data", "images.npz"), "sim"),
        (("compile", "digits"), "sim"),
        (("run", "digits", "--data", "images.npz", "--port", "sim:digits"), "machine"),
        (("run", "digits", "--data", "images.npz", "--port", "serial:/dev/null"), "host"),
        (("soc-sim", "digits", "--data", "images.npz"), "machine"),
        (("import", "nowhere.nir", "--dt", "1e-4"), "convert"),
        (("export", "digits"), "convert"),
        (("train", "digits"), "train"),
        (("fpga", "icebreaker"), "fpga"),
        (("gds", "sky130-small"), "gds"),
        (("figures", "--check", "."), "report"),
        (("run", "digits", "--data", "digits"), "machine"),
    ],
    ids=lambda value: " ".join(value)[:24] if isinstance(value, tuple) else value,
)
def test_a_command_that_lacks_a_package_names_the_extra_that_brings_all_it_needs(
    tmp_path: Path, images: Path, words: tuple[str, ...], extra: str
) -> None:
    done = call(tmp_path, *words)
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert done.returncode == 2 and f"pip install 'hyn[{extra}]'" in line, done.stderr
    assert "Traceback" not in done.stderr
