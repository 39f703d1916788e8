# SPDX-License-Identifier: Apache-2.0
"""The scripts in ``examples/snntorch`` run, and do what they say."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from hysteron_convert import import_network
from hysteron_spec import Coding, load
from support.convert import NEEDS_NIR, NEEDS_TORCH

pytest.importorskip("snntorch", reason=NEEDS_TORCH)
pytest.importorskip("sklearn", reason="scikit-learn carries the digits")
FOLDER = Path(__file__).parents[2] / "examples/snntorch"

#: Runs a script for one epoch in a Python that cannot import anything of Hysteron.
ALONE = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.startswith(("hyn", "hysteron")):
            raise ImportError(f"{name} is imported")
sys.meta_path.insert(0, Refuse())
script = sys.argv.pop(1)
text = open(script).read()
assert "EPOCHS = 40" in text
exec(compile(text.replace("EPOCHS = 40", "EPOCHS = 1"), script, "exec"), {"__name__": "__main__"})
"""


def test_tutorial(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, FOLDER / "tutorial.py", tmp_path / "net.hyn"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    before, after = (float(text) for text in re.findall(r"^\w+: ([\d.]+) %", done.stdout, re.MULTILINE))
    assert before > 94 and after > before - 2.5
    network = load(tmp_path / "net.hyn")
    assert network.shape == "64-64-10" and network.layers[0].weight_bits == 4
    assert network.encoder is not None and (network.encoder.coding, network.encoder.steps) == (Coding.DIRECT, 10)


def test_digits_knows_nothing_of_us(tmp_path: Path) -> None:
    for name in ("nir", "nirtorch", "h5py"):
        pytest.importorskip(name, reason=NEEDS_NIR)
    file = tmp_path / "net.nir"
    words = [sys.executable, "-c", ALONE, FOLDER / "digits.py", file]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert re.match(r"accuracy on 450 test images: [\d.]+ %", done.stdout)
    assert import_network(file, dt=1e-4, reset="subtract").network.shape == "64-64-10"
