# SPDX-License-Identifier: Apache-2.0
"""The network file: nothing is lost in it, nothing damaged is read from it, nothing is half-written."""

import hashlib
import io
import json
import os
import stat
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given

from hysteron_spec import store
from hysteron_spec.encoder import Coding, Encoder
from hysteron_spec.network import Layer, Network
from hysteron_spec.neuron import Mode, Potential, Readout, Reset
from hysteron_spec.store import VERSION, load, save, write_file
from support.networks import assert_same, examples, layer, network, networks, random_network
from support.refusal import refusal


@pytest.fixture
def path(tmp_path):
    """Where the file under test goes."""
    return tmp_path / "some network.hyn"


def rich_network(*sizes):
    """A network with every feature, in a small file."""
    return random_network(
        np.random.default_rng(1),
        sizes or (5, 4),
        recurrent=True,
        m=3,
        bits=8,
        potential=Potential(12),
        encoder=Encoder(Coding.LATENCY, 3, (200, 100, 7)),
        every_step=True,
    )


# -- round trip ------------------------------------------------------------------------------------------------


@examples(60)
@given(networks() | networks(encoded=True))
def test_round_trip(tmp_path_factory, net):
    file = tmp_path_factory.mktemp("store") / "net.hyn"
    save(net, file)
    assert_same(load(file), net)


@pytest.mark.parametrize("seed", range(10))
def test_round_trip_of_larger_networks(path, seed):
    rng = np.random.default_rng(seed)
    net = random_network(rng, tuple(rng.integers(1, 60, rng.integers(2, 6))))
    save(net, path)
    assert_same(load(path), net)


@pytest.mark.parametrize(
    "encoder",
    [
        None,
        Encoder(Coding.RATE, 255, seed=2**64 - 1),
        Encoder(Coding.LEVEL, 3, (0, 255, 7)),
        Encoder(Coding.LATENCY, 2, (255, 0)),
        Encoder(Coding.DIRECT, 1),
    ],
)
def test_round_trip_of_encoders(path, encoder):
    net = network(encoder=encoder)
    save(net, path)
    assert_same(load(path), net)


@pytest.mark.parametrize("readout", Readout)
@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("reset", Reset)
def test_round_trip_of_kinds(path, readout, mode, reset):
    net = network(layers=(layer(mode=mode, reset=reset),), readout=readout, readout_every_step=readout > 0)
    save(net, path)
    assert_same(load(path), net)


@pytest.mark.parametrize(
    "net",
    [
        network(potential=Potential(24, False), layers=(layer(theta_high=2**24 - 1, theta_low=2**24 - 1),)),
        network(potential=Potential(24), layers=(layer(theta_low=-(2**23)),)),
        network(layers=(layer(weight_bits=8, weights=[[-128, 127], [0, 1], [2, 3]]),)),
        network(layers=(layer(weight_bits=1, unit_weights=True, weights=[[0, 1], [1, 1], [0, 0]]),)),
        network(layers=(layer(weight_bits=1, weights=[[-1, 1], [1, 1], [-1, -1]]),)),
        network(layers=(layer(leak_bits=8, leak=[256, 0]),)),
        network(layers=(layer(bias=[127, -128]),)),
        network(layers=(layer(bias=[128, -129]),)),
        network(layers=(layer(bias=[32767, -32768]),)),
        network(layers=(layer(bias=[32768, -32769]),)),
        network(layers=(layer(bias=[8388607, -8388608]),)),
        network(name="", notes={}),
        network(name="größer ≥ 10 µs\n\ttab", notes={"ключ": "значение", "": "", "quote": '"\\'}),
    ],
    ids=range(13),
)
def test_round_trip_of_extremes(path, net):
    save(net, path)
    assert_same(load(path), net)


def test_loaded_arrays_are_read_only(path):
    save(rich_network(), path)
    with pytest.raises(ValueError, match="read-only"):
        load(path).layers[0].weights[0, 0] = 1


def test_paths_may_be_text_and_folders_are_made(tmp_path):
    file = tmp_path / "new" / "folder" / "net.hyn"
    save(network(), str(file))
    assert_same(load(str(file)), network())


def test_the_same_network_gives_the_same_bytes(tmp_path):
    first, second, third = (tmp_path / name for name in ("a.hyn", "b.hyn", "c.hyn"))
    save(rich_network(), first)
    save(rich_network(), second)
    save(load(first), third)
    assert first.read_bytes() == second.read_bytes() == third.read_bytes()


