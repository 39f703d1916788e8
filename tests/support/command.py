# SPDX-License-Identifier: Apache-2.0
"""What tests of commands look at: error lines, the shipped network, files of samples."""

from pathlib import Path

import numpy as np

import hysteron_networks

DIGITS = hysteron_networks.path("digits")


def spikes_file(path: Path, n_in: int = 10, **arrays: np.ndarray) -> Path:
    rng = np.random.default_rng(6)
    np.savez(path, **({"inputs": (rng.random((3, 4, n_in)) < 0.5).astype(np.uint8)} | arrays))
    return path


def one_line(text: str, *words: str) -> None:
    """``text`` is one line of error that holds ``words``."""
    lines = [line for line in text.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, text
    assert "Traceback" not in text
    for word in words:
        assert word in lines[0]
