# SPDX-License-Identifier: Apache-2.0
"""Networks of other frameworks: built at random, run by the framework itself, and written by its own exporter.

Numbers are dyadic wherever the framework lets its step be chosen: both sides compute without rounding, and
potentials that equal the threshold occur often.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from numpy.random import Generator
from numpy.typing import NDArray

from support.convert import NEEDS_TORCH, run_snntorch

torch = pytest.importorskip("torch", reason=NEEDS_TORCH)
nn = torch.nn
Spikes = NDArray[np.bool_]


@dataclass(frozen=True)
class Made:
    """A network of a framework.

    Attributes
    ----------
    source
        A module, or the graph that the framework's exporter made of it.
    run
        Spikes of each layer, ``(samples, steps, neurons)``, of inputs ``(samples, steps, …)``, by the framework.
    shape
        Shape of one sample in one step.
    """

    source: Any
    run: Callable[[NDArray[Any]], list[Spikes]]
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Row:
    """What is promised of one kind of network: a row of the table in docs/import.md.

    Attributes
    ----------
    framework, what
        For people.
    way
        The options of the import, as they are in the table.
    make
        Builds one at random.
    options
        The same options, of ``from_nir`` or ``from_snntorch``.
    refused
        Part of the message if such a network is refused.
    differs
        Why spikes may differ, if they do; empty: every spike is equal.
    """

    framework: str
    what: str
    way: str
    make: Callable[[Generator], Made]
    options: dict[str, Any] = field(default_factory=dict)
    refused: str = ""
    differs: str = ""


#: A step that is a power of two, so that times are exact.
DT = 2.0**-10
#: Time constants in steps, whose leaks 1 - 1/τ are exact: 0, 1/2, 3/4, 7/8.
TAUS = (1.0, 2.0, 4.0, 8.0)


def grid(rng: Generator, *shape: int, low: int = -16, high: int = 33, unit: float = 1 / 16) -> NDArray[np.float32]:
    """Random multiples of ``unit``."""
    return (rng.integers(low, high, shape) * unit).astype(np.float32)


def positive(rng: Generator, *shape: int) -> NDArray[np.float32]:
    """Random thresholds: multiples of 1/8."""
    return grid(rng, *shape, low=2, high=16, unit=1 / 8)


def filled(rng: Generator, module: Any) -> Any:
    """The module with random weights and biases."""
    with torch.no_grad():
        for name, values in module.named_parameters():
            spread = {"low": -3, "high": 4} if name.endswith("bias") else {}
            values.copy_(torch.as_tensor(grid(rng, *values.shape, **spread)))
    return module


def linear_parts(rng: Generator, *, convolution: bool = True) -> tuple[list[Any], tuple[int, ...], int]:
    """A random linear module or two, the shape that it takes, and how many numbers come out."""
    if not convolution or rng.random() < 0.5:
        n_in, n_out = (int(n) for n in rng.integers(1, 6, 2))
        return [filled(rng, nn.Linear(n_in, n_out, bias=bool(rng.random() < 0.7)))], (n_in,), n_out
    # Heights and widths that equal the channels, too: what is laid along the wrong axis shows.
    channels, height, width = (int(n) for n in rng.integers(2, 5, 3))
    # Square kernels: the package nir takes a kernel's height for its width, so that exporters fail at others.
    kernel, stride, padding = int(rng.integers(1, 3)), int(rng.integers(1, 3)), int(rng.integers(0, 2))
    convolution_ = nn.Conv2d(channels, int(rng.integers(1, 4)), kernel, stride, padding)
    parts = [filled(rng, convolution_), nn.Flatten()]
    n_out = nn.Sequential(*parts)(torch.zeros(1, channels, height, width)).shape[1]
    return parts, (channels, height, width), int(n_out)


def step_by_step(
    parts: list[Any], fire: Callable[[Any, Any, dict[Any, Any]], Any], spiking: Callable[[Any], bool]
) -> Callable[[NDArray[Any]], list[Spikes]]:
    """Run modules one step after the other; ``fire`` runs one that keeps a state, with all states."""

    def run(inputs: NDArray[Any]) -> list[Spikes]:
        states: dict[Any, Any] = {}
        fired: list[list[Any]] = []
        with torch.no_grad():
            for t in range(inputs.shape[1]):
                x = torch.as_tensor(inputs[:, t], dtype=torch.float32)
                now = []
                for part in parts:
                    if spiking(part):
                        x = fire(part, x, states)
                        now.append(x.reshape(len(x), -1).numpy())
                    else:
                        x = part(x)
                fired.append(now)
        return [np.stack(layer, axis=1) for layer in zip(*fired, strict=True)]

    return run


# -- Norse -----------------------------------------------------------------------------------------------------


def norse(kind: str, steps: float = 0.0) -> Callable[[Generator], Made]:
    """A chain with cells of Norse; ``to_nir(dt=1)`` writes their time constants in seconds.

    ``steps`` is that of the synaptic current, if there is one.
    """

    def make(rng: Generator) -> Made:
        import norse.torch as nt
        from norse.torch.functional.iaf import IAFParameters
        from norse.torch.functional.lif import LIFParameters
        from norse.torch.functional.lif_box import LIFBoxParameters
        from norse.torch.utils.export_nir import to_nir

        def cell(n: int) -> Any:
            one = bool(rng.random() < 0.5)
            theta = torch.as_tensor(positive(rng, *(() if one else (n,))))
            zero = torch.zeros_like(theta)
            rates = torch.as_tensor(1 / (DT * rng.choice(TAUS, theta.shape)), dtype=torch.float32)
            if kind == "IAFCell":
                return nt.IAFCell(IAFParameters(v_th=theta, v_reset=zero), dt=1.0)
            if kind == "LIFCell":
                synapse = torch.full_like(rates, 1 / (DT * steps))
                return nt.LIFCell(LIFParameters(synapse, rates, zero, theta, zero), dt=DT)
            return nt.LIFBoxCell(LIFBoxParameters(rates, zero, theta, zero), dt=DT)

        parts, shape, n = linear_parts(rng, convolution=False)  # its exporter has no Flatten
        parts += [cell(n), filled(rng, nn.Linear(n, 3)), cell(3)]
        cells = [part for part in parts if hasattr(part, "p")]

        def fire(part: Any, x: Any, states: dict[Any, Any]) -> Any:
            x, states[part] = part(x, states.get(part))
            return x

        graph = to_nir(nt.SequentialState(*parts), torch.zeros(1, *shape), dt=1.0)
        return Made(graph, step_by_step(parts, fire, lambda part: part in cells), shape)

    return make


# -- Sinabs ----------------------------------------------------------------------------------------------------


def sinabs(kind: str, *, single: bool = True, subtract: bool = True, norm: bool = True) -> Callable[[Generator], Made]:
    """A chain with layers of Sinabs, whose time constants are in steps."""

    def make(rng: Generator) -> Made:
        import sinabs.activation as activation
        import sinabs.layers as layers
        from sinabs.nir import to_nir

        options = {
            "spike_fn": activation.SingleSpike if single else activation.MultiSpike,
            "reset_fn": activation.MembraneSubtract() if subtract else activation.MembraneReset(),
            "batch_size": 1,
        }

        def cell(n: int) -> Any:
            if kind == "IAF":
                return layers.IAFSqueeze(spike_threshold=torch.as_tensor(positive(rng)), **options)
            shape = () if rng.random() < 0.5 else (n,)
            # exp(-1/τ) is no dyadic number: thresholds are odd ones that no potential meets.
            theta = torch.as_tensor((rng.random(shape) + 0.3).astype(np.float32))
            tau = torch.as_tensor((rng.random(shape) * 20 + 0.5).astype(np.float32))
            return layers.LIFSqueeze(tau_mem=tau, spike_threshold=theta, norm_input=norm, **options)

        parts, shape, n = linear_parts(rng, convolution=kind == "IAF")
        parts += [cell(n), filled(rng, nn.Linear(n, 3)), cell(3)]
        module = nn.Sequential(*parts)
        graph = to_nir(module, torch.zeros(1, *shape))

        def run(inputs: NDArray[Any]) -> list[Spikes]:
            fired: list[list[Any]] = []
            for sample in inputs:  # Squeezed layers take the steps of one sample as the first axis.
                x, now = torch.as_tensor(sample, dtype=torch.float32), []
                for part in parts:
                    if hasattr(part, "reset_states"):
                        part.reset_states()
                    x = part(x)
                    if hasattr(part, "reset_states"):
                        now.append(x.detach().numpy().reshape(len(x), -1))
                fired.append(now)
            return [np.stack(layer) for layer in zip(*fired, strict=True)]

        return Made(graph, run, shape)

    return make


# -- SpikingJelly ----------------------------------------------------------------------------------------------


def spikingjelly(kind: str, **settings: Any) -> Callable[[Generator], Made]:
    """A chain with nodes of SpikingJelly, exported with the step :data:`DT`."""

    def make(rng: Generator) -> Made:
        from spikingjelly.activation_based import functional, neuron
        from spikingjelly.activation_based.nir_exchange.to_nir import export_to_nir

        def cell() -> Any:
            given = {"v_threshold": float(positive(rng)), **settings}
            if kind in ("LIFNode", "ParametricLIFNode"):
                name = "tau" if kind == "LIFNode" else "init_tau"
                given[name] = float(rng.choice(TAUS[1:]))
            if kind == "CUBALIFNode":
                given |= {"c_decay": 0.5, "v_decay": 0.75}
            return getattr(neuron, kind)(**given)

        parts, shape, n = linear_parts(rng)
        parts += [cell(), filled(rng, nn.Linear(n, 3)), cell()]
        cells = [part for part in parts if hasattr(part, "v_threshold")]
        module = nn.Sequential(*parts)
        graph = export_to_nir(module, torch.zeros(1, *shape), dt=DT)
        run = step_by_step(parts, lambda part, x, _: part(x), lambda part: part in cells)

        def from_rest(inputs: NDArray[Any]) -> list[Spikes]:
            functional.reset_net(module)
            return run(inputs)

        return Made(graph, from_rest, shape)

    return make


# -- Rockpool --------------------------------------------------------------------------------------------------


def rockpool(kind: str, *, mended: bool = False) -> Callable[[Generator], Made]:
    """A chain with neurons of Rockpool's torch back end; with the r that the neuron has, or with the exporter's."""

    def make(rng: Generator) -> Made:
        import rockpool.nn.modules.torch as modules
        from rockpool.nn.combinators import Sequential
        from rockpool.nn.modules.torch.nir import to_nir

        n_in, n = (int(size) for size in rng.integers(2, 6, 2))
        cell = getattr(modules, kind)
        options = {"tau_syn": 0.004} if kind == "LIFTorch" else {}
        # Thresholds that no potential meets, as exp(-dt/τ) is no dyadic number; and one spike a step.
        options["threshold"] = float(rng.random() + 2.1) if mended else 1.0
        if mended:
            options["max_spikes_per_dt"] = 1
        parts = [
            modules.LinearTorch((n_in, n), weight=torch.as_tensor(grid(rng, n_in, n)), has_bias=False),
            cell(n, tau_mem=0.02, dt=0.001, **options),
        ]
        graph = to_nir(Sequential(*parts))
        for node in graph.nodes.values():
            if mended and hasattr(node, "r"):
                node.r = 1 / (1 - np.exp(-0.001 / np.asarray(node.tau)))

        def run(inputs: NDArray[Any]) -> list[Spikes]:
            x = torch.as_tensor(inputs, dtype=torch.float32)
            with torch.no_grad():
                for part in parts:
                    part.reset_state()
                    x, _, _ = part(x)
            return [x.numpy()]

        return Made(graph, run, (n_in,))

    return make


# -- snnTorch --------------------------------------------------------------------------------------------------


def snntorch(kind: str = "Leaky", *, exported: bool = False, **settings: Any) -> Callable[[Generator], Made]:
    """A chain with neurons of snnTorch, as a module or as its exporter writes it (with a step of 0.1 ms)."""

    def make(rng: Generator) -> Made:
        import snntorch as snn
        from snntorch.export_nir import export_to_nir

        def cell(n: int) -> Any:
            shape = (n,) if exported or rng.random() < 0.5 else ()
            beta = torch.as_tensor(rng.choice((0.0, 0.5, 0.75, 0.875), shape), dtype=torch.float32)
            given = {"beta": beta, "threshold": torch.as_tensor(positive(rng, *shape)), "init_hidden": True, **settings}
            if exported:
                # A step of 0.1 ms is no dyadic number: thresholds are odd ones that no potential meets.
                given["threshold"] = torch.as_tensor((rng.random(shape) + 0.3).astype(np.float32))
            if kind == "Synaptic":
                given["alpha"] = (beta + 1) / 4
            if kind == "RLeaky":
                given["linear_features"] = n
            made = getattr(snn, kind)(**given)
            if kind == "RLeaky":
                filled(rng, made.recurrent)
            return made

        parts, shape, n = linear_parts(rng)
        if rng.random() < 0.3 and not exported:
            parts.append(nn.Dropout(0.5))
        parts += [cell(n), filled(rng, nn.Linear(n, 3)), cell(3)]
        module = nn.Sequential(*parts).eval()
        source = module
        if exported:
            source = export_to_nir(module, torch.zeros(1, *shape), ignore_dims=[0])
        return Made(source, lambda inputs: run_snntorch(module, inputs)[0], shape)

    return make


_NORSE = {"dt": DT, "reset": "zero"}
_SINABS = {"dt": 1.0, "firing": "at-or-above", "reset": "subtract"}
_JELLY = {"dt": DT, "reset": "zero", "firing": "at-or-above"}

ROWS = (
    *(
        Row(
            "snnTorch",
            f"Leaky, reset {reset}{'' if delay else ', reset_delay=False'}",
            "the module itself",
            snntorch(reset_mechanism=reset, reset_delay=delay),
        )
        for reset in ("zero", "subtract", "none")
        for delay in (True, False)
    ),
    Row("snnTorch", "RLeaky, reset zero", "the module itself", snntorch("RLeaky", reset_mechanism="zero")),
    Row("snnTorch", "RLeaky, reset subtract", "the module itself", snntorch("RLeaky", reset_mechanism="subtract")),
    Row("snnTorch", "Synaptic", "the module itself", snntorch("Synaptic"), refused="alpha"),
    Row(
        "snnTorch",
        "Leaky, reset zero",
        "`--dt 1e-4 --reset zero`",
        snntorch(exported=True, reset_mechanism="zero"),
        {"dt": 1e-4, "reset": "zero"},
    ),
    Row(
        "snnTorch",
        "Leaky, reset subtract",
        "`--dt 1e-4 --reset subtract --reference snntorch-delayed`",
        snntorch(exported=True, reset_mechanism="subtract"),
        {"dt": 1e-4, "reset": "subtract", "reference": "snntorch-delayed"},
    ),
    Row("Norse", "LIFBoxCell", "`to_nir(…, dt=1)`; `--dt 1e-3 --reset zero`", norse("LIFBoxCell"), _NORSE),
    Row("Norse", "IAFCell", "`to_nir(…, dt=1)`; `--dt 1 --reset zero`", norse("IAFCell"), _NORSE | {"dt": 1.0}),
    Row("Norse", "LIFCell, current of one step", "as LIFBoxCell", norse("LIFCell", 1.0), _NORSE),
    Row("Norse", "LIFCell", "", norse("LIFCell", 5.0), _NORSE, refused="tau_syn"),
    Row("Sinabs", "IAF, SingleSpike", "`--dt 1 --reset subtract --firing at-or-above`", sinabs("IAF"), _SINABS),
    Row(
        "Sinabs",
        "IAF, SingleSpike, MembraneReset",
        "`--dt 1 --reset zero --firing at-or-above`",
        sinabs("IAF", subtract=False),
        _SINABS | {"reset": "zero"},
    ),
    Row(
        "Sinabs",
        "LIF, SingleSpike",
        "`--dt 1 --reset subtract --firing at-or-above --stepping exact`",
        sinabs("LIF"),
        _SINABS | {"stepping": "exact"},
    ),
    Row(
        "Sinabs",
        "LIF, SingleSpike, MembraneReset",
        "`--dt 1 --reset zero --firing at-or-above --stepping exact`",
        sinabs("LIF", subtract=False),
        _SINABS | {"reset": "zero", "stepping": "exact"},
    ),
    Row(
        "Sinabs",
        "LIF, `norm_input=False`",
        "",
        sinabs("LIF", norm=False),
        _SINABS | {"stepping": "exact"},
        differs="its exporter does not write it: the input is too weak by 1 − exp(−1/τ)",
    ),
    Row(
        "Sinabs",
        "IAF, MultiSpike (its default)",
        "",
        sinabs("IAF", single=False),
        _SINABS,
        differs="several spikes in a step; the file does not show it",
    ),
    *(
        Row(
            "SpikingJelly",
            f"{kind}{text}",
            "`--dt 1e-4 --reset zero --firing at-or-above`",
            spikingjelly(kind, **given),
            _JELLY,
        )
        for kind, text, given in (
            ("IFNode", "", {}),
            ("LIFNode", "", {}),
            ("LIFNode", ", decay_input=False", {"decay_input": False}),
            ("ParametricLIFNode", "", {}),
        )
    ),
    Row("SpikingJelly", "CUBALIFNode", "", spikingjelly("CUBALIFNode"), _JELLY, refused="tau_syn"),
    Row(
        "Rockpool",
        "LIFNeuronTorch",
        "",
        rockpool("LIFNeuronTorch"),
        {"dt": 0.001, "reset": "subtract", "firing": "at-or-above", "stepping": "exact"},
        differs="its exporter writes another input gain than it computes, and several spikes a step",
    ),
    Row(
        "Rockpool",
        "LIFNeuronTorch, one spike a step, `r` mended",
        "`--dt 1e-3 --reset subtract --firing at-or-above --stepping exact`",
        rockpool("LIFNeuronTorch", mended=True),
        {"dt": 0.001, "reset": "subtract", "firing": "at-or-above", "stepping": "exact"},
    ),
    Row("Rockpool", "LIFTorch", "", rockpool("LIFTorch"), {"dt": 0.001, "reset": "subtract"}, refused="tau_syn"),
)


def table() -> str:
    """The rows as they stand in docs/import.md."""
    lines = ["| framework | network | import with | result |", "|---|---|---|---|"]
    for row in ROWS:
        result = "every spike is the same"
        if row.refused:
            result = "refused: " + _REFUSALS[row.refused]
        elif row.differs:
            result = f"**differs**: {row.differs}"
        lines.append(f"| {row.framework} | {row.what} | {row.way} | {result} |")
    return "\n".join(lines) + "\n"


_REFUSALS = {
    "alpha": "the hardware's synaptic current lasts one step",
    "tau_syn": "the hardware's synaptic current lasts one step",
}