def test_the_order_of_notes_does_not_matter(tmp_path):
    save(network(notes={"a": "1", "b": "2"}), tmp_path / "a")
    save(network(notes={"b": "2", "a": "1"}), tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("dtype", [np.int64, np.uint8])
@pytest.mark.parametrize("what", ["potential bits", "weight bits", "leak bits", "encoder steps", "encoder seed"])
def test_numpy_integers_can_be_saved(path, what, dtype):
    net = {
        "potential bits": lambda: network(potential=Potential(dtype(16))),
        "weight bits": lambda: network(layers=(layer(weight_bits=dtype(4)),)),
        "leak bits": lambda: network(layers=(layer(leak_bits=dtype(3)),)),
        "encoder steps": lambda: network(encoder=Encoder(Coding.RATE, dtype(3))),
        "encoder seed": lambda: network(encoder=Encoder(Coding.RATE, 3, seed=dtype(7))),
    }[what]()
    save(net, path)
    assert load(path).potential == net.potential and load(path).encoder == net.encoder


def test_numpy_flags_can_be_saved(path):
    yes = np.bool_(True)
    net = network(
        potential=Potential(12, yes),
        layers=(layer(weights=[[1, 1]], weight_bits=1, unit_weights=yes),),
        readout_every_step=yes,
    )
    save(net, path)
    assert load(path).potential.signed and load(path).readout_every_step and load(path).layers[0].unit_weights


# -- the format, read without the library ----------------------------------------------------------------------


def parts(file):
    """Arrays and meta of a file, by NumPy alone."""
    with np.load(file) as archive:
        arrays = {name: archive[name] for name in archive.files}
    return arrays, json.loads(arrays.pop("meta").tobytes())


def digest(arrays, meta):
    """The checksum: SHA-256 over the meta without itself, then each array's name, type, shape and bytes."""
    rest = {key: value for key, value in meta.items() if key != "sha256"}
    sha = hashlib.sha256(json.dumps(rest, sort_keys=True).encode())
    for name, array in sorted(arrays.items()):
        sha.update(f"{name}:{array.dtype.str}:{array.shape}".encode() + np.ascontiguousarray(array).tobytes())
    return sha.hexdigest()


def write(file, arrays, meta, sign=True):
    """A file of these parts, with a valid checksum unless ``sign`` is false."""
    if sign:
        meta = {**meta, "sha256": digest(arrays, meta)}
    text = np.frombuffer(json.dumps(meta).encode(), np.uint8)
    with file.open("wb") as out:
        np.savez(out, meta=text, **arrays)


def test_format(path):
    net = rich_network(5, 4, 3)
    save(net, path)
    arrays, meta = parts(path)
    assert sorted(arrays) == sorted(f"{kind}{i}" for kind in ("weights", "recurrent", "leak", "bias") for i in (0, 1))
    for i, one in enumerate(net.layers):
        for kind in ("weights", "recurrent", "leak", "bias"):
            assert np.array_equal(arrays[f"{kind}{i}"], getattr(one, kind))
            assert arrays[f"{kind}{i}"].dtype.kind == "i"
    assert arrays["weights0"].dtype == np.int8, "arrays are stored in the smallest type"
    assert meta["format"] == "hysteron-network" and meta["version"] == VERSION
    assert meta["potential"] == {"bits": 12, "signed": True}
    assert meta["encoder"] == {"coding": "LATENCY", "steps": 3, "thresholds": [200, 100, 7], "seed": 0}
    assert meta["readout"] == net.readout.name and meta["readout_every_step"] is True
    assert meta["name"] == net.name and meta["notes"] == net.notes
    assert [entry["mode"] for entry in meta["layers"]] == [one.mode.name for one in net.layers]
    assert meta["sha256"] == digest(arrays, meta)


def test_a_file_written_by_hand_loads(path):
    net = rich_network()
    save(net, path)
    write(path, *parts(path))
    assert_same(load(path), net)


# -- damage ----------------------------------------------------------------------------------------------------


def check_refused(file):
    """Loading is refused in one line that names the file."""
    message = refusal(lambda: load(file))
    assert repr(str(file)) in message, message
    return message


def test_truncated_at_many_lengths(path):
    save(rich_network(), path)
    data = path.read_bytes()
    for length in {*range(40), *range(0, len(data), 5), *range(len(data) - 120, len(data))}:
        path.write_bytes(data[:length])
        check_refused(path)


def test_a_changed_byte_is_refused_or_harmless(path):
    """Wherever it is: one bit of it in turn, or all; some bytes of an archive (times, say) do not matter."""
    net = rich_network()
    save(net, path)
    data = path.read_bytes()
    harmless = 0
    for position in range(len(data)):
        damaged = bytearray(data)
        damaged[position] ^= (0xFF, 1 << position // 2 % 8)[position % 2]
        path.write_bytes(damaged)
        try:
            loaded = load(path)
        except store.HysteronError:
            check_refused(path)
        else:
            assert_same(loaded, net)
            harmless += 1
    assert harmless < len(data) / 3


def test_random_damage_of_many_bytes(path):
    rng = np.random.default_rng(2)
    save(rich_network(), path)
    data = np.frombuffer(path.read_bytes(), np.uint8)
    for _ in range(100):
        damaged = data.copy()
        start = rng.integers(0, len(data) - 40)
        damaged[start : start + 40] = rng.integers(0, 256, 40)
        path.write_bytes(damaged.tobytes())
        try:
            loaded = load(path)
        except store.HysteronError:
            check_refused(path)
        else:
            assert_same(loaded, rich_network())


@pytest.mark.parametrize("what", ["weights0", "recurrent1", "leak0", "bias1"])
def test_a_changed_array_is_refused_though_the_archive_is_whole(path, what):
    save(rich_network(5, 4, 3), path)
    arrays, meta = parts(path)
    arrays[what] = arrays[what].copy()
    arrays[what].flat[-1] ^= 1
    write(path, arrays, meta, sign=False)
    assert "checksum" in check_refused(path)


@pytest.mark.parametrize(
    ("key", "value"), [("name", "x"), ("readout", "COUNT"), ("encoder", None), ("notes", {}), ("sha256", "0" * 64)]
)
def test_a_changed_setting_is_refused_though_the_archive_is_whole(path, key, value):
    save(network(encoder=Encoder(Coding.DIRECT, 2), readout=Readout.FIRST, notes={"a": "b"}), path)
    arrays, meta = parts(path)
    assert meta[key] != value
    write(path, arrays, {**meta, key: value}, sign=False)
    assert "checksum" in check_refused(path)


def test_swapped_arrays_are_refused(path):
    net = network(layers=(layer(leak=[1, 2], bias=[2, 1]),))
    save(net, path)
    arrays, meta = parts(path)
    arrays["leak0"], arrays["bias0"] = arrays["bias0"], arrays["leak0"]
    write(path, arrays, meta, sign=False)
    assert "checksum" in check_refused(path)


def test_a_file_without_checksum_is_refused(path):
    save(network(), path)
    arrays, meta = parts(path)
    del meta["sha256"]
    write(path, arrays, meta, sign=False)
    assert "checksum" in check_refused(path)


# -- other files -----------------------------------------------------------------------------------------------


def test_a_missing_file(path):
    assert "does not exist" in check_refused(path)


def test_a_folder(tmp_path):
    check_refused(tmp_path)


@pytest.mark.parametrize(
    "data", [b"", b"P", b"PK\x03\x04", b"hello\n" * 100, b"\x93NUMPY", b"\x80\x04K\x01.", bytes(1000), b"\x1f\x8b" * 50]
)
def test_no_archive(path, data):
    path.write_bytes(data)
    check_refused(path)


def test_a_nir_file_is_told_with_the_command_that_takes_it(tmp_path):
    """NIR is exchanged in HDF5 files, whatever they are called."""
    for name in ("net.nir", "net.hyn"):
        path = tmp_path / name
        path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
        message = check_refused(path)
        assert (
            "as a NIR file is" in message
            and f"'hysteron import {path}'" in message
            and "export it again" not in message
        )
    path.write_bytes(b"\x89HDF")
    assert "NIR" not in check_refused(path)


def test_an_archive_of_something_else(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "hello")
    check_refused(path)


def test_a_lone_array(path):
    with path.open("wb") as file:
        np.save(file, np.arange(5))
    check_refused(path)


def test_an_archive_without_meta(path):
    np.savez(path.open("wb"), weights0=np.ones((2, 2), np.int8))
    assert "no network file" in check_refused(path) and "'meta'" in check_refused(path)


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"5", b"null", b'"text"', b"\xff\xfe", b"{}", b'{"version": 1}'])
def test_an_archive_with_a_strange_meta(path, text):
    with path.open("wb") as file:
        np.savez(file, meta=np.frombuffer(text, np.uint8), weights0=np.ones(1))
    check_refused(path)


