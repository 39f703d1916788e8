# SPDX-License-Identifier: Apache-2.0
"""Whether a reading does what the module does: every module alone, then every layer, step by step."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hysteron_base.errors import HysteronError
from hysteron_spec import Reset

from .linear import Floats, Linear
from .measured import apply_to, difference
from .model import FloatLayer, run_layer
from .recording import Calls, Recording

#: How far a potential may be off, as a share of the largest one: what is added in another order, in double precision.
_SLACK = 1e-9


def compare_parts(nodes: list[tuple[str, Any, Linear | None]], recording: Recording) -> None:
    """Compare each module without neurons with what it was read as, on what it was given in the run.

    ``nodes`` has the name of each module, the module, and the linear map; None if it hands its input on.

    Raises
    ------
    HysteronError
        Naming the first module that differs.
    """
    met: set[int] = set()
    for key, part, node in nodes:
        if id(part) in met or id(part) not in recording.seen:
            continue
        met.add(id(part))
        given, made = recording.seen[id(part)]
        if difference(made, given if node is None else apply_to(node, given)) > _SLACK:
            raise HysteronError(
                f"module {key!r} ({type(part).__name__}) does not do in the network what it does alone or what its "
                "parameters say; something changes it or what it puts out (a hook, a parameter that forward sets): "
                "use plain modules"
            )


def compare_layers(layers: tuple[FloatLayer, ...], recording: Recording) -> list[str]:
    """Compare each layer, given what the module itself had before it, with what its neuron module did.

    Returns
    -------
    The names of layers that never fired, so that their reset was not compared.

    Raises
    ------
    HysteronError
        Naming the first layer that differs, and the step.
    """
    inputs = recording.inputs
    silent = []
    for layer in layers:
        calls = recording.calls[layer.name]
        fired = np.stack(calls.fired, axis=1)
        _compare_layer(layer, inputs, calls, fired)
        inputs = (fired > 0).astype(np.float64)
        if layer.reset is not Reset.NONE and not inputs.any():
            silent.append(layer.name)
    return silent


def _compare_layer(layer: FloatLayer, inputs: Floats, calls: Calls, fired: Floats) -> None:
    held = np.stack(calls.held, axis=1)
    spikes, potentials = run_layer(layer, inputs, held.shape[1])
    if layer.spiking:
        factor = calls.part.graded_spikes_factor.detach().cpu().numpy().astype(np.float64)
        size = factor.reshape(-1) if factor.size > 1 else factor
        _refuse_first(layer, "spikes", fired != spikes * size, calls.part)
    far = np.abs(held - potentials) > _SLACK * max(1.0, float(np.abs(held).max()))
    _refuse_first(layer, "potentials", far, calls.part)


def _reason(part: Any) -> str:
    """What may make a neuron module do something else than its parameters say."""
    if "snntorch" not in type(part).__module__.split("."):
        return f"its class {type(part).__name__} derives from snnTorch's and does something else"
    if part._forward_hooks or part._forward_pre_hooks:
        return "it has hooks, which change what it is given or does"
    return "something changes its input or its state (a hook, a reset within the run, an attribute set later)"


def _refuse_first(layer: FloatLayer, what: str, wrong: NDArray[np.bool_], part: Any) -> None:
    """Refuse the first step in which something is ``wrong``, ``(samples, steps, neurons)``."""
    steps = np.flatnonzero(wrong.any(axis=(0, 2)))
    if steps.size:
        step = int(steps[0])
        raise HysteronError(
            f"module {layer.name!r} does not do what its parameters say: {np.count_nonzero(wrong[:, step])} of "
            f"{wrong[:, step].size} {what} of step {step} are others than those of a neuron with its beta, threshold "
            f"and reset; {_reason(part)}: use plain modules"
        )
