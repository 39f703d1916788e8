# SPDX-License-Identifier: Apache-2.0
"""The golden model in place of a machine: for people without hardware, and to study what disturbances do."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import hysteron_networks
from hysteron_base.closing import Closing
from hysteron_base.errors import integer_in, number, rectangular, require
from hysteron_base.settings import checked_options
from hysteron_base.turns import Turns
from hysteron_spec import Layer, Network, load
from hysteron_spec.answers import Answer
from hysteron_spec.encoder import Coding, check_inputs, encode

from .run import run

#: Samples that are computed together.
_BATCH = 64
#: Steps of the largest jitter: beyond it no spike of any sample would stay where it is.
_MOST_JITTER = 1 << 32
_MOST_SEED = (1 << 128) - 1


class GoldenAccelerator(Closing):
    """The golden model as a machine: it works as the driver's other machines do, and can be disturbed.

    Parameters
    ----------
    weight_errors
        Probability that a bit of a stored weight is wrong.
    jitter
        Standard deviation, in steps, by which each input spike is moved in time; one that leaves the sample is lost.
    dropped
        Probability that an input spike is lost.
    seed
        Where the disturbances begin, at least 0: a sample's are the same for the same seed and index, whatever runs
        before.
    """

    def __init__(self, *, weight_errors: float = 0.0, jitter: float = 0.0, dropped: float = 0.0, seed: int = 0) -> None:
        for name, value in (("weight_errors", weight_errors), ("dropped", dropped), ("jitter", jitter)):
            number(name, value, "give one from 0 up")
        for name, value in (("weight_errors", weight_errors), ("dropped", dropped)):
            require(0 <= value <= 1, f"{name} must be from 0 to 1, not {value!r}")
        require(0 <= jitter <= _MOST_JITTER, f"jitter must be from 0 to {_MOST_JITTER} steps, not {jitter!r}")
        seed = integer_in("seed", seed, 0, _MOST_SEED)
        self.weight_errors, self.jitter, self.dropped, self.seed = weight_errors, jitter, dropped, seed
        self._turns = Turns("the machine golden:")
        self._network: Network | None = None
        self._samples = 0
        self._events = 0

    def close(self) -> None:
        """Let no further call begin; nothing is to be given back."""
        self._turns.close()

    def load(self, network: Network | str | Path, *, progress: Any = None) -> None:
        """Take a network, or that of a file, and disturb its weights."""
        with self._turns:
            self._load(network)
            if progress is not None:
                progress(1.0)

    def _load(self, given: Network | str | Path) -> None:
        network = given if isinstance(given, Network) else load(hysteron_networks.find(given))
        self._turns.begin()
        layers = network.layers
        if self.weight_errors:
            rng = np.random.default_rng(self.seed)
            layers = tuple(self._disturbed(layer, rng) for layer in layers)
        self._network = replace(network, layers=layers)

    def infer(self, samples: Iterable[NDArray[np.integer]], *, first: int = 0) -> Iterator[Answer]:
        """Answers to samples, in their order; ``first`` is the index of the first one."""
        return self._turns.run(self._infer(samples, first))

    def _infer(self, samples: Iterable[NDArray[np.integer]], first: int) -> Iterator[Answer]:
        network = self._network
        require(network is not None, "no network is loaded; call load() first")
        assert network is not None
        source = iter(samples)
        while batch := [rectangular("a sample", one) for one in islice(source, _BATCH)]:
            # Sequences may differ in length; each is a batch of its own then.
            groups = [batch] if len({one.shape for one in batch}) == 1 else [[one] for one in batch]
            for group in groups:
                yield from self._results(network, np.stack(group), first)
                first += len(group)

    def _results(self, network: Network, inputs: NDArray[Any], first: int) -> Iterator[Answer]:
        # Here, where the samples' own numbers are known, so that a message names the right one.
        inputs = check_inputs(network.encoder, inputs, network.n_in, first=first)
        if self.jitter or self.dropped:
            if network.encoder is not None:
                require(
                    network.encoder.coding is not Coding.DIRECT,
                    "spikes cannot be disturbed in direct coding, which has none; disturb weights",
                )
                inputs = encode(network.encoder, inputs)
                network = replace(network, encoder=None)
            inputs = np.stack([self._shaken(spikes, first + k) for k, spikes in enumerate(inputs)])
        result = run(network, inputs)
        steps = result.step_values if network.readout_every_step else None
        for k in range(len(inputs)):
            self._samples += 1
            self._events += int(result.events[k].sum())
            yield Answer(
                first + k,
                int(result.predictions[k]),
                result.values[k].astype(np.int32),
                None if steps is None else steps[k].astype(np.int32),
            )

    def stats(self) -> dict[str, Any]:
        """Return the numbers of samples and events so far."""
        with self._turns:
            return {"golden": {"samples": self._samples, "events": self._events}}

    def _disturbed(self, layer: Layer, rng: np.random.Generator) -> Layer:
        """Bits of the weights flipped as in a bad memory."""
        return replace(
            layer,
            weights=self._flipped(layer.weights, layer, rng),
            recurrent=None if layer.recurrent is None else self._flipped(layer.recurrent, layer, rng),
        )

    def _flipped(self, weights: NDArray[Any], layer: Layer, rng: np.random.Generator) -> NDArray[np.int64]:
        bits = layer.weight_bits
        wrong = rng.random((*weights.shape, bits)) < self.weight_errors
        mask = (wrong << np.arange(bits)).sum(axis=-1)
        values = weights.astype(np.int64)
        if bits == 1:
            return np.where(mask, (1 - values) if layer.unit_weights else -values, values)
        flipped = (values & ((1 << bits) - 1)) ^ mask
        return np.where(flipped >> (bits - 1), flipped - (1 << bits), flipped)

    def _shaken(self, spikes: NDArray[np.uint8], index: int) -> NDArray[np.uint8]:
        """Spikes ``(steps, inputs)`` of sample ``index`` moved in time and lost."""
        rng = np.random.default_rng((self.seed, index))
        step, place = np.nonzero(spikes)
        moved = step + np.rint(rng.normal(0, self.jitter, len(step))).astype(np.int64)
        kept = (moved >= 0) & (moved < len(spikes)) & (rng.random(len(step)) >= self.dropped)
        shaken = np.zeros_like(spikes)
        shaken[moved[kept], place[kept]] = 1
        return shaken


def open_machine(place: str, **options: Any) -> GoldenAccelerator:
    """Open the golden model as a machine: the kind ``golden`` of the driver.

    Parameters
    ----------
    place
        What is behind the colon of the address; nothing is to be there.
    options
        Disturbances, see :class:`GoldenAccelerator`.
    """
    require(not place, f"a machine golden: has nothing behind the colon, not {place!r}")
    return GoldenAccelerator(**checked_options("a machine golden:", GoldenAccelerator, options))
