# SPDX-License-Identifier: Apache-2.0
"""The driver against a device in this process: what its results must be."""

import numpy as np
from numpy.typing import NDArray

from hysteron_host.accelerator import Accelerator
from hysteron_host.image import Image
from hysteron_spec.answers import Answer
from hysteron_spec.packets import sample_packets
from support.device import Device, Wire, answer


def expected(sample: NDArray[np.uint8], n_out: int) -> tuple[int, list[int], list[list[int]]]:
    """Winner, values and the values of all steps that the device's network gives."""
    answers = [answer([int(w) for w in packet], n_out) for packet in sample_packets(sample)]
    values = np.array(answers, np.uint32).view(np.int32)
    return answers[-1][-1], values[-1, :-1].tolist(), values[:, :-1].tolist()


def check(results: list[Answer], samples: list[NDArray[np.uint8]], picture: Image) -> None:
    """Each sample has its result, in order."""
    assert [result.index for result in results] == list(range(len(samples)))
    for result, sample in zip(results, samples, strict=True):
        winner, values, steps = expected(sample.reshape(-1) if picture.pixels else sample, picture.n_out)
        assert (result.prediction, result.values.tolist()) == (winner, values)
        assert result.values.dtype == np.int32
        assert (result.steps is None) == (not picture.every_step)
        assert result.steps is None or result.steps.tolist() == steps


def machine(wire: Wire, picture: Image) -> Accelerator:
    wire.device = Device(n_out=picture.n_out, every_step=picture.every_step)
    made = Accelerator(wire)
    made.load(picture)
    return made
