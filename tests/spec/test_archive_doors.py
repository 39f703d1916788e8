# SPDX-License-Identifier: Apache-2.0
"""Archives of arrays from anywhere: sizes are compared before memory is taken, messages are short."""

from __future__ import annotations

import contextlib
import io
import os
import threading
import tracemalloc
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.lib import format as npy

from hysteron_base.memory import VARIABLE
from hysteron_spec import Layer, Network, load, save, store
from hysteron_spec.archive import read_arrays
from support.refusal import refusal


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "some.npz"


@pytest.fixture
def little_memory() -> Iterator[None]:
    """Fails if a test takes more than 8 MiB."""
    tracemalloc.start()
    yield
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 << 20, peak


def read(path: Path, most: int | None = None) -> dict[str, Any]:
    return read_arrays(path, "data file", "write it again", most)


def refused(path: Path, most: int | None = None) -> str:
    message = refusal(lambda: read(path, most))
    assert repr(str(path)) in message and len(message) < 500, message
    return message


def head(shape: tuple[int, ...], kind: str = "|i1") -> bytes:
    buffer = io.BytesIO()
    npy.write_array_header_1_0(buffer, {"descr": kind, "fortran_order": False, "shape": shape})
    return buffer.getvalue()


def write(path: Path, method: int = zipfile.ZIP_DEFLATED, **entries: bytes) -> None:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in entries.items():
            archive.writestr(f"{name}.npy", content)


def test_arrays_come_as_they_were(path: Path) -> None:
    arrays = {
        "a": np.arange(6).reshape(2, 3),
        "b": np.asfortranarray(np.ones((3, 4), np.float32)),
        "c": np.zeros((0, 5), bool),
        "d": np.array(7, ">i2"),
        "e": np.array(["text", "é"]),
    }
    for write in (np.savez, np.savez_compressed):
        write(path, **arrays)
        found = read(path)
        assert sorted(found) == sorted(arrays)
        for name, array in arrays.items():
            assert found[name].dtype == array.dtype and np.array_equal(found[name], array)


@pytest.mark.usefixtures("little_memory")
@pytest.mark.parametrize("shape", [(10**12,), (10**6, 10**6), (1 << 62, 1 << 62), (-1,), (0, -1), (3,), (5,)])
def test_a_head_that_tells_another_size(path: Path, shape: tuple[int, ...]) -> None:
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        write(path, method, a=head(shape) + bytes(4))
        assert "array 'a' of shape" in refused(path)


@pytest.mark.usefixtures("little_memory")
@pytest.mark.parametrize("size", [1 << 31, 10**6])
def test_a_directory_that_tells_another_size(path: Path, size: int) -> None:
    """Head and directory agree, but no such array can be in so few bytes."""
    write(path, a=head((size,)) + bytes(4))
    content = path.read_bytes()
    real = (len(head((size,))) + 4).to_bytes(4, "little")
    told = (len(head((size,))) + size).to_bytes(4, "little")
    assert content.count(real) == 2
    path.write_bytes(content.replace(real, told))
    assert "the size of entry 'a'" in refused(path)


@pytest.mark.usefixtures("little_memory")
def test_an_honest_bomb(path: Path) -> None:
    """Zeros take a thousandth of their place."""
    write(path, a=head((1 << 22,)) + bytes(1 << 22), b=head((10, 10)) + bytes(100))
    assert path.stat().st_size < 1 << 13
    tracemalloc.reset_peak()
    message = refused(path, 1 << 22)
    assert "4,194,404 values, more than 4,194,304" in message
    assert tracemalloc.get_traced_memory()[1] < 1 << 20


def test_as_many_values_as_there_may_be(path: Path) -> None:
    write(path, a=head((1000,)) + bytes(1000))
    assert read(path, 1000)["a"].shape == (1000,)
    assert "1,000 values, more than 999" in refused(path, 999)


def test_more_than_is_allowed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(path, a=head((3 << 20,)) + bytes(3 << 20))
    monkeypatch.setenv(VARIABLE, str(2**-10))
    assert f"set {VARIABLE} to allow more" in refused(path)


def test_no_network_is_too_large_to_be_read_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    net = Network((Layer(np.ones((10, 10)), 3),))
    monkeypatch.setattr(store, "MOST_VALUES", 119)
    assert "at most 119 values, not 120" in refusal(lambda: save(net, path)) and not path.exists()
    monkeypatch.undo()
    save(net, path)
    size = sum(array.size for array in read(path).values())
    monkeypatch.setattr(store, "MOST_VALUES", size)
    load(path)
    monkeypatch.setattr(store, "MOST_VALUES", size - 1)
    assert f"{size:,} values, more than {size - 1:,}" in refusal(lambda: load(path))


