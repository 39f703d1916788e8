# SPDX-License-Identifier: Apache-2.0
"""A module of PyTorch on the very inputs that its integers are given, in double precision."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hysteron_base.errors import HysteronError, require

from .libraries import library
from .model import FloatNetwork, run_layer
from .notes import Trail, note_down, noted
from .parts import NEURONS, kind_of, leaves
from .recording import record


def compare_module(
    module: Any,
    network: FloatNetwork,
    inputs: NDArray[np.uint8],
    *,
    input_shape: tuple[int, ...] | None = None,
    mean: float = 0.0,
    std: float = 1.0,
) -> dict[str, float]:
    """For each layer the share of the module's spikes and silences that the float network has too.

    Parameters
    ----------
    module, network
        A module whose ``forward`` can be run as it is, and the float network that was read from it and given its input.
    inputs
        ``(samples, steps, n_in)`` spikes, or ``(samples, n_in)`` pixels in direct coding.
    input_shape
        Shape of one sample in one step; None: ``(n_in,)``.
    mean, std
        The module was trained on ``(pixel / 255 - mean) / std``.

    Raises
    ------
    HysteronError
        If the module cannot be run on them.
    """
    torch = library("torch")
    shape = input_shape or (network.n_in,)
    samples, direct = len(inputs), inputs.ndim == 2
    trained = (inputs / (255.0 if direct else 1.0) - mean) / std

    neurons = [part for _, part in leaves(module) if kind_of(part) in NEURONS]
    # A Sequential of neurons that return their state too is trained in a loop over its modules.
    apart = isinstance(module, torch.nn.Sequential) and any(not part.init_hidden or part.output for part in neurons)

    def call(given: Any) -> Any:
        note = noted(given)
        values = trained
        if isinstance(note, Trail):
            if not direct:
                require(network.shown is None, "it shows one input for all steps, and is given spikes")
                values = trained[:, (note.step or 0) % trained.shape[1]]
            values = values.reshape(samples, *shape)
        else:
            # The axis of the steps is where the recording put it: second, or first.
            axis = 1 if given.shape[0] == samples else 0
            steps = given.shape[axis]
            number = np.arange(steps) % (1 if direct else trained.shape[1])
            series = trained.reshape(samples, -1, *shape)[:, number]
            values = np.moveaxis(series, 1, axis)
        out = note_down(torch.tensor(np.ascontiguousarray(values), dtype=torch.float64), note)
        if not apart:
            return module(out)
        for _, part in leaves(module):
            out = part(out)
            out = out[0] if isinstance(out, tuple) else out
        return out

    try:
        recording = record(module, call, shape, samples)
    except (HysteronError, ValueError, RuntimeError, TypeError) as error:
        raise HysteronError(str(error).splitlines()[0] if str(error) else type(error).__name__) from None
    shares: dict[str, float] = {}
    current: NDArray[Any] = inputs
    for layer in network.layers:
        fired = np.stack(recording.calls[layer.name].fired, axis=1) > 0
        if not direct and current is inputs:
            current = inputs[:, np.arange(fired.shape[1]) % inputs.shape[1]]
        spikes, _ = run_layer(layer, current, fired.shape[1])
        shares[layer.name] = float(np.mean(spikes == fired))
        # Each layer is given the module's own spikes before it.
        current = fired.astype(np.uint8)
    return shares
