# SPDX-License-Identifier: Apache-2.0
"""What the tests of importing share: nodes without the package nir, and snnTorch run step by step."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray

NEEDS_NIR = "the package nir is not installed (extra 'convert')"
NEEDS_TORCH = "torch and snntorch are not installed (extra 'convert')"


def node(kind: str, **fields: Any) -> Any:
    """A node as the package nir has it: an object whose class is called ``kind``; lists become arrays."""
    made = type(kind, (), {})()
    made.metadata = fields.pop("metadata", {})
    for name, value in fields.items():
        setattr(made, name, np.asarray(value, float) if isinstance(value, list) else value)
    return made


def graph(nodes: dict[str, Any], edges: list[tuple[str, str]], metadata: dict[str, Any] | None = None) -> Any:
    """A NIR graph of such nodes."""
    made = node("NIRGraph", nodes=nodes, metadata=metadata or {})
    made.edges = list(edges)
    return made


def input_of(*shape: int) -> Any:
    return node("Input", input_type={"input": np.array(shape)})


def output_of(*shape: int) -> Any:
    return node("Output", output_type={"output": np.array(shape)})


def chain(shape: tuple[int, ...], *parts: tuple[str, Any]) -> Any:
    """A graph of ``parts`` one after the other, from an input of ``shape``."""
    names = ["in", *(name for name, _ in parts), "out"]
    nodes = {"in": input_of(*shape), **dict(parts), "out": output_of(1)}
    return graph(nodes, list(itertools.pairwise(names)))


def lif(n: int = 2, **changes: Any) -> Any:
    """A LIF of ``n`` neurons with ``τ = 0.2 ms``, ``r = 2`` and threshold 1; at ``dt = 0.1 ms`` beta is 1/2, gain 1."""
    ones = np.ones(n)
    fields = {"tau": 2e-4 * ones, "r": 2 * ones, "v_leak": 0 * ones, "v_threshold": ones, "v_reset": 0 * ones}
    return node("LIF", **(fields | changes))


def linear(*rows: list[float]) -> Any:
    """A Linear with a matrix of rows, one for each output."""
    return node("Linear", weight=np.array(rows, float))


def spikes(seed: int, *shape: int, rate: float = 0.4) -> NDArray[np.uint8]:
    """Random spikes."""
    return (np.random.default_rng(seed).random(shape) < rate).astype(np.uint8)


def run_snntorch(module: Any, inputs: NDArray[Any]) -> tuple[list[NDArray[np.bool_]], list[NDArray[np.float64]]]:
    """Spikes and potentials of every neuron module of an ``nn.Sequential`` with ``init_hidden=True``.

    ``inputs`` is ``(samples, steps, …)``. Modules compute in the precision of their parameters.
    """
    import snntorch as snn
    import torch

    dtype = next((values.dtype for values in module.parameters()), torch.float64)
    neurons = [part for part in module.modules() if isinstance(part, snn.SpikingNeuron)]
    for part in neurons:
        part.mem = torch.zeros(0, dtype=dtype)
        for other in ("spk", "syn"):
            if hasattr(part, other):
                setattr(part, other, torch.zeros(0, dtype=dtype))
    fired: list[list[NDArray[Any]]] = [[] for _ in neurons]
    held: list[list[NDArray[Any]]] = [[] for _ in neurons]

    def record(index: int) -> Any:
        def hook(part: Any, given: Any, out: Any) -> None:
            spike = out[0] if isinstance(out, tuple) else out
            fired[index].append(spike.detach().numpy().reshape(len(spike), -1) > 0)
            held[index].append(part.mem.detach().numpy().reshape(len(spike), -1).astype(np.float64))

        return hook

    handles = [part.register_forward_hook(record(index)) for index, part in enumerate(neurons)]
    with torch.no_grad():
        for t in range(inputs.shape[1]):
            module(torch.tensor(inputs[:, t], dtype=dtype))
    for handle in handles:
        handle.remove()
    return [np.stack(steps, axis=1) for steps in fired], [np.stack(steps, axis=1) for steps in held]