def test_meta_that_is_no_array(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("meta", json.dumps({"format": "hysteron-network", "version": 1}))
    check_refused(path)


def test_another_programs_format(path):
    save(network(), path)
    arrays, meta = parts(path)
    write(path, arrays, {**meta, "format": "another-network"})
    assert "another-network" in check_refused(path)


def test_no_code_is_run(path):
    class Trap:
        def __reduce__(self):
            return os.mkdir, (str(path.parent / "trapped"),)

    with path.open("wb") as file:
        np.savez(file, meta=np.array([Trap()], object))
    check_refused(path)
    assert not (path.parent / "trapped").exists()


@pytest.mark.parametrize("version", [VERSION + 1, VERSION + 2, 1000])
@pytest.mark.parametrize("sign", [True, False])
def test_a_newer_version_is_refused_by_number(path, version, sign):
    """Before anything else is looked at: a newer release may well compute another checksum."""
    save(network(), path)
    arrays, meta = parts(path)
    write(path, arrays, {**meta, "version": version, "something new": [1, 2]}, sign=sign)
    message = check_refused(path)
    assert f"version {version}," in message and "upgrade" in message and f"reads 1 to {VERSION};" in message


@pytest.mark.parametrize("version", [0, -1, "1", None, 1.5, [1]])
def test_versions_that_never_were(path, version):
    save(network(), path)
    arrays, meta = parts(path)
    write(path, arrays, {**meta, "version": version})
    assert f"version {version}," in check_refused(path)


def damaged_parts(change):
    """Arrays and meta of a small encoded network after ``change(arrays, meta)``."""
    net = network(encoder=Encoder(Coding.LEVEL, 2, (9, 5)))
    buffer = io.BytesIO()
    save_to = store.write_file
    try:
        store.write_file = lambda _path, data: buffer.write(data)
        save(net, "unused")
    finally:
        store.write_file = save_to
    buffer.seek(0)
    arrays, meta = parts(buffer)
    change(arrays, meta)
    return arrays, meta


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda a, _: a.pop("weights0"), ["weights0"]),
        (lambda a, _: a.pop("leak0"), ["leak0"]),
        (lambda _, m: m.pop("layers"), ["layers"]),
        (lambda _, m: m.pop("encoder"), ["encoder"]),
        (lambda _, m: m.pop("potential"), ["potential"]),
        (lambda _, m: m["layers"][0].pop("theta_low"), ["theta_low"]),
        (lambda _, m: m["layers"][0].update(mode="SPIN"), ["SPIN"]),
        (lambda _, m: m["layers"][0].update(reset=3), ["3"]),
        (lambda _, m: m["layers"][0].update(theta_high=-7), ["theta_high", "-7"]),
        (lambda _, m: m["layers"][0].update(weight_bits=5), ["weight bits", "5"]),
        (lambda _, m: m["layers"].append(m["layers"][0]), ["weights1"]),
        (lambda _, m: m.update(layers=[]), ["at least one layer"]),
        (lambda _, m: m.update(layers=5), []),
        (lambda _, m: m.update(potential={"bits": 99, "signed": True}), ["potential bits", "99"]),
        (lambda _, m: m.update(potential={"bits": 16, "width": 3}), ["width"]),
        (lambda _, m: m.update(readout="LOUD"), ["LOUD"]),
        (lambda _, m: m["encoder"].update(coding="MORSE"), ["MORSE"]),
        (lambda _, m: m["encoder"].update(thresholds=[1]), ["thresholds", "not 1"]),
        (lambda _, m: m["encoder"].update(thresholds=7), []),
        (lambda _, m: m.update(encoder=[1, 2]), []),
        (lambda a, _: a.update(weights0=a["weights0"] + 100), ["weights[0, 0]", "101"]),
        (lambda a, _: a.update(weights0=a["weights0"].astype(complex)), ["complex"]),
        (lambda a, _: a.update(leak0=a["leak0"][:1]), ["leak", "(1,)"]),
    ],
)
def test_a_sound_archive_of_a_wrong_network_is_refused(path, change, words):
    arrays, meta = damaged_parts(change)
    write(path, arrays, meta)
    message = check_refused(path)
    assert all(word in message for word in words), message


