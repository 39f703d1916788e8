# SPDX-License-Identifier: Apache-2.0
"""Spoken digits."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hysteron_base.errors import HysteronError
from hysteron_data import fsdd
from hysteron_data.fsdd import BANDS, FLOOR, LEVELS, STEPS, WINDOW, encode, levels, mel_filters
from hysteron_data.sets import load_data_set
from support.data import need_data

Make = Callable[..., bytes]

#: Frequencies of the spectrum, in Hz.
HERTZ = np.arange(WINDOW // 2 + 1) * 31.25


def tone(hertz: float, amplitude: float, samples: int = 4000) -> np.ndarray:
    return np.round(amplitude * np.sin(2 * np.pi * hertz * np.arange(samples) / 8000)).astype(np.int16)


def test_filters_are_triangles_that_overlap_by_half() -> None:
    filters = mel_filters()
    assert filters.shape == (BANDS, WINDOW // 2 + 1)
    assert filters.min() == 0
    assert filters.max() <= 1
    # Where one falls the next rises, so between the first peak and the last they add up to 1.
    peaks = HERTZ[filters.argmax(axis=1)]
    between = (peaks[0] + 31.25 < HERTZ) & (peaks[-1] - 31.25 > HERTZ)
    assert np.allclose(filters.sum(axis=0)[between], 1)
    assert np.all(np.diff(peaks) > 0)
    assert np.all(filters[:, (HERTZ <= 100) | (HERTZ >= 4000)] == 0)


def test_rows_of_the_filters() -> None:
    """Corners by the formula of the mel scale, 2595 log10(1 + f / 700), band 0 and the last."""

    def mel(hertz: float) -> float:
        return 2595 * np.log10(1 + hertz / 700)

    corners = [700 * (10 ** (m / 2595) - 1) for m in np.linspace(mel(100), mel(4000), BANDS + 2)]
    for band in (0, BANDS - 1):
        low, peak, high = corners[band : band + 3]
        assert np.allclose(mel_filters()[band], np.interp(HERTZ, [low, peak, high], [0, 1, 0]))


def test_a_tone_is_loudest_in_its_band() -> None:
    for hertz in (250.0, 1000.0, 3000.0):
        loud = levels(tone(hertz, 9000))
        assert loud.shape == (STEPS, BANDS)
        band = int(loud[10].argmax())
        assert band == int(mel_filters()[:, round(hertz / 31.25)].argmax())
        assert loud[:, band] == pytest.approx(0, abs=0.01)


def test_levels_are_relative_and_clipped() -> None:
    """A tone whose second half is 20 times quieter, 26.02 dB, and another 1000 times quieter."""
    band = int(mel_filters()[:, 32].argmax())
    quiet = levels(np.concatenate([tone(1000, 20000), tone(1000, 1000)]))
    assert quiet[0, band] == pytest.approx(0, abs=0.01)
    assert quiet[-1, band] == pytest.approx(-26.02, abs=0.01)
    silent = levels(np.concatenate([tone(1000, 20000), tone(1000, 20)]))
    assert silent[-1, band] == FLOOR
    assert np.array_equal(quiet, np.round(quiet, 3))
    assert (quiet.min(), quiet.max()) == (FLOOR, 0)


def test_spikes_are_a_thermometer_of_the_level() -> None:
    band = int(mel_filters()[:, 32].argmax())
    spikes = encode(np.concatenate([tone(1000, 20000), tone(1000, 1000)]))
    assert spikes.shape == (STEPS, BANDS * len(LEVELS))
    assert spikes.dtype == np.uint8
    assert spikes[0].reshape(BANDS, len(LEVELS))[band].tolist() == [1, 1, 1, 1]
    assert spikes[-1].reshape(BANDS, len(LEVELS))[band].tolist() == [1, 1, 0, 0]


def test_windows_span_the_recording() -> None:
    """Only the first and the last window see a click in the first and the last sample but one."""
    click = np.zeros(5000, np.int16)
    click[1] = click[-1] = 9000
    heard = levels(click).max(axis=1) > FLOOR
    assert np.flatnonzero(heard).tolist() == [0, STEPS - 1]


def test_short_and_silent_recordings() -> None:
    assert np.all(levels(np.zeros(3000, np.int16)) == FLOOR)
    assert np.all(levels(np.zeros(0, np.int16)) == FLOOR)
    short = levels(tone(1000, 9000, 100))
    # All windows begin at 0, the only place where there is one.
    assert np.all(short == short[0])
    assert np.array_equal(short, levels(np.concatenate([tone(1000, 9000, 100), np.zeros(156, np.int16)])))
    assert not encode(np.zeros(300, np.int16)).any()


def test_levels_do_not_depend_on_loudness() -> None:
    rng = np.random.default_rng(2)
    sound = rng.integers(-1000, 1000, 5000).astype(np.int16)
    assert np.array_equal(levels(sound), levels(16 * sound))


def test_archive_is_read_without_folders_and_others(tmp_path: Path, make_tar: Make) -> None:
    files = {
        "a/recordings/1_ann_2.wav": b"one",
        "a/recordings/0_bob_14.wav": b"zero",
        "a/recordings/0_bob_15.wav": b"not used",
        "a/recordings/notes.txt": b"",
        "a/other/2_ann_2.wav": b"",
    }
    for mode in ("w:gz", "w:xz"):
        path = tmp_path / "archive"
        path.write_bytes(make_tar(files, mode))
        recordings = fsdd.read_recordings(path)
        assert recordings == {"0_bob_14.wav": b"zero", "1_ann_2.wav": b"one"}
        assert list(recordings) == sorted(recordings)
    assert fsdd.digest(recordings) == hashlib.sha256(b"0_bob_14.wavzero1_ann_2.wavone").hexdigest()
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(HysteronError, match=r"archive' is damaged .*get it again"):
        fsdd.read_recordings(path)


def test_parts_and_order(make_wav: Make) -> None:
    """Recordings 0 to 4 are for testing; the first samples have different digits."""
    names = [f"{digit}_{who}_{number}.wav" for digit in (0, 1) for who in ("ann", "bob") for number in (4, 5, 14)]
    recordings = {name: make_wav(tone(500 + 500 * int(name[0]), 900, 600)) for name in names}
    inputs, labels = fsdd.select(recordings, "test")
    assert labels.tolist() == [0, 1, 0, 1]
    assert labels.dtype == np.int64
    assert np.array_equal(inputs[0], encode(tone(500, 900, 600)))
    assert np.array_equal(inputs[1], encode(tone(1000, 900, 600)))
    assert fsdd.select(recordings, "train")[1].tolist() == [0, 1, 0, 1, 0, 1, 0, 1]


def test_other_sound_is_refused_by_name(make_wav: Make) -> None:
    sound = tone(1000, 900)
    assert np.array_equal(fsdd.read_wav("a.wav", make_wav(sound)), sound)
    for content, told in (
        (make_wav(sound, 16000), "16000 Hz"),
        (make_wav(sound.astype(np.int32)), "int32"),
        (make_wav(np.stack([sound, sound], axis=1)), r"\(4000, 2\)"),
        (b"RIFF", "no WAV file"),
        (b"", "no WAV file"),
    ):
        with pytest.raises(HysteronError, match=rf"'a\.wav' .*{told}.*get the archive again"):
            fsdd.read_wav("a.wav", content)


def test_too_little_memory_is_no_damage(make_wav: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr("scipy.io.wavfile.read", fail)
    with pytest.raises(MemoryError):
        fsdd.read_wav("a.wav", make_wav(tone(1000, 900)))


def test_real_recordings() -> None:
    need_data("fsdd")
    tests = load_data_set("fsdd")
    assert tests.labels is not None
    assert tests.labels[:10].tolist() == list(range(10))
    assert int(tests.inputs.sum(dtype=np.int64)) == 394156
    by_digit = [tests.inputs[tests.labels == digit].mean(axis=0) for digit in range(10)]
    nearest = [int(np.argmin([np.abs(sample - mean).sum() for mean in by_digit])) for sample in tests.inputs[:100]]
    assert np.mean(nearest == tests.labels[:100]) > 0.5