def test_long_notes_are_told_both_ways(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    net = Network((Layer([[1]], 3),), notes={"why": "x" * 1000})
    save(net, path)
    monkeypatch.setattr(store, "MOST_META", 1000)
    assert "'meta' is longer than 1,000 bytes" in refusal(lambda: load(path))
    assert "shorter than 1,000 bytes" in refusal(lambda: save(net, path))


def test_no_memory_is_not_damage(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise MemoryError

    save(Network((Layer([[1]], 3),)), path)
    monkeypatch.setattr(npy, "read_array", full)
    with pytest.raises(MemoryError):
        load(path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"hello", "entry 'a' is no array"),
        (b"", "entry 'a' is no array"),
        (b"\x93NUMPY\x09\x00" + bytes(100), "version (9, 0)"),
        (head((1,), "|O") + bytes(8), "holds Python objects, not numbers"),
        (b"\x93NUMPY\x01\x00\xff\xff" + b"(" * 65535, "damaged"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + b" " * 100, "damaged"),
    ],
)
def test_entries_that_are_no_array(path: Path, content: bytes, words: str) -> None:
    write(path, a=content)
    message = refused(path)
    assert words in message and "allow_pickle" not in message


def test_an_entry_twice(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.npy", head((1,)) + bytes(1))
        archive.writestr("a", head((1,)) + bytes(1))
    assert "entry 'a' twice" in refused(path)


def test_other_methods_of_packing(path: Path) -> None:
    for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        write(path, method, a=head((1,)) + bytes(1))
        assert "the size of entry" in refused(path)


def test_names_do_not_reach_the_terminal(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("\x1b[31m\n" * 5, b"hello")
    assert refused(path).isprintable()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_flipped_bit_is_a_short_line_or_changes_nothing(path: Path, data: st.DataObject) -> None:
    rng = np.random.default_rng(1)
    net = Network((Layer(rng.integers(-8, 8, (40, 30)), 9, 3),), notes={"note": "x" * 300})
    save(net, path)
    content = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, 8 * len(content) - 1))
    content[place // 8] ^= 1 << place % 8
    path.write_bytes(content)
    try:
        found = load(path)
    except ValueError as error:
        assert len(str(error)) < 500 and "\n" not in str(error)
    else:
        assert found.name == net.name and np.array_equal(found.layers[0].weights, net.layers[0].weights)


def test_values_in_messages_are_short(path: Path) -> None:
    save(Network((Layer([[1]], 3),)), path)
    arrays = read(path)
    for change in ({"format": "x" * 90_000}, {"version": "9" * 90_000}, {"version": [1] * 30_000}):
        meta = store.json.loads(arrays["meta"].tobytes()) | change
        text = np.frombuffer(store.json.dumps(meta).encode(), np.uint8)
        np.savez(path, **(arrays | {"meta": text}))
        assert len(refusal(lambda: load(path))) < 400


# -- pipes -----------------------------------------------------------------------------------------------------


def through_a_pipe(folder: Path, content: bytes) -> tuple[Path, threading.Thread]:
    pipe = folder / "pipe"
    os.mkfifo(pipe)

    def feed() -> None:
        with contextlib.suppress(BrokenPipeError):
            pipe.write_bytes(content)

    writer = threading.Thread(target=feed, daemon=True)
    writer.start()
    return pipe, writer


def test_a_network_through_a_pipe(path: Path, tmp_path: Path) -> None:
    net = Network((Layer(np.arange(6).reshape(2, 3), 3),), name="piped")
    save(net, path)
    pipe, writer = through_a_pipe(tmp_path, path.read_bytes())
    assert load(pipe).name == "piped"
    writer.join()


@pytest.mark.parametrize("content", [b"", b"PK", b"\x89HDF\r\n\x1a\n", b"hello"])
def test_something_else_through_a_pipe(tmp_path: Path, content: bytes) -> None:
    pipe, writer = through_a_pipe(tmp_path, content)
    refused(pipe)
    writer.join()


def test_devices(tmp_path: Path) -> None:
    for name in ("/dev/null", "/dev/zero"):
        assert "it is no ZIP archive" in refused(Path(name))


def test_a_file_that_may_not_be_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(self: Path, *_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "open", closed)
    assert refusal(lambda: read(path)) == (
        f"data file {path}: Permission denied; check who may use it, or give another path"
    )
