# SPDX-License-Identifier: Apache-2.0
"""Input encoders: 8-bit pixels to spikes, exactly as the on-chip encoder makes them.

========  ====================================================================================
rate      input *i* spikes at *t* if its pixel exceeds a fresh random byte: P = pixel / 256
level     input *i* spikes at *t* if its pixel exceeds ``thresholds[t]`` (a thermometer code)
latency   one spike, at the first *t* with pixel > ``thresholds[t]``; brighter is earlier
direct    no spikes: the pixel itself is the input current of layer 0 at every step
========  ====================================================================================

The random bytes come from one linear-feedback shift register of 127 bits with the recurrence
``x[i] = x[i-64] ^ x[i-127]``, the primitive trinomial x^127 + x^63 + 1 (Zierler, "Primitive trinomials
whose degree is a Mersenne exponent", 1969). Both taps are at least 64 bits old, so 64 new bits a cycle cost one
XOR gate each, which is what lets hardware encode :data:`GROUP` pixels a cycle; and they are far apart,
so that bytes are independent in pairs (neighbouring taps would hand on runs of zeros).

Specified in docs/specification.md, §4.
"""

import hashlib
import math
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hysteron_base.errors import HysteronError, integer_in, rectangular, require
from hysteron_base.settings import member_of

#: Pixels encoded together; the random byte of pixel *i* at step *t* is number ``t * 8 * groups + i``.
GROUP = 8
#: Length of the shift register, which is its older tap, and its younger tap.
LFSR_BITS = 127
LFSR_TAP = 64
#: Largest number of steps an encoder makes of one image.
MAX_STEPS = 255


class Coding(IntEnum):
    """How pixels become input (the hardware uses the same codes)."""

    RATE = 0
    LEVEL = 1
    LATENCY = 2
    DIRECT = 3


