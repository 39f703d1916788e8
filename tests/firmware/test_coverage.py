# SPDX-License-Identifier: Apache-2.0
"""The tests of the link go through every line of its code, and every branch both ways."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
#: Tests that say what they expect, case by case; random ones would cover by luck.
TESTS = ("test_requests.py", "test_loading.py", "test_window.py", "test_vectors.py")


@pytest.mark.skipif(shutil.which("gcov") is None, reason="gcov is not installed (Debian: package gcc)")
def test_every_line_and_every_branch(tmp_path: Path) -> None:
    environment = dict(os.environ, HYSTERON_COVERAGE=str(tmp_path))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
    done = subprocess.run(
        [*command, *(str(HERE / name) for name in TESTS)], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout
    (notes,) = tmp_path.glob("*link.gcno")
    subprocess.run(["gcov", "--json-format", "--branch-probabilities", notes.name], cwd=tmp_path, check=True)
    (found,) = tmp_path.glob("*.gcov.json.gz")
    with gzip.open(found) as file:
        (link,) = (each for each in json.load(file)["files"] if each["file"].endswith("link.c"))
    lines: list[dict[str, Any]] = link["lines"]
    branches = [(line["line_number"], k, way) for line in lines for k, way in enumerate(line["branches"])]
    missed = [line["line_number"] for line in lines if line["count"] == 0]
    never = [(number, k) for number, k, way in branches if way["count"] == 0]
    taken = len(branches) - len(never)
    print(f"link.c: {len(lines) - len(missed)} of {len(lines)} lines, {taken} of {len(branches)} branches")
    assert not missed, f"lines of link.c that no test goes through: {missed}"
    assert not never, f"branches of link.c that no test takes: {never}"
