# SPDX-License-Identifier: Apache-2.0
"""The catalogue of named data sets: what there is to know of each without loading it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class About:
    """Facts on a named data set.

    Attributes
    ----------
    what
        The samples, described in a few words.
    samples
        Number of samples to train with, and number of samples to test with.
    shape
        Shape of one sample, as a network sees it: ``(pixels…)``, or ``(steps, inputs)`` if it is spikes.
    spikes
        Whether a sample is spikes; otherwise it is pixels for an encoder.
    licence
        Licence of the data.
    source
        Place where the data come from.
    """

    what: str
    samples: tuple[int, int]
    shape: tuple[int, ...]
    spikes: bool
    licence: str
    source: str

    @property
    def size(self) -> str:
        """Shape of one sample in words, for example ``28×28 pixels``."""
        if self.spikes:
            return f"{self.shape[0]} steps × {self.shape[1]}"
        return f"{'×'.join(map(str, self.shape))} pixels"


_MNIST = ("not stated", "yann.lecun.com/exdb/mnist")
_OURS = ("Apache-2.0", "this program")

#: All named data sets.
CATALOGUE = {
    "digits": About("handwritten digits", (1347, 450), (64,), False, "CC BY 4.0", "the package scikit-learn"),
    "mnist": About("handwritten digits", (60000, 10000), (28, 28), False, *_MNIST),
    "mnist-14": About("handwritten digits, averaged over 2×2 pixels", (60000, 10000), (14, 14), False, *_MNIST),
    "mnist-levels": About(
        "handwritten digits, level-coded for a core without encoder", (60000, 10000), (4, 784), True, *_MNIST
    ),
    "fashion-mnist": About(
        "pictures of clothes", (60000, 10000), (28, 28), False, "MIT", "github.com/zalandoresearch/fashion-mnist"
    ),
    "nmnist": About(
        "digits before an event camera",
        (1000, 100),
        (12, 578),
        True,
        "CC BY-SA 4.0",
        "github.com/bamsumit/slayerPytorch",
    ),
    "fsdd": About(
        "spoken digits",
        (600, 300),
        (32, 128),
        True,
        "CC BY-SA 4.0",
        "github.com/Jakobovski/free-spoken-digit-dataset",
    ),
    "qtdb": About(
        "electrocardiograms, phase by step",
        (618, 141),
        (1301, 4),
        True,
        "MIT, ODC-By",
        "github.com/byin-cwi/Efficient-spiking-networks",
    ),
    "yin-yang": About("points of the symbol", (5000, 1000), (4,), False, *_OURS),
    "material": About("stress of a material with memory", (2000, 500), (100, 34), True, *_OURS),
    "materials": About("stress of its eight elements", (2000, 500), (100, 34), True, *_OURS),
}
