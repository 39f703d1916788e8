# SPDX-License-Identifier: Apache-2.0
"""What the tests of measuring share: small networks with data and a training record, and a project of three of them."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hysteron_data.digits import load_digits_split
from hysteron_sim import simulator
from hysteron_sim.simulator import Observed
from hysteron_spec import Layer, Mode, Network, Potential, Readout, Reset, save
from support.command import DIGITS

Entry = dict[str, Any]

#: Steps of a sample of spikes.
STEPS = 7


def integrator(rng: np.random.Generator, n_in: int, n_out: int) -> Layer:
    """A last layer that only sums up."""
    weights = rng.integers(-4, 5, (n_in, n_out))
    return Layer(weights, theta_high=2000, leak=6, mode=Mode.PLAIN, reset=Reset.NONE)


def recurrent_network(n_out: int, name: str) -> Network:
    """10 inputs, 6 recurrent neurons, an answer at every step."""
    rng = np.random.default_rng(n_out)
    hidden = Layer(rng.integers(-4, 8, (10, 6)), 9, 3, leak=6, recurrent=rng.integers(-4, 5, (6, 6)))
    layers = (hidden, integrator(rng, 6, n_out))
    return Network(layers, Potential(12), None, Readout.POTENTIAL, readout_every_step=True, name=name)


def ship(folder: Path, name: str, network: Network | Path, arrays: dict[str, Any], **record: Any) -> Path:
    """A network with its data and its training record; returns its file."""
    path = folder / f"{name}.hyn"
    folder.mkdir(parents=True, exist_ok=True)
    if isinstance(network, Path):
        shutil.copyfile(network, path)
    else:
        save(network, path)
    np.savez(folder / f"{name}-data.npz", **{f"test_{key}": values for key, values in arrays.items()})
    values = {
        "name": name,
        "dataset": str(folder / f"{name}-data.npz"),
        "preset": "tiny",
        "settings": {},
        "seed": 3,
        "recipe": {"hidden": [6], "mode": "latch"},
        "command": f"hysteron train {name} --seed 3",
    }
    path.with_suffix(".json").write_text(json.dumps(values | record))
    return path


def ship_three(folder: Path) -> list[Path]:
    """Three networks with data and records: one label a sample, one a step, a regression; and one without a record."""
    paths = [
        ship(folder, "digits", DIGITS, few_digits(), preset="digits", accuracy_float=0.99),
        ship(folder, "steps", recurrent_network(3, "steps"), step_data()),
        ship(
            folder,
            "regress",
            recurrent_network(2, "r"),
            regression_data(),
            task="regress",
            readout_scale=0.125,
            error_float=0.75,
        ),
    ]
    save(recurrent_network(2, "bare"), folder / "bare.hyn")
    return paths


def spikes(count: int, steps: int = STEPS, seed: int = 1) -> np.ndarray:
    return (np.random.default_rng(seed).random((count, steps, 10)) < 0.4).astype(np.uint8)


def step_data(count: int = 9) -> dict[str, np.ndarray]:
    labels = np.random.default_rng(2).integers(-1, 3, (count, STEPS))
    labels[:, 3] = -1
    return {"inputs": spikes(count), "labels": labels}


def regression_data(count: int = 5) -> dict[str, np.ndarray]:
    targets = np.random.default_rng(4).normal(0, 1, (count, STEPS, 2)).astype(np.float32)
    return {"inputs": spikes(count), "targets": targets}


def few_digits() -> dict[str, np.ndarray]:
    _, _, images, labels = load_digits_split()
    return {"inputs": images[:40], "labels": labels[:40]}


def copied(project: Path, root: Path) -> Path:
    """A copy of a measured project, whose data are its own."""
    shutil.copytree(project, root)
    for file in (root / "networks").glob("*.json"):
        file.write_text(file.read_text().replace(str(project), str(root)))
    return root


def entries(root: Path) -> dict[str, Entry]:
    return json.loads((root / "networks" / "results.json").read_text())


def arrays(root: Path, name: str) -> dict[str, np.ndarray]:
    with np.load(root / "networks" / f"{name}-data.npz") as archive:
        return {key.removeprefix("test_"): values for key, values in archive.items()}


def change(root: Path, name: str, **values: Any) -> None:
    """Change an entry by hand."""
    known = entries(root)
    known[name] |= values
    (root / "networks" / "results.json").write_text(json.dumps(known))


def tampered(monkeypatch: pytest.MonkeyPatch, change: Callable[[Observed], Observed]) -> None:
    """A simulator whose hardware does something else."""
    honest = simulator._observed
    monkeypatch.setattr(simulator, "_observed", lambda stem, config: change(honest(stem, config)))