@dataclass(frozen=True)
class Encoder:
    """An input encoder.

    Parameters
    ----------
    coding
        See the table above.
    steps
        Time steps made of one image, 1 to 255.
    thresholds
        For level and latency coding: one byte for each step; strictly falling for latency coding.
    seed
        For rate coding: any integer of 64 bits; every image starts from it, so an image's spikes
        do not depend on its neighbours.
    """

    coding: Coding
    steps: int
    thresholds: tuple[int, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "coding", member_of("coding", self.coding, Coding))
        object.__setattr__(self, "steps", integer_in("encoder steps", self.steps, 1, MAX_STEPS))
        object.__setattr__(self, "seed", integer_in("encoder seed", self.seed, 0, (1 << 64) - 1))
        try:
            object.__setattr__(self, "thresholds", tuple(self.thresholds))
        except TypeError:
            raise HysteronError(f"thresholds must be a list of bytes, not {self.thresholds!r}") from None
        tabled = self.coding in (Coding.LEVEL, Coding.LATENCY)
        require(
            len(self.thresholds) == (self.steps if tabled else 0),
            f"{self.coding.name.lower()} coding over {self.steps} steps takes "
            f"{self.steps if tabled else 0} thresholds, not {len(self.thresholds)}",
        )
        object.__setattr__(
            self,
            "thresholds",
            tuple(integer_in(f"thresholds[{t}]", value, 0, 255) for t, value in enumerate(self.thresholds)),
        )
        if self.coding is Coding.LATENCY:
            for t in range(1, self.steps):
                require(
                    self.thresholds[t] < self.thresholds[t - 1],
                    f"latency thresholds must fall strictly, but thresholds[{t}] = {self.thresholds[t]} "
                    f"follows {self.thresholds[t - 1]}",
                )

    @classmethod
    def latency(cls, steps: int) -> "Encoder":
        """Latency coding with evenly spaced thresholds."""
        return cls(
            Coding.LATENCY, steps, tuple(255 - (256 * (t + 1)) // steps + (t + 1 == steps) for t in range(steps))
        )

    def lfsr_state(self) -> int:
        """Initial shift register (127 bits, never 0): bits of SHA-256 over the seed's 8 bytes."""
        digest = hashlib.sha256(self.seed.to_bytes(8, "little")).digest()
        return int.from_bytes(digest[:16], "little") & ((1 << LFSR_BITS) - 1) | 1


def random_bytes(state: int, count: int) -> NDArray[np.uint8]:
    """First ``count`` bytes of the shift register's output.

    ``state`` holds the last 127 bits, newest in the lowest bit. Sequence bits fill a byte from its
    lowest bit up.
    """
    bits = np.empty(LFSR_BITS + 8 * count, np.uint8)
    bits[:LFSR_BITS] = [state >> (LFSR_BITS - 1 - i) & 1 for i in range(LFSR_BITS)]
    for position in range(LFSR_BITS, bits.size, LFSR_TAP):
        n = min(LFSR_TAP, bits.size - position)
        old, young = position - LFSR_BITS, position - LFSR_TAP
        bits[position : position + n] = bits[old : old + n] ^ bits[young : young + n]
    return np.packbits(bits[LFSR_BITS:], bitorder="little")


def check_pixels(images: NDArray[Any], n_in: int, *, first: int = 0) -> NDArray[np.uint8]:
    """``images`` as ``(samples, n_in)`` bytes; ``first`` is the number of the first image, for messages.

    Raises
    ------
    HysteronError
        If an image has another number of pixels or a pixel is not a whole number from 0 to 255.
    """
    images = rectangular("images", images)
    require(images.ndim >= 2, f"images must have shape (samples, pixels…), not {images.shape}")
    pixels = math.prod(images.shape[1:])
    hint = ""
    if images.ndim > 2 and math.prod(images.shape[2:]) == n_in:
        hint = "; axis 1 seems to be time, but the network makes its own steps: give one image a sample"
    require(
        pixels == n_in,
        f"images must have {n_in} pixels as the network has inputs, not {pixels} {images.shape[1:]}{hint}",
    )
    flat = images.reshape(len(images), n_in)
    if flat.dtype != np.uint8:
        require(flat.dtype.kind in "iuf", f"pixels must be numbers, not {flat.dtype}")
        with np.errstate(invalid="ignore"):
            good = (flat >= 0) & (flat <= 255) & (flat == np.rint(flat))
        if not np.all(good):
            i, j = (int(k) for k in np.argwhere(~good)[0])
            unit = flat.dtype.kind == "f" and bool(((flat >= 0) & (flat <= 1)).all())
            hint = "; pixels that go from 0 to 1 become bytes with np.rint(255 * inputs)" if unit else ""
            raise HysteronError(
                f"pixel {j} of image {first + i} must be a whole number from 0 to 255, not {flat[i, j]}{hint}"
            )
    return flat.astype(np.uint8)


def check_spikes(inputs: NDArray[Any], n_in: int, *, first: int = 0) -> NDArray[np.uint8]:
    """``inputs`` as ``(samples, steps, n_in)`` uint8 of 0 and 1; ``first`` is the number of the first sample.

    Frames ``(samples, steps, …)`` of several axes, as event cameras give them, are laid out in a row for each step, the
    last axis fastest.

    Raises
    ------
    HysteronError
        If a sample has another number of inputs or no step, or a value is neither 0 nor 1.
    """
    inputs = rectangular("spikes", inputs)
    shape = inputs.shape
    wanted = f"spikes must have shape (samples, steps, {n_in}), not {shape}"
    if inputs.ndim < 3:
        pixels = inputs.ndim == 2 and shape[1] == n_in
        raise HysteronError(wanted + ("; the network has no encoder, which would make steps of pixels" * pixels))
    require(shape[1] > 0, "a sample needs at least one time step, not 0")
    each = math.prod(shape[2:])
    if each != n_in:
        told = f"spikes must have {n_in} inputs as the network has, not {each}"
        told += "" if inputs.ndim == 3 else f", which axes 2 and up of shape {shape} make together"
        if n_in in shape[:-1]:
            axis = shape.index(n_in)
            told += f"; axis {axis} has {n_in}: axes are (samples, steps, inputs), see np.moveaxis(inputs, {axis}, -1)"
        raise HysteronError(told)
    inputs = inputs.reshape(*shape[:2], n_in)
    if inputs.dtype == bool:
        return inputs.astype(np.uint8)
    require(inputs.dtype.kind in "iuf", f"spikes must be numbers, not {inputs.dtype}")
    bad = (inputs != 0) & (inputs != 1)
    if bad.any():
        where = tuple(int(i) for i in np.argwhere(bad)[0])
        raise HysteronError(
            f"spike{[first + where[0], *where[1:]]} (sample, step, input) must be 0 or 1, not {inputs[where]}"
            + _not_spikes(inputs)
        )
    return inputs.astype(np.uint8)


def _not_spikes(values: NDArray[Any]) -> str:
    """The remedy for numbers that are no spikes, by what they look like; empty if they look like nothing known."""
    if not np.isfinite(values).all():
        return ""
    if (values < 0).any():
        return "; give negative spikes inputs of their own: np.concatenate([inputs > 0, inputs < 0], axis=-1)"
    if (values == np.rint(values)).all():
        return "; an input spikes once a step: take finer steps, or inputs > 0 if counts do not matter"
    return "; values between 0 and 1 are no spikes: encode them first, or import the network with a coding of pixels"


def check_inputs(encoder: Encoder | None, inputs: NDArray[Any], n_in: int, *, first: int = 0) -> NDArray[np.uint8]:
    """Samples as a network takes them: pixels for its encoder, or spikes if it has none.

    Parameters
    ----------
    encoder
        The network's.
    inputs
        ``(samples, pixels…)``, see :func:`check_pixels`, or ``(samples, steps, …)``, see :func:`check_spikes`.
    n_in
        The network's inputs.
    first
        Number of the first sample, for messages.
    """
    check = check_spikes if encoder is None else check_pixels
    return check(inputs, n_in, first=first)


def encode(encoder: Encoder, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Spikes of ``pixels``.

    Parameters
    ----------
    encoder
        Any coding but direct, which makes no spikes.
    pixels
        ``(samples, n_in)`` bytes.

    Returns
    -------
    ``(samples, steps, n_in)`` of 0 and 1, uint8.
    """
    require(encoder.coding is not Coding.DIRECT, "direct coding makes no spikes; run the network on the pixels")
    n_in = pixels.shape[1]
    if encoder.coding is Coding.RATE:
        groups = -(-n_in // GROUP)
        noise = random_bytes(encoder.lfsr_state(), encoder.steps * groups * GROUP)
        level = noise.reshape(encoder.steps, groups * GROUP)[:, :n_in]
    else:
        level = np.repeat(np.array(encoder.thresholds, np.uint8)[:, None], n_in, axis=1)
    spikes = pixels[:, None, :] > level[None]
    if encoder.coding is Coding.LATENCY:
        spikes[:, 1:] &= pixels[:, None, :] <= level[None, :-1]
    return spikes.astype(np.uint8)
