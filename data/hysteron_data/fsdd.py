# SPDX-License-Identifier: Apache-2.0
"""Spoken digits: the Free Spoken Digit Dataset as spikes of a bank of mel filters.

Six speakers say each digit 15 times; recordings 0 to 4 are for testing, as the set's makers say, 5 to 14 for training.
(Z. Jackson and others, "Free Spoken Digit Dataset".)

A recording becomes :data:`STEPS` spectra, spread evenly over it, so long and short ones look alike. The energy in
each of :data:`BANDS` bands is taken relative to the loudest of the recording, and a band spikes on the inputs whose
level it exceeds.
"""

import hashlib
import io
import re
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hysteron_base.errors import HysteronError, require
from hysteron_base.extras import MissingPackageError

from .archive import read_members
from .damage import reason

#: Samples a second, and samples of a window (32 ms).
RATE = 8000
WINDOW = 256
#: Spectra of a recording; mel bands; the frequencies where the lowest begins and the highest ends, in Hz.
STEPS = 32
BANDS = 32
LOWEST, HIGHEST = 100.0, 4000.0
#: Levels relative to the loudest, in dB, and the level below which all is silence.
LEVELS = (-40.0, -30.0, -20.0, -10.0)
FLOOR = -50.0
#: Recordings of each digit and speaker that are used, and how many of them, the first, are for testing.
RECORDINGS = 15
TESTING = 5

_NAME = re.compile(r"(?:^|/)recordings/(\d_[a-z]+_\d+\.wav)$")

Recordings = dict[str, bytes]


def number_of(name: str) -> tuple[int, str, int]:
    """Split a file name ``<digit>_<speaker>_<recording>.wav`` into recording, speaker and digit."""
    digit, speaker, number = name.removesuffix(".wav").split("_")
    return int(number), speaker, int(digit)


def read_recordings(path: Path) -> Recordings:
    """Read the WAV files of the archive: contents by name, without folders, sorted; only the recordings that are used.

    The archive may be that of the whole repository or of these files alone, compressed by gzip or xz.

    Raises
    ------
    HysteronError
        If it is no whole archive. (A missing one raises :class:`FileNotFoundError`.)
    """
    files = read_members(path, _NAME)
    return {name: content for name, content in files.items() if number_of(name)[0] < RECORDINGS}


def digest(recordings: Recordings) -> str:
    """SHA-256 over name and content of each recording, in the order of their names."""
    sha = hashlib.sha256()
    for name, content in sorted(recordings.items()):
        sha.update(name.encode() + content)
    return sha.hexdigest()


def read_wav(name: str, content: bytes) -> NDArray[np.int16]:
    """Read the samples of a WAV file, ``(samples,)`` int16.

    Raises
    ------
    HysteronError
        If SciPy is not installed, or it is no WAV file of one channel, 16 bits and 8 kHz.
    """
    try:
        from scipy.io import wavfile
    except ImportError:
        raise MissingPackageError("scipy") from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", wavfile.WavFileWarning)  # some have notes of their editor at the end
            rate, samples = wavfile.read(io.BytesIO(content))
    except MemoryError:
        raise
    except Exception as error:  # struct.error, ValueError, EOFError …
        raise HysteronError(f"recording {name!r} is no WAV file ({reason(error)}); get the archive again") from None
    require(
        rate == RATE and samples.ndim == 1 and samples.dtype == np.int16,
        f"recording {name!r} must have one channel of int16 at {RATE} Hz, not {samples.dtype} of shape "
        f"{samples.shape} at {rate} Hz; get the archive again",
    )
    return samples


def mel_filters() -> NDArray[np.float64]:
    """Weight of each frequency of the spectrum in each band, ``(BANDS, WINDOW // 2 + 1)`` float64, 0 … 1.

    Triangles whose corners are spaced evenly on the mel scale, each from the peak of the band below to that of
    the band above.
    """
    lowest, highest = 2595 * np.log10(1 + np.array([LOWEST, HIGHEST]) / 700)
    corners = 700 * (10 ** (np.linspace(lowest, highest, BANDS + 2) / 2595) - 1)
    low, peak, high = (corners[k : k + BANDS, None] for k in range(3))
    hertz = np.arange(WINDOW // 2 + 1) * (RATE / WINDOW)
    return np.clip(np.minimum((hertz - low) / (peak - low), (high - hertz) / (high - peak)), 0, None)


def levels(samples: NDArray[np.int16]) -> NDArray[np.float64]:
    """Compute the energy of each band in each step relative to the greatest, in dB.

    Parameters
    ----------
    samples
        A recording, ``(samples,)``; one shorter than a window is continued by silence.

    Returns
    -------
    ``(STEPS, BANDS)`` float64, from :data:`FLOOR` to 0, in units of 0.001 dB; all :data:`FLOOR` for silence.
    """
    sound = np.zeros(max(len(samples), WINDOW))
    sound[: len(samples)] = samples
    starts = np.arange(STEPS) * (len(sound) - WINDOW) // (STEPS - 1)
    # A Hann window whose period is that of the transform.
    shape = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)
    spectra = np.fft.rfft(sound[starts[:, None] + np.arange(WINDOW)] * shape)
    energies = (spectra.real**2 + spectra.imag**2) @ mel_filters().T
    greatest = energies.max()
    if greatest == 0:
        return np.full((STEPS, BANDS), FLOOR)
    least = 10 ** (FLOOR / 10)
    # Rounded, so that another library's last digit flips no spike.
    return np.round(10 * np.log10(np.clip(energies / greatest, least, 1)), 3)


def encode(samples: NDArray[np.int16]) -> NDArray[np.uint8]:
    """Code a recording as spikes, ``(STEPS, BANDS * len(LEVELS))`` uint8; all levels of a band are neighbours."""
    spikes = levels(samples)[:, :, None] > np.array(LEVELS)
    return spikes.reshape(STEPS, -1).astype(np.uint8)


def select(recordings: Recordings, part: str) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Code the recordings of the part "train" or "test" as spikes.

    They are sorted by recording, speaker and digit, so that the first samples already have all digits.

    Returns
    -------
    inputs, labels
        ``(n, STEPS, 128)`` uint8 spikes, and ``(n,)`` int64.
    """
    wanted = sorted((*number_of(name), name) for name in recordings)
    wanted = [one for one in wanted if (one[0] < TESTING) == (part == "test")]
    inputs = np.stack([encode(read_wav(name, recordings[name])) for *_, name in wanted])
    return inputs, np.array([digit for _, _, digit, _ in wanted], np.int64)
