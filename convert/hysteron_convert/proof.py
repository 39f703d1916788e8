# SPDX-License-Identifier: Apache-2.0
"""Whether a reading does what the module does: spikes and potentials of every layer, step by step."""

import numpy as np
from numpy.typing import NDArray

from hysteron_base.errors import HysteronError
from hysteron_spec import Reset

from .linear import Floats
from .model import FloatLayer, run_layer
from .recording import Calls, Recording

#: How far a potential may be off, as a share of the largest one: what is added in another order, in double precision.
_SLACK = 1e-9


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
        _refuse_first(layer, "spikes", fired != spikes * size)
    far = np.abs(held - potentials) > _SLACK * max(1.0, float(np.abs(held).max()))
    _refuse_first(layer, "potentials", far)


def _refuse_first(layer: FloatLayer, what: str, wrong: NDArray[np.bool_]) -> None:
    """Refuse the first step in which something is ``wrong``, ``(samples, steps, neurons)``."""
    steps = np.flatnonzero(wrong.any(axis=(0, 2)))
    if steps.size:
        step = int(steps[0])
        raise HysteronError(
            f"module {layer.name!r} does not do what its parameters say: {np.count_nonzero(wrong[:, step])} of "
            f"{wrong[:, step].size} {what} of step {step} are others than those of a neuron with its beta, threshold "
            "and reset; something changes its input or its state (a hook, a forward of its own, a reset within the "
            "run, an option set after it was made): use plain modules"
        )
