# SPDX-License-Identifier: Apache-2.0
"""A network as in snnTorch's tutorials, trained on scikit-learn's digits, then on the hardware: ``python tutorial.py``.

The class and its training are snnTorch alone: a loop over the steps, scalar beta, every option at its default. The last
lines take the trained module as it is, make the hardware's integers of it, run them, and write ``tutorial.hyn``, or the
file that is named, for ``hysteron sim``. It takes half a minute.
"""

import sys

import snntorch as snn
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

import hyn

num_steps = 10


class Net(nn.Module):
    """Two layers of leaky neurons; the image is the input current of every step."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(64, 64)
        self.lif1 = snn.Leaky(beta=0.9)
        self.fc2 = nn.Linear(64, 10)
        self.lif2 = snn.Leaky(beta=0.9)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Spikes and potentials of the outputs, ``(steps, images, 10)``, of images ``(images, 64)``."""
        mem1 = self.lif1.init_leaky()
        mem2 = self.lif2.init_leaky()
        spk2_rec = []
        mem2_rec = []
        for _ in range(num_steps):
            cur1 = self.fc1(x)
            spk1, mem1 = self.lif1(cur1, mem1)
            cur2 = self.fc2(spk1)
            spk2, mem2 = self.lif2(cur2, mem2)
            spk2_rec.append(spk2)
            mem2_rec.append(mem2)
        return torch.stack(spk2_rec, dim=0), torch.stack(mem2_rec, dim=0)


def train(net: Net, images: torch.Tensor, labels: torch.Tensor, epochs: int = 20) -> None:
    """Cross entropy of the potentials in every step, as in the tutorials."""
    loss_of = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
    for _ in range(epochs):
        for batch in torch.randperm(len(images)).split(64):
            _, mem_rec = net(images[batch])
            loss = torch.stack([loss_of(mem, labels[batch]) for mem in mem_rec]).sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


torch.manual_seed(0)
torch.set_num_threads(1)
digits = load_digits()
pixels = (digits.data * 16).clip(max=255).astype("uint8")
train_pixels, test_pixels, train_labels, test_labels = train_test_split(
    pixels, digits.target, test_size=0.25, random_state=0, stratify=digits.target
)
net = Net()
train(net, torch.tensor(train_pixels / 255, dtype=torch.float32), torch.tensor(train_labels))
with torch.no_grad():
    spk_rec, _ = net(torch.tensor(test_pixels / 255, dtype=torch.float32))
print(f"snnTorch: {100 * (spk_rec.sum(0).argmax(1).numpy() == test_labels).mean():.2f} % of {len(test_labels)} images")

# In the hardware's integers, with training images to choose the scales by, compared on the test images.
tests = hyn.DataSet("digits", test_pixels, test_labels)
imported = hyn.import_network(net, weight_bits=4, bias_bits=10, calibrate=train_pixels, data=tests)
hyn.save(imported.network, sys.argv[1] if len(sys.argv) > 1 else "tutorial.hyn")

print(f"Hysteron: {100 * imported.comparison.accuracy:.2f} % with 4-bit weights, {imported.network.shape}")
print("\n".join(imported.rounding.remarks))
