# SPDX-License-Identifier: Apache-2.0
"""Small data sets in the form of the real ones, and a guard against downloads."""

import gzip
import io
import socket
import struct
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import savemat, wavfile

from hysteron_data import sources
from hysteron_data.sources import FILES, DataFile

#: Samples of each part of the small sets.
TRAIN, TEST = 4, 3


@pytest.fixture(autouse=True)
def no_downloads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests reach this machine only."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        assert isinstance(address, tuple) and address[0] == "127.0.0.1", f"a test connects to {address}"
        connect(self, address)

    resolve = socket.getaddrinfo

    def offline(host: str, *rest: Any, **named: Any) -> Any:
        if host != "127.0.0.1":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return resolve(host, *rest, **named)

    monkeypatch.setattr(socket.socket, "connect", guarded)
    monkeypatch.setattr(socket, "getaddrinfo", offline)


def idx(array: np.ndarray) -> bytes:
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


def tar(files: dict[str, bytes], mode: str = "w:gz") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def wav(samples: np.ndarray, rate: int = 8000) -> bytes:
    buffer = io.BytesIO()
    wavfile.write(buffer, rate, samples)
    return buffer.getvalue()


@pytest.fixture
def make_idx() -> Callable[[np.ndarray], bytes]:
    """An IDX file of bytes, uncompressed."""
    return idx


@pytest.fixture
def make_tar() -> Callable[..., bytes]:
    """A compressed archive of files by path."""
    return tar


@pytest.fixture
def make_wav() -> Callable[..., bytes]:
    """A WAV file."""
    return wav


def small_files() -> dict[str, dict[str, bytes]]:
    """Contents by folder and file name."""
    rng = np.random.default_rng(3)
    files: dict[str, dict[str, bytes]] = {}
    for folder in ("mnist", "fashion-mnist"):
        files[folder] = {}
        for part, count in (("train", TRAIN), ("t10k", TEST)):
            images = rng.integers(0, 256, (count, 28, 28)).astype(np.uint8)
            labels = rng.integers(0, 10, count).astype(np.uint8)
            files[folder][f"{part}-images-idx3-ubyte.gz"] = gzip.compress(idx(images))
            files[folder][f"{part}-labels-idx1-ubyte.gz"] = gzip.compress(idx(labels))
    events = 20 * (TRAIN + TEST)
    arrays = {
        "x": rng.integers(0, 34, events).astype(np.uint8),
        "y": rng.integers(0, 34, events).astype(np.uint8),
        "p": rng.integers(0, 2, events).astype(np.uint8),
        "dt": rng.integers(0, 16000, events).astype(np.uint16),
        "n": np.full(TRAIN + TEST, 20, np.uint32),
        "id": np.array([*range(1, TRAIN + 1), *range(60001, 60001 + TEST)], np.uint32),
        "label": np.arange(TRAIN + TEST, dtype=np.uint8),
    }
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    files["nmnist-small"] = {"nmnist_small.npz": buffer.getvalue()}
    recordings = {
        f"whole-repository/recordings/{digit}_ann_{number}.wav": wav(rng.integers(-99, 99, 900).astype(np.int16))
        for digit, number in ((3, 0), (1, 0), (2, 4), (5, 5), (4, 5), (6, 14), (7, 6), (8, 15))
    }
    other = {"whole-repository/README.md": b"words", "whole-repository/notes/1_ann_1.wav": b"no recording"}
    files["fsdd"] = {"free-spoken-digit-dataset.tar.gz": tar(recordings | other)}
    files["qtdb"] = {}
    for part, count in (("train", TRAIN), ("test", TEST)):
        x = rng.integers(0, 2, (count, 12, 4)).astype(np.int16)
        x[:, -1, 0] = -1
        phases = np.arange(12) % 7
        y = (phases[:, None] == np.arange(6)).astype(np.uint8)[None].repeat(count, axis=0)
        buffer = io.BytesIO()
        savemat(buffer, {"x": x, "y": y})
        files["qtdb"][f"QTDB_{part}.mat"] = buffer.getvalue()
    return files


@pytest.fixture
def small_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for HYSTERON_DATA with every set, a few samples each, that are known by their checksums."""
    root = tmp_path / "data"
    for folder, files in small_files().items():
        known = []
        for file in FILES[folder]:
            path = root / folder / file.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(files[file.name])
            known.append(replace(file, sha256=file.digest(file.read(path))))
        monkeypatch.setitem(sources.FILES, folder, tuple[DataFile, ...](known))
    monkeypatch.setenv("HYSTERON_DATA", str(root))
    return root
