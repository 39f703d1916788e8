"""Train the shipped ``digits`` network: ``python -m hysteron_train.digits --out networks/digits.hyn``.

A hidden layer of latch neurons with true hysteresis, an output layer that only integrates. The forward pass is the
hardware's integer arithmetic (:mod:`hysteron_train.layers`), so nothing is lost when the network is stored; that
is checked against golden before it is.
"""

from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import track

from hysteron_data.digits import load_digits_split
from hysteron_golden import (
    Coding,
    CoreConfig,
    Encoder,
    HysteronError,
    Mode,
    Network,
    Potential,
    Readout,
    Reset,
    compile_network,
    run,
    save,
)
from hysteron_golden.encode import encode
from hysteron_golden.errors import require

from .layers import SpikingLayer

POTENTIAL = Potential(16)


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what comes out.

    ``noise`` is the standard deviation of the noise added to pixels that are not 0; ``temperature`` divides the
    output potentials before the softmax.
    """

    hidden: int = 128
    levels: tuple[int, ...] = (24, 88, 152, 216)
    theta_high: int = 24
    theta_low: int = 8
    leak: int = 4
    epochs: int = 80
    batch: int = 64
    rate: float = 0.1
    noise: float = 40.0
    temperature: float = 8.0
    seed: int = 1


def build(recipe: Recipe) -> tuple[SpikingLayer, SpikingLayer]:
    """The layers, untrained."""
    hidden = SpikingLayer(
        64,
        recipe.hidden,
        leak=torch.full((recipe.hidden,), recipe.leak),
        theta_high=recipe.theta_high,
        theta_low=recipe.theta_low,
        potential=POTENTIAL,
        spread=1.5,
        slope_width=4.0,
    )
    output = SpikingLayer(
        recipe.hidden,
        10,
        leak=torch.full((10,), 8),
        theta_high=POTENTIAL.high,
        mode=Mode.PLAIN,
        reset=Reset.NONE,
        potential=POTENTIAL,
        spread=1.5,
    )
    return hidden, output


def train(recipe: Recipe, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> Network:
    """Train on ``(n, 64)`` images and return the integer network."""
    torch.manual_seed(recipe.seed)
    rng = np.random.default_rng(recipe.seed)
    encoder = Encoder(Coding.LEVEL, len(recipe.levels), recipe.levels)
    hidden, output = build(recipe)
    optimiser = torch.optim.Adam([*hidden.parameters(), *output.parameters()], lr=recipe.rate)
    batches = -(-len(images) // recipe.batch)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, recipe.epochs * batches)
    for _ in track(range(recipe.epochs), "training"):
        order = rng.permutation(len(images))
        noisy = images[order] + rng.normal(0, recipe.noise, images.shape) * (images[order] > 0)
        spikes = torch.from_numpy(encode(encoder, np.clip(noisy, 0, 255).astype(np.uint8))).float()
        wanted = torch.from_numpy(labels[order])
        for first in range(0, len(images), recipe.batch):
            part = slice(first, first + recipe.batch)
            fired, _ = hidden(spikes[part])
            _, potentials = output(fired)
            loss = torch.nn.functional.cross_entropy(potentials / recipe.temperature, wanted[part])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            for layer in (hidden, output):
                layer.clip_()
    network = Network((hidden.export(), output.export()), POTENTIAL, encoder, Readout.POTENTIAL, name="digits")
    check_equal(network, hidden, output, images)
    return network


def check_equal(network: Network, hidden: SpikingLayer, output: SpikingLayer, images: NDArray[np.uint8]) -> None:
    """Refuse a network of which golden computes anything else than the training did."""
    result = run(network, images, trace=True)
    assert network.encoder is not None and result.spikes is not None
    with torch.no_grad():
        fired, _ = hidden(torch.from_numpy(encode(network.encoder, images)).float())
        _, potentials = output(fired)
    same = np.array_equal(fired.numpy().astype(bool), result.spikes[0])
    same &= np.array_equal(potentials.numpy().astype(np.int64), result.values)
    require(same, "training and golden disagree, which is a bug of the trainer; please report it")


def accuracy(network: Network, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> float:
    """Fraction that golden classifies right."""
    return float(np.mean(run(network, images).predictions == labels))


@click.command()
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Network file to write.")
@click.option("--seed", type=int, default=Recipe.seed, show_default=True)
@click.option("--epochs", type=click.IntRange(min=1), default=Recipe.epochs, show_default=True)
@click.option("--held-back", is_flag=True, help="Judge by a fifth of the training images instead of the test images.")
def main(out: Path, seed: int, epochs: int, held_back: bool) -> None:
    """Train the digits network and write it.

    Example: python -m hysteron_train.digits --out networks/digits.hyn
    """
    recipe = Recipe(seed=seed, epochs=epochs)
    # Few small products: more threads cost more than they bring, and their sums come in any order.
    torch.set_num_threads(1)
    images, labels, test_images, test_labels = load_digits_split()
    if held_back:
        part = len(images) // 5
        test_images, test_labels = images[:part], labels[:part]
        images, labels = images[part:], labels[part:]
    network = train(recipe, images, labels)
    compile_network(network, CoreConfig.preset("digits"))
    reached = {
        "train": accuracy(network, images, labels),
        "held back" if held_back else "test": accuracy(network, test_images, test_labels),
    }
    events = run(network, test_images).events.mean(axis=0)
    notes = {f"accuracy, {name}": f"{100 * value:.2f} %" for name, value in reached.items()}
    parts = f"{len(images)} images to train with, {len(test_images)} to test"
    notes |= {"data": f"scikit-learn digits, {parts}", "seed": str(seed)}
    options = f"--seed {seed} --epochs {epochs}{' --held-back' * held_back}"
    notes["command"] = f"python -m hysteron_train.digits {options}"
    save(Network(network.layers, network.potential, network.encoder, network.readout, name="digits", notes=notes), out)
    for name, value in notes.items():
        click.echo(f"{name}: {value}")
    click.echo(f"events an image: {', '.join(f'{n:.1f}' for n in events)} (input, hidden, output)")


if __name__ == "__main__":
    try:
        main()
    except HysteronError as error:
        raise SystemExit(f"error: {error}") from None
