# SPDX-License-Identifier: Apache-2.0
"""Train a network on scikit-learn's digits with snnTorch and write it as a NIR file: ``python digits.py digits.nir``.

An ordinary snnTorch script, as its users have one; nothing in it knows of Hysteron. It needs the packages torch,
snntorch, nir, nirtorch, h5py and scikit-learn. The file beside it was made by it.
"""

import sys

import nir
import snntorch as snn
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from snntorch.export_nir import export_to_nir
from torch import nn

STEPS = 8
HIDDEN = 64
EPOCHS = 40


def neurons(n: int) -> snn.Leaky:
    """``n`` neurons; the exporter needs beta and threshold for each."""
    return snn.Leaky(
        beta=torch.full((n,), 0.9),
        threshold=torch.ones(n),
        reset_mechanism="subtract",
        reset_delay=False,
        init_hidden=True,
    )


def spike_counts(network: nn.Sequential, images: torch.Tensor) -> torch.Tensor:
    """Spikes of the outputs over all steps; the image is the input current of every step."""
    for module in network:
        if isinstance(module, snn.Leaky):
            module.reset_mem()
    return torch.stack([network(images) for _ in range(STEPS)]).sum(dim=0)


def main() -> None:
    """Train, say how good it is, write the file."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    digits = load_digits()
    # The pixels, 0 to 16, as the bytes of an image, in the split of Hysteron's data set "digits".
    pixels = (digits.data * 16).clip(max=255).astype("uint8")
    images, test_images, labels, test_labels = train_test_split(
        torch.tensor(pixels / 255, dtype=torch.float32),
        torch.tensor(digits.target),
        test_size=0.25,
        random_state=0,
        stratify=digits.target,
    )
    network = nn.Sequential(nn.Linear(64, HIDDEN), neurons(HIDDEN), nn.Linear(HIDDEN, 10), neurons(10))
    optimiser = torch.optim.Adam(network.parameters(), 3e-3)
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(images)).split(64):
            loss = nn.functional.cross_entropy(spike_counts(network, images[batch]) / 2, labels[batch])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    with torch.no_grad():
        answers = spike_counts(network, test_images).argmax(dim=1)
    print(f"accuracy on {len(test_labels)} test images: {100 * (answers == test_labels).float().mean():.2f} %")
    nir.write(sys.argv[1], export_to_nir(network, torch.zeros(1, 64), ignore_dims=[0]))


if __name__ == "__main__":
    main()
