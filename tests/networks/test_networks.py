# SPDX-License-Identifier: Apache-2.0
"""The networks that come with the package: by name, by file, and what is said of one that is not there."""

from __future__ import annotations

from pathlib import Path

import pytest

import hysteron_networks as shipped
from hysteron_measure.record import load_record
from hysteron_spec import load
from support.refusal import refusal


def test_names() -> None:
    assert "digits" in shipped.names() and list(shipped.names()) == sorted(shipped.names())
    assert {path.name for path in shipped.FOLDER.glob("*.hyn")} == {f"{name}.hyn" for name in shipped.names()}


@pytest.mark.parametrize("name", shipped.names())
def test_every_network_loads_and_has_the_record_of_its_training(name: str) -> None:
    network = load(shipped.path(name))
    record = load_record(shipped.path(name))
    assert network.name == name == record.name
    assert (record.shape, record.weight_bits) == (network.shape, max(layer.weight_bits for layer in network.layers))


def test_every_record_has_its_network() -> None:
    others = {"results", "ablation"}
    assert {path.stem for path in shipped.FOLDER.glob("*.json")} == others | set(shipped.names())


def test_the_path_of_a_name() -> None:
    assert shipped.path("digits") == shipped.FOLDER / "digits.hyn"
    said = refusal(lambda: shipped.path("digit"))
    assert said.startswith("shipped networks are ") and said.endswith("not 'digit'; did you mean 'digits'?")
    for name in shipped.names():
        assert name in said
    assert refusal(lambda: shipped.path("digits.hyn")).startswith("shipped networks are ")


def test_found_by_file_or_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert shipped.find("digits") == shipped.FOLDER / "digits.hyn"
    Path("digits").write_bytes(b"a file of that name comes first")
    assert shipped.find("digits") == Path("digits")
    assert shipped.find(tmp_path / "digits") == tmp_path / "digits"


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("networks/digits.hyn", "network file 'networks/digits.hyn' does not exist; the shipped network is called 'd"),
        ("digits.hyn", "network file 'digits.hyn' does not exist; the shipped network is called 'digits'"),
        ("networks/other.hyn", "network file 'networks/other.hyn' does not exist; check the path"),
        ("other.nir", "network file 'other.nir' does not exist; check the path"),
        ("digts", "'digts' is neither a network file nor a shipped network ("),
        ("elephant", "'elephant' is neither a network file nor a shipped network ("),
    ],
)
def test_what_is_not_there(what: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    message = refusal(lambda: shipped.find(what))
    assert message.startswith(said)
    assert message == refusal(lambda: shipped.find(Path(what)))
    assert message.endswith("; did you mean 'digits'?") == (what == "digts")
    assert ("digits, " in message or "digits)" in message) == (what in ("digts", "elephant"))
