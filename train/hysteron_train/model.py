# SPDX-License-Identifier: Apache-2.0
"""A trainable network: the layers of a recipe, and the golden network they become."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from hysteron_base.errors import require
from hysteron_data.sets import DataSet
from hysteron_golden import run
from hysteron_measure.score import Answers, Task
from hysteron_measure.score import score as judge
from hysteron_spec import Coding, Mode, Network, Readout, Reset
from hysteron_spec.encoder import encode

from .layers import SpikingLayer
from .recipe import Recipe

#: Samples whose every spike and potential is compared with golden before a network is stored.
CHECKED = 500


class SpikingNetwork(nn.Module):
    """The layers of ``recipe`` for samples of ``n_in`` inputs and ``n_out`` outputs, untrained.

    ``exact=False`` makes the float twin: the same shape without the hardware's integers.
    """

    def __init__(self, recipe: Recipe, n_in: int, n_out: int, *, exact: bool = True) -> None:
        super().__init__()
        self.recipe = recipe
        core = recipe.core()
        self.potential = core.potential
        self.encoder = recipe.encoder()
        formats: dict[str, Any] = {
            "potential": core.potential,
            "weight_bits": core.weight_bits,
            "bias_bits": core.bias_bits,
            "leak_bits": core.leak_bits,
            "exact": exact,
        }
        layers = []
        for index, neurons in enumerate(recipe.hidden):
            layers.append(
                SpikingLayer(
                    n_in,
                    neurons,
                    leak=torch.linspace(recipe.leak[index], recipe.leak_to[index], neurons),
                    learn_leak=recipe.learn_leak,
                    theta_high=recipe.theta_high[index],
                    theta_low=recipe.theta_low[index],
                    mode=Mode[recipe.mode.upper()],
                    reset=Reset[recipe.reset.upper()],
                    spread=recipe.spread,
                    slope_width=recipe.slope_width,
                    armed_gradient=recipe.armed_gradient,
                    recurrent=recipe.recurrent[index],
                    **formats,
                )
            )
            n_in = neurons
        layers.append(
            SpikingLayer(
                n_in,
                n_out,
                leak=torch.full((n_out,), recipe.output_leak),
                theta_high=core.potential.high,
                mode=Mode.PLAIN,
                reset=Reset.NONE,
                spread=recipe.output_spread,
                **formats,
            )
        )
        self.layers = nn.ModuleList(layers)

    def encoded(self, inputs: NDArray[np.uint8]) -> tuple[Tensor, int]:
        """``inputs`` of the data set as what layer 0 takes, and the number of steps."""
        if self.encoder is None:
            return torch.from_numpy(inputs).float(), inputs.shape[1]
        pixels = inputs.reshape(len(inputs), -1)
        if self.encoder.coding is Coding.DIRECT:
            return torch.from_numpy(pixels).float()[:, None], self.encoder.steps
        return torch.from_numpy(encode(self.encoder, pixels)).float(), self.encoder.steps

    def forward(self, inputs: NDArray[np.uint8]) -> tuple[list[Tensor], list[Tensor]]:
        """Each layer's potentials after each step ``(samples, steps, n_out)``, and each hidden layer's spikes."""
        current, steps = self.encoded(inputs)
        truncate = self.recipe.truncate if self.training else 0
        potentials, spikes = [], []
        for layer in self.layers:
            fired, held = layer(current, steps, truncate)
            potentials.append(held)
            spikes.append(fired)
            drop = self.training and self.recipe.dropout
            current = nn.functional.dropout(fired, self.recipe.dropout) if drop else fired
        return potentials, spikes[:-1]

    def anneal_(self, progress: float) -> None:
        """Set the hidden thresholds for ``progress`` (0 to 1) of the training."""
        recipe = self.recipe
        scale = 1.0
        if progress < recipe.annealing:
            scale = recipe.anneal_from + (1 - recipe.anneal_from) * progress / recipe.annealing
        for layer in self.layers[:-1]:
            layer.theta_scale = scale

    def export(self, notes: dict[str, str] | None = None) -> Network:
        """The golden network."""
        return Network(
            tuple(layer.export() for layer in self.layers),
            self.potential,
            None if self.recipe.coded_as else self.encoder,
            Readout.POTENTIAL,
            readout_every_step=self.recipe.wanted is not Task.CLASSES,
            name=self.recipe.name,
            notes=notes or {},
        )

    def coded(self, inputs: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """``inputs`` of ``dataset`` as the exported network takes them."""
        return self.encoded(inputs)[0].numpy().astype(np.uint8) if self.recipe.coded_as else inputs

    @torch.no_grad()
    def check_equal(self, network: Network, inputs: NDArray[np.uint8]) -> None:
        """Refuse a network of which golden computes anything else than the training does."""
        inputs = inputs[:CHECKED]
        result = run(network, self.coded(inputs), trace=True)
        assert result.spikes is not None and result.potentials is not None
        self.eval()
        potentials, spikes = self(inputs)
        same = True
        for mine, potential in zip(potentials, result.potentials, strict=True):
            same &= np.array_equal(mine.numpy().astype(np.int64), potential)
        for mine, fired in zip(spikes, result.spikes[:-1], strict=True):
            same &= np.array_equal(mine.numpy().astype(bool), fired)
        require(same, "training and golden disagree, which is a bug of the trainer; please report it")


def predict(model: SpikingNetwork, data: DataSet, batch: int = 500) -> NDArray[np.float32]:
    """Read-out potentials after each step, ``(samples, steps, n_out)``, computed by PyTorch."""
    model.eval()
    with torch.no_grad():
        parts = [
            model(data.inputs[first : first + batch])[0][-1].numpy() for first in range(0, len(data.inputs), batch)
        ]
    return np.concatenate(parts)


def score(recipe: Recipe, potentials: NDArray[Any], data: DataSet) -> float:
    """How good read-out potentials ``(samples, steps, n_out)`` are; :func:`hysteron_measure.score.score` judges."""
    return judge(recipe.wanted, data, Answers.potentials(potentials), recipe.scale)
