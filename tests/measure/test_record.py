# SPDX-License-Identifier: Apache-2.0
"""The record of a training run: as a file and as an object."""

import json
from pathlib import Path
from typing import Any

import pytest

import hysteron_networks
from hysteron_base.errors import HysteronError
from hysteron_measure.record import Record, load_record, read_record, record_of
from hysteron_spec import CoreConfig
from support.measured import recurrent_network, ship, step_data

SHIPPED = [record_of(hysteron_networks.path(name)) for name in hysteron_networks.names()]


def test_there_are_records() -> None:
    assert len(SHIPPED) > 10


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_record_is_written_as_it_was(path: Path, tmp_path: Path) -> None:
    record = read_record(path)
    record.write(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == path.read_bytes()
    assert record == read_record(tmp_path / "again.json")


@pytest.mark.parametrize("task", ["classify", "classify-steps", "regress"])
def test_a_record_has_the_figures_of_its_task(task: str) -> None:
    record = Record(
        dataset="digits",
        preset="tiny",
        settings={"lanes": "8"},
        seed=1,
        command="",
        recipe={},
        task=task,
        epochs={"exact": [{"loss": 2.0}, {"loss": 1.0}]},
    )
    values = record.as_dict()
    kinds = {key.partition("_")[0] for key in values if key.endswith(("_integer", "_float"))}
    assert kinds == ({"error"} if task == "regress" else {"accuracy"})
    # No twin was trained, which is told; what has no meaning is left out.
    assert values[f"{kinds.pop()}_float"] is None and "readout_scale" not in values
    assert record.short().epochs == {"exact": [{"loss": 1.0}]}
    assert record.core() == CoreConfig.preset("tiny").override({"lanes": "8"})


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"seed": None}, ["'seed'", "None"]),
        ({"seed": True}, ["'seed'", "True"]),
        ({"preset": 3}, ["'preset'", "str"]),
        ({"settings": {"leak_bits": 5}}, ["leak_bits", "text", "5"]),
        ({"accuracy_float": "98 %"}, ["'accuracy_float'", "'98 %'"]),
        ({"readout_scale": True}, ["'readout_scale'", "True"]),
    ],
    ids=str,
)
def test_a_wrong_record_is_refused(tmp_path: Path, changes: dict[str, Any], told: list[str]) -> None:
    refused(ship(tmp_path, "wrong", recurrent_network(3, "wrong"), step_data(), **changes), *told)


def refused(network: Path, *told: str) -> None:
    with pytest.raises(HysteronError) as error:
        load_record(network)
    for text in ("wrong.json", *told):
        assert text in str(error.value)


@pytest.mark.parametrize(("content", "told"), [("{", "no JSON"), ("[]", "JSON object"), ("{}", "lacks 'dataset'")])
def test_a_damaged_record_is_refused(tmp_path: Path, content: str, told: str) -> None:
    path = ship(tmp_path, "wrong", recurrent_network(3, "wrong"), step_data())
    path.with_suffix(".json").write_text(content)
    refused(path, told)


def test_a_missing_record_is_told(tmp_path: Path) -> None:
    refused(tmp_path / "wrong.hyn", "no training record", "train the network again")


def test_what_a_record_does_not_know_is_left_out(tmp_path: Path) -> None:
    path = ship(tmp_path, "more", recurrent_network(3, "more"), step_data(), colour="blue")
    assert "colour" in json.loads(path.with_suffix(".json").read_text())
    assert "colour" not in load_record(path).as_dict()