# -- writing ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("old", [None, b"old content"])
@pytest.mark.parametrize("call", ["replace", "open", "fdopen"])
def test_a_failing_write_leaves_nothing_behind(path, monkeypatch, old, call):
    if old is not None:
        path.write_bytes(old)

    def fail(*_args, **_keywords):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(OSError, match="No space left"):
        save(network(), path)
    monkeypatch.undo()
    assert [file.name for file in path.parent.iterdir()] == ([] if old is None else [path.name])
    if old is not None:
        assert path.read_bytes() == old


def test_an_interrupted_write_leaves_nothing_behind(path, monkeypatch):
    def interrupt(*_args):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_file(path, b"data")
    assert list(path.parent.iterdir()) == []


def test_the_target_changes_only_by_a_rename_in_its_folder(path, monkeypatch):
    """All of the data is in the temporary file, beside the target, before the target is touched."""
    path.write_bytes(b"old")
    seen = []
    replace = os.replace

    def watch(source, target):
        with Path(source).open("rb") as file:
            seen.append((str(Path(source).parent), os.fspath(target), file.read(), path.read_bytes()))
        replace(source, target)

    monkeypatch.setattr(os, "replace", watch)
    write_file(path, b"new data")
    assert seen == [(str(path.parent), str(path), b"new data", b"old")]
    assert path.read_bytes() == b"new data"
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_written_file_is_readable_by_others(path):
    save(network(), path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_saving_over_a_file_replaces_it(path):
    save(rich_network(), path)
    net = Network((Layer([[1]], 3),))
    save(net, path)
    assert_same(load(path), net)
