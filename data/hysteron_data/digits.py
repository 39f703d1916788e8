# SPDX-License-Identifier: Apache-2.0
"""scikit-learn's bundled handwritten digits: 1797 images of 8×8 pixels.

They come with the package, so nothing is downloaded. (Source: E. Alpaydin and C. Kaynak, "Optical
Recognition of Handwritten Digits", UCI Machine Learning Repository, 1998; its test part.)
"""

import numpy as np
from numpy.typing import NDArray

from hysteron_base.extras import MissingPackageError

Images = NDArray[np.uint8]
Labels = NDArray[np.int64]

#: Part of the images that is held out, and the seed that chooses it. Fixed for good: a network that
#: was trained on another split would have seen some of the images it is judged by.
TEST_PART = 0.25
SPLIT_SEED = 0


def load_digits_split() -> tuple[Images, Labels, Images, Labels]:
    """Load the images, split for good into 1347 to train with and 450 to judge by.

    Returns
    -------
    train_images, train_labels, test_images, test_labels
        Images ``(n, 64)`` uint8, row after row: the data set's 0 … 16 times 16, with 256 as 255. Labels
        ``(n,)`` int64. Both parts hold the ten digits in equal proportions.

    Raises
    ------
    HysteronError
        If scikit-learn is not installed.
    """
    try:
        from sklearn.datasets import load_digits
        from sklearn.model_selection import train_test_split
    except ImportError:
        raise MissingPackageError("sklearn") from None
    digits = load_digits()
    images = np.minimum(digits.data * 16, 255).astype(np.uint8)
    labels = digits.target.astype(np.int64)
    train_images, test_images, train_labels, test_labels = train_test_split(
        images, labels, test_size=TEST_PART, random_state=SPLIT_SEED, stratify=labels
    )
    return train_images, train_labels, test_images, test_labels
